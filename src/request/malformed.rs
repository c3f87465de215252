//! Why a request has no single meaning.
//!
//! One variant a reason; `Display` is for the log. Which status and code a reason becomes is decided in
//! `error`, not here.

use http::Method;

use super::HostFault;

/// Why a request was not canonical.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// CONNECT and TRACE: 405.
    #[error("the method {0} is not served")]
    MethodRefused(Method),
    /// Neither HTTP/1.0, 1.1 nor 2.
    #[error("the HTTP version is not served")]
    VersionRefused,
    /// Path and query above 16 KiB: 414.
    #[error("path and query are longer than 16 KiB")]
    UriTooLong,
    /// More than 128 header fields: 431.
    #[error("more than 128 header fields")]
    TooManyHeaders,
    /// Names and values together above 32 KiB: 431.
    #[error("the header block is larger than 32 KiB")]
    HeadersTooLarge,
    /// Anything but `100-continue`: 417 (RFC 9110 §10.1.1).
    #[error("an expectation other than 100-continue")]
    ExpectationFailed,
    /// The TLS handshake was for another host: 421 (RFC 9110 §15.5.20).
    #[error("Host is not the name of the TLS handshake")]
    Misdirected,
    /// Not exactly one `chunked`, or in HTTP/1.0 or HTTP/2 at all (RFC 9112 §6.1).
    #[error("Transfer-Encoding is something other than exactly one `chunked`")]
    TransferEncoding,
    /// Repeated, a list, or not a number.
    #[error("Content-Length is repeated or not a number")]
    ContentLength,
    /// Both ways to frame a body at once (RFC 9112 §6.3).
    #[error("Content-Length and Transfer-Encoding together")]
    BothFramings,
    /// HTTP/1.1 without `Host`, or HTTP/2 without `:authority` and `Host` (RFC 9112 §3.2).
    #[error("no Host")]
    HostMissing,
    /// More than one `Host`.
    #[error("more than one Host")]
    HostRepeated,
    /// A `Host`, `:authority` or absolute target whose host is none.
    #[error("Host: {0}")]
    Host(HostFault),
    /// The absolute target or `:authority` names another host than `Host`.
    #[error("the target's authority is not Host")]
    AuthorityDiffers,
    /// Neither a path nor an absolute `http` or `https` address.
    #[error("the target is neither a path nor an absolute http or https address")]
    TargetForm,
    /// `OPTIONS *` and its like.
    #[error("the target is `*`")]
    AsteriskForm,
    /// A byte that may not stand in a path or query as it is.
    #[error("the byte {0:#04x} stands unescaped in the target")]
    RawByte(u8),
    /// `%` without two hexadecimal digits behind it.
    #[error("a malformed escape in the path")]
    EscapeMalformed,
    /// An escaped separator or line end: `%2f %5c %00 %0d %0a`.
    #[error("the escape %{0:02x} in the path")]
    EscapeRefused(u8),
    /// The path's escapes do not decode to UTF-8.
    #[error("the path does not decode to UTF-8")]
    NotUtf8,
    /// `.` or `..` as a segment, literal, escaped or with a parameter.
    #[error("a dot segment in the path")]
    DotSegment,
    /// A trusted proxy's `X-Forwarded-Host` that holds no host.
    #[error("X-Forwarded-Host: {0}")]
    ForwardedHost(HostFault),
    /// A trusted proxy's `X-Forwarded-Proto` that is neither http nor https.
    #[error("X-Forwarded-Proto is neither http nor https")]
    ForwardedProto,
}
