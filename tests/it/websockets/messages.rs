//! What passes over an open WebSocket, by a real client.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ServerConnection, StreamOwned};
use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client::client_with_config};

use super::open;
use crate::harness::Server;
use crate::harness::tls::Identity;
use crate::harness::websocket::{Echo, Socket};

/// A real client over `stream`.
fn connected<S: Read + Write>(stream: S, url: &str, subprotocols: &str) -> WebSocket<S> {
    let mut request = url.into_client_request().unwrap();
    let origin = url.replace("ws", "http").split('/').take(3).collect::<Vec<_>>().join("/");
    request.headers_mut().insert("origin", origin.parse().unwrap());
    if !subprotocols.is_empty() {
        request.headers_mut().insert("sec-websocket-protocol", subprotocols.parse().unwrap());
    }
    let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    let (socket, answer) =
        client_with_config(request, stream, Some(config)).map_err(|e| e.to_string()).unwrap();
    let chosen =
        answer.headers().get("sec-websocket-protocol").map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(chosen.as_deref(), subprotocols.split(',').next().filter(|first| !first.is_empty()));
    assert!(!answer.headers().contains_key("set-cookie"), "the backend's cookie stays behind");
    socket
}

fn plainly(server: &Server, subprotocols: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(server.address).unwrap();
    connected(stream, &format!("ws://{}/chat", server.address), subprotocols)
}

fn talk<S: Read + Write>(socket: &mut WebSocket<S>) {
    for text in ["hello", "", "ü€𝄞"] {
        socket.send(Message::text(text)).unwrap();
        assert_eq!(socket.read().unwrap(), Message::text(text));
    }
    for size in [1, 125, 126, 65_535, 65_536, 3_000_000] {
        let bytes: Vec<u8> = (0..size).map(|n: u32| n.to_le_bytes()[0]).collect();
        socket.send(Message::binary(bytes.clone())).unwrap();
        assert_eq!(socket.read().unwrap(), Message::binary(bytes));
    }
    socket.send(Message::Ping("are you there".into())).unwrap();
    assert_eq!(socket.read().unwrap(), Message::Pong("are you there".into()));
}

#[test]
fn messages_of_any_size_pass_both_ways() {
    let echo = Echo::start();
    let server = open(echo.address).start();
    let mut socket = plainly(&server, "chat, v2");
    talk(&mut socket);
    let [seen] = echo.take().try_into().unwrap();
    assert_eq!(
        (seen.target.as_str(), seen.header("sec-websocket-protocol")),
        ("/chat", "chat, v2".to_owned())
    );
    assert_eq!(seen.header("x-forwarded-path"), "/chat");
    assert_eq!(seen.header("origin"), format!("http://{}", server.address));
    assert_eq!(seen.header("connection").to_lowercase(), "upgrade");
}

#[test]
fn closing_is_passed_on_with_its_code_from_either_side() {
    let echo = Echo::start();
    let server = open(echo.address).start();
    let mut socket = plainly(&server, "");
    socket.close(Some(CloseFrame { code: 4002.into(), reason: "done".into() })).unwrap();
    assert_eq!(echo.await_end(), Some(4002));
    while socket.read().is_ok() {}
    let mut socket = plainly(&server, "");
    socket.send(Message::text("close 4001")).unwrap();
    let Message::Close(Some(frame)) = socket.read().unwrap() else { panic!("no code came") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4001, "asked"));
    while socket.read().is_ok() {}
}

#[test]
fn a_side_that_just_leaves_takes_the_other_with_it() {
    let echo = Echo::start();
    let server = open(echo.address).start();
    let socket = plainly(&server, "");
    drop(socket);
    assert_eq!(echo.await_end(), None);
    server.await_line("broke_off");
}

#[test]
fn tls_in_front_and_behind() {
    let identity = Arc::new(Identity::new(&["localhost"]));
    let config = identity.server();
    let echo = Echo::over(move |stream| {
        StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream)
    });
    for scheme in ["https", "wss"] {
        let url = format!("{scheme}://localhost:{}", echo.address.port());
        let setup = open(echo.address);
        let path = |name: &str| setup.path().join(name).to_str().unwrap().to_owned();
        let (certificate, key) = (path("tls.crt"), path("tls.key"));
        let routes = json!([{"source": "^/(.*)$", "destination": "tls", "authenticationType": "none"}]);
        let application = json!({"websockets": {"enabled": true}, "routes": routes}).to_string();
        let server = setup
            .file("tls.crt", &identity.certificate)
            .file("tls.key", &identity.key)
            .file("xs-app.json", application)
            .destination_with(&json!({"name": "tls", "url": url}))
            .variable("XS_CACERT_PATH", certificate.clone())
            .variable("TLS_CERT_FILE", certificate)
            .variable("TLS_KEY_FILE", key)
            .start();
        let stream = TcpStream::connect(server.address).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(identity.trusting(), name).unwrap();
        let url = format!("wss://localhost:{}/chat", server.address.port());
        let mut socket = connected(StreamOwned::new(session, stream), &url, "");
        talk(&mut socket);
        assert_eq!(echo.take().len(), 1);
    }
}

#[test]
fn a_reader_that_stops_stops_the_writer_and_costs_no_memory() {
    let echo = Echo::start();
    let server = open(echo.address).start();
    let before = resident(&server);
    let mut stalled: Vec<Socket> = (0..20)
        .map(|_| {
            let mut socket = Socket::open(server.address, "a.example", "/x", &[]).unwrap();
            socket.send(0x81, b"big 67108864");
            socket
        })
        .collect();
    // The others go on meanwhile.
    for _ in 0..50 {
        Socket::open(server.address, "a.example", "/x", &[]).unwrap().echo("still here");
    }
    let grown = resident(&server).saturating_sub(before);
    assert!(grown < 20 << 20, "{grown} bytes for 20 readers that read nothing of 64 MiB");
    let (first, payload) = stalled.pop().unwrap().frame().unwrap();
    assert_eq!((first, payload.len()), (0x82, 64 << 20), "all of it comes to who reads");
}

/// Resident bytes of the server.
fn resident(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}
