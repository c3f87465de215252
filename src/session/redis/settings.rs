//! Which Redis, and how it is reached.
//!
//! A [`RedisServer`] is what an address says: `redis://` in clear, `rediss://` by TLS, with user, password
//! and database. The settings add what the process knows: authorities to trust besides those of the web,
//! and how names become addresses. Cluster addresses are no part of it: every key here must be in one place.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;

use crate::secret::Secret;

/// The port of Redis where none is named.
const PORT: u16 = 6379;

/// Finds the addresses of a host name.
pub type Resolver = Arc<dyn Fn(&str) -> Addresses + Send + Sync>;

/// Addresses, once they are found; their ports do not matter.
pub type Addresses = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// How this process uses a Redis.
#[derive(Clone)]
pub struct RedisSettings {
    /// Where it is.
    pub server: RedisServer,
    /// Certificate authorities to trust besides the built-in ones.
    pub authorities: Vec<CertificateDer<'static>>,
    /// How its name is resolved; `None` is as the system does.
    pub resolver: Option<Resolver>,
}

impl std::fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisSettings")
            .field("server", &self.server)
            .field("authorities", &self.authorities.len())
            .finish_non_exhaustive()
    }
}

/// A Redis server, as an address or a binding names it.
#[derive(Clone, Debug)]
pub struct RedisServer {
    /// Its host name, or an IP address without brackets.
    pub host: Box<str>,
    /// Its port.
    pub port: u16,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// The user, where it is not the default one.
    pub user: Option<Box<str>>,
    /// The password.
    pub password: Option<Secret>,
    /// The number of the database.
    pub database: u16,
}

/// Why an address names no Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisUrlError {
    /// Neither `redis://` nor `rediss://`.
    #[error("the address does not begin with redis:// or rediss://")]
    Scheme,
    /// No host, or a port that is none.
    #[error("the address has no usable host and port")]
    Host,
    /// The path is no number.
    #[error("the address may only end in the number of a database")]
    Database,
    /// The user or the password is not UTF-8 after its percent-encoding is undone.
    #[error("user or password of the address are not UTF-8")]
    Credentials,
}

impl RedisServer {
    /// The server that `url` names: `redis[s]://[[user]:password@]host[:port][/database]`.
    pub fn parse(url: &str) -> Result<Self, RedisUrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(RedisUrlError::Scheme)?;
        let tls = match scheme {
            "redis" => false,
            "rediss" => true,
            _ => return Err(RedisUrlError::Scheme),
        };
        // A password may hold anything but `@` in clear; the last one ends it.
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials), place),
            None => (None, rest),
        };
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let (host, port) = host_and_port(authority).ok_or(RedisUrlError::Host)?;
        let database = match database {
            "" => 0,
            number => number.parse().map_err(|_| RedisUrlError::Database)?,
        };
        let (user, password) = credentials.map_or(Ok((None, None)), user_and_password)?;
        Ok(Self { host: host.into(), port, tls, user, password, database })
    }
}

fn host_and_port(authority: &str) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match port {
        "" => PORT,
        port => port.strip_prefix(':')?.parse().ok().filter(|port| *port != 0)?,
    };
    (!host.is_empty()).then_some((host, port))
}

type Credentials = (Option<Box<str>>, Option<Secret>);

fn user_and_password(text: &str) -> Result<Credentials, RedisUrlError> {
    let decoded = |part: &str| {
        let text = percent_decode_str(part).decode_utf8().map_err(|_| RedisUrlError::Credentials)?;
        Ok((!text.is_empty()).then(|| text.into_owned()))
    };
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Ok((decoded(user)?.map(String::into_boxed_str), decoded(password)?.map(Secret::new)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> Result<String, RedisUrlError> {
        let RedisServer { host, port, tls, user, password, database } = RedisServer::parse(url)?;
        let password = password.map(|secret| secret.expose().to_owned());
        Ok(format!(
            "{host} {port} {tls} {} {} {database}",
            user.as_deref().unwrap_or("-"),
            password.as_deref().unwrap_or("-")
        ))
    }

    #[test]
    fn an_address_names_a_server() {
        let cases = [
            ("redis://cache", Ok("cache 6379 false - - 0"), "the least"),
            ("rediss://cache:6380/2", Ok("cache 6380 true - - 2"), "TLS, a port, a database"),
            ("redis://:pass@cache", Ok("cache 6379 false - pass 0"), "a password without a user"),
            ("redis://me:p%40ss:1@cache:1/", Ok("cache 1 false me p@ss:1 0"), "percent-encoding, colons"),
            ("redis://me:p@ss@cache", Ok("cache 6379 false me p@ss 0"), "the last @ ends the password"),
            ("rediss://[::1]:7000/0", Ok("::1 7000 true - - 0"), "IPv6"),
            ("redis://[::1]", Ok("::1 6379 false - - 0"), "IPv6 without a port"),
            ("http://cache", Err(RedisUrlError::Scheme), "another scheme"),
            ("cache:6379", Err(RedisUrlError::Scheme), "no scheme"),
            ("redis://", Err(RedisUrlError::Host), "no host"),
            ("redis://cache:0", Err(RedisUrlError::Host), "port 0"),
            ("redis://cache:http", Err(RedisUrlError::Host), "a port that is none"),
            ("redis://[::1", Err(RedisUrlError::Host), "half a bracket"),
            ("redis://cache/main", Err(RedisUrlError::Database), "a database by name"),
            ("redis://:%ff@cache", Err(RedisUrlError::Credentials), "not UTF-8"),
        ];
        for (url, expected, why) in cases {
            assert_eq!(parts(url).as_deref().map_err(|error| *error), expected, "{why}: {url}");
        }
    }

    #[test]
    fn debug_does_not_show_the_password() {
        let server = RedisServer::parse("redis://:hunter2@cache").unwrap();
        let settings = RedisSettings { server, authorities: Vec::new(), resolver: None };
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
