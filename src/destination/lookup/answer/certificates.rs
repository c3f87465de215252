//! The certificates that come with a destination: the one it is shown, and those it is trusted by.
//!
//! Only PEM is read. A store that is missing, or in another form, is an error: a destination that is to
//! know us by a certificate is not spoken to without, and one that is to be trusted by certain authorities
//! is not trusted by others.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::Unusable;
use super::properties::Properties;
use crate::auth::ClientCertificate;
use crate::auth::json::{Map, Value};
use crate::secret::Secret;

/// How many authorities a destination may be trusted by.
const MAX_AUTHORITIES: usize = 64;

/// The certificate that the destination is shown; `bound` where the application is to have it itself.
pub(super) fn client(
    answer: &Map<String, Value>,
    properties: &Properties<'_>,
    bound: Option<Arc<ClientCertificate>>,
) -> Result<Arc<ClientCertificate>, Unusable> {
    if properties.text("KeyStore.Source") == Some("ClientProvided") {
        return bound.ok_or(Unusable::Certificate("the application has none"));
    }
    let store = properties.text("KeyStoreLocation").ok_or(Unusable::Certificate("it names no key store"))?;
    let pem = pem(answer, store)?;
    let made = ClientCertificate::from_pem(&pem, &pem);
    made.map(Arc::new).map_err(|_| Unusable::Certificate("the key store has no certificate with its key"))
}

/// The authorities that the destination's own certificate is judged by; `None` for those of the web.
pub(super) fn authorities(
    answer: &Map<String, Value>,
    properties: &Properties<'_>,
) -> Result<Option<Arc<[CertificateDer<'static>]>>, Unusable> {
    let Some(store) = properties.text("TrustStoreLocation") else { return Ok(None) };
    if properties.is_on("TrustAll") {
        return Ok(None);
    }
    let pem = pem(answer, store)?;
    let read = CertificateDer::pem_slice_iter(pem.expose().as_bytes()).take(MAX_AUTHORITIES);
    let read: Vec<_> =
        read.collect::<Result<_, _>>().map_err(|_| Unusable::Certificate("the trust store is malformed"))?;
    if read.is_empty() {
        return Err(Unusable::Certificate("the trust store is empty"));
    }
    Ok(Some(read.into()))
}

/// What is in the store called `name`.
fn pem(answer: &Map<String, Value>, name: &str) -> Result<Secret, Unusable> {
    let stores = answer.get("certificates").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let member = |store: &Map<String, Value>, name: &str| {
        let found = store.iter().find(|(member, _)| member.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| value.as_str().map(str::to_owned))
    };
    let mut stores = stores.iter().filter_map(Value::as_object);
    let store = stores.find(|store| member(store, "name").as_deref() == Some(name));
    let content = store.and_then(|store| member(store, "content"));
    let content = content.ok_or(Unusable::Certificate("the store did not come with it"))?;
    let bytes = STANDARD.decode(content.split_whitespace().collect::<String>());
    let bytes = bytes.map_err(|_| Unusable::Certificate("the store is not base64"))?;
    let text = String::from_utf8(bytes).ok().filter(|text| text.contains("-----BEGIN "));
    text.map(Secret::new).ok_or(Unusable::Certificate("the store is not PEM"))
}
