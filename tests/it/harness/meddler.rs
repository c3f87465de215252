//! Stands before a real provider and passes everything on, but for what a test meddles with.
//!
//! The provider believes in the meddler's address as its issuer, so that nothing looks odd from outside.
//! Only calls of the token endpoint can be meddled with. A second key of this side is always among the
//! provider's, so that a forged ID token differs in nothing but what the test is about.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::backend::{Exchange, Next};
use super::{Backend, Client, Issuer, Recorded, Reply};

/// What happens to a call of the token endpoint: it gets the exchange, the form as it came, and the way
/// on to the provider.
pub(crate) type Fault = dyn Fn(&mut Exchange<'_>, &str, &Onwards) -> Next + Send + Sync;

/// The way on to the provider.
pub(crate) struct Onwards {
    provider: SocketAddr,
    line: String,
    headers: Vec<(String, String)>,
}

impl Onwards {
    /// Asks the provider what was asked here, with `body`.
    pub(crate) fn ask(&self, body: &[u8]) -> Reply {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Client::connect(self.provider).ask(&self.line, &headers, body)
    }
}

/// A provider as everyone else sees it.
pub(crate) struct Meddler {
    backend: Backend,
    fault: Arc<Mutex<Option<Arc<Fault>>>>,
    away: Arc<AtomicBool>,
    /// What `iss` is.
    pub(crate) issuer: String,
}

impl Meddler {
    /// Stands before the provider at `address`.
    pub(crate) fn before(provider: SocketAddr) -> Self {
        let fault = Arc::new(Mutex::new(None::<Arc<Fault>>));
        let (current, away) = (Arc::clone(&fault), Arc::new(AtomicBool::new(false)));
        let gone = Arc::clone(&away);
        let backend = Backend::answering(move |exchange| {
            if gone.load(Ordering::SeqCst) { Next::Close } else { pass_on(exchange, provider, &current) }
        });
        let issuer = format!("http://{}", backend.address);
        Self { backend, fault, away, issuer }
    }

    /// Meddles with each call of the token endpoint from now on.
    pub(crate) fn meddle(
        &self,
        fault: impl Fn(&mut Exchange<'_>, &str, &Onwards) -> Next + Send + Sync + 'static,
    ) {
        *self.fault.lock().unwrap() = Some(Arc::new(fault));
    }

    /// Changes the claims of each ID token from now on, and signs it anew.
    pub(crate) fn claim(&self, change: impl Fn(&mut Value) + Send + Sync + 'static) {
        let signer = Issuer::new(&self.issuer);
        self.answer_with(move |answer| {
            let mut claims = claims_of(answer["id_token"].as_str().unwrap());
            change(&mut claims);
            answer["id_token"] = signer.token_of(&claims).into();
        });
    }

    /// Changes each answer of the token endpoint from now on.
    pub(crate) fn answer_with(&self, change: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.meddle(move |exchange, form, onwards| {
            let mut reply = onwards.ask(form.as_bytes());
            if reply.status == 200 {
                let mut answer = reply.json();
                change(&mut answer);
                reply.body = answer.to_string().into_bytes();
            }
            respond(exchange, &reply)
        });
    }

    /// Changes each form that is sent to the token endpoint from now on.
    pub(crate) fn form_with(&self, change: impl Fn(&str) -> String + Send + Sync + 'static) {
        self.meddle(move |exchange, form, onwards| {
            let changed = change(form);
            assert_ne!(changed, form, "nothing was changed");
            respond(exchange, &onwards.ask(changed.as_bytes()))
        });
    }

    /// Closes every connection without an answer from now on.
    pub(crate) fn go_away(&self) {
        self.away.store(true, Ordering::SeqCst);
    }

    /// Passes everything on again.
    pub(crate) fn behave(&self) {
        self.away.store(false, Ordering::SeqCst);
        *self.fault.lock().unwrap() = None;
    }

    /// Whether a token was asked for since [`take`](Self::take) was last called.
    pub(crate) fn is_asked_for_tokens(&self) -> bool {
        self.backend.requests().iter().any(|it| it.head.method == "POST")
    }

    /// What was asked for since the last call.
    pub(crate) fn take(&self) -> Vec<Recorded> {
        self.backend.take()
    }
}

/// The claims of a token, unverified.
pub(crate) fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// Writes `reply` as an answer.
pub(crate) fn respond(exchange: &Exchange<'_>, reply: &Reply) -> Next {
    let mut head = format!("HTTP/1.1 {} Passed On\r\n", reply.status);
    for (name, value) in &reply.headers {
        if !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection" | "keep-alive") {
            let _ = write!(head, "{name}: {value}\r\n");
        }
    }
    let _ = write!(head, "content-length: {}\r\n\r\n", reply.body.len());
    exchange.write(head);
    exchange.write(&reply.body);
    Next::Keep
}

fn pass_on(exchange: &mut Exchange<'_>, provider: SocketAddr, fault: &Mutex<Option<Arc<Fault>>>) -> Next {
    let Ok(body) = exchange.body() else { return Next::Close };
    let (method, target) = (exchange.head.method.clone(), exchange.head.target.clone());
    let dropped = |name: &str| {
        ["connection", "content-length", "transfer-encoding"].iter().any(|it| name.eq_ignore_ascii_case(it))
    };
    let lines = exchange.head.lines.iter().filter(|(name, _)| !dropped(name));
    let mut headers: Vec<(String, String)> = lines.cloned().collect();
    headers.push(("connection".to_owned(), "close".to_owned()));
    let onwards = Onwards { provider, line: format!("{method} {target}"), headers };
    let meddling = fault.lock().unwrap().clone();
    if let Some(meddling) = meddling.filter(|_| target == "/token") {
        return meddling(exchange, std::str::from_utf8(&body).unwrap(), &onwards);
    }
    let mut reply = onwards.ask(&body);
    if target == "/jwks" {
        reply.body = with_own_keys(&reply.json()).to_string().into_bytes();
    }
    respond(exchange, &reply)
}

fn with_own_keys(provided: &Value) -> Value {
    let own = Issuer::new("").key_set();
    let keys = provided["keys"].as_array().unwrap().iter().chain(own["keys"].as_array().unwrap());
    json!({"keys": keys.collect::<Vec<_>>()})
}
