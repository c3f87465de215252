//! Sends the request on, and streams both ways.
pub mod body;
pub mod client;
pub mod connect;
pub mod headers;
pub mod tls;
pub mod files;
