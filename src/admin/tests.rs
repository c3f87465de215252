//! Who may ask, and what is answered. Real sockets, raw bytes.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::observe::denials::Denial;
use crate::observe::metrics::Observation;

const TOKEN: &str = "open-sesame";

#[derive(Default)]
struct Program {
    reloads: AtomicUsize,
    unready: Option<&'static str>,
    broken: bool,
}

impl Sources for Program {
    fn readiness(&self) -> Result<(), &'static str> {
        self.unready.map_or(Ok(()), Err)
    }

    fn config(&self) -> Value {
        json!({ "port": { "value": 5000, "from": "PORT" } })
    }

    fn routes(&self) -> Value {
        json!([{ "index": 0, "source": "^/a" }])
    }

    fn tenants(&self, query: &TenantQuery) -> TenantPage {
        let all = (0..2500).map(|number| format!("t{number:04}"));
        let mut keys = all.filter(|key| {
            key.starts_with(&query.prefix) && query.after.as_ref().is_none_or(|after| key > after)
        });
        let page: Vec<String> = keys.by_ref().take(query.limit).collect();
        let next = keys.next().and_then(|_| page.last().cloned());
        TenantPage { tenants: page.into_iter().map(|key| json!({ "key": key })).collect(), total: 2500, next }
    }

    fn tenant(&self, key: &str) -> Option<Value> {
        (key == "t0007").then(|| json!({ "key": key }))
    }

    fn issuers(&self) -> Vec<IssuerHealth> {
        Vec::new()
    }

    fn sessions(&self) -> Option<usize> {
        Some(12)
    }

    fn explain(&self, question: Explain) -> BoxFuture<'_, Result<Value, String>> {
        let Explain { method, url, headers } = question;
        let explained = if url.starts_with("http://") {
            Ok(json!({ "method": method.as_str(), "url": url, "headers": headers }))
        } else {
            Err("the url must be absolute".to_owned())
        };
        Box::pin(async { explained })
    }

    fn last_reload(&self) -> Option<ReloadReport> {
        None
    }

    fn reload(&self) -> BoxFuture<'_, ReloadReport> {
        self.reloads.fetch_add(1, Ordering::SeqCst);
        let result = if self.broken { ReloadResult::Refused } else { ReloadResult::Applied };
        let problems = if self.broken { vec![json!({ "line": 7 })] } else { Vec::new() };
        Box::pin(async move { ReloadReport { time: SystemTime::UNIX_EPOCH, result, problems } })
    }

    fn jwks(&self) -> Value {
        json!({ "keys": [] })
    }
}

/// A running admin port.
struct Port {
    address: SocketAddr,
    program: Arc<Program>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Port {
    async fn open(program: Program, token: Option<&str>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let hosts = vec!["router.internal".to_owned()];
        let options = Options::new(address, token.map(Secret::new), hosts).expect("loopback");
        let (metrics, denials, program) =
            (Arc::<Metrics>::default(), Arc::<Denials>::default(), Arc::new(program));
        metrics.recorder().request(&Observation {
            route: Some(0),
            status: 404,
            tenant: Some("acme"),
            duration: Duration::from_millis(1),
            upstream: None,
            code: Some("no_route"),
        });
        denials.remember(denial());
        let sources: Arc<dyn Sources> = Arc::clone(&program) as _;
        let admin = Arc::new(Admin::new(options, metrics, denials, sources));
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve(listener, admin, async {
            stopped.await.ok();
        }));
        Self { address, program, stop, served }
    }

    /// Sends `head` lines (the first is the request line) and a body; returns status, head and body.
    async fn ask(&self, lines: &[&str], body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        let head = lines.join("\r\n");
        let request = format!("{head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    async fn get(&self, path: &str) -> (u16, String, String) {
        self.ask(&[&format!("GET {path} HTTP/1.1"), "Host: localhost"], "").await
    }

    async fn close(self) {
        self.stop.send(()).expect("still open");
        self.served.await.expect("no panic");
    }
}

fn denial() -> Denial {
    Denial {
        id: "01ab".into(),
        time: SystemTime::UNIX_EPOCH,
        tenant: Some("acme".into()),
        method: "GET".into(),
        path: "/<script>".into(),
        status: 404,
        code: "no_route",
        reason: "none of 3 routes matches".into(),
    }
}

#[test]
fn an_open_port_needs_a_token() {
    for (address, token, allowed, shows) in [
        ("127.0.0.1:9900", None, true, "loopback"),
        ("127.8.8.8:9900", None, true, "all of loopback"),
        ("[::1]:9900", None, true, "the other loopback"),
        ("[::ffff:127.0.0.1]:9900", None, true, "loopback in the other notation"),
        ("0.0.0.0:9900", None, false, "everybody"),
        ("[::]:9900", None, false, "everybody"),
        ("10.0.0.1:9900", None, false, "a network"),
        ("0.0.0.0:9900", Some(""), false, "an empty token is none"),
        ("0.0.0.0:9900", Some(TOKEN), true, "everybody who knows the token"),
    ] {
        let address: SocketAddr = address.parse().expect("an address");
        let options = Options::new(address, token.map(Secret::new), Vec::new());
        assert_eq!(options.is_ok(), allowed, "{address}: {shows}");
    }
}

#[tokio::test]
async fn every_page_answers() {
    let port = Port::open(Program::default(), None).await;
    for (path, status, part) in [
        ("/healthz", 200, "ok"),
        ("/readyz", 200, "ready"),
        ("/", 200, "<title>Vestibule</title>"),
        ("/page.css", 200, "--page"),
        ("/page.js", 200, "\"use strict\""),
        ("/metrics", 200, "vestibule_requests_total{route=\"0\",status=\"404\",tenant=\"acme\"} 1"),
        ("/metrics", 200, "vestibule_sessions 12"),
        ("/status", 200, "\"refused\": 1"),
        ("/status", 200, "\"sessions\": 12"),
        ("/config", 200, "\"from\": \"PORT\""),
        ("/routes", 200, "^/a"),
        ("/tenants/t0007", 200, "t0007"),
        ("/tenants/nobody", 404, "nothing"),
        ("/denials", 200, "none of 3 routes matches"),
        ("/denials/01ab", 200, "none of 3 routes matches"),
        ("/denials/02cd", 404, "nothing"),
        ("/jwks", 200, "keys"),
        ("/reload", 405, "POST"),
        ("/none", 404, "nothing"),
    ] {
        let (answered, head, body) = port.get(path).await;
        assert_eq!(answered, status, "{path}");
        assert!(body.contains(part), "{path}: {body}");
        for line in
            ["cache-control: no-store", "x-content-type-options: nosniff", "content-security-policy: "]
        {
            assert!(head.contains(line), "{path}: {line}");
        }
    }
    let (status, head, body) = port.ask(&["HEAD /config HTTP/1.1", "Host: localhost"], "").await;
    assert_eq!((status, body.as_str()), (200, ""));
    assert!(head.contains("content-length: ") && !head.contains("content-length: 0"), "{head}");
    port.close().await;
}

#[tokio::test]
async fn tenants_come_in_pages() {
    let port = Port::open(Program::default(), None).await;
    let mut path = "/tenants?limit=1000".to_owned();
    let mut seen = 0;
    loop {
        let (_, _, body) = port.get(&path).await;
        let page: Value = serde_json::from_str(&body).expect("JSON");
        seen += page["tenants"].as_array().map_or(0, Vec::len);
        match page["next"].as_str() {
            Some(next) => path = format!("{next}&limit=1000"),
            None => break,
        }
    }
    assert_eq!(seen, 2500);
    let (_, _, body) = port.get("/tenants?prefix=t249&limit=99999").await;
    let page: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(page["tenants"].as_array().map(Vec::len), Some(10));
    port.close().await;
}

#[tokio::test]
async fn a_probe_is_told_why_not() {
    let port = Port::open(Program { unready: Some("draining"), ..Program::default() }, Some(TOKEN)).await;
    let (status, _, body) = port.get("/readyz").await;
    assert_eq!((status, body.as_str()), (503, "not ready: draining\n"));
    assert_eq!(port.get("/healthz").await.0, 200, "alive, and nobody asked for the token");
    port.close().await;
}

#[tokio::test]
async fn without_the_token_there_is_nothing() {
    let port = Port::open(Program::default(), Some(TOKEN)).await;
    for (line, status, shows) in [
        ("X: y", 401, "none"),
        ("Authorization: Bearer open-sesame", 200, "the token"),
        ("authorization: bearer open-sesame", 200, "in any case of the scheme"),
        ("Authorization: Bearer open-sesam", 401, "shorter"),
        ("Authorization: Bearer open-sesame2", 401, "longer"),
        ("Authorization: Bearer Open-Sesame", 401, "another case"),
        ("Authorization: Bearer ", 401, "empty"),
        ("Authorization: open-sesame", 401, "no scheme"),
        ("Authorization: Basic YWRtaW46b3Blbi1zZXNhbWU=", 200, "as a password"),
        ("Authorization: Basic b3Blbi1zZXNhbWU6YWRtaW4=", 401, "as a user"),
        ("Authorization: Basic ???", 401, "no base64"),
        ("Authorization: Bearer open-sesame\r\nAuthorization: Bearer x", 401, "twice"),
        ("Cookie: token=open-sesame", 401, "elsewhere"),
    ] {
        let (answered, head, _) = port.ask(&["GET /config HTTP/1.1", "Host: evil.test", line], "").await;
        assert_eq!(answered, status, "{line}: {shows}");
        assert_eq!(head.contains("www-authenticate: bearer"), status == 401, "{line}");
    }
    for path in ["/", "/metrics", "/tenants", "/denials/01ab", "/jwks", "/explain?url=http://a/", "/none"] {
        assert_eq!(port.get(path).await.0, 401, "{path}");
    }
    port.close().await;
}

#[tokio::test]
async fn a_name_that_could_be_anybodys_is_refused() {
    let port = Port::open(Program::default(), None).await;
    for (host, status) in [
        ("Host: localhost", 200),
        ("Host: localhost:9900", 200),
        ("Host: LOCALHOST", 200),
        ("Host: 127.0.0.1:9900", 200),
        ("Host: [::1]:9900", 200),
        ("Host: router.internal:9900", 200),
        ("Host: evil.test", 421),
        ("Host: localhost.evil.test", 421),
        ("Host: 127.0.0.1.evil.test", 421),
        ("Host: evil.test:127", 421),
        ("Host: localhost\r\nHost: evil.test", 421),
        ("X: y", 421),
    ] {
        let (answered, _, _) = port.ask(&["GET /config HTTP/1.1", host], "").await;
        assert_eq!(answered, status, "{host}");
    }
    port.close().await;
}

#[tokio::test]
async fn only_who_means_it_reloads() {
    let port = Port::open(Program::default(), None).await;
    for (line, status, shows) in [
        ("X: y", 200, "a program"),
        ("Sec-Fetch-Site: same-origin", 200, "our page"),
        ("Sec-Fetch-Site: none", 200, "the person"),
        ("Sec-Fetch-Site: cross-site", 403, "another site"),
        ("Sec-Fetch-Site: same-site", 403, "a neighbour"),
        ("Origin: http://localhost", 200, "our page in an old browser"),
        ("Origin: http://evil.test", 403, "another site in an old browser"),
        ("Origin: http://localhost:8080", 403, "another port"),
        ("Origin: null", 403, "a page without an origin"),
    ] {
        let (answered, _, _) = port.ask(&["POST /reload HTTP/1.1", "Host: localhost", line], "").await;
        assert_eq!(answered, status, "{line}: {shows}");
    }
    assert_eq!(port.program.reloads.load(Ordering::SeqCst), 4);
    for line in ["POST /config HTTP/1.1", "DELETE /tenants/acme HTTP/1.1", "PUT /reload HTTP/1.1"] {
        assert_eq!(port.ask(&[line, "Host: localhost"], "").await.0, 405, "{line}");
    }
    port.close().await;
}

#[tokio::test]
async fn a_refused_reload_says_where() {
    let port = Port::open(Program { broken: true, ..Program::default() }, None).await;
    let (status, _, body) = port.ask(&["POST /reload HTTP/1.1", "Host: localhost"], "").await;
    let report: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(
        (status, &report["result"], &report["problems"][0]["line"]),
        (422, &json!("refused"), &json!(7))
    );
    port.close().await;
}

#[tokio::test]
async fn questions_come_in_a_query_or_a_body() {
    let port = Port::open(Program::default(), None).await;
    let asked =
        |answer: (u16, String, String)| (answer.0, serde_json::from_str::<Value>(&answer.2).expect("JSON"));
    let query =
        "/explain?method=PUT&url=http%3A%2F%2Facme.localhost%2Fa%3Fb%3Dc&header=Accept:+text/html&header=x:y";
    let (status, explained) = asked(port.get(query).await);
    let expected = json!({ "method": "PUT", "url": "http://acme.localhost/a?b=c",
                           "headers": [["Accept", "text/html"], ["x", "y"]] });
    assert_eq!((status, &explained), (200, &expected));
    let body = json!({ "method": "PUT", "url": "http://acme.localhost/a?b=c",
                       "headers": [["Accept", "text/html"], ["x", "y"]] });
    let lines = ["POST /explain HTTP/1.1", "Host: localhost"];
    assert_eq!(asked(port.ask(&lines, &body.to_string()).await), (200, expected));
    let large = json!({ "url": format!("http://a/{}", "x".repeat(70_000)) }).to_string();
    for body in ["", "{}", "{\"url\": 7}", "{\"uri\": \"http://a/\"}", &large] {
        assert_eq!(port.ask(&lines, body).await.0, 400, "{body:.40}");
    }
    for query in
        ["", "url=/relative", "url=http://a/&method=%20", "url=http://a/&header=x", "url=http://a/&x=y"]
    {
        assert_eq!(port.get(&format!("/explain?{query}")).await.0, 400, "{query}");
    }
    port.close().await;
}

#[tokio::test]
async fn closing_does_not_wait_for_who_says_nothing() {
    let port = Port::open(Program::default(), None).await;
    let silent = TcpStream::connect(port.address).await.expect("a connection");
    port.close().await;
    drop(silent);
}
