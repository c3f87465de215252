//! `scope` of a route: what a caller must be allowed to do.
//!
//! A text, an any-of list, or one of these by method with a `default`. A method that is not named takes
//! the default, and without a default it is refused; `HEAD` is not covered by `GET`. `$XSAPPNAME` is
//! replaced when the configuration compiles, so that admission compares plain texts. It knows nothing
//! of how scopes got into a token.

use http::{HeaderValue, Method};

use super::Refused;
use crate::session::Identity;

/// `scope` as the configuration writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeSpec {
    /// One of these suffices; a single text is a list of one.
    AnyOf(Vec<String>),
    /// By method; the name `default` stands for every method that is not named.
    ByMethod(Vec<(String, Vec<String>)>),
}

/// Why a `scope` does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A scope needs `$XSAPPNAME` and nothing says what the application is called.
    #[error("$XSAPPNAME in scope \"{0}\" needs an XSUAA binding with an xsappname")]
    NoApplicationName(String),
    /// `$XSAPPNAME(` without its end, or with something else than `application` or `broker` and a name.
    #[error("scope \"{0}\" is not $XSAPPNAME(application,<name>) or $XSAPPNAME(broker,<name>)")]
    MalformedReference(String),
    /// A list without scopes would admit nobody.
    #[error("an empty list of scopes admits nobody")]
    Empty,
    /// A scope with a space, a quote or another byte that no scope has (RFC 6749 §3.3).
    #[error("scope \"{0}\" has a character that scopes cannot have")]
    MalformedScope(String),
    /// Not a method.
    #[error("\"{0}\" is not an HTTP method")]
    UnknownMethod(String),
    /// A method, or the default, is named twice.
    #[error("\"{0}\" is named twice")]
    Duplicate(String),
}

/// What a caller must be allowed to do on a route.
#[derive(Clone, Debug)]
pub struct Scope {
    by_method: Vec<(Method, Rule)>,
    default: Option<Rule>,
}

/// One of these scopes suffices.
#[derive(Clone, Debug)]
struct Rule {
    any_of: Box<[Box<str>]>,
    challenge: HeaderValue,
}

impl Scope {
    /// Compiles `spec`, with `application` in the place of `$XSAPPNAME`.
    pub fn compile(spec: &ScopeSpec, application: Option<&str>) -> Result<Self, ScopeError> {
        match spec {
            ScopeSpec::AnyOf(scopes) => {
                Ok(Self { by_method: Vec::new(), default: Some(Rule::compile(scopes, application)?) })
            }
            ScopeSpec::ByMethod(rules) => Self::compile_by_method(rules, application),
        }
    }

    fn compile_by_method(
        rules: &[(String, Vec<String>)],
        application: Option<&str>,
    ) -> Result<Self, ScopeError> {
        let mut compiled = Self { by_method: Vec::with_capacity(rules.len()), default: None };
        for (name, scopes) in rules {
            let rule = Rule::compile(scopes, application)?;
            if name == "default" {
                if compiled.default.replace(rule).is_some() {
                    return Err(ScopeError::Duplicate(name.clone()));
                }
                continue;
            }
            let method: Method = name.parse().map_err(|_| ScopeError::UnknownMethod(name.clone()))?;
            if compiled.by_method.iter().any(|(named, _)| *named == method) {
                return Err(ScopeError::Duplicate(name.clone()));
            }
            compiled.by_method.push((method, rule));
        }
        Ok(compiled)
    }

    /// Admits `caller` to `method`; a caller that is nobody has no scopes.
    pub fn admit(&self, method: &Method, caller: Option<&Identity>) -> Result<(), Refused> {
        let Some(rule) = self.rule(method) else {
            return Err(Refused::MissingScope {
                challenge: HeaderValue::from_static("Bearer error=\"insufficient_scope\""),
            });
        };
        if caller.is_some_and(|caller| rule.any_of.iter().any(|scope| caller.has_scope(scope))) {
            return Ok(());
        }
        Err(Refused::MissingScope { challenge: rule.challenge.clone() })
    }

    /// The scopes of which a caller of `method` needs one; `None` where nobody is admitted.
    #[must_use]
    pub fn any_of(&self, method: &Method) -> Option<&[Box<str>]> {
        self.rule(method).map(|rule| &*rule.any_of)
    }

    /// Every scope that suffices for some method.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let rules = self.by_method.iter().map(|(_, rule)| rule).chain(&self.default);
        rules.flat_map(|rule| &rule.any_of).map(|scope| &**scope)
    }

    fn rule(&self, method: &Method) -> Option<&Rule> {
        let named = self.by_method.iter().find(|(named, _)| named == method);
        named.map(|(_, rule)| rule).or(self.default.as_ref())
    }
}

impl Rule {
    fn compile(scopes: &[String], application: Option<&str>) -> Result<Self, ScopeError> {
        if scopes.is_empty() {
            return Err(ScopeError::Empty);
        }
        let any_of = scopes
            .iter()
            .map(|scope| resolve(scope, application).map(String::into_boxed_str))
            .collect::<Result<Box<[_]>, _>>()?;
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", any_of.join(" "));
        let challenge =
            HeaderValue::try_from(challenge).map_err(|_| ScopeError::MalformedScope(scopes.join(" ")))?;
        Ok(Self { any_of, challenge })
    }
}

/// `scope` with the application's name in the place of `$XSAPPNAME`.
fn resolve(scope: &str, application: Option<&str>) -> Result<String, ScopeError> {
    let resolved = match scope.strip_prefix("$XSAPPNAME") {
        None => scope.to_owned(),
        Some(rest) => {
            let own = application.ok_or_else(|| ScopeError::NoApplicationName(scope.to_owned()))?;
            match rest.strip_prefix('(') {
                None => format!("{own}{rest}"),
                Some(reference) => other_application(reference, own)
                    .ok_or_else(|| ScopeError::MalformedReference(scope.to_owned()))?,
            }
        }
    };
    if resolved.is_empty() || !resolved.bytes().all(is_scope_byte) {
        return Err(ScopeError::MalformedScope(scope.to_owned()));
    }
    Ok(resolved)
}

/// `application,name).scope` or `broker,name).scope`: another application of the same landscape, whose
/// registered name ends in `!t…` or `!b…` with our own index.
fn other_application(reference: &str, own: &str) -> Option<String> {
    let (inside, rest) = reference.split_once(')')?;
    let (plan, name) = inside.split_once(',')?;
    let mark = match plan.trim() {
        "application" => 't',
        "broker" => 'b',
        _ => return None,
    };
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    match own.rsplit_once('!') {
        Some((_, index)) if !name.contains('!') => {
            Some(format!("{name}!{mark}{}{rest}", index.trim_start_matches(|c: char| !c.is_ascii_digit())))
        }
        Some(_) | None => Some(format!("{name}{rest}")),
    }
}

/// A byte of a scope (RFC 6749 §3.3).
fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

#[cfg(test)]
mod tests;
