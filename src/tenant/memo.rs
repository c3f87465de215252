//! Remembers which key a host named, for patterns that are dear to ask.
//!
//! Each worker owns one, so nothing is locked. It is a fixed number of places, each for one host: a
//! caller who invents hosts only displaces others' entries. What it holds belongs to one directory and
//! is forgotten when another asks.

use std::hash::BuildHasher;

use super::TenantKey;

/// How many hosts are remembered.
const PLACES: usize = 1024;

/// Which key each of the last hosts named; owned by one worker.
#[derive(Debug)]
pub struct HostMemo {
    generation: u64,
    places: Vec<Option<Entry>>,
    hasher: foldhash::quality::RandomState,
}

#[derive(Clone, Debug)]
struct Entry {
    host: Box<str>,
    port: Option<u16>,
    key: Option<TenantKey>,
}

impl HostMemo {
    /// An empty memory, which takes no room before its first use.
    #[must_use]
    pub fn new() -> Self {
        Self { generation: 0, places: Vec::new(), hasher: foldhash::quality::RandomState::default() }
    }

    /// What `ask` said of this host and port in this generation, asked now if it was not before.
    pub(super) fn key_of(
        &mut self,
        generation: u64,
        (host, port): (&str, Option<u16>),
        ask: impl FnOnce() -> Option<TenantKey>,
    ) -> Option<TenantKey> {
        if self.generation != generation {
            self.generation = generation;
            self.places.clear();
            self.places.resize(PLACES, None);
        }
        let index = usize::try_from(self.hasher.hash_one(host) % PLACES as u64).unwrap_or(0);
        let Some(place) = self.places.get_mut(index) else { return ask() };
        if let Some(entry) = place.as_ref().filter(|entry| *entry.host == *host && entry.port == port) {
            return entry.key.clone();
        }
        let key = ask();
        *place = Some(Entry { host: host.into(), port, key: key.clone() });
        key
    }
}

impl Default for HostMemo {
    fn default() -> Self {
        Self::new()
    }
}
