//! Just enough of a browser to log in with: cookies by host and path, redirects, links and forms.
//!
//! It resolves every name to this machine, as browsers do with `localhost`, and says of each navigation
//! that it is one. It runs no script: pages have to be of use without.

use std::net::SocketAddr;

use super::{Client, Reply};

/// How many steps one navigation may take.
const MOST_STEPS: usize = 12;

/// A browser with its cookies.
#[derive(Debug, Default)]
pub(crate) struct Browser {
    cookies: Vec<Cookie>,
}

#[derive(Debug)]
struct Cookie {
    host: String,
    path: String,
    name: String,
    value: String,
}

/// Where a navigation ended.
pub(crate) struct Page {
    /// The address that was asked last.
    pub(crate) url: String,
    /// What it answered.
    pub(crate) reply: Reply,
}

impl std::fmt::Debug for Page {
    /// The body as text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} {:?}\n{}", self.url, self.reply.status, self.reply.headers, self.text())
    }
}

impl Page {
    /// The text, UTF-8.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.reply.body).into_owned()
    }

    /// What stands behind `before`, up to the next quote, as text.
    pub(crate) fn after(&self, before: &str) -> String {
        let text = self.text();
        let value = text.split_once(before).and_then(|(_, rest)| rest.split('"').next());
        let value = value.unwrap_or_else(|| panic!("no {before:?} in {text}"));
        value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
    }
}

impl Browser {
    /// Goes to `url`, through redirects and the router's own login page.
    pub(crate) fn open(&mut self, url: &str) -> Page {
        let mut page = self.navigate("GET", url, "");
        for _ in 0..MOST_STEPS {
            let text = page.text();
            if page.reply.status != 200 || !text.contains("<a id=\"login\" href=\"") {
                return page;
            }
            page = self.navigate("GET", &page.after("<a id=\"login\" href=\""), "");
        }
        panic!("a login that never comes: {page:?}")
    }

    /// Sends the form of `page` with these fields besides the hidden one called `hidden`.
    pub(crate) fn submit(&mut self, page: &Page, hidden: &str, fields: &[(&str, &str)]) -> Page {
        let action = page.after("action=\"");
        let mut body = format!("{hidden}={}", encoded(&page.after(&format!("name=\"{hidden}\" value=\""))));
        for (name, value) in fields {
            body.extend(["&", name, "=", &encoded(value)]);
        }
        let url = resolved(&page.url, &action);
        self.navigate("POST", &url, &body)
    }

    /// What a script of a page would ask.
    pub(crate) fn fetch(&mut self, method: &str, url: &str, headers: &[(&str, &str)]) -> Reply {
        let mut all = vec![("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin"), ("accept", "*/*")];
        all.extend(headers);
        self.exchange(method, url, &all, "")
    }

    fn navigate(&mut self, method: &str, url: &str, body: &str) -> Page {
        let (mut method, mut url, mut body) = (method.to_owned(), url.to_owned(), body.to_owned());
        for _ in 0..MOST_STEPS {
            let mut headers = vec![("sec-fetch-mode", "navigate"), ("accept", "text/html")];
            if method == "POST" {
                headers.push(("content-type", "application/x-www-form-urlencoded"));
            }
            let reply = self.exchange(&method, &url, &headers, &body);
            if !matches!(reply.status, 302 | 303) {
                return Page { url, reply };
            }
            url = resolved(&url, &reply.header("location"));
            (method, body) = ("GET".to_owned(), String::new());
        }
        panic!("redirected for ever, at last to {url}")
    }

    fn exchange(&mut self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let (authority, target) = split(url);
        let port: u16 =
            authority.rsplit_once(':').unwrap_or_else(|| panic!("no port in {url}")).1.parse().unwrap();
        let cookies = self.cookies_for(&authority, &target);
        let mut all = vec![("host", authority.as_str()), ("connection", "close")];
        all.extend(headers);
        if !cookies.is_empty() {
            all.push(("cookie", &cookies));
        }
        let mut client = Client::connect(SocketAddr::from(([127, 0, 0, 1], port)));
        let reply = client.ask(&format!("{method} {target}"), &all, body.as_bytes());
        for line in reply.all("set-cookie") {
            self.keep(&authority, line);
        }
        reply
    }

    fn cookies_for(&self, authority: &str, target: &str) -> String {
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let path = target.split('?').next().unwrap_or_default();
        let sent = |cookie: &&Cookie| {
            let below = path.strip_prefix(&cookie.path);
            let matches = below
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie.path.ends_with('/'));
            cookie.host == host && matches
        };
        let pairs =
            self.cookies.iter().filter(sent).map(|cookie| format!("{}={}", cookie.name, cookie.value));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, authority: &str, line: &str) {
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host).to_owned();
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a cookie");
        let attribute = |wanted: &str| {
            line.split(';').skip(1).find_map(|part| {
                let (name, value) = part.trim().split_once('=')?;
                name.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
            })
        };
        let path = attribute("path").unwrap_or_else(|| "/".to_owned());
        let (name, value) = (name.to_owned(), value.to_owned());
        self.cookies.retain(|kept| (&kept.host, &kept.path, &kept.name) != (&host, &path, &name));
        if attribute("max-age").as_deref() != Some("0") {
            self.cookies.push(Cookie { host, path, name, value });
        }
    }
}

/// Authority and target of an absolute http URL.
fn split(url: &str) -> (String, String) {
    let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("not http: {url}"));
    let rest = rest.split('#').next().unwrap_or_default();
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let target = &rest[at..];
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    (rest[..at].to_owned(), target)
}

/// A URL as it is meant on the page at `base`: absolute, or a path.
fn resolved(base: &str, url: &str) -> String {
    if url.starts_with("http://") {
        return url.to_owned();
    }
    assert!(url.starts_with('/'), "neither absolute nor a path: {url:?} at {base}");
    format!("http://{}{url}", split(base).0)
}

/// `text` as a form carries it.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
