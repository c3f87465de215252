//! How sessions live, and what their cookie looks like.
//!
//! Decides which of two places wins (`xs-app.json` over the environment), and that the cookie's name and
//! attributes go together, because a browser drops one that contradicts itself without a word.

use std::time::Duration;

use super::super::env::sessions::StoreName;
use super::Compiler;
use crate::session::{Policy, SameSite, Secure};

/// The longest that a session may live without a request: a year.
const LONGEST: u64 = 365 * 24 * 60;

/// How sessions live; `None` where that does not compile.
pub(super) fn policy(compiler: &mut Compiler<'_>) -> Option<Policy> {
    let defaults = Policy::default();
    let idle = idle(compiler).unwrap_or(defaults.idle);
    let service_csrf = service_csrf(compiler);
    let written = &compiler.model.settings.sessions;
    let cookies = written.cookies.as_ref();
    let same_site =
        if cookies.is_some_and(|cookies| cookies.cross_site) { SameSite::None } else { SameSite::Lax };
    let secure = written.secure;
    let policy = Policy {
        cookie: written.cookie.as_ref().map_or(defaults.cookie, |name| name.value.clone()),
        same_site,
        partitioned: cookies.is_some_and(|cookies| cookies.partitioned),
        secure: match secure.map(|secure| secure.value) {
            Some(true) => Secure::Always,
            Some(false) => Secure::Never,
            None => Secure::Outside,
        },
        idle,
        absolute: defaults.absolute.max(idle),
        refresh_ahead: written.refresh.map_or(defaults.refresh_ahead, |ahead| minutes(ahead.value)),
        service_csrf,
    };
    let policy = prefixed(compiler, policy)?;
    lint(compiler, &policy);
    Some(policy)
}

/// The SAP application router keeps these tokens in its external store, and has none without one.
fn service_csrf(compiler: &Compiler<'_>) -> bool {
    let written = &compiler.model.settings.sessions;
    let Some(flag) = written.service_csrf else { return false };
    let is_outside = match written.store.as_ref().map(|store| &store.value) {
        Some(StoreName::Redis | StoreName::RedisAt(_)) => true,
        Some(StoreName::Memory | StoreName::Cookie) | None => written.external.is_some(),
    };
    flag.value && is_outside
}

/// `sessionTimeout`, else `SESSION_TIMEOUT`.
fn idle(compiler: &mut Compiler<'_>) -> Option<Duration> {
    let file = compiler.model.app.as_ref().and_then(|app| app.session_timeout);
    let variable = compiler.model.settings.sessions.timeout;
    if let Some(zero) = file.filter(|timeout| timeout.value == 0) {
        let message = "0 means the default; a session always ends when nobody uses it";
        compiler.findings.warning(zero.mark, "no_timeout", message);
    }
    let file = file.filter(|timeout| timeout.value > 0);
    if let (Some(file), Some(variable)) = (file, variable)
        && file.value != variable.value
    {
        let message = "`sessionTimeout` in xs-app.json says otherwise, and wins";
        compiler.findings.warning(variable.mark, "two_timeouts", message);
    }
    let timeout = file.or(variable)?;
    if timeout.value > LONGEST {
        let message = "this is longer than a year, which is as long as a session may be left alone";
        compiler.findings.warning(timeout.mark, "long_timeout", message);
    }
    Some(minutes(timeout.value))
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count.min(LONGEST) * 60)
}

/// The policy, where the cookie's name is one and its prefix is kept (RFC 6265bis §4.1.3).
fn prefixed(compiler: &mut Compiler<'_>, mut policy: Policy) -> Option<Policy> {
    let Some(name) = &compiler.model.settings.sessions.cookie else { return Some(policy) };
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.value.is_empty() || !name.value.bytes().all(is_token) {
        let message = format!("`{}` cannot be a cookie's name", name.value);
        let hint = "letters, digits, and a few signs: - _ . and the like";
        compiler.findings.error(name.mark, "unusable_cookie", message).hint(hint);
        return None;
    }
    let begins =
        |prefix: &str| name.value.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if !begins("__Host-") && !begins("__Secure-") {
        return Some(policy);
    }
    if policy.secure == Secure::Never {
        let message = "a cookie of this name has to be `Secure`, but SECURE_SESSION_COOKIE is false";
        compiler.findings.error(name.mark, "unusable_cookie", message);
        return None;
    }
    if begins("__Host-") && compiler.tenants.path.as_ref().is_some_and(|path| path.strip) {
        let message = "a `__Host-` cookie is for all paths, but tenants are told apart by theirs";
        let hint = "use `__Secure-`, which may have a path";
        compiler.findings.error(name.mark, "unusable_cookie", message).hint(hint);
        return None;
    }
    policy.secure = Secure::Always;
    Some(policy)
}

/// Warns of attributes with which browsers drop the cookie.
fn lint(compiler: &mut Compiler<'_>, policy: &Policy) {
    let Some(cookies) = &compiler.model.settings.sessions.cookies else { return };
    let attribute = match (policy.same_site, policy.partitioned) {
        (SameSite::None, _) => "`SameSite=None`",
        (SameSite::Lax | SameSite::Strict, true) => "`Partitioned`",
        (SameSite::Lax | SameSite::Strict, false) => return,
    };
    let (mark, findings) = (cookies.mark, &mut compiler.findings);
    match policy.secure {
        Secure::Always => {}
        Secure::Never => {
            let message = format!(
                "browsers drop a cookie with {attribute} that is not `Secure`: nobody stays logged in"
            );
            findings.warning(mark, "insecure_cookie", message).hint("remove SECURE_SESSION_COOKIE=false");
        }
        Secure::Outside => {
            let message = format!("browsers keep a cookie with {attribute} only where the outside is https");
            findings.note(mark, "insecure_cookie", message);
        }
    }
}
