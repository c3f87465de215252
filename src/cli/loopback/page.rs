//! Pages: a template whose `{{name}}`s are replaced in one pass.
//!
//! One pass, so that a value that looks like a placeholder stays what it is. What goes in is HTML; text
//! that came from outside is made such by [`escape`].

/// `template` with each `{{name}}` replaced by its value; one without a value becomes nothing.
pub(in crate::cli) fn render(template: &str, values: &[(&str, &str)]) -> String {
    let mut page = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, (name, behind))) =
        rest.split_once("{{").and_then(|(before, after)| Some((before, after.split_once("}}")?)))
    {
        page.push_str(before);
        page.push_str(values.iter().find(|(given, _)| *given == name).map_or("", |(_, value)| value));
        rest = behind;
    }
    page.push_str(rest);
    page
}

/// `text` as it may stand between tags and in attributes.
pub(in crate::cli) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A colour that stays the tenant's, in degrees.
pub(in crate::cli) fn hue(tenant: &str) -> String {
    tenant.bytes().fold(226, |hue, byte| (hue * 7 + u32::from(byte)) % 360).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_templates() {
        let page = render("<p>{{a}} {{b}} {{c}}</p>", &[("a", "{{b}}"), ("b", "two")]);
        assert_eq!(page, "<p>{{b}} two </p>");
    }

    #[test]
    fn text_is_never_markup() {
        assert_eq!(escape(r#"<a href="x">&"#), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
