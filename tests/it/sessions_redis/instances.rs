//! Three instances behind a round-robin, one Redis; an instance is killed, Redis is killed and comes back
//! without its data. One login lasts through all of it, and its token is refreshed once.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::super::harness::{Client, DEADLINE, Tab};
use super::*;

/// How many requests there are, and how many clients send them.
const REQUESTS: usize = 10_000;
const CLIENTS: usize = 8;
/// No request may take longer.
const BOUND: Duration = Duration::from_secs(2);

/// A balancer and those who use it.
struct Balancer {
    instances: Vec<SocketAddr>,
    cookie: String,
    next: AtomicUsize,
    done: AtomicUsize,
    /// What was wrong, and the longest that a request took.
    found: Mutex<(Vec<String>, Duration)>,
}

impl Balancer {
    fn new(servers: &[Server], cookies: &BTreeMap<String, String>) -> Self {
        let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Self {
            instances: servers.iter().map(|server| server.address).collect(),
            cookie: cookies.join("; "),
            next: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            found: Mutex::default(),
        }
    }

    /// Sends requests until all were sent, each to the next instance that takes it.
    fn drive(&self) {
        let mut connections: Vec<Option<Client>> = self.instances.iter().map(|_| None).collect();
        loop {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            if number >= REQUESTS {
                return;
            }
            let begun = Instant::now();
            let status = self.request(number, &mut connections);
            let took = begun.elapsed();
            let mut found = self.found.lock().unwrap();
            found.1 = found.1.max(took);
            if status != Some(200) || took > BOUND {
                found.0.push(format!("request {number}: {status:?} after {took:?}"));
            }
            drop(found);
            self.done.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The status of a request; an instance that is gone is passed over, as a balancer does.
    fn request(&self, number: usize, connections: &mut [Option<Client>]) -> Option<u16> {
        for place in (0..self.instances.len()).map(|more| (number + more) % self.instances.len()) {
            let connection = connections[place].take().or_else(|| connect(self.instances[place]));
            let Some(mut connection) = connection else { continue };
            let headers = [
                ("Host", HOST),
                ("Cookie", self.cookie.as_str()),
                ("Accept", "application/json"),
                ("Sec-Fetch-Mode", "cors"),
                ("Sec-Fetch-Site", "same-origin"),
            ];
            if let Ok(reply) = connection.try_ask("GET /app/x", &headers, b"") {
                connections[place] = Some(connection);
                return Some(reply.status);
            }
        }
        None
    }

    /// Waits until so many requests are done.
    fn await_done(&self, count: usize) {
        self.wait("requests", || self.done.load(Ordering::SeqCst) >= count);
    }

    fn wait(&self, what: &str, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + 3 * DEADLINE;
        while !condition() {
            let done = self.done.load(Ordering::SeqCst);
            assert!(
                Instant::now() < deadline,
                "no more {what} after {done}: {:?}",
                self.found.lock().unwrap()
            );
            std::thread::yield_now();
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
}

fn connect(address: SocketAddr) -> Option<Client> {
    TcpStream::connect_timeout(&address, BOUND).ok().map(Client::over)
}

#[test]
fn one_login_lasts_through_the_loss_of_an_instance_and_of_redis() {
    let (backend, provider) = (Backend::start(), Provider::start());
    let mut redis = Redis::start();
    let servers = [(); 3].map(|()| start(&backend, &provider, &redis.url()));
    // Its token is due for a refresh a moment after the login, five minutes before its end.
    provider.desk().life = 302;
    let mut first = Tab::at(&servers[0], HOST);
    let callback = first.begin(&provider, "/app/x");
    let mut second = first.sent_to(&servers[1]);
    assert_eq!(second.navigate(&callback).status, 302, "a login may end at another instance");
    provider.desk().life = 3_600;
    let balancer = Balancer::new(&servers, &second.cookies);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| balancer.drive());
        }
        balancer.await_done(REQUESTS / 10);
        balancer.wait("refresh", || provider.desk().refreshes > 0);
        balancer.await_done(REQUESTS * 3 / 10);
        servers[2].signal("KILL");
        balancer.await_done(REQUESTS * 5 / 10);
        redis.kill();
        balancer.await_done(REQUESTS * 6 / 10);
        redis.restart();
    });
    let (wrong, longest) = balancer.found.into_inner().unwrap();
    eprintln!("{REQUESTS} requests in {:?}, the longest {longest:?}", begun.elapsed());
    assert!(wrong.is_empty(), "{} of {REQUESTS}: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
    assert_eq!(provider.desk().refreshes, 1, "one refresh for all instances");
    assert_eq!(provider.desk().logins, 1, "nobody logged in again");
    let deadline = Instant::now() + DEADLINE;
    while !servers.iter().any(|server| server.log().contains("are back")) {
        assert!(Instant::now() < deadline, "nobody brought the session back to Redis");
        std::thread::yield_now();
    }
    let late = start(&backend, &provider, &redis.url());
    let mut tab = second.sent_to(&late);
    assert_eq!(tab.fetch("GET /app/x", &[]).status, 200, "a new instance knows the login, too");
}

#[test]
fn a_session_in_a_cookie_lasts_through_a_restart() {
    let (backend, provider) = (Backend::start(), Provider::start());
    let server = start(&backend, &provider, "cookie");
    let mut tab = Tab::at(&server, HOST);
    assert_eq!(tab.log_in(&provider, "/app/x").status, 302);
    server.signal("KILL");
    let again = start(&backend, &provider, "cookie");
    let mut tab = tab.sent_to(&again);
    assert_eq!(tab.fetch("GET /app/x", &[]).status, 200);
    assert_eq!(provider.desk().logins, 1);
}
