//! Logins that must not succeed, against a real provider; classes 16 to 20.
//!
//! Each row begins as a person does, in a browser of its own, goes wrong in one way, and says what must be
//! seen: the status, the code, and no session. A person who is refused is never stuck: the page says what
//! to do, and its link leads into a login that succeeds, in the same browser.

mod answers;
pub(crate) mod bench;
mod codes;
mod flows;
mod issuers;
mod sessions;
mod targets;
mod tokens;

use serde_json::json;
use url::Url;

use super::harness::meddler::Meddler;
use super::harness::navigator::Browser;
use super::harness::oidc_provider::{Providers, client};

use self::bench::{Bench, Row};

/// Runs the rows one after another, and says all that is wrong at once.
fn run(bench: &Bench, rows: &[Row]) {
    let wrong: Vec<String> = rows.iter().filter_map(|row| bench.try_row(row).err()).collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn the_providers_mean_it() {
    let mut providers = Providers::bind(2);
    let meddlers: Vec<_> = providers.addresses.iter().map(|at| Meddler::before(*at)).collect();
    let clients = [client("acme", "http://acme.localhost:1"), client("globex", "http://globex.localhost:1")];
    let settings = |place: usize| json!({"issuer": meddlers[place].issuer, "clients": [clients[place]]});
    providers.serve(&json!([settings(0), settings(1)]));
    let (mut browser, mut keys) = (Browser::default(), Vec::new());
    for meddler in &meddlers {
        let at = |path: &str| Url::parse(&format!("{}{path}", meddler.issuer)).unwrap();
        let document = browser.visit(&at("/.well-known/openid-configuration")).json();
        assert_eq!(document["issuer"], meddler.issuer);
        assert_eq!(document["token_endpoint"], at("/token").to_string());
        keys.push(browser.visit(&at("/jwks")).json()["keys"].clone());
        let ask = "/auth?client_id=acme&response_type=code&scope=openid&redirect_uri=http%3A%2F%2Facme.localhost%3A1%2Flogin%2Fcallback";
        let refused = browser.visit(&at(ask)).header("location");
        let ours = meddler.issuer == meddlers[0].issuer;
        assert_eq!(
            refused.contains("error=invalid_request"),
            ours,
            "PKCE is asked of their clients: {refused}"
        );
    }
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[0].as_array().unwrap().len(), 4, "two of its own, two of the meddler's");
}
