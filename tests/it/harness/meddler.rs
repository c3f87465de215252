//! Stands before a real provider and passes everything on, but for what a test meddles with.
//!
//! The provider believes in the meddler's address as its issuer, so that nothing looks odd from outside.
//! Only calls of the token endpoint can be meddled with. A second key of this side is always among the
//! provider's, so that a forged ID token differs in nothing but what the test is about.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

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
    /// What `iss` is.
    pub(crate) issuer: String,
}

impl Meddler {
    /// Stands before the provider at `address`.
    pub(crate) fn before(provider: SocketAddr) -> Self {
        let fault = Arc::new(Mutex::new(None::<Arc<Fault>>));
        let current = Arc::clone(&fault);
        let backend = Backend::answering(move |exchange| pass_on(exchange, provider, &current));
        let issuer = format!("http://{}", backend.address);
        Self { backend, fault, issuer }
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

    /// Passes everything on again.
    pub(crate) fn behave(&self) {
        *self.fault.lock().unwrap() = None;
    }

    /// What was asked for since the last call.
    pub(crate) fn take(&self) -> Vec<Recorded> {
        self.backend.take()
    }
}

/// The claims of a token, unverified.
pub(crate) fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&from_base64url(payload)).unwrap()
}

fn from_base64url(text: &str) -> Vec<u8> {
    let letter = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for c in text.bytes() {
        bits = bits << 6 | u32::from(letter(c));
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

/// Writes `reply` as an answer.
pub(crate) fn respond(exchange: &Exchange<'_>, reply: &Reply) -> Next {
    let mut head = format!("HTTP/1.1 {} Passed On\r\n", reply.status);
    for (name, value) in &reply.headers {
        if !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection" | "keep-alive") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", reply.body.len()));
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
