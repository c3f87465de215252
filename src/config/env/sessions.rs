//! The variables about login and sessions.
//!
//! Knows what values they take; which store there is in the end is decided where the bindings are known.
//! What may hold a password is a [`Secret`] from here on.

use super::super::decode::{Decoder, Node};
use super::super::text::{Located, Mark};
use super::{Variables, settings};
use crate::secret::Secret;

/// The keys of `EXT_SESSION_MGT`.
const EXTERNAL: &[&str] = &[
    "instanceName",
    "storageType",
    "sessionSecret",
    "defaultRetryTimeout",
    "backOffMultiplier",
    "externalStoreFilePath",
];

/// The keys of `Partitioned` in `COOKIES`.
const PARTITIONED: &[&str] = &["supportedPartitionAgents", "unsupportedPartitionAgents"];

/// What the environment says about login and sessions.
#[derive(Debug, Default)]
pub(crate) struct SessionVariables {
    /// `SESSION_TIMEOUT`, in minutes.
    pub(crate) timeout: Option<Located<u64>>,
    /// `JWT_REFRESH`, in minutes.
    pub(crate) refresh: Option<Located<u64>>,
    /// `SESSION_COOKIE_NAME`.
    pub(crate) cookie: Option<Located<Box<str>>>,
    /// `SESSION_SECRET`: the first seals, all of them open.
    pub(crate) secrets: Option<Located<Vec<Secret>>>,
    /// `SESSION_STORE`.
    pub(crate) store: Option<Located<StoreName>>,
    /// `EXT_SESSION_MGT`.
    pub(crate) external: Option<External>,
    /// `COOKIES`.
    pub(crate) cookies: Option<Cookies>,
    /// `SECURE_SESSION_COOKIE`.
    pub(crate) secure: Option<Located<bool>>,
    /// `PRESERVE_FRAGMENT`, `PRESERVE_URL_FRAGMENT`.
    pub(crate) preserve_fragment: Option<Located<bool>>,
    /// `DYNAMIC_IDENTITY_PROVIDER`.
    pub(crate) dynamic_identity_provider: bool,
    /// `BACKEND_COOKIES_SECRET`: seals the cookies of backends for callers without a session.
    pub(crate) backend_cookies: Option<Located<Secret>>,
    /// `SVC2AR_STORE_CSRF_IN_EXTERNAL_SESSION`.
    pub(crate) service_csrf: Option<Located<bool>>,
    /// `CF_INSTANCE_INDEX`: from 1 on there are others.
    pub(crate) instance: Option<u32>,
}

/// Where sessions are kept, as `SESSION_STORE` says it.
#[derive(Clone, Debug)]
pub(crate) enum StoreName {
    Memory,
    Cookie,
    /// The bound Redis.
    Redis,
    /// An address, which may hold a password.
    RedisAt(Secret),
}

/// `EXT_SESSION_MGT`: a bound Redis.
#[derive(Debug)]
pub(crate) struct External {
    pub(crate) mark: Mark,
    /// The bound service's name.
    pub(crate) instance: Option<Located<Box<str>>>,
    pub(crate) secret: Option<Located<Secret>>,
}

/// `COOKIES`.
#[derive(Debug)]
pub(crate) struct Cookies {
    pub(crate) mark: Mark,
    /// `SameSite: None`.
    pub(crate) cross_site: bool,
    pub(crate) partitioned: bool,
}

impl SessionVariables {
    /// Reads them.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, variables: &Variables<'_>) -> Self {
        let fragment = flag(d, variables, "PRESERVE_FRAGMENT");
        let dynamic = variables.json(d, "DYNAMIC_IDENTITY_PROVIDER", settings::flag);
        Self {
            timeout: minutes(d, variables, "SESSION_TIMEOUT", 1),
            refresh: minutes(d, variables, "JWT_REFRESH", 0),
            cookie: variables.text(d, "SESSION_COOKIE_NAME"),
            secrets: secrets(d, variables),
            store: store(d, variables),
            external: variables.json(d, "EXT_SESSION_MGT", External::decode),
            cookies: variables.json(d, "COOKIES", Cookies::decode),
            secure: flag(d, variables, "SECURE_SESSION_COOKIE"),
            preserve_fragment: fragment.or_else(|| flag(d, variables, "PRESERVE_URL_FRAGMENT")),
            dynamic_identity_provider: dynamic.unwrap_or(false),
            backend_cookies: variables
                .text(d, "BACKEND_COOKIES_SECRET")
                .map(|text| Located { value: Secret::new(text.value), mark: text.mark }),
            service_csrf: variables.json(d, "SVC2AR_STORE_CSRF_IN_EXTERNAL_SESSION", |d, node| {
                Some(Located { value: d.boolean(node)?, mark: node.mark() })
            }),
            instance: variables.text(d, "CF_INSTANCE_INDEX").and_then(|text| text.value.parse().ok()),
        }
    }
}

fn minutes(
    d: &mut Decoder<'_, '_>,
    variables: &Variables<'_>,
    name: &str,
    least: u64,
) -> Option<Located<u64>> {
    variables.json(d, name, |d, node| {
        Some(Located { value: d.integer(node, least..=u64::MAX)?, mark: node.mark() })
    })
}

/// `true` or `false`; anything else says nothing, as in the SAP application router.
fn flag(d: &mut Decoder<'_, '_>, variables: &Variables<'_>, name: &str) -> Option<Located<bool>> {
    let text = variables.text(d, name)?;
    match &*text.value {
        "true" => Some(Located { value: true, mark: text.mark }),
        "false" => Some(Located { value: false, mark: text.mark }),
        _ => {
            let message = "this is neither `true` nor `false`, so the default holds";
            d.findings.warning(text.mark, "unknown_value", message);
            None
        }
    }
}

/// One secret, or a JSON list of them.
fn secrets(d: &mut Decoder<'_, '_>, variables: &Variables<'_>) -> Option<Located<Vec<Secret>>> {
    let text = variables.secrets(d, "SESSION_SECRET")?;
    if text.value.is_empty() {
        d.findings.error(text.mark, "empty_value", "this list must not be empty");
        return None;
    }
    Some(text)
}

fn store(d: &mut Decoder<'_, '_>, variables: &Variables<'_>) -> Option<Located<StoreName>> {
    let text = variables.text(d, "SESSION_STORE")?;
    let value = match &*text.value {
        "memory" => StoreName::Memory,
        "cookie" => StoreName::Cookie,
        "redis" => StoreName::Redis,
        address if address.starts_with("redis://") || address.starts_with("rediss://") => {
            StoreName::RedisAt(Secret::new(address))
        }
        // The text may be an address with a password, so it is not shown.
        _ => {
            let message = "this is not one of memory, cookie, redis, or an address of Redis";
            d.findings
                .error(text.mark, "unknown_value", message)
                .hint("an address is redis://host:6379 or rediss://host:6380");
            return None;
        }
    };
    Some(Located { value, mark: text.mark })
}

impl External {
    fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        let fields = d.fields(node, EXTERNAL)?;
        let instance = d.required(&fields, "instanceName").and_then(|node| d.text(node));
        if let Some(kind) = d.required(&fields, "storageType") {
            d.word(kind, &[("redis", ())]);
        }
        for key in ["defaultRetryTimeout", "backOffMultiplier"] {
            if let Some(node) = fields.take(key)
                && d.integer(node, 0..=u64::MAX).is_some()
            {
                let message = format!("`{key}` has no effect: nobody waits longer than 2 s for Redis");
                d.findings.note(node.mark(), "ignored_variable", message);
            }
        }
        if let Some(node) = fields.take("externalStoreFilePath") {
            let message = "a store of one's own in JavaScript cannot be run here";
            d.findings.error(node.mark(), "unusable_store", message).hint("use Redis");
        }
        let secret = d.required(&fields, "sessionSecret");
        let secret = secret.and_then(|node| Some(Located { value: d.secret(node)?, mark: node.mark() }));
        Some(Self { mark: node.mark(), instance, secret })
    }
}

impl Cookies {
    fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        let fields = d.fields(node, &["SameSite", "Partitioned"])?;
        let same_site = fields.take("SameSite");
        let cross_site = same_site.and_then(|node| d.word(node, &[("None", true), ("Lax", false)]));
        Some(Self {
            mark: node.mark(),
            cross_site: cross_site.is_some_and(|word| word.value),
            partitioned: fields.take("Partitioned").is_some_and(|node| partitioned(d, node)),
        })
    }
}

/// `true`, or an object that says for which browsers.
fn partitioned(d: &mut Decoder<'_, '_>, node: Node<'_>) -> bool {
    if !node.is_object() {
        return d.boolean(node) == Some(true);
    }
    let Some(fields) = d.fields(node, PARTITIONED) else { return false };
    for key in PARTITIONED {
        let Some(agents) = fields.take(key) else { continue };
        d.text(agents);
        let message =
            format!("`{key}` has no effect: browsers ignore the attribute where they do not know it");
        d.findings.note(agents.mark(), "ignored_variable", message);
    }
    true
}
