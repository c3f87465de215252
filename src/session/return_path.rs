//! Where a browser goes after a login or a logout: a path here, and nothing else.
//!
//! Browsers read `/\host`, `//host` and `/<tab>/host` as another site. So a return path begins with one
//! slash, has only printable ASCII and no backslash, and lies below the tenant's prefix; what is not one
//! is not mended.

use http::HeaderValue;

/// The longest path and query that is kept through a login.
const MAX_LENGTH: usize = 2_048;

/// A path and query of the same tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath(Box<str>);

impl ReturnPath {
    /// `text` as a path below `prefix`, which is `/` or a tenant's prefix; nothing where a browser could
    /// read anything else into it.
    #[must_use]
    pub fn parse(text: &str, prefix: &str) -> Option<Self> {
        let printable = text.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
        (text.len() <= MAX_LENGTH && printable && has_one_root(text) && is_below(text, prefix))
            .then(|| Self(text.into()))
    }

    /// The tenant's own root.
    #[must_use]
    pub fn root(prefix: &str) -> Self {
        let root = if prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
        Self::parse(&root, prefix).unwrap_or_else(|| Self("/".into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path for a `Location`.
    #[must_use]
    pub fn location(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("/"))
    }
}

/// Whether the path begins with one slash and stays below it: dot segments are dropped by browsers, and
/// what is left may begin with two.
fn has_one_root(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let mut segments = path.split('/');
    segments.next() == Some("")
        && path.starts_with('/')
        && !path.starts_with("//")
        && !segments.any(|segment| {
            let dots = segment.to_ascii_lowercase().replace("%2e", ".");
            matches!(dots.as_str(), "." | "..")
        })
}

fn is_below(text: &str, prefix: &str) -> bool {
    let Some(rest) = text.strip_prefix(prefix.trim_end_matches('/')) else { return false };
    rest.is_empty() || rest.starts_with(['/', '?', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_here_are_return_paths() {
        let rows = [
            ("/", true, "the root"),
            ("/a/b?c=d&e=/f", true, "a path and a query"),
            ("/a//b", true, "two slashes further in stay here"),
            ("/?next=https://e.example/", true, "what a query says is the application's"),
            ("//e.example", false, "a host"),
            ("///e.example", false, "a host to browsers"),
            ("/\\e.example", false, "a backslash is a slash to browsers"),
            ("\\\\e.example", false, "and two are two"),
            ("/\t/e.example", false, "browsers drop tabs"),
            ("/\n/e.example", false, "and line ends"),
            (" //e.example", false, "and leading blanks"),
            ("https:e.example", false, "a scheme"),
            ("https://e.example/", false, "a whole URL"),
            ("javascript:alert(1)", false, "a script"),
            ("e.example", false, "no slash"),
            ("", false, "nothing"),
            ("/.//e.example", false, "a dot segment, of which two slashes are left"),
            ("/a/..//e.example", false, "two dots, of which two slashes are left"),
            ("/%2e//e.example", false, "an escaped dot is a dot segment to browsers"),
            ("/%2E%2e/b", false, "in any case"),
            ("/\u{2215}e.example", false, "a slash of another script"),
            ("/ü", false, "not escaped"),
            ("?a=b", false, "a query alone"),
            ("#a", false, "a fragment alone"),
        ];
        for (text, expected, shows) in rows {
            assert_eq!(ReturnPath::parse(text, "/").is_some(), expected, "{text:?}: {shows}");
        }
    }

    #[test]
    fn a_return_path_lies_below_the_tenants_prefix() {
        let rows = [
            ("/t/acme/a", true, "below"),
            ("/t/acme", true, "the prefix itself"),
            ("/t/acme?a", true, "with a query"),
            ("/t/acme-other/a", false, "another tenant whose key begins alike"),
            ("/t/other/a", false, "another tenant"),
            ("/", false, "above"),
        ];
        for (text, expected, shows) in rows {
            for prefix in ["/t/acme", "/t/acme/"] {
                assert_eq!(ReturnPath::parse(text, prefix).is_some(), expected, "{text:?}: {shows}");
            }
        }
        assert_eq!(ReturnPath::root("/t/acme").as_str(), "/t/acme/");
        assert_eq!(ReturnPath::root("/").as_str(), "/");
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        assert!(ReturnPath::parse(&format!("/{}", "a".repeat(2_047)), "/").is_some());
        assert!(ReturnPath::parse(&format!("/{}", "a".repeat(2_048)), "/").is_none());
    }
}
