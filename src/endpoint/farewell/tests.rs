//! Sessions that end by themselves: who hears of it, and what.

use http::HeaderValue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::auth::{Clock, KeyStore, KeyStoreSettings};
use crate::config::{self, Sources};
use crate::forward::Connector;
use crate::forward::tls::BackendTls;
use crate::session::{Identity, Realm, csrf};

const TENANTS: &str = r#"{"hosts": ["{tenant}.test"], "tenants": {"acme": {"id": "id-acme"}, "gone": {}}}"#;
const APPLICATION: &str = r#"{
    "destinations": {"backend": {"logoutPath": "/bye?all=1"}},
    "routes": [{"source": "^/", "destination": "backend", "authenticationType": "none"}]
}"#;

fn session(tenant: &str) -> Arc<Session> {
    let tenant = Tenant::from(crate::tenant::TenantSpec::new(TenantKey::parse(tenant).unwrap()));
    Arc::new(Session {
        realm: Arc::new(Realm::new(&tenant, "https://idp.test", "app")),
        identity: Identity {
            subject: Some("u1".into()),
            user_name: Some(HeaderValue::from_static("ada")),
            email: None,
            given_name: None,
            family_name: None,
            client: None,
            expires: 0,
            bearer: HeaderValue::from_static("Bearer t0ken"),
            scopes: Box::default(),
        },
        issuer_session: None,
        refresh_token: None,
        id_token: None,
        csrf_token: csrf::Token::read(&[b'x'; 44]).unwrap(),
        refreshed: 0,
        begun: 0,
        ends: 0,
    })
}

fn services() -> (ServiceTokens, Lookups) {
    let settings = KeyStoreSettings {
        runtime: tokio::runtime::Handle::current(),
        extra_roots: Vec::new(),
        resolver: None,
        clock: Clock::System,
    };
    let keys = Arc::new(KeyStore::new(settings).unwrap());
    let tokens = ServiceTokens::new(Arc::clone(&keys));
    (tokens.clone(), Lookups::new(keys, tokens))
}

/// Farewells of a router to which `variables` say where the backend is.
fn farewells(variables: &[(&str, String)]) -> Farewells {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("xs-app.json"), APPLICATION).unwrap();
    std::fs::write(folder.path().join("xs-tenants.json"), TENANTS).unwrap();
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let loaded = config::load(&Sources::new(folder.path().to_owned(), environment));
    let snapshot = loaded.snapshot.unwrap_or_else(|| panic!("{:?}", loaded.problems));
    let (tokens, lookups) = services();
    Farewells {
        published: Arc::new(Published::new(snapshot)),
        client: Client::new(Connector::new(BackendTls::new(&[]).unwrap())),
        assertions: Arc::new(Assertions::new(Clock::System)),
        tokens,
        lookups,
        audit: Audit::off(),
    }
}

/// Reads requests from `listener`, each on a connection of its own, and answers each with what `answer`
/// makes of its head, until it makes nothing of one; that one is the result.
async fn answered(listener: TcpListener, answer: impl Fn(&str) -> Option<String>) -> String {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let Some(body) = answer(&head) else {
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            return head;
        };
        let length = body.len();
        let said = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        stream.write_all(said.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn the_backend_hears_of_a_session_that_nobody_used() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend = listener.local_addr().unwrap();
    let destinations =
        format!(r#"[{{"name": "backend", "url": "http://{backend}", "forwardAuthToken": true}}]"#);
    let farewells = farewells(&[("destinations", destinations)]);
    let (ended, hears) = mpsc::channel(4);
    let running = tokio::spawn(farewells.run(hears));
    // A tenant that is no longer served has nobody who could be told; the next is told all the same.
    ended.send(Ended { session: session("stranger"), jar: None }).await.unwrap();
    ended.send(Ended { session: session("acme"), jar: None }).await.unwrap();
    let head = answered(listener, |_| None).await;
    assert!(head.starts_with("POST /bye?all=1 HTTP/1.1\r\n"), "{head}");
    let lower = head.to_ascii_lowercase();
    for line in [
        "x-tenant: acme\r\n",
        "x-tenant-id: id-acme\r\n",
        "authorization: bearer t0ken\r\n",
        "x-user-name: ada\r\n",
    ] {
        assert!(lower.contains(line), "{line} in {head}");
    }
    assert!(!lower.contains("cookie:") && !lower.contains("x-forwarded-"), "nobody sent anything: {head}");
    drop(ended);
    running.await.unwrap();
}

#[tokio::test]
async fn a_backend_that_the_destination_service_knows_hears_of_it_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = format!("http://{}", listener.local_addr().unwrap());
    let bound = serde_json::json!({"destination": [{"name": "d", "label": "destination",
        "credentials": {"clientid": "c", "clientsecret": "s", "url": here, "uri": here}}]});
    let farewells = farewells(&[("VCAP_SERVICES", bound.to_string())]);
    let (ended, hears) = mpsc::channel(4);
    let running = tokio::spawn(farewells.run(hears));
    ended.send(Ended { session: session("acme"), jar: None }).await.unwrap();
    let head = answered(listener, |head| match head.split(' ').nth(1)? {
        "/oauth/token" => Some(r#"{"access_token": "a", "token_type": "bearer"}"#.to_owned()),
        "/destination-configuration/v1/destinations/backend" => Some(format!(
            r#"{{"destinationConfiguration": {{"Name": "backend", "URL": "{here}/base",
                 "Authentication": "BasicAuthentication", "User": "u", "Password": "p"}}}}"#
        )),
        _ => None,
    });
    let head = head.await;
    assert!(head.starts_with("POST /base/bye?all=1 HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains("authorization: basic dtpw"), "{head}");
    drop(ended);
    running.await.unwrap();
}
