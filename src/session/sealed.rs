//! Sessions that travel in the browser's cookies, sealed.
//!
//! Nothing is kept here but what makes it cheap and what makes it safe: cookies that were opened before,
//! what has ended before its time, and what follows a cookie that a late tab still sends. The idle time
//! is in the seal and slides by sealing anew. A session opens in its own realm only, because the realm
//! is authenticated with it.

mod seen;
mod successors;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cookie::{self, Attributes, Chunks, MAX_CHUNKS};
use super::deny::Denials;
use super::key::{Id, Key};
use super::opened::{Brought, Handle, Opened, SetCookies};
use super::policy::{CookieScope, Policy};
use super::record::{self, Reader, Writer};
use super::seal::Seal;
use super::{Realm, Session};
use crate::clock::Clock;
use seen::Seen;
pub(super) use successors::{Successor, Successors, WHILE};

/// The longest value of one cookie: browsers keep 4,096 bytes of name and value.
const CHUNK: usize = 3_800;

/// Sessions in cookies.
#[derive(Debug)]
pub(super) struct Sealed {
    seal: Seal,
    seen: Seen,
    clock: Clock,
    pub(super) denials: Denials,
    pub(super) successors: Successors,
}

/// What one cookie says.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) session: Arc<Session>,
    pub(super) key: Key,
    /// How often the session was refreshed.
    pub(super) generation: u32,
    /// Milliseconds since the epoch at which the session began.
    pub(super) begun: u64,
    /// Seconds since the epoch at which the cookie was sealed.
    pub(super) issued: u64,
}

impl Sealed {
    pub(super) fn new(seal: Seal, clock: Clock) -> Self {
        Self {
            seal,
            seen: Seen::default(),
            clock,
            denials: Denials::default(),
            successors: Successors::default(),
        }
    }

    /// The session in `chunks`, if it opens in `realm` and has not ended; with new cookies where those
    /// that came are old, spread too wide, or followed by others.
    pub(super) fn find(
        &self,
        realm: &Arc<Realm>,
        policy: &Policy,
        scope: &CookieScope,
        chunks: &Chunks<'_>,
    ) -> Option<Opened> {
        let parts = parts(chunks)?;
        let now = self.clock.seconds();
        let content = self.content(realm, parts)?;
        let idle = policy.idle.as_secs();
        if now >= content.session.ends || now >= content.issued.saturating_add(idle) {
            return None;
        }
        let surplus = chunks.0.iter().skip(parts.len()).any(Option::is_some);
        let is_old = now.saturating_sub(content.issued) >= idle / 4;
        let successor = self.successors.find(&content.key.digest, content.generation, now);
        let key = content.key;
        if surplus || is_old || successor.is_some() {
            let next = successor.unwrap_or(Successor {
                session: Arc::clone(&content.session),
                generation: content.generation,
            });
            if let Some(mut opened) = self.issue(&next, key, content.begun, policy, scope) {
                opened.drop_surplus(chunks, policy, scope);
                return Some(opened);
            }
        }
        let handle =
            Handle { key, generation: content.generation, begun: content.begun, chunks: parts.len() };
        let (session, set_cookies) = (content.session, SetCookies::new());
        Some(Opened { session, set_cookies, handle, brought: Brought::Nothing })
    }

    /// Whether a session that was opened has not ended since; its idle time is its cookie's.
    pub(super) fn is_open(&self, opened: &Opened) -> bool {
        let now = self.clock.seconds();
        now < opened.session.ends && !self.denials.denies(&Content::of(opened, now))
    }

    /// The content of a cookie that was not denied, opened at most once.
    fn content(&self, realm: &Arc<Realm>, parts: &[Option<&[u8]>]) -> Option<Content> {
        if let Some(content) = self.seen.find(realm, parts, &self.denials) {
            return Some(content);
        }
        let text = parts.iter().flatten().copied().collect::<Vec<_>>().concat();
        let content = self.open(realm, text.get(1..)?)?;
        let version = self.denials.version();
        if self.denials.denies(&content) {
            return None;
        }
        self.seen.remember(realm, parts, text.into(), content.clone(), version);
        Some(content)
    }

    fn open(&self, realm: &Arc<Realm>, text: &[u8]) -> Option<Content> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        self.read(realm, &sealed)
    }

    /// What `sealed` says, where it opens in `realm`.
    pub(super) fn read(&self, realm: &Arc<Realm>, sealed: &[u8]) -> Option<Content> {
        let bytes = self.seal.open(realm, sealed)?;
        let mut reader = Reader(&bytes);
        let id = Id::from_bytes(reader.raw(32)?.try_into().ok()?);
        let generation = u32::try_from(reader.number()?).ok()?;
        let (begun, issued) = (reader.number()?, reader.number()?);
        let session = Arc::new(record::read(&mut reader, realm)?);
        Some(Content { session, key: Key::of(realm, id), generation, begun, issued })
    }

    /// `content`, sealed.
    pub(super) fn write(&self, content: &Content) -> Option<Vec<u8>> {
        let mut writer = Writer::default();
        writer.raw(content.key.id.bytes());
        writer.number(u64::from(content.generation));
        writer.number(content.begun);
        writer.number(content.issued);
        record::write(&content.session, &mut writer);
        self.seal.seal(&content.session.realm, writer.0)
    }

    /// A session with the cookies it lies in; nothing where it is too large for any number of cookies,
    /// or where the system gives no randomness.
    pub(super) fn issue(
        &self,
        next: &Successor,
        key: Key,
        begun: u64,
        policy: &Policy,
        scope: &CookieScope,
    ) -> Option<Opened> {
        let content = Content {
            session: Arc::clone(&next.session),
            key,
            generation: next.generation,
            begun,
            issued: self.clock.seconds(),
        };
        let text = URL_SAFE_NO_PAD.encode(self.write(&content)?);
        let count = (text.len() + 1).div_ceil(CHUNK);
        if count > MAX_CHUNKS {
            return None;
        }
        let text = format!("{count}{text}");
        let set_cookies = set_chunks(&text, policy, scope);
        self.seen.expect(&content, &text);
        let handle = Handle { key, generation: next.generation, begun, chunks: count };
        Some(Opened { session: content.session, set_cookies, handle, brought: Brought::Nothing })
    }
}

impl Content {
    /// What the cookie of `opened` says, as if it were sealed `now`.
    pub(super) fn of(opened: &Opened, now: u64) -> Self {
        let Handle { key, generation, begun, .. } = opened.handle;
        Self { session: Arc::clone(&opened.session), key, generation, begun, issued: now }
    }

    /// What it says, for who has an older one.
    pub(super) fn successor(self) -> Successor {
        Successor { session: self.session, generation: self.generation }
    }
}

/// The chunks that the first one counts, all of them there.
fn parts<'a, 'b>(chunks: &'b Chunks<'a>) -> Option<&'b [Option<&'a [u8]>]> {
    let count = match chunks.0.first()?.as_ref()?.first()? {
        digit @ b'1'..=b'9' => usize::from(digit - b'0'),
        _ => return None,
    };
    let parts = chunks.0.get(..count)?;
    parts.iter().all(Option::is_some).then_some(parts)
}

fn set_chunks(text: &str, policy: &Policy, scope: &CookieScope) -> SetCookies {
    let attributes = Attributes::session(policy);
    let chunks = text.as_bytes().chunks(CHUNK).map(|chunk| std::str::from_utf8(chunk).unwrap_or_default());
    chunks
        .enumerate()
        .filter_map(|(at, chunk)| {
            cookie::set(&cookie::chunk_name(&policy.cookie, at), chunk, attributes, policy, scope)
        })
        .collect()
}

impl Opened {
    /// Removes the cookies of `chunks` that the session does not need any more.
    fn drop_surplus(&mut self, chunks: &Chunks<'_>, policy: &Policy, scope: &CookieScope) {
        let removing = Attributes::session(policy).removing();
        for (at, _) in
            chunks.0.iter().enumerate().skip(self.handle.chunks).filter(|(_, chunk)| chunk.is_some())
        {
            let name = cookie::chunk_name(&policy.cookie, at);
            self.set_cookies.extend(cookie::set(&name, "", removing, policy, scope));
        }
    }
}
