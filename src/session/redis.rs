//! Sessions in Redis, for several instances of one application.
//!
//! What is stored is sealed with a key that is derived from the session's id, which Redis never sees; its
//! keys are hashes of realm and id. Everything here ends within bounds: a Redis that is gone costs a
//! request milliseconds, not its life.

mod settings;

pub use settings::{Addresses, RedisServer, RedisSettings, RedisUrlError, Resolver};
