//! How answers are dressed: headers that the configuration adds, pages for refusals, compression.
//!
//! The real binary between raw sockets; what is compressed is read by the decoders of the same library.

mod compression;
mod headers;
mod pages;
mod room;
mod streams;
