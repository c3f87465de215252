//! Whether a client would rather read a page (RFC 9110 §12.5.1).
//!
//! The most specific range that names a type decides its weight. Where HTML and JSON weigh the same, as in
//! `*/*` or without `Accept`, the answer is JSON: browsers say that they want a page, programs say nothing.

use http::{HeaderMap, header};

/// Whether HTML weighs more than both forms of JSON.
pub(super) fn prefers_html(headers: &HeaderMap) -> bool {
    let html = weight(headers, "text", "html");
    html > weight(headers, "application", "problem+json") && html > weight(headers, "application", "json")
}

/// Whether a page is taken at all, as it is where nothing is said.
pub(super) fn allows_html(headers: &HeaderMap) -> bool {
    !headers.contains_key(header::ACCEPT) || weight(headers, "text", "html") > 0
}

/// The weight of a type in thousandths; 0 when nothing names it.
fn weight(headers: &HeaderMap, kind: &str, subtype: &str) -> u16 {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let ranges = lines.flat_map(|line| line.split(','));
    let matching = ranges.filter_map(|range| {
        let (range, parameters) = range.split_once(';').unwrap_or((range, ""));
        Some((specificity(range.trim(), kind, subtype)?, quality(parameters)))
    });
    matching.max_by_key(|&(specificity, _)| specificity).map_or(0, |(_, quality)| quality)
}

/// How closely `range` names the type; `None` if it does not.
fn specificity(range: &str, kind: &str, subtype: &str) -> Option<u8> {
    let (its_kind, its_subtype) = range.split_once('/')?;
    let same = |ours: &str, theirs: &str| ours.eq_ignore_ascii_case(theirs);
    match (its_kind, its_subtype) {
        ("*", "*") => Some(0),
        (theirs, "*") => same(kind, theirs).then_some(1),
        (theirs, sub) => (same(kind, theirs) && same(subtype, sub)).then_some(2),
    }
}

/// The `q` of a range's parameters in thousandths; what cannot be read weighs nothing.
fn quality(parameters: &str) -> u16 {
    let values = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let mut qualities = values.filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    qualities.next().map_or(1000, |(_, value)| thousandths(value.trim()).unwrap_or(0))
}

/// `1`, `0.5`, `0.333` in thousandths.
fn thousandths(value: &str) -> Option<u16> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let fraction: u16 = if digits { format!("{fraction:0<3}").parse().ok()? } else { return None };
    let whole: u16 = whole.parse().ok()?;
    Some((whole.min(1) * 1000 + fraction).min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_only_for_who_prefers_it() {
        for (accept, page, shows) in [
            (
                &["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"][..],
                true,
                "a browser",
            ),
            (&[], false, "no preference"),
            (&["*/*"], false, "a program that does not care"),
            (&["application/json, text/html"], false, "both the same"),
            (&["text/html, application/json;q=0.9"], true, "a page a little more"),
            (&["text/html;q=0.5, application/json"], false, "JSON more"),
            (&["application/json;q=0.1, text/*"], true, "any text more"),
            (&["text/html;q=0, */*"], false, "no page, whatever else"),
            (&["TEXT/HTML"], true, "in any case"),
            (&["application/json;q=0.2", "text/html;q=0.3"], true, "two lines are one list"),
            (&["text/html;q=x"], false, "a weight that is none"),
            (&["text/html;q=0.9999"], false, "a weight that is too long"),
            (&["html"], false, "no range at all"),
            (&["text/html;level=1;q=0.4, */*;q=0.5"], false, "the weight behind other parameters"),
        ] {
            let mut headers = HeaderMap::new();
            for line in accept {
                headers.append(header::ACCEPT, line.parse().expect("a header value"));
            }
            assert_eq!(prefers_html(&headers), page, "{accept:?}: {shows}");
        }
    }
}
