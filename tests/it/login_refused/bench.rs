//! What the rows share: two providers, three tenants, a router, and what a refused person must find.
//!
//! `acme` and `globex` have a provider each; `initech` is another client of acme's, so that a code can be
//! another client's. The router knows the providers by the meddlers before them.

use serde_json::{Value, json};
use url::Url;

use super::super::harness::meddler::Meddler;
use super::super::harness::navigator::{Browser, link};
use super::super::harness::oidc_provider::{Providers, client, secret};
use super::super::harness::{Backend, Reply, Server, Setup};

/// The secret that seals cookies; a test that knows it can make an old one.
pub(crate) const SESSION_SECRET: &str = "only-the-tests-know-this-secret-0123456789";
/// What the session cookie is called.
pub(crate) const SESSION: &str = "JSESSIONID";
/// How the names of flow cookies begin.
pub(crate) const FLOW: &str = "JSESSIONID-flow-";

/// Everything that a row needs.
pub(crate) struct Bench {
    /// The router.
    pub(crate) router: Server,
    /// Before acme's and initech's provider.
    pub(crate) acme: Meddler,
    /// Before globex' provider.
    pub(crate) globex: Meddler,
    /// What is protected.
    pub(crate) backend: Backend,
    // Last, so that it outlives what asks it.
    _providers: Providers,
}

/// One way to go wrong.
pub(crate) struct Row {
    /// What it shows.
    pub(crate) shows: &'static str,
    /// Goes wrong, and returns what the person sees.
    pub(crate) act: fn(&Bench, &mut Browser) -> Reply,
    /// The status.
    pub(crate) status: u16,
    /// The code.
    pub(crate) code: &'static str,
}

/// A row.
pub(crate) const fn row(
    shows: &'static str,
    act: fn(&Bench, &mut Browser) -> Reply,
    status: u16,
    code: &'static str,
) -> Row {
    Row { shows, act, status, code }
}

impl Bench {
    /// Starts everything.
    pub(crate) fn start() -> Self {
        Self::start_with(&json!({}), |setup| setup)
    }

    /// Starts everything with these lifetimes of what providers give, and with `change` made to the setup.
    pub(crate) fn start_with(ttl: &Value, change: impl FnOnce(Setup) -> Setup) -> Self {
        let (mut providers, backend) = (Providers::bind(2), Backend::start());
        let [acme, globex] = [0, 1].map(|place| Meddler::before(providers.addresses[place]));
        let setup = Setup::new(&routes())
            .destination("backend", backend.address)
            .tenants(&tenants(&acme, &globex))
            .variable("SESSION_SECRET", SESSION_SECRET)
            .variable("PRESERVE_FRAGMENT", "false");
        let router = change(setup).start();
        let at =
            |tenant: &str| client(tenant, &format!("http://{tenant}.localhost:{}", router.address.port()));
        providers.serve(&json!([
            {"issuer": acme.issuer, "title": "Acme", "ttl": ttl, "clients": [at("acme"), at("initech")]},
            {"issuer": globex.issuer, "title": "Globex", "ttl": ttl, "clients": [at("globex")]},
        ]));
        Self { router, acme, globex, backend, _providers: providers }
    }

    /// An address of a tenant.
    pub(crate) fn url(&self, tenant: &str, path: &str) -> Url {
        let text = format!("http://{tenant}.localhost:{}{path}", self.router.address.port());
        Url::parse(&text).unwrap()
    }

    /// Begins a login at acme and returns the callback, which has not been asked yet.
    pub(crate) fn callback(&self, browser: &mut Browser) -> Url {
        self.callback_at("acme", browser)
    }

    /// Begins a login at a tenant and returns the callback, which has not been asked yet.
    pub(crate) fn callback_at(&self, tenant: &str, browser: &mut Browser) -> Url {
        let begun = browser.log_in_until_callback(&self.url(tenant, "/wanted?x=1"), "ann.other");
        begun.err().unwrap_or_else(|| panic!("no callback"))
    }

    /// Runs a row and says what is wrong with it.
    pub(crate) fn try_row(&self, row: &Row) -> Result<(), String> {
        let mut browser = Browser::default();
        self.acme.take();
        self.globex.take();
        let said = |what: String| Err(format!("· {}: {what}", row.shows));
        let reply = (row.act)(self, &mut browser);
        self.acme.behave();
        self.globex.behave();
        let page = reply.text();
        let code = code_of(&page);
        if (reply.status, code.as_str()) != (row.status, row.code) {
            return said(format!("{} {code}, not {} {}\n{page}", reply.status, row.status, row.code));
        }
        for tenant in ["acme", "globex", "initech"] {
            if !browser.cookies(&format!("{tenant}.localhost"), SESSION).iter().all(|it| it.name != SESSION) {
                return said(format!("there is a session at {tenant}"));
            }
        }
        if let Some(leak) = self.leaks(&page) {
            return said(format!("the page says {leak:?}: {page}"));
        }
        self.backend.take();
        self.recovers(&mut browser, &page).or_else(said)
    }

    /// What must not be on a page.
    fn leaks(&self, page: &str) -> Option<String> {
        let secrets =
            [secret("acme"), secret("globex"), self.acme.issuer.clone(), self.globex.issuer.clone()];
        let addresses = [self.backend.address.to_string(), "<script>alert".to_owned(), "eyJ".to_owned()];
        secrets.into_iter().chain(addresses).find(|text| page.contains(text.as_str()))
    }

    /// Whether the page of a refused login leads back into one that succeeds.
    fn recovers(&self, browser: &mut Browser, page: &str) -> Result<(), String> {
        let here = self.url("acme", "/login/callback");
        let words = between(page, "<p class=\"detail\">", "</p>").unwrap_or_default();
        if words.split(' ').count() < 4 {
            return Err(format!("it does not say what to do: {page}"));
        }
        let Some(again) = link(&here, page) else { return Err(format!("a dead end: {page}")) };
        if again.origin() != here.origin() {
            return Err(format!("its link leaves the tenant: {again}"));
        }
        let landing = browser.log_in(&again, "ann.other");
        let seen = self.backend.take();
        match seen.last() {
            Some(request) if landing.reply.status == 200 && request.header("x-tenant") == "acme" => Ok(()),
            _ => Err(format!("its link {again} ends at {} with {:?}", landing.url, landing.reply)),
        }
    }
}

/// The code that a page names.
pub(crate) fn code_of(page: &str) -> String {
    between(page, "<dt>Code</dt><dd>", "</dd>").unwrap_or("-").to_owned()
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    Some(text.split_once(from)?.1.split_once(to)?.0)
}

/// `url` with the parameter `name` replaced, added, or, for `None`, removed.
pub(crate) fn with(url: &Url, name: &str, value: Option<&str>) -> Url {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(n, _)| n != name).collect();
    let mut changed = url.clone();
    changed.query_pairs_mut().clear().extend_pairs(pairs).extend_pairs(value.map(|value| (name, value)));
    changed
}

/// `url` with one parameter more.
pub(crate) fn and(url: &Url, name: &str, value: &str) -> Url {
    let mut changed = url.clone();
    changed.query_pairs_mut().append_pair(name, value);
    changed
}

/// A parameter of `url`.
pub(crate) fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(n, _)| n == name);
    found.unwrap_or_else(|| panic!("no {name} in {url}")).1.into_owned()
}

fn routes() -> Value {
    let logout = json!({"logoutEndpoint": "/logout", "logoutPage": "/logged-out.html",
                        "backChannelLogoutEndpoint": "/back-channel-logout"});
    json!({"logout": logout, "routes": [
        {"source": "^/logged-out.html$", "destination": "backend", "authenticationType": "none"},
        {"source": "^/(.*)$", "destination": "backend", "authenticationType": "oidc", "csrfProtection": false},
    ]})
}

fn tenants(acme: &Meddler, globex: &Meddler) -> Value {
    let issuer = |meddler: &Meddler, client: &str| {
        json!({"url": meddler.issuer, "clientId": client, "clientSecret": secret(client),
               "scopes": ["openid", "email", "profile"]})
    };
    json!({"hosts": ["{tenant}.localhost"], "tenants": {
        "acme": {"issuer": issuer(acme, "acme")},
        "initech": {"issuer": issuer(acme, "initech")},
        "globex": {"issuer": issuer(globex, "globex")},
    }})
}
