//! How much memory a session takes: at most 5 KiB with an access token of 4 KiB.
//!
//! The resident set of a process is what is measured, so the test starts itself once more, alone; it
//! takes half a gigabyte. What was measured is shown by
//! `cargo nextest run --no-capture -E 'test(a_hundred_thousand_sessions)'`.

#![cfg(target_os = "linux")]

use std::process::Command;

use vestibule::secret::Secret;
use vestibule::session::StoreSettings;

use super::{Bench, acme, login};

/// Set where nothing else runs in the process.
const ALONE: &str = "MEASURED_ALONE";

const ROOM: usize = 5 * 1024;

/// Bytes of this process that lie in memory.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Bytes of memory for each of `count` sessions, which are all there afterwards.
async fn each_of(count: usize) -> usize {
    let bench = Bench::new(StoreSettings::Memory, &[]);
    let realm = acme();
    let before = resident();
    let mut cookies = Vec::with_capacity(100);
    for number in 0..count {
        let token: String = format!("{number:08}").repeat(512);
        assert_eq!(token.len(), 4_096);
        let mut new = login(&realm, &token);
        new.identity.subject = Some(format!("{number:032x}").into());
        new.issuer_session = Some(format!("{number:032x}").into());
        new.refresh_token = Some(Secret::new(format!("{number:034x}")));
        new.id_token = None;
        let opened = bench.sessions.begin(new, &bench.policy, &bench.scope).await.unwrap();
        if number % (count / 100) == 0 {
            cookies.push(opened.set_cookies[0].as_bytes()[.."JSESSIONID=".len() + 43].to_vec());
        }
    }
    let each = (resident() - before) / count;
    assert_eq!(bench.sessions.count(), Some(count));
    for cookie in &cookies {
        let headers = [(http::header::COOKIE, http::HeaderValue::from_bytes(cookie).unwrap())];
        assert!(bench.peek(&realm, &headers.into_iter().collect()).await.is_some());
    }
    eprintln!("{count} sessions: {each} bytes each");
    each
}

#[test]
fn a_hundred_thousand_sessions_take_5_kib_each() {
    if std::env::var_os(ALONE).is_none() {
        let own = std::env::current_exe().unwrap();
        let name = "sessions::room::a_hundred_thousand_sessions_take_5_kib_each";
        let alone = Command::new(own).args(["--exact", name, "--nocapture"]).env(ALONE, "1").status();
        assert!(alone.unwrap().success());
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let each = runtime.block_on(each_of(100_000));
    assert!(each <= ROOM, "{each} bytes");
}
