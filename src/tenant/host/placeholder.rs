//! Finds placeholders of deployment templates that nobody filled in.
//!
//! Each of these compiles as a regular expression, or nearly, and would then match no host at all; a
//! person would look for the fault everywhere else.

/// Openings and closings of placeholders: `${…}`, `~{…}`, `$(…)`, `{{…}}`, `<<…>>` and `<…>`.
const PAIRS: [(&str, &str); 6] =
    [("${", "}"), ("~{", "}"), ("$(", ")"), ("{{", "}}"), ("<<", ">>"), ("<", ">")];

/// The first placeholder in a pattern.
pub(super) fn find(source: &str) -> Option<&str> {
    let enclosed = PAIRS.iter().filter_map(|(open, close)| enclosed(source, open, close));
    enclosed.chain(parenthesised(source)).chain(braced(source)).min_by_key(|found| found.as_ptr())
}

fn enclosed<'s>(source: &'s str, open: &str, close: &str) -> Option<&'s str> {
    let starts = source.match_indices(open).map(|(start, _)| start);
    starts.filter(|start| !in_syntax(&source[..*start])).find_map(|start| {
        let length = source[start + open.len()..].find(close)?;
        Some(&source[start..start + open.len() + length + close.len()])
    })
}

/// Whether what stands before a `<` makes it the syntax of a named group or look-behind.
fn in_syntax(before: &str) -> bool {
    before.ends_with("(?") || before.ends_with("(?P") || before.ends_with("\\k")
}

/// `((NAME))`: two groups around a name in capitals, which no host pattern needs.
fn parenthesised(source: &str) -> Option<&str> {
    let start = source.find("((")?;
    let name = &source[start + 2..];
    let length = name.find("))")?;
    let capitals = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b' ');
    (length > 0 && name[..length].bytes().all(capitals)).then(|| &source[start..start + length + 4])
}

/// `{name}`: braces around something that is no count.
fn braced(source: &str) -> Option<&str> {
    let start = source.match_indices('{').map(|(start, _)| start).find(|start| {
        let is_name = source[start + 1..].starts_with(|c: char| c.is_ascii_alphabetic());
        is_name && !source[..*start].ends_with("\\p") && !source[..*start].ends_with("\\P")
    })?;
    let length = source[start..].find('}')?;
    Some(&source[start..=start + length])
}
