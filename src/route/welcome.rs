//! The `welcomeFile`: where a visit of exactly `/` is sent.
//!
//! It comes before all routes and asks for nothing, as in the SAP application router. Whatever is
//! configured becomes a path of this host: neither `//evil` nor `https://evil` leads away from it.

use http::HeaderValue;

use super::target::encoded;
use crate::request::{Malformed, Target};

/// A compiled `welcomeFile`.
#[derive(Debug)]
pub struct Welcome {
    target: Target,
    location: HeaderValue,
}

impl Welcome {
    /// Understands a `welcomeFile`.
    ///
    /// # Errors
    /// Why it is no canonical path.
    pub fn compile(file: &str) -> Result<Self, Malformed> {
        let path = format!("/{}", encoded(file.trim_start_matches(['/', '\\'])));
        let location = HeaderValue::try_from(path.as_str()).map_err(|_| Malformed::TargetForm)?;
        Ok(Self { target: Target::parse(&path)?, location })
    }

    /// The path, and query if it has one.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// `Location` of the redirect, for requests that no path prefix was taken from.
    #[must_use]
    pub fn location(&self) -> &HeaderValue {
        &self.location
    }

    /// `Location` of the redirect behind `prefix`, a canonical path such as `/t/acme`.
    #[must_use]
    pub fn location_behind(&self, prefix: &str) -> HeaderValue {
        let prefixed = format!("{}{}", prefix.trim_end_matches('/'), self.target);
        HeaderValue::try_from(prefixed).unwrap_or_else(|_| self.location.clone())
    }
}
