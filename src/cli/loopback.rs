//! Just enough of an HTTP server for the development issuer and the demo's sample application.
//!
//! Listens on loopback and refuses any other address. A request is read whole before it is answered. It
//! has no timeouts, for it listens to this machine only and lives as long as the process.

pub(super) mod form;
pub(super) mod page;

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;

use self::form::Form;

/// How much of a body is read, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// What these servers answer with.
pub(super) type Answer = Response<BoxBody<Bytes, Infallible>>;

/// A request, read to its end.
pub(super) struct Call {
    /// Its method.
    pub(super) method: Method,
    /// Its path.
    pub(super) path: String,
    /// Its query as it came, without the question mark.
    pub(super) query: String,
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// Its body.
    pub(super) body: Bytes,
}

impl Call {
    /// Reads `request`; what cannot be read becomes the answer.
    async fn read(request: Request<Incoming>) -> Result<Self, Answer> {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(|_| {
            let message = serde_json::json!({"message": "a body is at most 64 KiB"});
            json(StatusCode::PAYLOAD_TOO_LARGE, &message)
        })?;
        Ok(Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body: body.to_bytes(),
        })
    }

    /// The text of a header, or nothing.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The parameters of the body.
    pub(super) fn form(&self) -> Form {
        let is_form = self.header("content-type").starts_with("application/x-www-form-urlencoded");
        let text = std::str::from_utf8(&self.body).ok().filter(|_| is_form);
        Form::parse(text.unwrap_or_default())
    }

    /// The parameters of the query, or of the body of a `POST`.
    pub(super) fn parameters(&self) -> Form {
        if self.method == Method::POST { self.form() } else { Form::parse(&self.query) }
    }
}

/// A listener on `address`, and where it is; anything but loopback is refused.
pub(super) fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    if !address.ip().is_loopback() {
        let message = format!("{address} is not on loopback, and this listens on loopback alone");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let listener = TcpListener::bind(address)
        .map_err(|error| io::Error::new(error.kind(), format!("{address} cannot be opened: {error}")))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Answers every request on `listener` with `answer`, on a thread of its own and for ever.
pub(super) fn spawn<F, R>(name: &str, listener: TcpListener, answer: F) -> io::Result<()>
where
    F: Fn(Call) -> R + Clone + Send + 'static,
    R: Future<Output = Answer> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let serve = move || {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener);
            // It fails only where the runtime has no sockets, and this one has.
            if let Ok(listener) = listener {
                serve(listener, answer).await;
            }
        });
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(serve).map(drop)
}

async fn serve<F, R>(listener: tokio::net::TcpListener, answer: F)
where
    F: Fn(Call) -> R + Clone + Send + 'static,
    R: Future<Output = Answer> + Send + 'static,
{
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let answer = answer.clone();
        let service = hyper::service::service_fn(move |request| {
            let answer = answer.clone();
            async move {
                Ok::<_, Infallible>(match Call::read(request).await {
                    Ok(call) => answer(call).await,
                    Err(refusal) => refusal,
                })
            }
        });
        // A connection that ends early is its client's business.
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

/// An answer of `status` with a whole body that nobody caches.
pub(super) fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()).boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// An answer of `status` with `value` as JSON, readable in a terminal.
pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Answer {
    answer(status, "application/json", format!("{value:#}\n"))
}

/// Sends the browser on, by a `GET` whatever its request was.
pub(super) fn see_other(location: &str) -> Answer {
    let mut answer = answer(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
    match HeaderValue::try_from(location) {
        Ok(location) => {
            answer.headers_mut().insert(LOCATION, location);
            answer
        }
        Err(_) => not_found(),
    }
}

/// The plain 404.
pub(super) fn not_found() -> Answer {
    json(StatusCode::NOT_FOUND, &serde_json::json!({"message": "there is nothing here"}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_listens_on_loopback_alone() {
        for (address, listens) in
            [("127.0.0.1:0", true), ("127.0.0.9:0", true), ("0.0.0.0:0", false), ("192.0.2.1:0", false)]
        {
            let address = address.parse().expect("an address");
            assert_eq!(bind(address).is_ok(), listens, "{address}");
        }
    }
}
