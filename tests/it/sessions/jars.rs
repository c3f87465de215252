//! The session cookies of backends, of any store: they come back to who they were set for, and to nobody
//! else.

use std::sync::Arc;

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use vestibule::request::Scheme;
use vestibule::secret::Secret;
use vestibule::session::jar::{self, Backend};
use vestibule::session::{BackendAnswer, Holder, Jar, Opened, Realm, Refreshed, Renewal, StoreSettings};

use super::{Bench, Browser, NOW, acme, identity, login, realm};

pub(crate) const CRM: Backend<'_> =
    Backend { destination: "crm", scheme: Scheme::Http, authority: "crm.example" };

/// The answer of `backend` that sets `set`.
pub(crate) fn answer<'a>(backend: Backend<'a>, set: &[&'static str]) -> BackendAnswer<'a> {
    let mut headers: HeaderMap = set.iter().map(|set| (SET_COOKIE, HeaderValue::from_static(set))).collect();
    BackendAnswer { set: jar::take(&mut headers), backend, path: "/x" }
}

/// What a backend gets.
fn sent(jar: Option<Arc<Jar>>, backend: &Backend<'_>) -> String {
    let pairs = jar.iter().flat_map(|jar| jar.cookies(backend, "/x"));
    let pairs = pairs.map(|(name, value)| String::from_utf8([name, value].join(&b'=')).unwrap());
    pairs.collect::<Vec<_>>().join("; ")
}

/// A request of `browser` that `backend` answers with `set`; what the browser sent on.
pub(crate) async fn visit(
    bench: &Bench,
    realm: &Arc<Realm>,
    browser: &mut Browser,
    backend: Backend<'_>,
    set: &[&'static str],
) -> Option<String> {
    let headers = browser.headers();
    let opened = bench.visit(realm, browser).await?;
    let jar = bench.sessions.jar(Holder::Session(&opened), &headers).await;
    let got = sent(jar.clone(), &backend);
    keep(bench, &opened, jar, browser, &answer(backend, set)).await;
    Some(got)
}

async fn keep(
    bench: &Bench,
    opened: &Opened,
    jar: Option<Arc<Jar>>,
    browser: &mut Browser,
    answer: &BackendAnswer<'_>,
) {
    let (holder, scope) = (Holder::Session(opened), &bench.scope);
    browser.obey(&bench.sessions.keep(holder, jar.as_ref(), answer, &bench.policy, scope).await);
}

pub(super) async fn come_back(bench: &Bench) {
    let (_, mut browser) = bench.begin(login(&acme(), "token")).await;
    let erp = Backend { destination: "erp", ..CRM };
    for (backend, set, changes, expected, shows) in [
        (CRM, &["s=1; Path=/"][..], true, "", "nothing yet"),
        (CRM, &[], false, "s=1", "it comes back"),
        (erp, &["s=2; Path=/"], true, "", "and not to another destination"),
        (erp, &[], false, "s=2", "which has its own"),
        (CRM, &["s=3; Path=/", "t=4; Path=/"], true, "s=1", "a new value"),
        (CRM, &["s=; Path=/; Max-Age=0"], true, "s=3; t=4", "replaces the old one"),
        (CRM, &[], false, "t=4", "until it is removed"),
        (CRM, &["t=4; Path=/"], false, "t=4", "the same again"),
        (CRM, &["no cookie"], false, "t=4", "changes nothing"),
    ] {
        let before = browser.clone();
        let got = visit(bench, &acme(), &mut browser, backend, set).await;
        assert_eq!(got.as_deref(), Some(expected), "{shows}");
        assert!(changes || before.0 == browser.0, "{shows}: nobody is told of what is known");
    }
}

pub(super) async fn of_one_session(bench: &Bench) {
    let (_, mut one) = bench.begin(login(&acme(), "one")).await;
    let (_, mut two) = bench.begin(login(&acme(), "two")).await;
    let other = realm("globex", "https://issuer.example");
    let (_, mut third) = bench.begin(login(&other, "three")).await;
    visit(bench, &acme(), &mut one, CRM, &["s=1; Path=/"]).await.unwrap();
    let stolen = one.0.get("JSESSIONID-backend").cloned();
    for (browser, realm, shows) in
        [(&mut two, acme(), "another of the same person"), (&mut third, other, "another tenant's")]
    {
        assert_eq!(visit(bench, &realm, browser, CRM, &[]).await.unwrap(), "", "{shows}");
        browser.0.extend(stolen.clone().map(|value| ("JSESSIONID-backend".to_owned(), value)));
        assert_eq!(visit(bench, &realm, browser, CRM, &[]).await.unwrap(), "", "{shows}, with its cookie");
        visit(bench, &realm, browser, CRM, &["own=2; Path=/"]).await.unwrap();
        assert_eq!(visit(bench, &realm, browser, CRM, &[]).await.unwrap(), "own=2", "{shows}, its own");
    }
    assert_eq!(visit(bench, &acme(), &mut one, CRM, &[]).await.unwrap(), "s=1");
}

pub(super) async fn end_with_it(bench: &Bench) {
    let (_, mut browser) = bench.begin(login(&acme(), "token")).await;
    visit(bench, &acme(), &mut browser, CRM, &["s=1; Path=/"]).await.unwrap();
    let before = browser.clone();
    let opened = bench.visit(&acme(), &mut browser).await.unwrap();
    bench.end(&opened, &mut browser).await;
    assert!(browser.0.is_empty(), "nothing is left: {browser:?}");
    keep(bench, &opened, None, &mut browser, &answer(CRM, &["late=1; Path=/"])).await;
    let (_, mut next) = bench.begin(login(&acme(), "next")).await;
    next.0.extend(before.0.into_iter().filter(|(name, _)| name.ends_with("-backend")));
    next.0.extend(browser.0);
    assert_eq!(visit(bench, &acme(), &mut next, CRM, &[]).await.unwrap(), "", "the next login has none");
}

pub(super) async fn outlast_a_refresh(bench: &Bench) {
    let (_, mut browser) = bench.begin(login(&acme(), "old")).await;
    visit(bench, &acme(), &mut browser, CRM, &["s=1; Path=/"]).await.unwrap();
    let headers = browser.headers();
    let opened = bench.visit(&acme(), &mut browser).await.unwrap();
    let mut identity = identity("new");
    identity.expires = NOW + 3_600;
    let renewal = Renewal { identity, refresh_token: Some(Secret::new("next")), id_token: None };
    let refreshed =
        bench.sessions.refreshed(opened, &bench.policy, &bench.scope, async |_| Ok(renewal)).await;
    let Refreshed::Renewed(opened) = refreshed else { panic!("it is renewed") };
    browser.obey(&opened.set_cookies);
    let jar = bench.sessions.jar(Holder::Session(&opened), &headers).await;
    assert_eq!(sent(jar.clone(), &CRM), "s=1", "the very request gets them");
    keep(bench, &opened, jar, &mut browser, &answer(CRM, &["t=2; Path=/"])).await;
    assert_eq!(visit(bench, &acme(), &mut browser, CRM, &[]).await.unwrap(), "s=1; t=2", "and the next");
}

pub(super) async fn at_once(bench: &Bench) {
    let (_, mut browser) = bench.begin(login(&acme(), "token")).await;
    let mut under_way = Vec::new();
    for _ in 0..2 {
        let opened = bench.visit(&acme(), &mut browser).await.unwrap();
        let jar = bench.sessions.jar(Holder::Session(&opened), &browser.headers()).await;
        under_way.push((opened, jar));
    }
    let answers = [answer(CRM, &["a=1; Path=/"]), answer(CRM, &["b=2; Path=/"])];
    for ((opened, jar), answer) in under_way.into_iter().zip(&answers) {
        keep(bench, &opened, jar, &mut browser, answer).await;
    }
    assert_eq!(visit(bench, &acme(), &mut browser, CRM, &[]).await.unwrap(), "a=1; b=2");
}

pub(super) async fn bounded(bench: &Bench) {
    let (_, mut browser) = bench.begin(login(&acme(), "token")).await;
    for number in 0..200 {
        let set: &'static str = format!("c{number}={}; Path=/", "x".repeat(500)).leak();
        visit(bench, &acme(), &mut browser, CRM, &[set]).await.unwrap();
    }
    let got = visit(bench, &acme(), &mut browser, CRM, &[]).await.unwrap();
    assert!(got.len() <= 16 * 1024, "{}", got.len());
    assert!(got.contains("c199=") && !got.contains("c0="), "the newest are there");
}

/// Who has no session keeps them sealed, whatever the store.
pub(super) async fn of_callers(bench: &Bench) {
    let (other, mut bob) = (realm("globex", "https://issuer.example"), identity("other token of bob"));
    bob.subject = Some("bob".into());
    let (ann, again) = (identity("token"), identity("the next token of the same person"));
    let acme = acme();
    let caller = |realm, identity| Holder::Caller { tenant: None, realm: Some(realm), identity };
    let mut browser = Browser::default();
    let set = answer(CRM, &["s=1; Path=/"]);
    let told = bench.sessions.keep(caller(&acme, Some(&ann)), None, &set, &bench.policy, &bench.scope).await;
    let text = told[0].to_str().unwrap().to_owned();
    assert!(
        text.starts_with("ARBE=") && text.ends_with("; Path=/; HttpOnly; Secure; SameSite=Lax"),
        "{text}"
    );
    browser.obey(&told);
    for (holder, expected, shows) in [
        (caller(&acme, Some(&ann)), "s=1", "the caller"),
        (caller(&acme, Some(&again)), "s=1", "with the next token"),
        (caller(&acme, Some(&bob)), "", "another caller"),
        (caller(&acme, None), "", "nobody"),
        (caller(&other, Some(&ann)), "", "the same name at another tenant"),
        (Holder::Caller { tenant: acme.tenant(), realm: None, identity: Some(&ann) }, "", "known elsewhere"),
    ] {
        assert_eq!(sent(bench.sessions.jar(holder, &browser.headers()).await, &CRM), expected, "{shows}");
    }
    let mut twice = browser.headers();
    twice.append(http::header::COOKIE, HeaderValue::from_static("ARBE=x"));
    assert!(bench.sessions.jar(caller(&acme, Some(&ann)), &twice).await.is_none(), "twice is not at all");
    let (opened, _) = bench.begin(login(&acme, "token")).await;
    let of_session = bench.sessions.jar(Holder::Session(&opened), &browser.headers()).await;
    assert_eq!(sent(of_session, &CRM), "", "a login begins without them");
}

#[tokio::test]
async fn a_secret_of_its_own_seals_for_callers() {
    let one = Bench::with_backend_cookies(StoreSettings::Memory, "a secret of all instances");
    let other = Bench::with_backend_cookies(StoreSettings::Memory, "a secret of all instances");
    let stranger = Bench::new(StoreSettings::Memory, &[]);
    let (realm, ann) = (acme(), identity("token"));
    let holder = Holder::Caller { tenant: None, realm: Some(&realm), identity: Some(&ann) };
    let set = answer(CRM, &["s=1; Path=/"]);
    let mut browser = Browser::default();
    browser.obey(&one.sessions.keep(holder, None, &set, &one.policy, &one.scope).await);
    for (bench, expected, shows) in
        [(&one, "s=1", "itself"), (&other, "s=1", "another instance"), (&stranger, "", "another secret")]
    {
        let jar = bench.sessions.jar(holder, &browser.headers()).await;
        assert_eq!(sent(jar, &CRM), expected, "{shows}");
    }
}
