//! The file model: each configuration file as a type, its values checked and its places kept.
//!
//! Knows the keys of each file and what values they take; nothing of what they do, of other files, or of
//! stages. A key that belongs to a feature that is not there yet is read and checked like every other
//! one, and then noted as not supported, so that nothing is ever silently ignored.

pub(crate) mod answers;
pub(crate) mod app;
pub(crate) mod bindings;
pub(crate) mod cors;
pub(crate) mod destinations;
pub(crate) mod issuer;
pub(crate) mod login;
pub(crate) mod origin;
pub(crate) mod plugins;
pub(crate) mod replace;
pub(crate) mod route;
pub(crate) mod services;
pub(crate) mod tenants;
pub(crate) mod websockets;
