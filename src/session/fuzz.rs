//! Any bytes, read as everything that a browser may send of a session.
//!
//! For fuzzing and for nothing else. What it holds true: a name that comes twice is never a session,
//! nothing that was not sealed here opens, and what is read is written again as it was.

use std::sync::Arc;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use super::cookie::{self, Presented};
use super::flow::Flow;
use super::jar::{self, Backend, Jar};
use super::record::{self, Reader, Writer};
use super::seal::KeyRing;
use super::sealed::Sealed;
use super::{CookieScope, Policy, Realm};
use crate::clock::Clock;
use crate::request::Scheme;

/// Reads `bytes` as cookies, as a sealed session, and as what is below a seal.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let realm = Arc::new(Realm::of(None, "https://issuer.example", "client"));
    let Ok(seal) = KeyRing::new(&[]).and_then(|ring| ring.seal("session")) else { return };
    let sealed = Sealed::new(seal, Clock::System);
    assert!(sealed.read(&realm, bytes).is_none(), "nobody sealed it");
    cookies(bytes, &sealed, &realm);
    again(bytes, &realm);
    jars(bytes);
}

/// What a backend sets goes into a jar and comes back the same, or not at all.
fn jars(bytes: &[u8]) {
    let backend = Backend { destination: "d", scheme: Scheme::Https, authority: "backend.test" };
    if let Some(read) = Jar::read(&mut Reader(bytes)) {
        drop(read.cookies(&backend, "/"));
    }
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let mut headers: HeaderMap = [(SET_COOKIE, value)].into_iter().collect();
    let mut jar = Jar::default();
    jar.apply(jar::take(&mut headers).received(&backend, "/a/b", 1), jar::ROOM);
    let mut writer = Writer::default();
    jar.write(&mut writer);
    let back = Jar::read(&mut Reader(&writer.0));
    let sent = |jar: &Jar| jar.cookies(&backend, "/a/b");
    assert_eq!(back.as_ref().map(sent), Some(sent(&jar)));
}

fn cookies(bytes: &[u8], sealed: &Sealed, realm: &Arc<Realm>) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let headers: HeaderMap = [(COOKIE, value)].into_iter().collect();
    let policy = Policy::default();
    let times = cookie::pairs(&headers).filter(|(name, _)| *name == policy.cookie.as_bytes()).count();
    match cookie::presented(&headers, &policy.cookie) {
        Presented::Absent => assert_eq!(times, 0),
        Presented::Twice => {}
        Presented::Present(chunks) => {
            assert_eq!(times, usize::from(chunks.0.first().is_some_and(Option::is_some)));
            let scope = CookieScope { https: true, path: "/".into() };
            assert!(sealed.find(realm, &policy, &scope, &chunks).is_none(), "nobody sealed it");
        }
    }
}

/// What is below a seal was written here; all the same no length in it is trusted.
fn again(bytes: &[u8], realm: &Arc<Realm>) {
    if let Some(session) = record::read(&mut Reader(bytes), realm) {
        let mut writer = Writer::default();
        record::write(&session, &mut writer);
        let back = record::read(&mut Reader(&writer.0), realm);
        assert_eq!(format!("{:?}", Some(session)), format!("{back:?}"));
    }
    if let Some(flow) = Flow::read(&mut Reader(bytes)) {
        let mut writer = Writer::default();
        flow.write(&mut writer);
        assert_eq!(format!("{:?}", Some(flow)), format!("{:?}", Flow::read(&mut Reader(&writer.0))));
    }
}
