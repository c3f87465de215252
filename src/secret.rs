//! A value that cannot be printed.
//!
//! Passwords, client secrets, keys and tokens of the configuration live in [`Secret`]. Its `Debug` is
//! a fixed text, it has no `Display` and no `Serialize`, and its memory is wiped when it is dropped.
//! Reading it takes an [`Secret::expose`] that a reviewer can search for.

use secrecy::{ExposeSecret, SecretString};

/// A secret text of the configuration.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself, for the one place that must send or compare it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_text() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[secret]");
    }
}
