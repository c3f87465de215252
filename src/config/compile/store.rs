//! Where sessions are kept: `SESSION_STORE`, else `EXT_SESSION_MGT`, else what the secrets allow.
//!
//! A secret is stable where it outlives the process: `SESSION_SECRET`, the one of `EXT_SESSION_MGT`, else
//! the client secret of the binding. What depends on one is refused without it, because two instances
//! that seal differently log each other's people out.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::super::env::sessions::StoreName;
use super::super::file::bindings::Binding;
use super::super::store::{Place, Redis, SessionStore};
use super::super::text::{Located, Mark};
use super::Compiler;
use super::bound::Bound;
use super::lints::takes_sessions;
use crate::auth::ClientAuthentication;
use crate::route::Routes;
use crate::secret::Secret;
use crate::session::redis::RedisServer;

/// The shortest secret, in bytes.
const SHORTEST: usize = 16;

/// The store; `None` where it does not compile.
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    bound: &Bound,
    routes: Option<&Routes>,
) -> Option<SessionStore> {
    let before = compiler.findings.errors();
    let secrets = secrets(compiler, bound);
    let written = compiler.model.settings.sessions.store.clone();
    let is_stable = !secrets.is_empty();
    let place = match &written {
        Some(Located { value: StoreName::Memory, .. }) => Some(Place::Memory),
        Some(Located { value: StoreName::Cookie, .. }) => {
            external(compiler).map_or(Some(Place::Cookie(None)), |redis| Some(Place::Cookie(Some(redis?))))
        }
        Some(Located { value: StoreName::Redis, mark }) => bound_redis(compiler, *mark).map(Place::Redis),
        Some(Located { value: StoreName::RedisAt(address), mark }) => {
            addressed(compiler, address, *mark).map(Place::Redis)
        }
        None => match external(compiler) {
            Some(redis) => redis.map(Place::Redis),
            None if is_stable => Some(Place::Cookie(None)),
            None => Some(Place::Memory),
        },
    };
    let place = place?;
    let mark = written.map(|written| written.mark);
    require_secret(compiler, &place, mark, is_stable);
    let is_developed = compiler.model.development.is_some();
    if !is_developed && routes.is_some_and(|routes| routes.all().iter().any(takes_sessions)) {
        lint(compiler, &place, mark);
    }
    let backend_cookies = backend_cookies(compiler);
    (compiler.findings.errors() == before).then_some(SessionStore { place, secrets, backend_cookies })
}

/// What seals, the newest first; empty where nothing outlives the process.
fn secrets(compiler: &mut Compiler<'_>, bound: &Bound) -> Vec<Secret> {
    let written = &compiler.model.settings.sessions;
    let mut secrets = Vec::new();
    if let Some(own) = &written.secrets {
        if own.value.iter().any(|secret| secret.expose().len() < SHORTEST) {
            let message = format!("a session secret has at least {SHORTEST} characters");
            compiler
                .findings
                .error(own.mark, "weak_secret", message)
                .hint("`openssl rand -base64 48` makes one");
        }
        secrets.extend(own.value.iter().cloned());
    }
    if let Some(external) = written.external.as_ref().and_then(|external| external.secret.as_ref()) {
        if external.value.expose().len() < SHORTEST {
            let message = "this is short for a secret; 64 characters are recommended";
            compiler.findings.warning(external.mark, "weak_secret", message);
        }
        secrets.push(external.value.clone());
    }
    if secrets.is_empty()
        && let Some(ClientAuthentication::Secret(secret)) =
            bound.server().map(|server| &server.issuer.authentication)
    {
        secrets.push(secret.clone());
    }
    secrets
}

/// What seals the cookies of backends for callers without a session.
fn backend_cookies(compiler: &mut Compiler<'_>) -> Option<Secret> {
    let written = compiler.model.settings.sessions.backend_cookies.as_ref()?;
    if written.value.expose().len() < SHORTEST {
        let message = format!("this is short for a secret: it should have {SHORTEST} characters at least");
        compiler.findings.warning(written.mark, "weak_secret", message);
    }
    Some(written.value.clone())
}

/// Refuses what needs a secret that outlives the process where there is none.
fn require_secret(compiler: &mut Compiler<'_>, place: &Place, mark: Option<Mark>, is_stable: bool) {
    let needs = match place {
        Place::Memory => false,
        Place::Cookie(_) | Place::Redis(_) => true,
    };
    if needs && !is_stable {
        let mark = mark.unwrap_or(compiler.mark());
        let message = "sessions that outlive the process need a secret that does, and there is none";
        compiler.findings.error(mark, "no_session_secret", message).hint("set SESSION_SECRET");
    }
}

/// Warns of sessions that end sooner than people expect.
fn lint(compiler: &mut Compiler<'_>, place: &Place, mark: Option<Mark>) {
    let Place::Memory = place else { return };
    let others = compiler.model.settings.sessions.instance.is_some_and(|index| index > 0);
    if compiler.cloud_foundry && others {
        let message = "this is one of several instances, but sessions are kept in each alone: who is sent \
                       to another one is not logged in there";
        let hint = "set SESSION_SECRET (sessions in cookies), or SESSION_STORE=redis";
        compiler
            .findings
            .warning(mark.unwrap_or(compiler.mark()), "sessions_of_one_instance", message)
            .hint(hint);
    } else if mark.is_none() {
        let message = "nothing says with what sessions are sealed, so they are kept in memory: they end \
                       when the process does, and other instances do not know them";
        let hint = "set SESSION_SECRET to at least 16 characters, or SESSION_STORE=memory";
        compiler.findings.warning(compiler.mark(), "sessions_in_memory", message).hint(hint);
    }
}

/// The Redis of `EXT_SESSION_MGT`; the outer `None` where it is not set.
#[expect(
    clippy::option_option,
    reason = "not asked for and broken are different, and broken is noticed here"
)]
fn external(compiler: &mut Compiler<'_>) -> Option<Option<Redis>> {
    let external = compiler.model.settings.sessions.external.as_ref()?;
    // What is missing has been noticed.
    let Some(name) = &external.instance else { return Some(None) };
    let mut bindings = compiler.model.settings.bindings.iter();
    let Some(binding) = bindings.find(|binding| binding.name == name.value) else {
        let message = format!("no bound service is called `{}`", name.value);
        compiler.findings.error(name.mark, "unknown_service", message);
        return Some(None);
    };
    Some(of_binding(compiler, binding))
}

/// The Redis that is bound, whatever it is called.
fn bound_redis(compiler: &mut Compiler<'_>, mark: Mark) -> Option<Redis> {
    if let Some(redis) = external(compiler) {
        return redis;
    }
    let mut bindings = compiler.model.settings.bindings.iter();
    let Some(binding) = bindings.find(|binding| binding.is("redis-cache") || binding.is("redis")) else {
        compiler
            .findings
            .error(mark, "unknown_service", "no Redis service is bound")
            .hint("name its address: SESSION_STORE=rediss://…");
        return None;
    };
    of_binding(compiler, binding)
}

fn addressed(compiler: &mut Compiler<'_>, address: &Secret, mark: Mark) -> Option<Redis> {
    match RedisServer::parse(address.expose()) {
        Ok(server) => Some(Redis { server, authorities: Vec::new() }),
        Err(error) => {
            compiler.findings.error(mark, "unusable_store", error.to_string());
            None
        }
    }
}

fn of_binding(compiler: &mut Compiler<'_>, binding: &Binding) -> Option<Redis> {
    let found = server(binding).and_then(|server| Ok(Redis { server, authorities: authorities(binding)? }));
    found
        .map_err(|message| {
            let message = format!("the Redis `{}` cannot be used: {message}", binding.name);
            compiler.findings.error(binding.mark, "unusable_store", message);
        })
        .ok()
}

/// Where the bound Redis is: by its parts, else by its address.
fn server(binding: &Binding) -> Result<RedisServer, String> {
    if binding.credential("cluster_mode") == Some("true") {
        return Err(String::from("it is a cluster, and all keys have to be in one place"));
    }
    let Some(host) = binding.credential("hostname").or_else(|| binding.credential("host")) else {
        let address = binding.credential("uri").or_else(|| binding.credential("url"));
        let address = address.ok_or("its credentials have neither `hostname` nor `uri`")?;
        return RedisServer::parse(address).map_err(|error| error.to_string());
    };
    let port = binding.credential("port").map_or(Ok(6379), str::parse);
    Ok(RedisServer {
        host: host.trim_matches(['[', ']']).into(),
        port: port.map_err(|_| "its `port` is not a port")?,
        tls: binding.credential("tls") == Some("true"),
        user: binding.credential("username").map(Box::from),
        password: binding.credential("password").map(Secret::new),
        database: 0,
    })
}

/// The authorities that the binding names.
fn authorities(binding: &Binding) -> Result<Vec<CertificateDer<'static>>, String> {
    let Some(pem) = ["ca", "ca_certificate"].into_iter().find_map(|key| binding.credential(key)) else {
        return Ok(Vec::new());
    };
    let pem = pem.replace("\\n", "\n");
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|_| "its certificate authority is not in PEM")?;
    if found.is_empty() { Err(String::from("its certificate authority is not in PEM")) } else { Ok(found) }
}
