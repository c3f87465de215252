//! Tests of `auth::service`: who gets which token, how often is asked, and what a failure says.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::*;
use crate::auth::{ClientAuthentication, Clock, KeyStoreSettings};
use crate::secret::Secret;
use crate::tenant::{TenantKey, TenantSpec};

const NOW: u64 = 1_795_000_000_000;

/// A token endpoint that waits for leave, then gives every grant a token of its own or a fixed answer.
struct Endpoint {
    url: String,
    asked: Arc<Mutex<Vec<HashMap<String, String>>>>,
    says: Arc<Mutex<Option<(u16, String)>>>,
    leave: mpsc::Sender<()>,
}

impl Endpoint {
    /// One that never waits.
    fn start() -> Self {
        let endpoint = Self::waiting();
        for _ in 0..1000 {
            endpoint.leave.send(()).unwrap();
        }
        endpoint
    }

    /// One that answers as many requests as it is given leave for.
    fn waiting() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (leave, awaited) = mpsc::channel();
        let endpoint = Self { url, asked: Arc::default(), says: Arc::default(), leave };
        let (asked, says) = (Arc::clone(&endpoint.asked), Arc::clone(&endpoint.says));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &asked, &says, &awaited);
            }
        });
        endpoint
    }

    fn says(&self, status: u16, body: &str) {
        *self.says.lock().unwrap() = Some((status, body.to_owned()));
    }

    fn asked(&self) -> Vec<HashMap<String, String>> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn credentials(&self) -> Arc<ServiceCredentials> {
        self.credentials_with("s&cret=", &[])
    }

    fn credentials_with(&self, secret: &str, parameters: &[(&str, &str)]) -> Arc<ServiceCredentials> {
        let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let spec = ServiceCredentialsSpec {
            client_id: "sb-country!b1|x".into(),
            authentication: ClientAuthentication::Secret(Secret::new(secret)),
            server: TokenServer::At(format!("{}/oauth/token", self.url)),
            parameters: parameters.collect(),
        };
        Arc::new(ServiceCredentials::compile(spec).unwrap())
    }
}

fn serve(
    mut stream: TcpStream,
    asked: &Mutex<Vec<HashMap<String, String>>>,
    says: &Mutex<Option<(u16, String)>>,
    leave: &mpsc::Receiver<()>,
) {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    let form = loop {
        let Ok(length @ 1..) = stream.read(&mut chunk) else { return };
        bytes.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            break body.to_owned();
        }
    };
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = form.split('&').map(|pair| pair.split_once('=').unwrap());
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push(pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect());
        asked.len()
    };
    if leave.recv().is_err() {
        return;
    }
    let token = format!(r#"{{"access_token":"t{number}","token_type":"bearer","expires_in":3600}}"#);
    let (status, body) = says.lock().unwrap().clone().unwrap_or((200, token));
    let text =
        format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let _ = stream.write_all(text.as_bytes());
}

/// Everything that tokens need.
struct Bench {
    runtime: Runtime,
    tokens: ServiceTokens,
    time: Arc<AtomicU64>,
    _slow: Runtime,
}

impl Bench {
    fn new() -> Self {
        let slow = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let time = Arc::new(AtomicU64::new(NOW));
        let settings = KeyStoreSettings {
            runtime: slow.handle().clone(),
            extra_roots: Vec::new(),
            resolver: None,
            clock: Clock::Manual(Arc::clone(&time)),
        };
        let tokens = ServiceTokens::new(Arc::new(KeyStore::new(settings).unwrap()));
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, tokens, time, _slow: slow }
    }

    fn own(&self, tenant: &str, service: &Arc<ServiceCredentials>) -> Result<HeaderValue, ServiceTokenError> {
        self.runtime.block_on(self.tokens.client_credentials(&named(tenant), service))
    }

    fn exchanged(
        &self,
        tenant: &str,
        service: &Arc<ServiceCredentials>,
        caller: &Identity,
    ) -> Result<HeaderValue, ServiceTokenError> {
        self.runtime.block_on(self.tokens.exchanged(&named(tenant), service, caller))
    }
}

fn named(key: &str) -> Tenant {
    Tenant::from(TenantSpec::new(TenantKey::parse(key).unwrap()))
}

fn caller(subject: &str, bearer: &'static str) -> Identity {
    Identity {
        subject: Some(subject.into()),
        user_name: None,
        email: None,
        given_name: None,
        family_name: None,
        client: None,
        expires: u64::MAX,
        bearer: HeaderValue::from_static(bearer),
        scopes: Box::default(),
    }
}

#[test]
fn tenants_callers_services_and_secrets_have_tokens_of_their_own() {
    let (endpoint, bench) = (Endpoint::start(), Bench::new());
    let service = endpoint.credentials();
    let (ann, again) = (caller("ann", "Bearer ann.1"), caller("ann", "Bearer ann.2"));
    let mut seen = std::collections::BTreeSet::new();
    let mut is_new = |token: Result<HeaderValue, ServiceTokenError>| {
        seen.insert(token.unwrap().to_str().unwrap().to_owned())
    };
    for tenant in ["acme", "globex"] {
        assert!(is_new(bench.own(tenant, &service)), "{tenant}'s own");
        assert!(is_new(bench.exchanged(tenant, &service, &ann)), "{tenant}'s Ann");
        assert!(is_new(bench.exchanged(tenant, &service, &again)), "the same with another token");
        assert!(is_new(bench.own(tenant, &endpoint.credentials_with("other", &[]))), "another secret");
        let other = endpoint.credentials_with("s&cret=", &[("resource", "urn:x")]);
        assert!(is_new(bench.own(tenant, &other)), "another resource");
        assert!(!is_new(bench.own(tenant, &endpoint.credentials())), "the same, after a reload");
        assert!(!is_new(bench.exchanged(tenant, &service, &ann)), "remembered");
    }
    assert_eq!(endpoint.asked().len(), 10);
}

#[test]
fn both_grants_are_asked_as_documented() {
    let (endpoint, bench) = (Endpoint::start(), Bench::new());
    let service = endpoint.credentials_with("s&cret=", &[("resource", "urn:a b")]);
    let token = bench.own("acme", &service).unwrap();
    assert!(token.is_sensitive());
    bench.exchanged("acme", &service, &caller("ann", "Bearer a.b.c")).unwrap();
    let common = [("client_id", "sb-country!b1|x"), ("client_secret", "s&cret="), ("resource", "urn:a b")];
    let bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let expected =
        [vec![("grant_type", "client_credentials")], vec![("grant_type", bearer), ("assertion", "a.b.c")]];
    let asked = endpoint.asked();
    for (asked, mut expected) in asked.into_iter().zip(expected) {
        expected.extend(common);
        let expected: HashMap<String, String> =
            expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(asked, expected);
    }
}

#[test]
fn a_hundred_requests_ask_once() {
    let (endpoint, bench) = (Endpoint::waiting(), Bench::new());
    let service = endpoint.credentials();
    bench.runtime.block_on(async {
        let mut waiting = JoinSet::new();
        for _ in 0..100 {
            let (tokens, service) = (bench.tokens.clone(), Arc::clone(&service));
            waiting.spawn(async move {
                tokens.exchanged(&named("acme"), &service, &caller("ann", "Bearer a")).await
            });
        }
        // Each has had its turn before this one comes again.
        tokio::task::yield_now().await;
        endpoint.leave.send(()).unwrap();
        while let Some(token) = waiting.join_next().await {
            assert_eq!(token.unwrap().unwrap(), "Bearer t1");
        }
    });
    assert_eq!(endpoint.asked().len(), 1);
}

#[test]
fn who_goes_away_cancels_nothing_for_the_others() {
    let (endpoint, bench) = (Endpoint::waiting(), Bench::new());
    let service = endpoint.credentials();
    bench.runtime.block_on(async {
        let tenant = named("acme");
        let first = bench.tokens.client_credentials(&tenant, &service);
        let gone = tokio::time::timeout(Duration::ZERO, first).await;
        assert!(gone.is_err(), "it waited");
        endpoint.leave.send(()).unwrap();
        assert_eq!(bench.tokens.client_credentials(&tenant, &service).await.unwrap(), "Bearer t1");
    });
    assert_eq!(endpoint.asked().len(), 1);
}

#[test]
fn a_token_is_renewed_ahead_and_nobody_waits_for_that() {
    let (endpoint, bench) = (Endpoint::waiting(), Bench::new());
    let service = endpoint.credentials();
    endpoint.leave.send(()).unwrap();
    assert_eq!(bench.own("acme", &service).unwrap(), "Bearer t1");
    bench.time.store(NOW + 3_400_000, Ordering::Relaxed);
    assert_eq!(bench.own("acme", &service).unwrap(), "Bearer t1", "it holds, and the server has no leave");
    endpoint.leave.send(()).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while bench.own("acme", &service).unwrap() != "Bearer t2" {
        assert!(std::time::Instant::now() < deadline, "it was never renewed");
        std::thread::yield_now();
    }
    assert_eq!(endpoint.asked().len(), 2);
}

#[test]
fn a_failure_says_what_it_was_and_is_not_repeated_at_once() {
    let rows: [(u16, &str, fn(&ServiceTokenError) -> bool, &str); 5] = [
        (
            401,
            r#"{"error":"invalid_client"}"#,
            |e| *e == ServiceTokenError::Refused("invalid_client".into()),
            "no",
        ),
        (
            400,
            r#"{"error":"invalid_grant"}"#,
            |e| *e == ServiceTokenError::Refused("invalid_grant".into()),
            "not this user",
        ),
        (200, "<html>", |e| matches!(e, ServiceTokenError::Unusable(_)), "a page"),
        (503, "", |e| matches!(e, ServiceTokenError::Unavailable { .. }), "overloaded"),
        (302, "", |e| matches!(e, ServiceTokenError::Unavailable { .. }), "a redirect is not followed"),
    ];
    for (status, body, expected, shows) in rows {
        let (endpoint, bench) = (Endpoint::start(), Bench::new());
        let service = endpoint.credentials();
        endpoint.says(status, body);
        for _ in 0..3 {
            let reason = bench.own("acme", &service).unwrap_err();
            assert!(expected(&reason), "{shows}: {reason:?}");
        }
        assert_eq!(endpoint.asked().len(), 1, "{shows}");
        *endpoint.says.lock().unwrap() = None;
        bench.time.store(NOW + 1000, Ordering::Relaxed);
        assert!(bench.own("acme", &service).is_ok(), "{shows}: a second later");
    }
}

#[test]
fn a_server_that_is_down_is_left_alone_and_the_others_are_asked() {
    let (endpoint, bench) = (Endpoint::start(), Bench::new());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let spec = ServiceCredentialsSpec {
        client_id: "c".into(),
        authentication: ClientAuthentication::Secret(Secret::new("s")),
        server: TokenServer::At(format!("http://{closed}/oauth/token")),
        parameters: Vec::new(),
    };
    let down = Arc::new(ServiceCredentials::compile(spec).unwrap());
    for tenant in ["a", "b", "c", "d", "e"] {
        let reason = bench.own(tenant, &down).unwrap_err();
        assert!(matches!(reason, ServiceTokenError::Unavailable { .. }), "{reason:?}");
    }
    assert!(bench.own("a", &endpoint.credentials()).is_ok());
}

#[test]
fn each_tenant_has_its_own_host_where_it_has_a_zone() {
    let certificate = {
        let made = rcgen::generate_simple_self_signed(vec!["client.test".to_owned()]).unwrap();
        let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        super::super::ClientCertificate::from_pem(&Secret::new(pem), &Secret::new(key)).unwrap()
    };
    let secret = || ClientAuthentication::Secret(Secret::new("s"));
    let made = |authentication, zones, domain: Option<&str>| {
        ServiceCredentials::compile(ServiceCredentialsSpec {
            client_id: "c".into(),
            authentication,
            server: TokenServer::Xsuaa {
                url: "https://provider.auth.test/".into(),
                cert_url: Some("https://provider.auth.cert.test".into()),
                uaa_domain: domain.map(Into::into),
                zones,
            },
            parameters: Vec::new(),
        })
        .unwrap()
    };
    let by_certificate =
        made(ClientAuthentication::Certificate(Arc::new(certificate)), true, Some("auth.test"));
    let rows = [
        (made(secret(), true, Some("auth.test")), Some("acme"), "https://acme.auth.test/oauth/token"),
        (made(secret(), true, Some("auth.test")), None, "https://provider.auth.test/oauth/token"),
        (made(secret(), true, None), Some("acme"), "https://provider.auth.test/oauth/token"),
        (made(secret(), false, Some("auth.test")), Some("acme"), "https://provider.auth.test/oauth/token"),
        (by_certificate.of_provider(), Some("acme"), "https://provider.auth.cert.test/oauth/token"),
        (by_certificate, Some("acme"), "https://acme.auth.cert.test/oauth/token"),
    ];
    for (service, tenant, expected) in rows {
        let key = tenant.and_then(TenantKey::parse);
        assert_eq!(service.token_url(key.as_ref()), expected);
    }
}

#[test]
fn credentials_are_checked_when_they_are_made() {
    let made = |client: &str, authentication, url: &str| {
        ServiceCredentials::compile(ServiceCredentialsSpec {
            client_id: client.into(),
            authentication,
            server: TokenServer::At(url.into()),
            parameters: Vec::new(),
        })
    };
    let secret = || ClientAuthentication::Secret(Secret::new("s"));
    assert!(made("c", secret(), "https://h/oauth/token").is_ok());
    for url in ["", "h", "ftp://h/x", "https:///x", "https://u@h/x", "https://h/#x", "https://h/{tenant}"] {
        let error = made("c", secret(), url).unwrap_err();
        assert_eq!(error, ServiceCredentialsError::MalformedUrl(url.into()));
    }
    assert_eq!(made("", secret(), "https://h").unwrap_err(), ServiceCredentialsError::NoClient);
    let open = ClientAuthentication::None;
    assert_eq!(made("c", open, "https://h").unwrap_err(), ServiceCredentialsError::NoProof);
}
