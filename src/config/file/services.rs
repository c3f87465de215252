//! The `services` of `xs-app.json`: which endpoint of a bound service is meant, and where it hears of
//! logouts.
//!
//! What a service is stands in its binding, not here. Whether it is bound and has the endpoint is judged
//! when everything is known.

use super::super::decode::{Decoder, Node};
use super::super::text::Located;
use super::login;

pub(crate) const SERVICE: &[&str] = &["endpoint", "logoutPath", "logoutMethod"];

/// One section of `services`.
#[derive(Debug)]
pub(crate) struct Section {
    /// The service's name, as routes call it.
    pub(crate) name: Located<Box<str>>,
    /// The endpoint where a route names none.
    pub(crate) endpoint: Option<Located<Box<str>>>,
    pub(crate) logout_path: Option<Located<Box<str>>>,
    /// `POST`, `PUT` or `GET`.
    pub(crate) logout_method: Option<&'static str>,
}

/// Reads `services`.
pub(crate) fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Vec<Section>> {
    let map = d.map(node)?;
    let mut sections = Vec::new();
    for (name, mark, node) in map.entries() {
        let fields = d.fields(node, SERVICE);
        let take = |key| fields.as_ref().and_then(|fields| fields.take(key));
        sections.push(Section {
            name: Located { value: name.into(), mark },
            endpoint: take("endpoint").and_then(|node| d.text(node)),
            logout_path: take("logoutPath").and_then(|node| d.text(node)),
            logout_method: take("logoutMethod")
                .and_then(|node| d.word(node, &login::METHODS))
                .map(|word| word.value),
        });
    }
    Some(sections)
}
