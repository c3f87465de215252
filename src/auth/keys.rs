//! The keys an issuer signs with (RFC 7517).
//!
//! A set is parsed once, when it arrives: each key becomes a verifying key for the algorithms it may be
//! used for, judged by `kty`, `crv`, `alg`, `use` and `key_ops`. Keys that cannot verify a signature are
//! passed over; a set in which nothing is left is an error, so that a broken answer never replaces good
//! keys. Symmetric keys are passed over always.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;

use super::json::{self, Map, Value};
use super::{Algorithm, TokenError};

/// How many usable keys a set may have.
const MAX_KEYS: usize = 256;

/// Why a key set cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not a JSON object with an array `keys`, or a member is named twice.
    #[error("not a JSON object with an array \"keys\"")]
    Malformed,
    /// No key in it can verify a signature.
    #[error("no key in it can verify a signature")]
    NoUsableKey,
    /// More keys than any issuer has.
    #[error("more than 256 keys")]
    TooManyKeys,
    /// Not a public RSA key in PEM.
    #[error("not a public RSA key in PEM")]
    MalformedPem,
}

/// The keys of one issuer, ready to verify.
pub struct KeySet {
    by_id: HashMap<Option<Box<str>>, Vec<Key>>,
    fingerprint: [u8; 32],
}

/// One key and what it may verify.
struct Key {
    algorithms: &'static [Algorithm],
    /// `alg` of the key, which narrows what its type allows.
    only: Option<Algorithm>,
    material: DecodingKey,
    /// To tell a repeated key from another one of the same id.
    components: Vec<Vec<u8>>,
}

const RSA: &[Algorithm] = &[
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];
const P256: &[Algorithm] = &[Algorithm::Es256];
const P384: &[Algorithm] = &[Algorithm::Es384];
const ED25519: &[Algorithm] = &[Algorithm::EdDsa];

impl KeySet {
    /// How many keys there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.by_id.values().map(Vec::len).sum()
    }

    /// The key set in `json`.
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        let members = json::object(json).map_err(|_| KeySetError::Malformed)?;
        let Some(Value::Array(items)) = members.get("keys") else { return Err(KeySetError::Malformed) };
        let mut by_id: HashMap<Option<Box<str>>, Vec<Key>> = HashMap::new();
        let mut count = 0;
        for (id, key) in items.iter().filter_map(Value::as_object).filter_map(usable) {
            let same_id = by_id.entry(id).or_default();
            if same_id.iter().any(|known| known.components == key.components && known.only == key.only) {
                continue;
            }
            same_id.push(key);
            count += 1;
            if count > MAX_KEYS {
                return Err(KeySetError::TooManyKeys);
            }
        }
        if count == 0 {
            return Err(KeySetError::NoUsableKey);
        }
        Ok(Self { by_id, fingerprint: fingerprint(json) })
    }

    /// A set of one RSA key in PEM, whose line breaks may have been lost on its way through JSON.
    pub fn from_rsa_pem(pem: &str) -> Result<Self, KeySetError> {
        const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
        const END: &str = "-----END PUBLIC KEY-----";
        let (_, rest) = pem.split_once(BEGIN).ok_or(KeySetError::MalformedPem)?;
        let (body, _) = rest.split_once(END).ok_or(KeySetError::MalformedPem)?;
        let body: String = body.replace("\\n", "").split_whitespace().collect();
        let lines = body.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned());
        let normal = format!("{BEGIN}\n{}\n{END}\n", lines.collect::<Vec<_>>().join("\n"));
        let material = DecodingKey::from_rsa_pem(normal.as_bytes()).map_err(|_| KeySetError::MalformedPem)?;
        let key = Key { algorithms: RSA, only: None, material, components: Vec::new() };
        Ok(Self { by_id: HashMap::from([(None, vec![key])]), fingerprint: fingerprint(body.as_bytes()) })
    }

    /// The one key that fits `key_id` and `algorithm`. Keys without an id fit any; a token without one
    /// is only accepted where a single key fits, because guessing would try keys.
    pub(super) fn find(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&DecodingKey, TokenError> {
        let Some(key_id) = key_id else {
            return only(self.by_id.values().flatten().filter(|key| key.fits(algorithm)));
        };
        let named = self.by_id.get(&Some(key_id.into())).or_else(|| self.by_id.get(&None));
        only(named.into_iter().flatten().filter(|key| key.fits(algorithm)))
    }
}

/// The only key of `keys`.
fn only<'a>(mut keys: impl Iterator<Item = &'a Key>) -> Result<&'a DecodingKey, TokenError> {
    match (keys.next(), keys.next()) {
        (None, _) => Err(TokenError::UnknownKey),
        (Some(key), None) => Ok(&key.material),
        (Some(_), Some(_)) => Err(TokenError::AmbiguousKey),
    }
}

impl Key {
    fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm) && self.only.is_none_or(|only| only == algorithm)
    }
}

impl PartialEq for KeySet {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for KeySet {}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySet").field("ids", &self.by_id.keys()).finish_non_exhaustive()
    }
}

/// Id and key of `members`, if it is a public key for signatures that can be used here.
fn usable(members: &Map<String, Value>) -> Option<(Option<Box<str>>, Key)> {
    if !for_verification(members) {
        return None;
    }
    let only = match members.get("alg") {
        None => None,
        Some(name) => Some(Algorithm::parse(name.as_str()?)?),
    };
    let (algorithms, material, components) = material(members)?;
    if only.is_some_and(|only| !algorithms.contains(&only)) {
        return None;
    }
    let id = match members.get("kid") {
        None => None,
        Some(id) => Some(id.as_str()?.into()),
    };
    Some((id, Key { algorithms, only, material, components }))
}

/// Whether `use` and `key_ops` allow verifying signatures; both absent allows everything.
fn for_verification(members: &Map<String, Value>) -> bool {
    let by_use = members.get("use").is_none_or(|usage| usage == "sig");
    let by_operations = members.get("key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|operations| operations.iter().any(|one| one == "verify"))
    });
    by_use && by_operations
}

type Material = (&'static [Algorithm], DecodingKey, Vec<Vec<u8>>);

/// The key itself, by `kty` and `crv` (RFC 7518 §6, RFC 8037 §2).
fn material(members: &Map<String, Value>) -> Option<Material> {
    match json::text(members, "kty")? {
        "RSA" => rsa(bytes(members, "n")?, bytes(members, "e")?),
        "EC" => {
            let (algorithms, size) = match json::text(members, "crv")? {
                "P-256" => (P256, 32),
                "P-384" => (P384, 48),
                _ => return None,
            };
            ec(algorithms, size, bytes(members, "x")?, bytes(members, "y")?)
        }
        "OKP" if json::text(members, "crv")? == "Ed25519" => {
            let x = bytes(members, "x").filter(|x| x.len() == 32)?;
            Some((ED25519, DecodingKey::from_ed_der(&x), vec![x]))
        }
        _ => None,
    }
}

/// 2048 to 8192 bits; less is not safe, more is only slow.
fn rsa(n: Vec<u8>, e: Vec<u8>) -> Option<Material> {
    let significant = n.iter().skip_while(|byte| **byte == 0).count();
    if !(256..=1024).contains(&significant) || e.is_empty() || e.len() > 8 {
        return None;
    }
    Some((RSA, DecodingKey::from_rsa_raw_components(&n, &e), vec![n, e]))
}

fn ec(algorithms: &'static [Algorithm], size: usize, x: Vec<u8>, y: Vec<u8>) -> Option<Material> {
    if x.len() != size || y.len() != size {
        return None;
    }
    let point = [&[4_u8][..], &x, &y].concat();
    Some((algorithms, DecodingKey::from_ec_der(&point), vec![x, y]))
}

fn bytes(members: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(json::text(members, name)?.trim_end_matches('=')).ok()
}

fn fingerprint(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest.as_ref());
    fingerprint
}

#[cfg(test)]
mod tests;
