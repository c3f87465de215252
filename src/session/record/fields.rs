//! Numbers, texts and tokens as bytes.
//!
//! Numbers are LEB128. A text that may be absent has its length plus one before it, so that 0 is the
//! absent one. It knows neither sessions nor seals.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A token as it is.
const PLAIN: u8 = 1;
/// A token of three parts of base64url, each decoded.
const PARTS: u8 = 2;

/// Collects fields.
#[derive(Debug, Default)]
pub(in crate::session) struct Writer(pub(in crate::session) Vec<u8>);

impl Writer {
    pub(in crate::session) fn number(&mut self, mut number: u64) {
        while let Some(low) = (number >= 0x80).then_some(number & 0x7f) {
            self.0.push(u8::try_from(low).unwrap_or_default() | 0x80);
            number >>= 7;
        }
        self.0.push(u8::try_from(number).unwrap_or_default());
    }

    pub(in crate::session) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(in crate::session) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.raw(bytes);
    }

    pub(in crate::session) fn optional(&mut self, bytes: Option<&[u8]>) {
        let Some(bytes) = bytes else { return self.number(0) };
        self.number(bytes.len() as u64 + 1);
        self.raw(bytes);
    }

    pub(in crate::session) fn token(&mut self, token: Option<&[u8]>) {
        let Some(token) = token else { return self.number(0) };
        if let Some(parts) = parts(token) {
            self.number(u64::from(PARTS));
            for part in &parts {
                self.bytes(part);
            }
        } else {
            self.number(u64::from(PLAIN));
            self.bytes(token);
        }
    }
}

/// The decoded parts of a JWT, where encoding them gives the very same text back.
fn parts(token: &[u8]) -> Option<[Vec<u8>; 3]> {
    let mut parts = token.split(|byte| *byte == b'.').map(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let three = [parts.next()??, parts.next()??, parts.next()??];
    (parts.next().is_none() && join(&three).as_bytes() == token).then_some(three)
}

fn join<T: AsRef<[u8]>>(parts: &[T; 3]) -> String {
    parts.each_ref().map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}

/// Takes fields off; everything is `None` from where the bytes are not what [`Writer`] writes.
#[derive(Debug)]
pub(in crate::session) struct Reader<'a>(pub(in crate::session) &'a [u8]);

#[expect(clippy::option_option, reason = "absent and unreadable are different")]
impl<'a> Reader<'a> {
    pub(in crate::session) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(in crate::session) fn raw(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(in crate::session) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.raw(length)
    }

    pub(in crate::session) fn optional(&mut self) -> Option<Option<&'a [u8]>> {
        match usize::try_from(self.number()?).ok()?.checked_sub(1) {
            None => Some(None),
            Some(length) => Some(Some(self.raw(length)?)),
        }
    }

    pub(in crate::session) fn text(&mut self) -> Option<Box<str>> {
        std::str::from_utf8(self.bytes()?).ok().map(Box::from)
    }

    pub(in crate::session) fn optional_text(&mut self) -> Option<Option<Box<str>>> {
        Some(match self.optional()? {
            Some(bytes) => Some(std::str::from_utf8(bytes).ok()?.into()),
            None => None,
        })
    }

    pub(in crate::session) fn token(&mut self) -> Option<Option<String>> {
        let kind = self.number()?;
        if kind == 0 {
            Some(None)
        } else if kind == u64::from(PLAIN) {
            Some(Some(std::str::from_utf8(self.bytes()?).ok()?.to_owned()))
        } else if kind == u64::from(PARTS) {
            Some(Some(join(&[self.bytes()?, self.bytes()?, self.bytes()?])))
        } else {
            None
        }
    }
}
