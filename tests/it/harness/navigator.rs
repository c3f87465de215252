//! A browser without a screen: keeps cookies by host and path, and follows redirects step by step.
//!
//! It reads addresses as browsers do (the `url` crate), shares cookies between ports as they do, and
//! takes every name below `localhost` for this machine. It runs no scripts: a page that passes on by one
//! is followed by its link.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use url::Url;

use super::{Client, Reply};

/// How many steps a login may take.
const STEPS: usize = 20;
/// What a navigation says of itself.
pub(crate) const NAVIGATION: [(&str, &str); 4] = [
    ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("connection", "close"),
];

/// A cookie, as it is sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    host: String,
    path: String,
    /// Its name.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: String,
}

/// A browser.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    cookies: Vec<Cookie>,
}

/// Where following redirects ended.
#[derive(Debug)]
pub(crate) struct Landing {
    /// The address.
    pub(crate) url: Url,
    /// What came from there.
    pub(crate) reply: Reply,
}

impl Browser {
    /// Goes to `url`, without following.
    pub(crate) fn visit(&mut self, url: &Url) -> Reply {
        self.ask("GET", url, &NAVIGATION, b"")
    }

    /// Sends a request with the cookies that belong to it, and keeps those that come.
    pub(crate) fn ask(&mut self, method: &str, url: &Url, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let line = format!("{method} {}", &url[url::Position::BeforePath..url::Position::AfterQuery]);
        self.send(&line, url, headers, body)
    }

    /// Goes to an address that is written as no browser would write it, at the host of `url`.
    pub(crate) fn ask_as_written(&mut self, line: &str, url: &Url) -> Reply {
        self.send(line, url, &NAVIGATION, b"")
    }

    fn send(&mut self, line: &str, url: &Url, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let cookie = self.sent_to(url);
        let mut all = vec![("host", host)];
        if !cookie.is_empty() {
            all.push(("cookie", &cookie));
        }
        all.extend_from_slice(headers);
        let reply = Client::connect(address(url)).ask(line, &all, body);
        for line in reply.all("set-cookie") {
            self.keep(url, line);
        }
        reply
    }

    fn sent_to(&self, url: &Url) -> String {
        let under = |path: &str| {
            let rest = url.path().strip_prefix(path);
            rest.is_some_and(|rest| path.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
        };
        let here = |cookie: &&Cookie| Some(cookie.host.as_str()) == url.host_str() && under(&cookie.path);
        let pairs = self.cookies.iter().filter(here).map(|it| format!("{}={}", it.name, it.value));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, url: &Url, line: &str) {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let (mut path, mut removed) = ("/", value.is_empty());
        for attribute in parts {
            match attribute.split_once('=').map(|(name, value)| (name.to_ascii_lowercase(), value)) {
                Some((name, value)) if name == "path" => path = value,
                Some((name, value)) if name == "max-age" => removed = value == "0",
                Some((name, value)) if name == "expires" && value.contains(" 1970 ") => removed = true,
                Some((name, _)) if name == "domain" => panic!("a cookie for a domain: {line}"),
                Some(_) | None => {}
            }
        }
        let host = url.host_str().unwrap().to_owned();
        self.cookies.retain(|it| it.host != host || it.path != path || it.name != name);
        if !removed {
            self.cookies.push(Cookie {
                host,
                path: path.to_owned(),
                name: name.to_owned(),
                value: value.to_owned(),
            });
        }
    }

    /// Goes to `url` and on to wherever it leads, until `stop` says that an address is far enough (it is
    /// not asked then) or a page leads nowhere by itself.
    pub(crate) fn follow(&mut self, url: &Url, stop: impl Fn(&Url) -> bool) -> Result<Landing, Url> {
        let mut url = url.clone();
        for _ in 0..STEPS {
            if stop(&url) {
                return Err(url);
            }
            let reply = self.visit(&url);
            match onwards(&url, &reply) {
                Some(next) => url = next,
                None => return Ok(Landing { url, reply }),
            }
        }
        panic!("still redirected after {STEPS} steps, now to {url}");
    }

    /// Goes to `url`, types `user` and the password where that is asked for, and stops before the
    /// callback, whose address it returns; `Ok` is where it landed when there was none.
    pub(crate) fn log_in_until_callback(&mut self, url: &Url, user: &str) -> Result<Landing, Url> {
        let at_callback = |url: &Url| url.path().ends_with("/login/callback");
        let landing = self.follow(url, at_callback)?;
        if !landing.reply.text().contains("name=\"password\"") {
            return Ok(landing);
        }
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let form: Vec<_> = NAVIGATION.into_iter().chain(form).collect();
        let body = format!("user={user}&password=correct");
        let reply = self.ask("POST", &landing.url, &form, body.as_bytes());
        let next = onwards(&landing.url, &reply).unwrap_or_else(|| panic!("not let in: {reply:?}"));
        self.follow(&next, at_callback)
    }

    /// Logs in on the way to `url`, and returns where that ended.
    pub(crate) fn log_in(&mut self, url: &Url, user: &str) -> Landing {
        match self.log_in_until_callback(url, user) {
            Ok(landing) => landing,
            Err(callback) => self.follow(&callback, |_| false).unwrap(),
        }
    }

    /// The cookies of a host whose name begins with `name`.
    pub(crate) fn cookies(&self, host: &str, name: &str) -> Vec<Cookie> {
        let matching = |it: &&Cookie| it.host == host && it.name.starts_with(name);
        self.cookies.iter().filter(matching).cloned().collect()
    }

    /// Sets cookies of a host, as a thief would who has them from elsewhere.
    pub(crate) fn plant(&mut self, host: &str, cookies: &[Cookie]) {
        for cookie in cookies {
            let cookie = Cookie { host: host.to_owned(), ..cookie.clone() };
            self.cookies.retain(|it| it.host != host || it.path != cookie.path || it.name != cookie.name);
            self.cookies.push(cookie);
        }
    }

    /// Forgets the cookies of a host.
    pub(crate) fn forget(&mut self, host: &str) {
        self.cookies.retain(|it| it.host != host);
    }
}

impl Cookie {
    /// This cookie with another value.
    pub(crate) fn with(&self, value: &str) -> Self {
        Self { value: value.to_owned(), ..self.clone() }
    }

    /// This cookie with another name.
    pub(crate) fn called(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.clone() }
    }
}

fn address(url: &Url) -> SocketAddr {
    let host = url.host_str().unwrap();
    let ip = host.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    assert!(ip.is_loopback() && (host.ends_with("localhost") || host.parse() == Ok(ip)), "{url}");
    (ip, url.port().unwrap_or(80)).into()
}

/// Where an answer leads by itself: its `Location`, or the link of a page that goes on by a script.
pub(crate) fn onwards(url: &Url, reply: &Reply) -> Option<Url> {
    if let [location] = reply.all("location").as_slice() {
        return Some(url.join(location).unwrap());
    }
    let text = reply.text();
    let passes_on = reply.status == 200 && text.contains("<script") && text.contains("code_challenge=");
    passes_on.then(|| link(url, &text).unwrap_or_else(|| panic!("no link: {text}")))
}

/// The first link of a page.
pub(crate) fn link(url: &Url, page: &str) -> Option<Url> {
    let (_, rest) = page.split_once("<a ")?.1.split_once("href=\"")?;
    let (address, _) = rest.split_once('"')?;
    url.join(&address.replace("&amp;", "&")).ok()
}
