//! Tests of `auth::xsuaa`: tables, each row with what it shows.

use super::*;
use crate::auth::{ClientAuthentication, IssuerKind};

fn issuer(binding: XsuaaBinding, url: &str, key: Option<&str>, id: Option<&str>) -> (Vec<String>, String) {
    let spec = IssuerSpec {
        kind: IssuerKind::Xsuaa(binding),
        url: url.into(),
        keys: KeySource::Discovered,
        client_id: None,
        audience: Vec::new(),
        algorithms: Vec::new(),
        tenant_claim: None,
        authentication: ClientAuthentication::None,
        scopes: Vec::new(),
    };
    let issuer = Issuer::compile(&spec, key, id).unwrap();
    let names = issuer.names.iter().map(ToString::to_string).collect();
    let address = match issuer.keys {
        Keys::Fetched { source: Source::KeySet(address), .. } => address.into(),
        Keys::Fetched { source: Source::Document(address), .. } => format!("document of {address}"),
        Keys::Inline(_) => "inline".to_owned(),
    };
    (names, address)
}

fn binding(domain: Option<&str>, shared: bool) -> XsuaaBinding {
    XsuaaBinding {
        client_id: "sb-app!t1".into(),
        xsappname: "app!t1".into(),
        uaa_domain: domain.map(Into::into),
        shared,
        cert_url: None,
        verification_key: None,
    }
}

const URL: &str = "https://provider.uaa.test";

/// Binding, its `url`, the tenant's key and id, the base of `iss`, the address of the keys, and what the
/// row shows.
type Row = (
    XsuaaBinding,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    &'static str,
    &'static str,
    &'static str,
);

fn shared_rows() -> Vec<Row> {
    vec![
        (
            binding(Some("uaa.test"), true),
            URL,
            Some("acme"),
            Some("z-1"),
            "https://acme.uaa.test",
            "https://uaa.test/token_keys?zid=z%2D1",
            "shared, zone known",
        ),
        (
            binding(Some("uaa.test"), true),
            URL,
            Some("acme"),
            Some("acme"),
            "https://acme.uaa.test",
            "https://acme.uaa.test/token_keys",
            "shared, known by its key",
        ),
        (
            binding(Some("uaa.test"), true),
            URL,
            Some("acme"),
            Some("z&u=1#"),
            "https://acme.uaa.test",
            "https://uaa.test/token_keys?zid=z%26u%3D1%23",
            "an id cannot add to the address",
        ),
    ]
}

fn other_rows() -> Vec<Row> {
    vec![
        (
            binding(Some("uaa.test"), false),
            URL,
            Some("acme"),
            Some("z"),
            URL,
            "https://uaa.test/token_keys?zid=z",
            "dedicated",
        ),
        (
            binding(Some("uaa.test"), false),
            "https://provider.uaa.test/",
            None,
            None,
            URL,
            "https://provider.uaa.test/token_keys",
            "no tenancy",
        ),
        (
            binding(Some("localhost"), true),
            "http://localhost:9",
            Some("acme"),
            None,
            "http://acme.localhost:9",
            "http://acme.localhost:9/token_keys",
            "scheme and port carry over",
        ),
        (
            binding(Some("localhost:9"), false),
            "http://localhost:9",
            Some("p"),
            Some("z"),
            "http://localhost:9",
            "http://localhost:9/token_keys?zid=z",
            "a port in the domain",
        ),
        (
            binding(None, true),
            URL,
            Some("acme"),
            Some("z"),
            URL,
            "https://provider.uaa.test/token_keys",
            "no domain: the binding's own host",
        ),
    ]
}

#[test]
fn addresses_follow_from_the_binding_and_the_tenant() {
    for (binding, url, key, id, base, keys, shows) in shared_rows().into_iter().chain(other_rows()) {
        let (names, address) = issuer(binding, url, key, id);
        assert_eq!(names, [format!("{base}/oauth/token"), base.to_owned()], "{shows}");
        assert_eq!(address, keys, "{shows}");
    }
}

#[test]
fn a_verification_key_must_be_one() {
    let broken = XsuaaBinding { verification_key: Some("nonsense".into()), ..binding(None, false) };
    assert_eq!(
        broken.fallback().err(),
        Some(IssuerError::Keys(crate::auth::keys::KeySetError::MalformedPem))
    );
}
