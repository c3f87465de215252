//! HTTP/2 behind, and HTTP/2 in front of HTTP/1.1: calls as gRPC makes them, trailers, shared
//! connections, backends that say goodbye.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::{GROWTH, peak};
use crate::harness::h2::{H2, Outcome};
use crate::harness::{Backend, DEADLINE, Server, Setup};

/// Sends each message back as it comes, and a status behind the last.
struct Echo {
    messages: Incoming,
    done: bool,
    broken: bool,
}

impl Body for Echo {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.done {
            return Poll::Ready(None);
        }
        match Pin::new(&mut self.messages).poll_frame(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(frame))) if frame.is_data() => Poll::Ready(Some(Ok(frame))),
            Poll::Ready(_) if self.broken => Poll::Ready(Some(Err(std::io::Error::other("broken")))),
            Poll::Ready(_) => {
                self.done = true;
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", HeaderValue::from_static("0"));
                trailers.insert("x-tenant", HeaderValue::from_static("evil"));
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
        }
    }
}

/// What the backend saw: the connection's number and the request.
type Seen = Arc<Mutex<Vec<(usize, Parts)>>>;

/// What a backend keeps for its test.
#[derive(Clone)]
struct Notes {
    seen: Seen,
    gone: Sender<()>,
}

/// A request that is never answered; says when it was given up.
struct Held(Sender<()>);

impl Drop for Held {
    fn drop(&mut self) {
        // The test may have ended first.
        let _ = self.0.send(());
    }
}

/// A backend that speaks nothing but HTTP/2.
struct Grpc {
    address: SocketAddr,
    seen: Seen,
    gone: Receiver<()>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Grpc {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Seen::default();
        let (stop, stopped) = oneshot::channel();
        let (sender, gone) = channel();
        let notes = Notes { seen: Arc::clone(&seen), gone: sender };
        let thread = std::thread::spawn(move || {
            runtime().block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = accept(listener, notes) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, seen, gone, stop: Some(stop), thread: Some(thread) }
    }

    /// A server that forwards everything to it, with one worker.
    fn served(&self) -> Server {
        self.setup().start()
    }

    fn setup(&self) -> Setup {
        let url = format!("http://{}/base", self.address);
        Setup::new(&json!({"authenticationMethod": "none", "routes": [
            {"source": "^/(.*)$", "destination": "grpc", "authenticationType": "none"}]}))
        .destination_with(&json!({"name": "grpc", "url": url, "http2": true}))
        .variable("VESTIBULE_WORKERS", "1")
    }
}

impl Drop for Grpc {
    fn drop(&mut self) {
        drop(self.stop.take());
        let joined = self.thread.take().unwrap().join();
        assert!(joined.is_ok() || std::thread::panicking());
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn accept(listener: tokio::net::TcpListener, notes: Notes) {
    let mut connections = 0;
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(serve(stream, connections, notes.clone()));
        connections += 1;
    }
}

/// Serves one connection; `/bye` is its last request, `/broken` breaks off, `/held` is not answered,
/// `/dies-once` takes the first connection down.
async fn serve(stream: tokio::net::TcpStream, number: usize, notes: Notes) {
    let (bye, mut farewell) = mpsc::unbounded_channel();
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let (parts, messages) = request.into_parts();
        let path = parts.uri.path().to_owned();
        notes.seen.lock().unwrap().push((number, parts));
        let dies = path.ends_with("/dies-once") && number == 0;
        if dies || path.ends_with("/bye") {
            bye.send(dies).unwrap();
        }
        let broken = path.ends_with("/broken");
        let held = path.ends_with("/held").then(|| Held(notes.gone.clone()));
        async move {
            if held.is_some() || dies {
                std::future::pending::<()>().await;
            }
            Ok::<_, std::convert::Infallible>(Response::new(Echo { messages, done: false, broken }))
        }
    });
    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut leaving = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            Some(dies) = farewell.recv() => {
                if dies {
                    return;
                }
                if !leaving {
                    connection.as_mut().graceful_shutdown();
                }
                leaving = true;
            }
        }
    }
}

/// Messages that a test sends when it wants to.
struct Messages(mpsc::UnboundedReceiver<Bytes>);

impl Body for Messages {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|message| message.map(|bytes| Ok(Frame::data(bytes))))
    }
}

async fn connect(address: SocketAddr) -> SendRequest<Messages> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    sender
}

fn call(path: &str) -> (mpsc::UnboundedSender<Bytes>, Request<Messages>) {
    let (sender, messages) = mpsc::unbounded_channel();
    let request = Request::post(format!("http://a.example{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-tenant", "evil")
        .body(Messages(messages))
        .unwrap();
    (sender, request)
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what).await.expect("in time")
}

#[test]
fn a_call_as_grpc_makes_it_passes_both_ways_at_once() {
    let backend = Grpc::start();
    let server = backend.served();
    runtime().block_on(in_time(async {
        let mut client = connect(server.address).await;
        let (messages, request) = call("/pkg.Service/Method");
        messages.send(Bytes::from_static(b"one")).unwrap();
        let mut answer = client.send_request(request).await.unwrap();
        assert_eq!((answer.status(), answer.headers().get("trailer")), (http::StatusCode::OK, None));
        // The second message goes out only when the first has come back: neither side is buffered.
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
        messages.send(Bytes::from_static(b"two")).unwrap();
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "two");
        drop(messages);
        let trailers = answer.frame().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(trailers.get("grpc-status").unwrap(), "0");
        assert_eq!(trailers.get("x-tenant"), None, "trailers are filtered");
    }));
    let seen = backend.seen.lock().unwrap();
    let (_, parts) = &seen[0];
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!((parts.version, parts.uri.path()), (Version::HTTP_2, "/base/pkg.Service/Method"));
    assert_eq!(parts.uri.authority().unwrap().as_str(), backend.address.to_string());
    assert_eq!((header("te"), header("content-type")), (Some("trailers"), Some("application/grpc")));
    assert_eq!((header("x-tenant"), header("host"), header("connection")), (None, None, None));
    assert!(header("x-request-id").is_some());
}

#[test]
fn a_conversation_outlives_the_time_that_a_request_has_to_arrive() {
    let backend = Grpc::start();
    let server = backend.setup().variable("INCOMING_REQUEST_TIMEOUT", "400").start();
    runtime().block_on(in_time(async {
        let mut client = connect(server.address).await;
        let (messages, request) = call("/talk");
        let mut answer = client.send_request(request).await.unwrap();
        for message in ["one", "two", "three"] {
            // The pause, longer than the limit, is what is tested.
            tokio::time::sleep(std::time::Duration::from_millis(600)).await;
            messages.send(Bytes::from_static(message.as_bytes())).unwrap();
            assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), message);
        }
    }));
}

#[test]
fn a_call_that_breaks_off_is_reset_and_not_ended() {
    let backend = Grpc::start();
    let server = backend.served();
    runtime().block_on(in_time(async {
        let mut client = connect(server.address).await;
        let (messages, request) = call("/broken");
        messages.send(Bytes::from_static(b"one")).unwrap();
        let mut answer = client.send_request(request).await.unwrap();
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
        drop(messages);
        assert!(answer.frame().await.unwrap().is_err(), "half an answer is an error");
        let (messages, request) = call("/whole");
        drop(messages);
        let answer = client.send_request(request).await.unwrap();
        assert!(answer.into_body().collect().await.unwrap().trailers().is_some(), "the connection goes on");
    }));
}

#[test]
fn a_client_that_goes_away_ends_its_stream_at_the_backend_and_no_other() {
    let backend = Grpc::start();
    let server = backend.served();
    let mut staying = server.connect();
    assert_eq!(staying.ask("POST /x", &[], b"hello").status, 200);
    let mut leaving = server.connect();
    leaving.send("GET /held HTTP/1.1\r\nHost: a.example\r\n\r\n");
    let mut stream = H2::connect(server.address);
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/held"), (":authority", "a.example")];
    let id = stream.open(&fields, true);
    let begin = std::time::Instant::now();
    while backend.seen.lock().unwrap().len() < 3 {
        assert!(begin.elapsed() < DEADLINE, "both are under way");
    }
    drop(leaving);
    backend.gone.recv_timeout(DEADLINE).unwrap();
    stream.send(3, 0, id, &8_u32.to_be_bytes());
    backend.gone.recv_timeout(DEADLINE).unwrap();
    assert_eq!(staying.ask("POST /x", &[], b"hello").text(), "hello");
    assert!(backend.seen.lock().unwrap().iter().all(|(connection, _)| *connection == 0));
}

#[test]
fn a_quarter_of_a_gibibyte_goes_there_and_back_over_http2_in_flat_memory() {
    const MESSAGES: usize = 256;
    let backend = Grpc::start();
    let server = backend.served();
    let before = peak(&server);
    let begin = std::time::Instant::now();
    runtime().block_on(async {
        let mut client = connect(server.address).await;
        let (messages, request) = call("/big");
        let mebibyte = Bytes::from(vec![b'x'; 1 << 20]);
        for _ in 0..MESSAGES {
            messages.send(mebibyte.clone()).unwrap();
        }
        drop(messages);
        let mut answer = in_time(client.send_request(request)).await.unwrap();
        let mut total = 0;
        while let Some(frame) = in_time(answer.frame()).await {
            total += frame.unwrap().into_data().map_or(0, |data| data.len());
        }
        assert_eq!(total, MESSAGES << 20);
    });
    eprintln!("256 MiB there and back in {:?}, {before} → {} KiB", begin.elapsed(), peak(&server));
    assert!(peak(&server) - before < GROWTH, "{before} → {} KiB", peak(&server));
}

#[test]
fn a_question_on_a_shared_connection_that_had_died_is_asked_again_once() {
    for (method, status) in [("GET", 200), ("POST", 502)] {
        let backend = Grpc::start();
        let server = backend.served();
        let mut client = server.connect();
        assert_eq!(client.ask("GET /x", &[], b"").status, 200);
        // As long as a connection has to rest before it may be taken for dead.
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert_eq!(client.ask(&format!("{method} /dies-once"), &[], b"").status, status, "{method}");
        let seen: Vec<usize> =
            backend.seen.lock().unwrap().iter().map(|(connection, _)| *connection).collect();
        assert_eq!(seen, if status == 200 { vec![0, 0, 1] } else { vec![0, 0] }, "{method}");
    }
}

#[test]
fn many_requests_share_one_connection_to_an_http2_backend() {
    let backend = Grpc::start();
    let server = backend.served();
    let mut client = server.connect();
    for body in ["", "hello"] {
        let reply = client.ask("POST /x?q=1", &[], body.as_bytes());
        assert_eq!((reply.status, reply.text().as_str()), (200, body));
    }
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(server.connect().ask("POST /x", &[], b"hi").text(), "hi"));
        }
    });
    let seen = backend.seen.lock().unwrap();
    assert_eq!(seen.len(), 22);
    assert!(seen.iter().all(|(connection, _)| *connection == 0), "one worker, one connection");
    assert_eq!(seen[0].1.uri.path_and_query().unwrap().as_str(), "/base/x?q=1");
}

#[test]
fn a_backend_that_says_goodbye_loses_no_request() {
    let backend = Grpc::start();
    let server = backend.served();
    let mut client = server.connect();
    for round in 0..40 {
        let path = if round % 2 == 0 { "POST /bye" } else { "POST /x" };
        let reply = client.ask(path, &[], b"hello");
        assert_eq!((reply.status, reply.text().as_str()), (200, "hello"), "round {round}");
    }
    let seen = backend.seen.lock().unwrap();
    assert_eq!(seen.len(), 40, "each arrives once");
    assert!(seen.iter().any(|(connection, _)| *connection > 0));
}

#[test]
fn a_backend_that_goes_down_is_502_and_found_again() {
    let backend = Grpc::start();
    let server = backend.served();
    let mut client = server.connect();
    assert_eq!(client.ask("POST /x", &[], b"hello").status, 200);
    drop(backend);
    for _ in 0..3 {
        assert_eq!(client.ask("POST /x", &[], b"hello").status, 502);
    }
}

#[test]
fn many_streams_of_one_client_reach_an_http1_backend_each_with_its_body() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut h2 = H2::connect(server.address);
    let mut streams = Vec::new();
    for number in 0..50 {
        let path = format!("/{number}");
        let fields =
            [(":method", "POST"), (":scheme", "http"), (":path", &path), (":authority", "a.example")];
        let stream = h2.open(&fields, false);
        h2.send(0, 0, stream, format!("body {number}").as_bytes());
        streams.push(stream);
    }
    for stream in &streams {
        h2.send(0, 1, *stream, b" whole");
    }
    let mut ended = 0;
    while ended < streams.len() {
        let frame = h2.frame().unwrap();
        assert_ne!(frame.kind, 3, "{frame:?}");
        ended += usize::from(frame.stream != 0 && frame.flags & 1 == 1);
    }
    for request in backend.take() {
        let number = &request.head.target[1..];
        assert_eq!(request.body, format!("body {number} whole").as_bytes());
    }
}

#[test]
fn cookies_that_http2_split_are_one_field_for_http1() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let mut h2 = H2::connect(server.address);
    let fields = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/x"),
        (":authority", "a.example"),
        ("cookie", "a=1"),
        ("cookie", "JSESSIONID=ours"),
        ("cookie", "b=2"),
    ];
    assert!(matches!(h2.ask(&fields, b""), Outcome::Answer(200, _)));
    assert_eq!(backend.only().header("cookie"), "a=1; b=2");
}
