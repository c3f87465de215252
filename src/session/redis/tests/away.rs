//! Redis is away, frozen, restarted, full, or not what it is said to be.

use super::*;

/// How long Redis may take to be found again: the longest wait between attempts, and an attempt.
const BACK: Duration = Duration::from_secs(10);

/// A store with a session that it has seen.
fn with_session(stage: &Stage) -> (Redis, Key, Arc<Realm>) {
    let (store, realm) = (stage.instance(), realm("acme"));
    let key = key(&realm);
    stage.run(store.insert(&key, &session(&realm, "s", "u"), idle())).unwrap();
    (store, key, realm)
}

fn is_up(store: &Redis) -> Option<()> {
    store.link.is_up().then_some(())
}

fn is_away(store: &Redis) -> Option<()> {
    (!store.link.is_up()).then_some(())
}

#[test]
fn while_redis_is_away_what_was_seen_goes_on_and_the_rest_waits() {
    let mut stage = Stage::new(Options { is_durable: true, ..Options::default() });
    let (store, key, realm) = with_session(&stage);
    let unseen = self::key(&realm);
    stage.server.kill();
    stage.until("its loss is seen", BOUND, async || is_away(&store));
    assert!(stage.run(found(&store, &key, &realm)).is_some(), "a session that was seen");
    let later = Idle { now: now() + 61, limit: 900 };
    assert!(stage.run(store.find(&key, &realm, later)).is_err(), "but only for a minute");
    assert!(stage.run(store.find(&unseen, &realm, idle())).is_err(), "a session that was not seen");
    let login = stage.run(store.insert(&unseen, &session(&realm, "s", "u"), idle())).unwrap_err();
    assert!(login.retry_after > Duration::ZERO, "logins are told when to come again");
    assert!(stage.run(store.lock(&key.digest, BOUND)).is_err(), "no refresh begins");
    assert!(stage.run(store.use_once(&key.digest, BOUND)).is_err());
    assert!(stage.run(store.remove_matching(&realm, Some("x"), None)).is_err());
    stage.server.restart();
    stage.until("it is found again", BACK, async || is_up(&store));
    assert!(stage.run(found(&stage.instance(), &key, &realm)).is_some(), "for all");
}

#[test]
fn a_frozen_redis_costs_one_wait() {
    let stage = Stage::new(Options::default());
    let (store, key, realm) = with_session(&stage);
    stage.server.freeze();
    let outdated = Idle { now: now() + 2, limit: 900 };
    assert!(stage.run(store.find(&key, &realm, outdated)).unwrap().is_some(), "by its copy");
    stage.until("its loss is seen", BOUND, async || is_away(&store));
    let begun = Instant::now();
    for _ in 0..100 {
        assert!(stage.run(store.find(&key, &realm, outdated)).unwrap().is_some());
    }
    assert!(begun.elapsed() < Duration::from_millis(250), "nobody else waits: {:?}", begun.elapsed());
    stage.server.thaw();
    stage.until("it goes on", BACK, async || is_up(&store));
    assert!(stage.run(found(&store, &key, &realm)).is_some());
}

#[test]
fn a_redis_that_lost_everything_gets_back_what_was_seen() {
    let mut stage = Stage::new(Options::default());
    let (store, key, realm) = with_session(&stage);
    let ended = self::key(&realm);
    stage.run(store.insert(&ended, &session(&realm, "s2", "u"), idle())).unwrap();
    stage.run(store.remove(&ended, &realm)).unwrap();
    stage.server.kill();
    stage.until("its loss is seen", BOUND, async || is_away(&store));
    stage.server.restart();
    stage.until("it is found again", BACK, async || is_up(&store));
    let other = stage.instance();
    assert!(stage.run(found(&other, &key, &realm)).is_some(), "another instance finds it");
    assert_eq!(stage.run(found(&other, &ended, &realm)), None, "what has ended does not come back");
    assert_eq!(stage.run(store.remove_matching(&realm, Some("s"), None)), Ok(1), "its indexes are back");
}

#[test]
fn a_logout_while_redis_is_away_is_told_when_it_is_back() {
    let mut stage = Stage::new(Options { is_durable: true, ..Options::default() });
    let (store, key, realm) = with_session(&stage);
    let other = stage.instance();
    assert!(stage.run(found(&other, &key, &realm)).is_some());
    stage.server.kill();
    stage.until("its loss is seen", BOUND, async || is_away(&store));
    assert!(stage.run(store.remove(&key, &realm)).is_err());
    assert_eq!(stage.run(found(&store, &key, &realm)), None, "here it has ended");
    stage.server.restart();
    stage.until("told", BACK, async || found(&other, &key, &realm).await.is_none().then_some(()));
    assert_eq!(stage.run(found(&store, &key, &realm)), None, "and stays so");
    assert_eq!(stage.run(found(&stage.instance(), &key, &realm)), None, "for all");
}

#[test]
fn a_refresh_that_redis_missed_is_not_lost() {
    for is_durable in [true, false] {
        let mut stage = Stage::new(Options { is_durable, ..Options::default() });
        let (store, key, realm) = with_session(&stage);
        stage.server.kill();
        stage.until("its loss is seen", BOUND, async || is_away(&store));
        let renewed = session_with(&realm, "s", "u", "d.e.f");
        assert_eq!(stage.run(store.replace(&key, &renewed, idle())), Ok(true), "its token is the only one");
        assert_eq!(stage.run(found(&store, &key, &realm)).as_deref(), Some("Bearer d.e.f"));
        stage.server.restart();
        stage.until("it is found again", BACK, async || is_up(&store));
        let other = stage.instance();
        let token = stage.run(found(&other, &key, &realm));
        assert_eq!(token.as_deref(), Some("Bearer d.e.f"), "durable: {is_durable}");
    }
}

#[test]
fn what_redis_evicted_is_gone_and_nothing_else() {
    let stage = Stage::new(Options::default());
    let (store, key, realm) = with_session(&stage);
    let kept = self::key(&realm);
    stage.run(store.insert(&kept, &session(&realm, "s", "u"), idle())).unwrap();
    let name = super::super::Kind::Session.key(&key.digest);
    assert_eq!(stage.server.ask(&["DEL", &name]), ":1\r\n");
    stage.until("gone", BOUND, async || found(&store, &key, &realm).await.is_none().then_some(()));
    assert!(stage.run(found(&store, &kept, &realm)).is_some());
}

#[test]
fn a_full_redis_refuses_logins_and_serves_the_rest() {
    let words = ["--maxmemory", "1", "--maxmemory-policy", "noeviction"].map(str::to_owned).to_vec();
    let stage = Stage::new(Options { words, ..Options::default() });
    let (store, realm) = (stage.instance(), realm("acme"));
    let key = key(&realm);
    assert!(stage.run(store.insert(&key, &session(&realm, "s", "u"), idle())).is_err());
    assert_eq!(stage.server.ask(&["CONFIG", "SET", "maxmemory", "0"]), "+OK\r\n");
    assert_eq!(stage.run(store.insert(&key, &session(&realm, "s", "u"), idle())), Ok(()));
}

/// Why there is no connection.
fn reason(stage: &Stage, url: &str, authorities: Vec<Vec<u8>>) -> String {
    let settings = RedisSettings {
        server: RedisServer::parse(url).unwrap(),
        authorities: authorities.into_iter().map(Into::into).collect(),
        resolver: None,
    };
    let dial = super::super::Dial::new(settings).unwrap();
    match stage.run(dial.open()) {
        Ok(dialled) => {
            dialled.driver.abort();
            "connected".to_owned()
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_failure_to_connect_has_its_reason() {
    let options = Options { password: Some("right"), ..Options::default() };
    let stage = Stage::at(server::Redis::start_tls(options));
    let pem = stage.server.certificate.clone().unwrap();
    let authority = rustls::pki_types::pem::PemObject::from_pem_slice(pem.as_bytes()).unwrap();
    let authority: rustls::pki_types::CertificateDer<'static> = authority;
    let trusted = || vec![authority.to_vec()];
    let port = stage.server.address.port();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = other.local_addr().unwrap().port();
    let cases = [
        (format!("rediss://:right@localhost:{port}"), trusted(), "connected"),
        (format!("rediss://:right@127.0.0.1:{port}/3"), trusted(), "connected"),
        (format!("rediss://:right@localhost:{port}"), Vec::new(), "UnknownIssuer"),
        (format!("rediss://:wrong@localhost:{port}"), trusted(), "refuses the connection"),
        (format!("rediss://localhost:{port}"), trusted(), "NOAUTH"),
        (format!("rediss://:right@localhost:{port}/99"), trusted(), "refuses the connection"),
        (format!("redis://:right@localhost:{port}"), trusted(), "it refuses the connection"),
        (format!("rediss://:right@localhost:{closed}"), trusted(), "no end of the TLS handshake"),
        (format!("redis://localhost:{closed}"), trusted(), "no answer within"),
        ("redis://no-such-host.invalid".to_owned(), trusted(), "its name does not resolve"),
        ("redis://127.0.0.1:1".to_owned(), trusted(), "it cannot be reached"),
    ];
    for (url, authorities, expected) in cases {
        let reason = reason(&stage, &url, authorities);
        assert!(reason.contains(expected), "{url}: {reason}");
        assert!(!reason.contains("wrong"), "no password in {reason}");
    }
}

#[test]
fn a_store_by_tls_and_password_keeps_sessions() {
    let options = Options { password: Some("right"), ..Options::default() };
    let stage = Stage::at(server::Redis::start_tls(options));
    let pem = stage.server.certificate.clone().unwrap();
    let authority = rustls::pki_types::pem::PemObject::from_pem_slice(pem.as_bytes()).unwrap();
    let authority: rustls::pki_types::CertificateDer<'static> = authority;
    let store = stage.instance_at(&stage.server.url(), &["a secret"], vec![authority.to_vec()]);
    let realm = realm("acme");
    let key = key(&realm);
    stage.run(store.insert(&key, &session(&realm, "s", "u"), idle())).unwrap();
    assert!(stage.run(found(&store, &key, &realm)).is_some());
    let stranger = stage.instance();
    assert!(stage.run(stranger.find(&key, &realm, idle())).is_err(), "without the authority, nothing");
}
