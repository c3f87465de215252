//! What every clone of `Sessions` has in common, and what runs beside requests.
//!
//! The store, who else shares with it, and two tasks: one removes what has ended, one hears and tells
//! what was ended elsewhere. Both end when nobody has the sessions any more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle as Runtime;
use tokio::sync::mpsc;

use super::jars::Jars;
use super::keep::{Kept, Peers, Place};
use super::opened::Ended;
use super::policy::Policy;
use super::refresh::Flights;
use super::seal::Seal;
use super::store::{Denial, Idle, Shared};
use super::used::Used;
use crate::clock::Clock;

/// How often ended sessions are looked for.
const SWEEP: Duration = Duration::from_secs(10);
/// How often denials are told and heard.
const SHARE: Duration = Duration::from_secs(1);
/// How many denials wait for peers that do not answer.
const MAX_UNTOLD: usize = 100_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) place: Place,
    pub(super) peers: Peers,
    pub(super) clock: Clock,
    pub(super) runtime: Runtime,
    pub(super) flights: Flights,
    pub(super) flow_seal: Seal,
    pub(super) jars: Jars,
    pub(super) used: Used,
    /// Denials that the peers were not told yet.
    untold: Mutex<Vec<Denial>>,
    /// Seconds that the longest session seen may last, for denials that name no session.
    longest: AtomicU64,
}

impl Core {
    pub(super) fn new(
        place: Place,
        peers: Peers,
        clock: Clock,
        runtime: Runtime,
        flow_seal: Seal,
        jars: Jars,
    ) -> Self {
        Self {
            place,
            peers,
            clock,
            runtime,
            flights: Flights::default(),
            flow_seal,
            jars,
            used: Used::default(),
            untold: Mutex::default(),
            longest: AtomicU64::default(),
        }
    }

    /// Starts what runs beside requests; `ended` hears of sessions that ended unasked.
    pub(super) fn start(self: &Arc<Self>, ended: Option<mpsc::Sender<Ended>>) {
        self.runtime.spawn(sweep(Arc::downgrade(self), ended));
        if self.peers.are_there() {
            self.runtime.spawn(share(Arc::downgrade(self)));
        }
    }

    /// Takes note of how long sessions may last, for denials that name no session.
    pub(super) fn note(&self, policy: &Policy) {
        let seconds = policy.absolute.as_secs();
        // Reading is what all workers can do at once.
        if self.longest.load(Ordering::Relaxed) < seconds {
            self.longest.fetch_max(seconds, Ordering::Relaxed);
        }
    }

    pub(super) fn idle(&self, policy: &Policy) -> Idle {
        Idle { now: self.clock.seconds(), limit: policy.idle.as_secs() }
    }

    /// Until when a denial of what began by now has to stand.
    pub(super) fn no_longer_than(&self) -> u64 {
        const DAY: u64 = 24 * 60 * 60;
        let longest = self.longest.load(Ordering::Relaxed).max(DAY);
        self.clock.seconds().saturating_add(longest)
    }

    /// Denies here at once, and elsewhere within a second of when the peers answer.
    pub(super) async fn deny(&self, denial: Denial) {
        if let Place::Cookies(sealed) = &self.place {
            sealed.denials.add(denial, self.clock.milliseconds());
        }
        if self.peers.are_there() && self.peers.deny(&denial).await.is_err() {
            let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
            if untold.len() < MAX_UNTOLD {
                untold.push(denial);
            }
        }
    }

    fn sweep(&self) -> Vec<Ended> {
        let (now, seconds) = (self.clock.milliseconds(), self.clock.seconds());
        self.used.sweep(now);
        self.flights.sweep(now);
        self.jars.sweep(seconds);
        match &self.place {
            Place::Kept(Kept::Memory(store)) => store.sweep(seconds),
            // Redis ends sessions by itself, and tells nobody.
            Place::Kept(Kept::Redis(_)) => Vec::new(),
            Place::Cookies(sealed) => {
                sealed.denials.sweep(seconds);
                sealed.successors.sweep(seconds);
                Vec::new()
            }
        }
    }

    /// Tells what is untold and hears what is new after `seen`.
    async fn share(&self, seen: &mut u64) {
        let untold = std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner));
        for denial in untold {
            self.deny(denial).await;
        }
        let Place::Cookies(sealed) = &self.place else { return };
        let heard = self.peers.denials(seen, self.clock.seconds()).await.unwrap_or_default();
        for denial in heard {
            sealed.denials.add(denial, self.clock.milliseconds());
        }
    }
}

async fn sweep(core: Weak<Core>, ended: Option<mpsc::Sender<Ended>>) {
    let mut tick = tokio::time::interval(SWEEP);
    loop {
        tick.tick().await;
        let Some(core) = core.upgrade() else { return };
        for one in core.sweep() {
            if let Some(ended) = &ended {
                // Who does not listen fast enough hears of no more than the channel holds.
                let _ = ended.try_send(one);
            }
        }
    }
}

async fn share(core: Weak<Core>) {
    let mut tick = tokio::time::interval(SHARE);
    let mut seen = 0;
    loop {
        tick.tick().await;
        let Some(core) = core.upgrade() else { return };
        core.share(&mut seen).await;
    }
}
