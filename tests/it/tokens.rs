//! Keys, tokens and an issuer on loopback, for the tests of tokens and key sets.
//!
//! Keys are made when the tests run; none is kept. The issuer is a raw socket, so that it can answer as
//! badly as an attacker's would: silence, floods, redirects. It counts what it is asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
    RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use vestibule::auth::{
    ClientAuthentication, Clock, Issuer, IssuerKind, IssuerSpec, KeySource, KeyStore, KeyStoreSettings,
    Refused, TokenError, Verifier,
};
use vestibule::tenant::{Tenant, TenantKey, TenantSpec};

/// 2026-11-21, in seconds.
pub(crate) const NOW: u64 = 1_795_000_000;

/// A private key of a test.
pub(crate) enum TestKey {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// The issuer's RSA key, made once because making it takes time.
pub(crate) static RSA: LazyLock<TestKey> = LazyLock::new(TestKey::rsa);
/// Another RSA key, which no issuer has.
pub(crate) static FOREIGN: LazyLock<TestKey> = LazyLock::new(TestKey::rsa);

impl TestKey {
    pub(crate) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub(crate) fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn p384() -> Self {
        Self::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn ed() -> Self {
        Self::Ed(Ed25519KeyPair::generate().unwrap())
    }

    /// The public half, as a JWK.
    pub(crate) fn jwk(&self, id: &str) -> Value {
        match self {
            Self::Rsa(pair) => {
                let public = pair.public_key();
                let n = encode(public.modulus().big_endian_without_leading_zero());
                let e = encode(public.exponent().big_endian_without_leading_zero());
                json!({"kty": "RSA", "kid": id, "n": n, "e": e})
            }
            Self::P256(pair) => ec_jwk(pair, "P-256", 32, id),
            Self::P384(pair) => ec_jwk(pair, "P-384", 48, id),
            Self::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": encode(pair.public_key().as_ref())})
            }
        }
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let encoding: &'static dyn RsaEncoding = match algorithm {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256(pair) | Self::P384(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with this header and these claims, whatever they say.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        self.token_of_text(&header.to_string(), &claims.to_string())
    }

    /// A token of texts that need not even be JSON.
    pub(crate) fn token_of_text(&self, header: &str, claims: &str) -> String {
        let algorithm = serde_json::from_str::<Value>(header).unwrap_or_default()["alg"].clone();
        let message = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let signature = self.sign(algorithm.as_str().unwrap_or(""), message.as_bytes());
        format!("{message}.{}", encode(&signature))
    }
}

fn ec_jwk(pair: &EcdsaKeyPair, curve: &str, size: usize, id: &str) -> Value {
    let point = pair.public_key().as_ref();
    json!({"kty": "EC", "crv": curve, "kid": id, "x": encode(&point[1..=size]), "y": encode(&point[1 + size..])})
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn key_set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

pub(crate) fn header() -> Value {
    json!({"alg": "RS256", "kid": "k1", "typ": "JWT"})
}

/// `base` with the members of `change`; null removes one.
pub(crate) fn with(mut base: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}

/// What every good token says.
pub(crate) fn claims(issuer: &str) -> Value {
    json!({"iss": issuer, "aud": "portal", "sub": "u1", "exp": NOW + 600, "iat": NOW, "scope": "read write"})
}

pub(crate) fn tenant(key: &str, id: Option<&str>) -> Tenant {
    let key = TenantKey::parse(key).unwrap();
    Tenant::from(TenantSpec { id: id.map(Into::into), ..TenantSpec::new(key) })
}

pub(crate) fn openid(url: &str, keys: KeySource) -> IssuerSpec {
    IssuerSpec {
        kind: IssuerKind::Oidc,
        url: url.into(),
        keys,
        client_id: Some("portal".into()),
        audience: Vec::new(),
        algorithms: Vec::new(),
        tenant_claim: None,
        authentication: ClientAuthentication::None,
        scopes: Vec::new(),
    }
}

pub(crate) fn compiled(spec: &IssuerSpec, tenant: &Tenant) -> Arc<Issuer> {
    let key = tenant.key.as_ref().map(TenantKey::as_str);
    Arc::new(Issuer::compile(spec, key, tenant.id.as_deref()).unwrap())
}

/// A verifier, its clock and its store.
pub(crate) struct Bench {
    pub(crate) verifier: Verifier,
    pub(crate) store: Arc<KeyStore>,
    time: Arc<AtomicU64>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::trusting(Vec::new())
    }

    pub(crate) fn trusting(extra_roots: Vec<rustls_pki_types::CertificateDer<'static>>) -> Self {
        let time = Arc::new(AtomicU64::new(NOW * 1000));
        let store = Arc::new(
            KeyStore::new(KeyStoreSettings {
                runtime: tokio::runtime::Handle::current(),
                extra_roots,
                resolver: None,
                clock: Clock::Manual(time.clone()),
            })
            .unwrap(),
        );
        Self { verifier: Verifier::new(store.clone()), store, time }
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.time.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    pub(crate) fn set_back(&self, seconds: u64) {
        self.time.fetch_sub(seconds * 1000, Ordering::Relaxed);
    }

    /// `Ok`, or why not.
    pub(crate) async fn verify(
        &self,
        issuer: &Arc<Issuer>,
        tenant: &Tenant,
        token: &str,
    ) -> Result<(), Refused> {
        self.verifier.verify(issuer, tenant, token).await.map(drop)
    }
}

/// The check that refused, or `None` where the token was accepted.
pub(crate) fn reason(answer: Result<(), Refused>) -> Option<TokenError> {
    match answer {
        Ok(()) => None,
        Err(Refused::InvalidToken(reason)) => Some(reason),
        Err(other) => panic!("refused for another reason than the token: {other}"),
    }
}

/// How the issuer answers for one path.
#[derive(Clone)]
pub(crate) enum Answer {
    Json(String),
    Status(u16),
    Redirect(String),
    /// The head of an answer, then zeros without end.
    Flood,
    /// A length of 100 MB, then zeros.
    Huge,
    /// Nothing, and the connection stays open.
    Silence,
    /// The connection is closed at once.
    Close,
}

/// An issuer on loopback.
#[derive(Clone)]
pub(crate) struct Loopback {
    pub(crate) address: SocketAddr,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Loopback {
    pub(crate) async fn start() -> Self {
        let (listener, issuer) = Self::bound().await;
        let serving = issuer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        issuer
    }

    pub(crate) async fn start_tls(tls: tokio_rustls::TlsAcceptor) -> Self {
        let (listener, issuer) = Self::bound().await;
        let serving = issuer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, serving) = (tls.clone(), serving.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = tls.accept(stream).await {
                        serving.serve(stream).await;
                    }
                });
            }
        });
        issuer
    }

    async fn bound() -> (TcpListener, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, Self { address, answers: Arc::default(), asked: Arc::default() })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.into(), answer);
    }

    /// Discovery and keys, as a good issuer has them.
    pub(crate) fn publish(&self, issuer: &str, keys: &[Value]) {
        let document = json!({"issuer": issuer, "jwks_uri": format!("{}/keys", self.url())});
        self.answer("/.well-known/openid-configuration", Answer::Json(document.to_string()));
        self.answer("/keys", Answer::Json(key_set(keys)));
    }

    /// How often `path` was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }

    /// How often anything was asked for.
    pub(crate) fn asked_at_all(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut head = Vec::new();
        while !head.windows(4).any(|window| window == b"\r\n\r\n") {
            let mut chunk = [0; 1024];
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(length) => head.extend_from_slice(&chunk[..length]),
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or("").to_owned();
        self.asked.lock().unwrap().push(path.clone());
        let answer = self.answers.lock().unwrap().get(&path).cloned().unwrap_or(Answer::Status(404));
        respond(&mut stream, answer).await;
    }
}

async fn respond(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), answer: Answer) {
    let text = match answer {
        Answer::Json(body) => format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ),
        Answer::Status(status) => format!("HTTP/1.1 {status} Answer\r\ncontent-length: 0\r\n\r\n"),
        Answer::Redirect(to) => format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"),
        Answer::Flood => "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".into(),
        Answer::Huge => "HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n".into(),
        Answer::Silence => {
            // Held until the client gives up.
            let _ = stream.read(&mut [0; 1]).await;
            return;
        }
        Answer::Close => return,
    };
    let endless = matches!(text.as_str(), t if t.contains("100000000") || t.contains("connection: close"));
    let mut open = stream.write_all(text.as_bytes()).await.is_ok();
    while endless && open {
        open = stream.write_all(&[b'0'; 8192]).await.is_ok();
    }
    let _ = stream.shutdown().await;
}
