//! What of a browser a login at one host needs: a jar of cookies, and the way to the provider and back.
//!
//! It follows nothing by itself, so that a test sees each answer.

use std::collections::BTreeMap;

use super::provider::Provider;
use super::{Reply, Server};

/// A tab of a browser, at one host.
#[derive(Clone)]
pub(crate) struct Tab<'a> {
    server: &'a Server,
    host: String,
    /// Its cookies, by name.
    pub(crate) cookies: BTreeMap<String, String>,
}

impl<'a> Tab<'a> {
    /// One without cookies.
    pub(crate) fn at(server: &'a Server, host: &str) -> Self {
        Self { server, host: host.to_owned(), cookies: BTreeMap::new() }
    }

    /// The same browser with the same cookies, at another host.
    pub(crate) fn moved_to(&self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self.clone() }
    }

    /// The same browser with the same cookies, whose requests another instance gets.
    pub(crate) fn sent_to<'b>(&self, server: &'b Server) -> Tab<'b> {
        Tab { server, host: self.host.clone(), cookies: self.cookies.clone() }
    }

    /// Sends a request with the cookies, and keeps those of the answer.
    pub(crate) fn ask(&mut self, line: &str, headers: &[(&str, &str)]) -> Reply {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut all = vec![("Host", self.host.as_str())];
        if !cookies.is_empty() {
            all.push(("Cookie", &cookies));
        }
        all.extend(headers);
        let reply = self.server.ask(line, &all);
        self.keep(&reply);
        reply
    }

    fn keep(&mut self, reply: &Reply) {
        for set in reply.all("set-cookie") {
            let (name, rest) = set.split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// A page is asked for, as a browser does when somebody follows a link.
    pub(crate) fn navigate(&mut self, path: &str) -> Reply {
        self.ask(
            &format!("GET {path}"),
            &[
                ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
                ("Sec-Fetch-Mode", "navigate"),
                ("Sec-Fetch-Site", "none"),
            ],
        )
    }

    /// A script of the application asks.
    pub(crate) fn fetch(&mut self, line: &str, headers: &[(&str, &str)]) -> Reply {
        let mut all = vec![
            ("Accept", "application/json"),
            ("Sec-Fetch-Mode", "cors"),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        all.extend(headers);
        self.ask(line, &all)
    }

    /// The path of the callback of a login that going to `path` begins.
    pub(crate) fn begin(&mut self, provider: &Provider, path: &str) -> String {
        let reply = self.navigate(path);
        let location = authorization(&reply);
        let back = provider.authorize(&location);
        let at_host = back.split_once("://").unwrap().1;
        let (host, path) = at_host.split_at(at_host.find('/').unwrap());
        assert_eq!(host, self.host, "the callback is where the login began");
        path.to_owned()
    }

    /// Logs in by going to `path`; the answer is that of the callback.
    pub(crate) fn log_in(&mut self, provider: &Provider, path: &str) -> Reply {
        let callback = self.begin(provider, path);
        self.navigate(&callback)
    }
}

/// Where a login page or a redirect leads.
pub(crate) fn authorization(reply: &Reply) -> String {
    if reply.status == 302 {
        return reply.header("location");
    }
    assert_eq!(reply.status, 200, "{}", reply.text());
    let page = reply.text();
    let (_, rest) =
        page.split_once("id=\"login\" href=\"").unwrap_or_else(|| panic!("no login page: {page}"));
    rest.split_once('"').unwrap().0.replace("&amp;", "&")
}
