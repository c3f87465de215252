//! What our small pages have in common: one style sheet, and how values get into a template.
//!
//! A template's `{{name}}` are replaced from left to right in one pass, so that no value can open a
//! placeholder; whoever fills one escapes what is not its own. The style sheet is told to browsers by
//! its digest, so that a page needs no other style and nothing from outside.

/// The style sheet of every page.
pub const STYLE: &str = include_str!("page/style.css");

/// The source expression that allows [`STYLE`], and nothing else (CSP Level 3 §2.3.1).
pub const STYLE_SOURCE: &str = "'sha256-u4tuPBc+6tLzzbCOOk6vGNWPjnO5q/Yx0gPa9qwkSUQ='";

/// `template` with every `{{name}}` replaced by what `fill` adds for it.
#[must_use]
pub fn filled(template: &str, mut fill: impl FnMut(&mut String, &str)) -> String {
    let mut page = String::with_capacity(template.len() + STYLE.len() + 512);
    let mut rest = template;
    while let Some((before, (name, after))) = next_placeholder(rest) {
        page.push_str(before);
        fill(&mut page, name);
        rest = after;
    }
    page.push_str(rest);
    page
}

/// The text before the first placeholder, its name, and the text behind it.
fn next_placeholder(text: &str) -> Option<(&str, (&str, &str))> {
    let (before, rest) = text.split_once("{{")?;
    Some((before, rest.split_once("}}")?))
}

/// Adds `text` as it may stand in an element or a quoted attribute.
pub fn escape(page: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            _ if character.is_control() => page.push(char::REPLACEMENT_CHARACTER),
            _ => page.push(character),
        }
    }
}

/// Adds a link that looks like a button.
pub fn action(page: &mut String, label: &str, address: &str) {
    page.push_str("<p class=\"action\"><a href=\"");
    escape(page, address);
    page.push_str("\">");
    escape(page, label);
    page.push_str("</a></p>\n");
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_source_expression_is_that_of_the_style_sheet() {
        // In a page the element begins with a line end.
        let expected = STANDARD.encode(digest(&SHA256, format!("\n{STYLE}").as_bytes()));
        assert_eq!(STYLE_SOURCE, format!("'sha256-{expected}'"), "the style sheet changed");
    }

    #[test]
    fn values_open_neither_tags_nor_placeholders() {
        let page = filled("<p>{{a}}{{b}}</p>{{", |page, name| match name {
            "a" => escape(page, "<b>\"{{b}}\u{0}"),
            _ => page.push_str(name),
        });
        assert_eq!(page, "<p>&lt;b&gt;&quot;{{b}}\u{fffd}b</p>{{");
    }

    #[test]
    fn an_address_cannot_leave_its_attribute() {
        let mut page = String::new();
        action(&mut page, "Go <on>", "/a?b=\"c&d");
        assert_eq!(page, "<p class=\"action\"><a href=\"/a?b=&quot;c&amp;d\">Go &lt;on&gt;</a></p>\n");
    }
}
