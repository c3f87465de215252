//! What is asked: a request as a person writes it, made into what the server would have parsed.
//!
//! Knows HTTP and files, nothing of the pipeline. A URL of a path alone is about `localhost`; the scheme
//! is the listener's. With `ws` or `wss` it is the handshake of a WebSocket, by a page of the same host
//! where nothing else is said. The client is this machine, which no configuration trusts by default.

use std::fs;
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use http::header::{
    AUTHORIZATION, CONNECTION, HOST, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::admin;
use crate::request::{Peer, Scheme};

/// The longest token file that is read, in bytes; no issuer signs more.
const TOKEN_LIMIT: u64 = 64 * 1024;

/// One request.
pub struct Question {
    /// Its method.
    pub method: String,
    /// Its URL, or its path alone.
    pub url: String,
    /// Its headers, in order.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// A file with a bearer token to send along; `-` is standard input.
    pub token: Option<PathBuf>,
}

/// `name: value` as a header.
pub fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written NAME: VALUE")?;
    let name = name.trim().parse().map_err(|_| format!("`{}` is not a header name", name.trim()))?;
    let value = value.trim().parse().map_err(|_| "a header value has no line ends or control characters")?;
    Ok((name, value))
}

impl Question {
    /// The question that the admin port was asked.
    pub fn asked(question: &admin::Explain) -> Result<Self, String> {
        let headers = question.headers.iter().map(|(name, value)| header(&format!("{name}: {value}")));
        Ok(Self {
            method: question.method.to_string(),
            url: question.url.clone(),
            headers: headers.collect::<Result<_, _>>()?,
            token: None,
        })
    }

    /// The request as the server sees it after parsing, and where it came from.
    pub(super) fn request(&self) -> Result<(Parts, Peer), String> {
        let method: Method = self.method.parse().map_err(|_| format!("`{}` is not a method", self.method))?;
        let url: Uri = self.url.parse().map_err(|error| format!("`{}` is not a URL: {error}", self.url))?;
        let path = url.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let mut request =
            Request::builder().method(method).uri(path).body(()).map_err(|error| error.to_string())?;
        for (name, value) in &self.headers {
            request.headers_mut().append(name, value.clone());
        }
        if !request.headers().contains_key(HOST) {
            let host = url.authority().map_or("localhost", |authority| authority.as_str());
            request.headers_mut().insert(HOST, host.parse().map_err(|_| format!("`{host}` is not a host"))?);
        }
        if let Some(file) = &self.token {
            request.headers_mut().insert(AUTHORIZATION, bearer(file)?);
        }
        let scheme = match url.scheme_str() {
            Some("https" | "wss") => Scheme::Https,
            Some(_) | None => Scheme::Http,
        };
        if let Some("ws" | "wss") = url.scheme_str() {
            shake_hands(scheme, request.headers_mut());
        }
        Ok((request.into_parts().0, Peer::new(Ipv4Addr::LOCALHOST.into(), scheme)))
    }
}

/// Adds what a handshake needs and was not given.
fn shake_hands(scheme: Scheme, headers: &mut HeaderMap) {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = HeaderValue::from_str(&format!("{}://{host}", scheme.as_str()));
    if let Ok(own) = own {
        headers.entry(ORIGIN).or_insert(own);
    }
    for (name, value) in [
        (CONNECTION, "Upgrade"),
        (UPGRADE, "websocket"),
        (SEC_WEBSOCKET_VERSION, "13"),
        // The key of RFC 6455 §1.3: nobody answers it here.
        (SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// `Authorization` with the token of `file`.
fn bearer(file: &Path) -> Result<HeaderValue, String> {
    let token = read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let token = token.trim().trim_start_matches("Bearer ");
    let mut value: HeaderValue =
        format!("Bearer {token}").parse().map_err(|_| format!("{}: not a token", file.display()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let source: Box<dyn Read> =
        if file == Path::new("-") { Box::new(io::stdin()) } else { Box::new(fs::File::open(file)?) };
    source.take(TOKEN_LIMIT).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(url: &str, headers: &[&str]) -> Question {
        let headers = headers.iter().map(|text| header(text).expect("a header")).collect();
        Question { method: "GET".into(), url: url.into(), headers, token: None }
    }

    #[test]
    fn urls_become_requests() {
        for (url, headers, host, target, shows) in [
            ("http://acme.localhost:5000/a?b=c", vec![], "acme.localhost:5000", "/a?b=c", "a whole URL"),
            ("/a", vec![], "localhost", "/a", "a path alone"),
            ("http://acme.localhost", vec![], "acme.localhost", "/", "no path is the root"),
            ("/a", vec!["Host: acme.test"], "acme.test", "/a", "a host of one's own wins"),
        ] {
            let (parts, _) = ask(url, &headers).request().expect(shows);
            assert_eq!(parts.headers[HOST], host, "{shows}");
            assert_eq!(parts.uri.to_string(), target, "{shows}");
        }
    }

    #[test]
    fn the_scheme_of_websockets_asks_for_one() {
        let (parts, peer) = ask("wss://acme.localhost/a", &[]).request().expect("a request");
        assert_eq!(peer.scheme, Scheme::Https);
        assert_eq!(
            (&parts.headers[ORIGIN], &parts.headers[UPGRADE]),
            (&HeaderValue::from_static("https://acme.localhost"), &HeaderValue::from_static("websocket"))
        );
        let (parts, _) = ask("ws://acme.localhost/a", &["Origin: null"]).request().expect("a request");
        assert_eq!(parts.headers[ORIGIN], "null", "what is given stays");
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (url, method, why) in
            [("http://", "GET", "no host"), ("/", "G T", "no method"), ("a b", "GET", "a blank")]
        {
            let question = Question { method: method.into(), ..ask(url, &[]) };
            assert!(question.request().is_err(), "{why}");
        }
    }

    #[test]
    fn the_token_of_a_file_is_sent_as_bearer() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        fs::write(&file, "abc.def.ghi\n").expect("written");
        let (parts, _) = Question { token: Some(file), ..ask("/", &[]) }.request().expect("a request");
        assert_eq!(parts.headers[AUTHORIZATION], "Bearer abc.def.ghi");
        assert!(parts.headers[AUTHORIZATION].is_sensitive());
    }

    #[test]
    fn headers_are_checked() {
        for (text, fine) in [
            ("a: b", true),
            ("a:", true),
            ("a", false),
            ("a b: c", false),
            ("a: \n", true),
            ("a: b\nc", false),
        ] {
            assert_eq!(header(text).is_ok(), fine, "{text:?}");
        }
    }
}
