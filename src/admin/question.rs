//! What is asked of the admin port, read from a query or a body.
//!
//! A question with a token in it belongs into a body: a query is written into logs on its way.

use bytes::Bytes;
use http::Method;
use http_body::Body;
use http_body_util::{BodyExt as _, Limited};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

/// The most bytes of a question.
const BODY: usize = 64 * 1024;

/// The most tenants of one page.
const PAGE: usize = 1000;

/// A request that nobody sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explain {
    /// Its method.
    pub method: Method,
    /// Its URL, absolute.
    pub url: String,
    /// Its headers, as they were written.
    pub headers: Vec<(String, String)>,
}

/// Which tenants to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantQuery {
    /// Only keys behind this one.
    pub after: Option<String>,
    /// Only keys that begin so.
    pub prefix: String,
    /// At most so many; never more than 1,000.
    pub limit: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplainBody {
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
}

fn get() -> String {
    Method::GET.to_string()
}

impl Explain {
    /// Reads `method`, `url` and any number of `header=name: value`.
    pub(super) fn from_query(query: &str) -> Result<Self, String> {
        let (mut method, mut url, mut headers) = (get(), String::new(), Vec::new());
        for (name, value) in pairs(query) {
            match &*name {
                "method" => method = value,
                "url" => url = value,
                "header" => headers.push(header(&value)?),
                _ => return Err(format!("{name} is not asked for: use method, url and header")),
            }
        }
        Self::new(&method, url, headers)
    }

    /// Reads `{"method": …, "url": …, "headers": [[name, value], …]}`.
    pub(super) async fn from_body<B>(body: B) -> Result<Self, String>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let read = Limited::new(body, BODY).collect().await;
        let bytes = read.map_err(|error| format!("the question cannot be read: {error}"))?.to_bytes();
        let asked: ExplainBody = serde_json::from_slice(&bytes)
            .map_err(|error| format!("the question is not understood: {error}"))?;
        Self::new(&asked.method, asked.url, asked.headers)
    }

    fn new(method: &str, url: String, headers: Vec<(String, String)>) -> Result<Self, String> {
        if url.is_empty() {
            return Err("which url?".to_owned());
        }
        let method = method.parse().map_err(|_| format!("{method:?} is no method"))?;
        Ok(Self { method, url, headers })
    }
}

impl TenantQuery {
    /// Reads `after`, `prefix` and `limit`; what else there is does not matter.
    pub(super) fn parse(query: &str) -> Self {
        let mut this = Self { after: None, prefix: String::new(), limit: 100 };
        for (name, value) in pairs(query) {
            match &*name {
                "after" => this.after = Some(value),
                "prefix" => this.prefix = value,
                "limit" => this.limit = value.parse().unwrap_or(this.limit).clamp(1, PAGE),
                _ => {}
            }
        }
        this
    }
}

fn header(line: &str) -> Result<(String, String), String> {
    let (name, value) = line.split_once(':').ok_or_else(|| format!("{line:?} is no header: name: value"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// The names and values of a query, decoded.
fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}
