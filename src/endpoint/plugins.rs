//! Says which plugins there are: `pluginMetadataEndpoint`.
//!
//! The answer was made with the configuration. Everyone may read it, as with the SAP application router.

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Method, Response};

use super::Context;
use crate::error::Failure;
use crate::forward::body::Body;

/// The methods that it takes.
const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD");

/// Answers with the plugins.
pub(super) fn serve(context: &Context<'_>, parts: &Parts) -> Result<Response<Body>, Failure> {
    let plugins = context.snapshot.plugin_metadata.as_ref().ok_or(Failure::NoRoute)?;
    let body = match parts.method {
        Method::GET => Body::full(plugins.body.clone()),
        Method::HEAD => Body::empty(),
        _ => return Err(Failure::Method(ALLOW)),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(plugins.body.len()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}
