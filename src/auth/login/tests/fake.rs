//! An issuer that answers what a test wants, also what no real one would, and keeps what it was asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::super::*;
use crate::auth::{
    Clock, IssuerKind, IssuerSpec, KeySource, KeyStoreSettings, SigningKey, XsuaaBinding, client,
};
use crate::tenant::{TenantKey, TenantSpec};

/// 2026-11-21, in seconds.
pub(super) const NOW: u64 = 1_795_000_000;
pub(super) const CLIENT: &str = "sb-app!t1";
pub(super) const BACK: &str = "https://acme.app.test/login/callback";

static PAIR: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap());

/// What was asked: path, `Authorization` and body.
pub(super) type Asked = (String, String, String);

/// An issuer on loopback.
pub(super) struct Fake {
    pub(super) url: String,
    answers: Arc<Mutex<(u16, String)>>,
    document: Arc<Mutex<Value>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let document = json!({"issuer": url, "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"), "end_session_endpoint": format!("{url}/end")});
        let fake = Self {
            url,
            answers: Arc::default(),
            document: Arc::new(Mutex::new(document)),
            asked: Arc::default(),
        };
        let (answers, document, asked) = (fake.answers.clone(), fake.document.clone(), fake.asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &answers, &document, &asked);
            }
        });
        fake
    }

    /// What the token endpoint answers from now on.
    #[expect(clippy::needless_pass_by_value, reason = "answers are made where they are handed over")]
    pub(super) fn answers(&self, status: u16, body: impl ToString) {
        *self.answers.lock().unwrap() = (status, body.to_string());
    }

    /// Changes a member of the discovery document.
    pub(super) fn says(&self, name: &str, value: Value) {
        self.document.lock().unwrap()[name] = value;
    }

    /// What was asked since this was last asked.
    pub(super) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// The issuer as the configuration has it.
    pub(super) fn spec(&self, kind: IssuerKind) -> IssuerSpec {
        IssuerSpec {
            kind,
            url: self.url.clone(),
            keys: KeySource::Inline(key_set()),
            client_id: Some(CLIENT.into()),
            audience: vec!["api".into(), CLIENT.into()],
            algorithms: Vec::new(),
            tenant_claim: None,
            authentication: client::ClientAuthentication::None,
            scopes: vec!["email".into()],
        }
    }

    /// An XSUAA with a zone for acme; its URL is the fake's.
    #[expect(clippy::unused_self, reason = "it reads as the other kinds of the fake do")]
    pub(super) fn xsuaa(&self) -> IssuerKind {
        IssuerKind::Xsuaa(XsuaaBinding {
            client_id: CLIENT.into(),
            xsappname: "app!t1".into(),
            uaa_domain: None,
            shared: false,
            cert_url: None,
            verification_key: None,
        })
    }
}

fn serve(
    mut stream: TcpStream,
    answers: &Mutex<(u16, String)>,
    document: &Mutex<Value>,
    asked: &Mutex<Vec<Asked>>,
) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let (head, body) = loop {
        let length = stream.read(&mut chunk).unwrap_or(0);
        bytes.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= field(head, "content-length").parse().unwrap_or(0)
        {
            break (head.to_owned(), body.to_owned());
        }
        if length == 0 {
            return;
        }
    };
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let (status, answer) = if path.starts_with("/.well-known/") {
        (200, document.lock().unwrap().to_string())
    } else {
        answers.lock().unwrap().clone()
    };
    asked.lock().unwrap().push((path, field(&head, "authorization"), body));
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nlocation: /elsewhere\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{answer}",
        answer.len()
    );
    let _ = stream.write_all(text.as_bytes());
}

fn field(head: &str, name: &str) -> String {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut values = lines.filter(|(found, _)| found.eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.to_owned()).unwrap_or_default()
}

pub(super) fn key_set() -> String {
    let point = &PAIR.public_key_raw()[1..];
    let [x, y] = [&point[..32], &point[32..]].map(|half| URL_SAFE_NO_PAD.encode(half));
    json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y}]}).to_string()
}

/// A token of the fake's with this `typ` and these claims.
pub(super) fn token(typ: &str, claims: &Value) -> String {
    let key = SigningKey::from_pem(&Secret::new(PAIR.serialize_pem())).unwrap();
    let header = json!({"alg": "ES256", "kid": "k", "typ": typ});
    let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    format!("{message}.{}", key.sign(message.as_bytes()).unwrap())
}

/// `base` with the members of `change`; null removes one.
pub(super) fn with(mut base: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        base[name] = value.clone();
        if value.is_null() {
            base.as_object_mut().unwrap().remove(name);
        }
    }
    base
}

/// Everything a login needs.
pub(super) struct Bench {
    pub(super) runtime: Runtime,
    pub(super) logins: Arc<Logins>,
    pub(super) tenant: Arc<Tenant>,
    pub(super) flow: Flow,
}

impl Bench {
    pub(super) fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let settings = KeyStoreSettings {
            runtime: runtime.handle().clone(),
            extra_roots: Vec::new(),
            resolver: None,
            clock: Clock::Manual(Arc::new(AtomicU64::new(NOW * 1000))),
        };
        let logins = Arc::new(Logins::new(Arc::new(KeyStore::new(settings).unwrap())));
        let key = TenantKey::parse("acme").unwrap();
        let tenant =
            Arc::new(Tenant::from(TenantSpec { id: Some("id-acme".into()), ..TenantSpec::new(key) }));
        let flow = Flow::new(ReturnPath::root("/"), None, NOW).unwrap();
        Self { runtime, logins, tenant, flow }
    }

    pub(super) fn issuer(&self, spec: &IssuerSpec) -> Arc<Issuer> {
        let key = self.tenant.key.as_ref().map(TenantKey::as_str);
        Arc::new(Issuer::compile(spec, key, self.tenant.id.as_deref()).unwrap())
    }

    /// What the issuer sends the browser back with.
    pub(super) fn callback(&self) -> Callback {
        Callback {
            state: Some(self.flow.state.to_string()),
            code: Some("c0de".into()),
            ..Callback::default()
        }
    }

    pub(super) fn finish(&self, issuer: &Arc<Issuer>) -> Result<NewSession, LoginError> {
        let callback = self.callback();
        let finish = self.logins.finish(issuer, &self.tenant, &self.flow, &callback, BACK);
        self.runtime.block_on(finish)
    }

    /// What a good ID token says.
    pub(super) fn id_claims(&self, issuer: &str) -> Value {
        json!({"iss": issuer, "aud": CLIENT, "sub": "u1", "nonce": &*self.flow.nonce, "iat": NOW,
               "exp": NOW + 600, "sid": "s1", "email": "ann@acme.test", "app_tid": "id-acme"})
    }
}

/// The name of a variant.
pub(super) fn name(reason: &impl std::fmt::Debug) -> String {
    let text = format!("{reason:?}");
    text.split([' ', '{']).next().unwrap_or_default().to_owned()
}
