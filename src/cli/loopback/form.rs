//! Parameters, as forms and queries carry them (WHATWG URL, `application/x-www-form-urlencoded`).
//!
//! A parameter that is given twice has no one value (RFC 6749 §3.1), so asking for one of them finds
//! nothing.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Names and values, decoded, in their order.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `text`; a name without `=` has an empty value.
    pub(in crate::cli) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        };
        Self(pairs.map(pair).collect())
    }

    /// The value of a parameter that is given once and not empty.
    pub(in crate::cli) fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        let value = values.next().filter(|value| !value.is_empty())?;
        values.next().is_none().then_some(value)
    }

    /// Every value of a parameter.
    pub(in crate::cli) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The name of the first parameter.
    pub(in crate::cli) fn name(&self) -> Option<&str> {
        self.0.first().map(|(name, _)| name.as_str())
    }

    /// A parameter of `names` that is given more than once.
    pub(in crate::cli) fn repeated<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.all(name).nth(1).is_some())
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// `url` with these parameters behind its own.
pub(in crate::cli) fn with_parameters(url: &str, parameters: &[(&str, &str)]) -> String {
    let mut url = url.to_owned();
    for (name, value) in parameters {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(name);
        url.push('=');
        url.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_found() {
        for (text, value, shows) in [
            ("user=alice&scope=a+b", Some("a b"), "plus is a blank"),
            ("scope=b%C3%B6b", Some("böb"), "escapes are UTF-8"),
            ("user=alice", None, "absent"),
            ("scope=&user=alice", None, "empty is absent"),
            ("scope=a&scope=a", None, "twice is not one"),
            ("%73cope=a", Some("a"), "names are decoded"),
        ] {
            assert_eq!(Form::parse(text).one("scope"), value, "{shows}");
        }
    }

    #[test]
    fn repeated_parameters_are_named() {
        let form = Form::parse("a=1&b=1&b=2&c=1&c=2");
        assert_eq!(form.repeated(&["a", "c"]), Some("c"));
        assert_eq!(form.repeated(&["a"]), None);
    }

    #[test]
    fn parameters_go_behind_those_of_the_url() {
        let url = with_parameters("http://a.localhost/cb?x=1", &[("state", "a&b"), ("code", "c")]);
        assert_eq!(url, "http://a.localhost/cb?x=1&state=a%26b&code=c");
    }
}
