//! What the echo backend answers: what the request's `x-echo` header, a JSON object, asks for.
//!
//! `status`, `headers`, `body`, `big` (so many letters), `ct` (content type, null for none), `cl`
//! (false: no length), `gzip`, `chunked`, `delay` (milliseconds), `reset` (before the head), `midreset`
//! (after it), `rawbytes`, `trailers`, `stall` (the head, then nothing). Without it: 200 and what came.
//! A WebSocket is opened, and nothing is said over it.

use std::fmt::Write as _;
use std::net::Shutdown;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::backend::{Exchange, Next};
use super::wire::Head;
use super::{from_latin1, latin1};

/// Answers one request.
pub(crate) fn answer(exchange: &mut Exchange<'_>) -> Next {
    let Ok(body) = exchange.body() else { return Next::Close };
    if let Some(answer) = handshake(&exchange.head) {
        exchange.write(answer);
        return Next::Watch;
    }
    let lines = &exchange.head.lines;
    let script = lines.iter().find(|(name, _)| name == "x-echo").map(|(_, value)| value.as_str());
    let script: Value = serde_json::from_str(script.unwrap_or("{}")).unwrap();
    if let Some(raw) = script["rawbytes"].as_str() {
        exchange.write(from_latin1(raw));
        let _ = exchange.stream.shutdown(Shutdown::Write);
        return Next::Close;
    }
    if let Some(delay) = script["delay"].as_u64() {
        // The delay is what is tested, not a way to wait for something.
        std::thread::sleep(Duration::from_millis(delay));
    }
    if !script["reset"].is_null() {
        return Next::Close;
    }
    let head_only = exchange.head.method == "HEAD";
    let text = content(&script, &exchange.head.method, &exchange.head.target, &body);
    let (head, content) = dressed(&script, &text);
    exchange.write(head);
    if !script["stall"].is_null() {
        return Next::Watch;
    }
    if !head_only {
        exchange.write(content);
    }
    if script["midreset"].is_null() { Next::Keep } else { Next::Close }
}

/// The answer to a handshake, if the request is one.
fn handshake(head: &Head) -> Option<String> {
    let of =
        |name: &str| head.lines.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    of("upgrade").filter(|protocol| *protocol == "websocket")?;
    let accept = derive_accept_key(of("sec-websocket-key")?.as_bytes());
    Some(format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    ))
}

fn content(script: &Value, method: &str, url: &str, body: &[u8]) -> Vec<u8> {
    if let Some(big) = script["big"].as_u64() {
        return vec![b'x'; usize::try_from(big).unwrap()];
    }
    if let Some(text) = script["body"].as_str() {
        return from_latin1(text);
    }
    // Written by hand, for the order of its keys.
    let body = json!(latin1(body));
    format!(r#"{{"method":{},"url":{},"body":{body}}}"#, json!(method), json!(url)).into_bytes()
}

/// Head and framed body.
fn dressed(script: &Value, text: &[u8]) -> (String, Vec<u8>) {
    let status = script["status"].as_u64().unwrap_or(200);
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    if script.get("ct") != Some(&Value::Null) {
        let _ = write!(head, "content-type: {}\r\n", script["ct"].as_str().unwrap_or("application/json"));
    }
    for field in script["headers"].as_array().into_iter().flatten() {
        let _ = write!(head, "{}: {}\r\n", field[0].as_str().unwrap(), field[1].as_str().unwrap());
    }
    if script["gzip"] == json!(true) {
        head.push_str("content-encoding: gzip\r\n");
    }
    let mut framed = text.to_vec();
    let chunked = script["chunked"] == json!(true) || !script["trailers"].is_null();
    if chunked {
        head.push_str("transfer-encoding: chunked\r\n");
        framed = chunks(text, &script["trailers"], script["midreset"].is_null());
    } else if script["cl"] != json!(false) {
        let _ = write!(head, "content-length: {}\r\n", text.len());
    }
    head.push_str("\r\n");
    (head, framed)
}

fn chunks(text: &[u8], trailers: &Value, complete: bool) -> Vec<u8> {
    let mut framed = Vec::new();
    if !text.is_empty() {
        framed.extend(format!("{:x}\r\n", text.len()).into_bytes());
        framed.extend_from_slice(text);
        framed.extend_from_slice(b"\r\n");
    }
    if complete {
        framed.extend_from_slice(b"0\r\n");
        for (name, value) in trailers.as_object().into_iter().flatten() {
            framed.extend(format!("{name}: {}\r\n", value.as_str().unwrap_or_default()).into_bytes());
        }
        framed.extend_from_slice(b"\r\n");
    }
    framed
}

fn reason(status: u64) -> &'static str {
    match status {
        200 => "OK",
        _ => "As Asked",
    }
}
