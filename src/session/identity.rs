//! Who a caller is, in its issuer's words.
//!
//! It is the same whether the caller brings a token or a session: what follows in the pipeline asks for
//! a name or a scope and need not know. It holds no proof; that the words were checked is known by who
//! holds it.

use http::HeaderValue;

/// A caller whose token was verified.
#[derive(Clone, Debug)]
pub struct Identity {
    /// `sub`.
    pub subject: Option<Box<str>>,
    /// The user's name, as the backend gets it; `None` for tokens of machines.
    pub user_name: Option<HeaderValue>,
    /// The user's address, as the backend gets it; `None` where the issuer says it is not verified.
    pub email: Option<HeaderValue>,
    /// `given_name`.
    pub given_name: Option<Box<str>>,
    /// `family_name`.
    pub family_name: Option<Box<str>>,
    /// The client that the token was issued to.
    pub client: Option<Box<str>>,
    /// When the token expires, in seconds since the epoch; no leeway is in it.
    pub expires: u64,
    /// `Bearer` and the token, for `forwardAuthToken`.
    pub bearer: HeaderValue,
    /// What the caller may do.
    pub scopes: Box<[Box<str>]>,
}

impl Identity {
    /// Whether the caller has `scope`.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| **granted == *scope)
    }

    /// Every scope.
    #[must_use]
    pub fn scopes(&self) -> &[Box<str>] {
        &self.scopes
    }
}
