//! The keys of `xs-app.json` about login, logout and sessions.
//!
//! Knows what they hold and that they go together; paths are made canonical where everything is known.
//! `destinations` is here because its only keys are about logout.

use super::super::decode::{Decoder, Fields, Node};
use super::super::text::{Located, Mark};

pub(crate) const LOGIN: &[&str] = &["callbackEndpoint"];
pub(crate) const LOGOUT: &[&str] =
    &["logoutEndpoint", "logoutPage", "logoutMethod", "csrfProtection", "backChannelLogoutEndpoint"];
pub(crate) const DESTINATION: &[&str] = &["logoutPath", "logoutMethod"];
/// The methods by which a backend may be told of a logout.
pub(super) const METHODS: [(&str, &str); 3] = [("POST", "POST"), ("PUT", "PUT"), ("GET", "GET")];

/// `logout`.
#[derive(Debug, Default)]
pub(crate) struct Logout {
    pub(crate) endpoint: Option<Located<Box<str>>>,
    pub(crate) page: Option<Located<Box<str>>>,
    /// `logoutMethod: POST`.
    pub(crate) post: bool,
    pub(crate) csrf: Option<bool>,
    pub(crate) back_channel: Option<Located<Box<str>>>,
}

/// One section of `destinations`.
#[derive(Debug)]
pub(crate) struct Section {
    /// The destination's name, which a route must use.
    pub(crate) name: Located<Box<str>>,
    pub(crate) logout_path: Option<Located<Box<str>>>,
    /// `POST`, `PUT` or `GET`.
    pub(crate) logout_method: Option<&'static str>,
}

/// Where `stateProtection: false` stands.
pub(crate) fn state_protection(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> Option<Mark> {
    let node = fields.take("stateProtection")?;
    (d.boolean(node) == Some(false)).then(|| node.mark())
}

/// `sessionTimeout`, in minutes.
pub(crate) fn session_timeout(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> Option<Located<u64>> {
    let node = fields.take("sessionTimeout")?;
    Some(Located { value: d.integer(node, 0..=u64::MAX)?, mark: node.mark() })
}

/// `login.callbackEndpoint`.
pub(crate) fn callback(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> Option<Located<Box<str>>> {
    let login = d.fields(fields.take("login")?, LOGIN)?;
    d.required(&login, "callbackEndpoint").and_then(|node| d.text(node))
}

impl Logout {
    /// Reads `logout`.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        let fields = d.fields(node, LOGOUT)?;
        let endpoint = fields.take("logoutEndpoint").and_then(|node| d.text(node));
        let back_channel = fields.take("backChannelLogoutEndpoint").and_then(|node| d.text(node));
        let page = decode_page(d, &fields);
        let post =
            fields.take("logoutMethod").and_then(|node| d.word(node, &[("GET", false), ("POST", true)]));
        let post = post.is_some_and(|post| post.value);
        let csrf = fields.take("csrfProtection");
        if let Some(node) = csrf.filter(|_| !post) {
            let message = "`csrfProtection` needs `logoutMethod: POST`";
            d.findings.error(node.mark(), "needs_post", message);
        }
        Some(Self { endpoint, page, post, csrf: csrf.and_then(|node| d.boolean(node)), back_channel })
    }
}

fn decode_page(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> Option<Located<Box<str>>> {
    let page = fields.take("logoutPage").and_then(|node| d.text(node))?;
    let scheme = page.value.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if scheme.is_some_and(|scheme| scheme != "http" && scheme != "https") {
        d.findings.error(page.mark, "unusable_url", "only http and https can be logged out to");
        return None;
    }
    Some(page)
}

/// The `destinations` section.
pub(crate) fn destinations(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Vec<Section>> {
    let map = d.map(node)?;
    let mut sections = Vec::new();
    for (name, mark, node) in map.entries() {
        let fields = d.fields(node, DESTINATION);
        let take = |key| fields.as_ref().and_then(|fields| fields.take(key));
        sections.push(Section {
            name: Located { value: name.into(), mark },
            logout_path: take("logoutPath").and_then(|node| d.text(node)),
            logout_method: take("logoutMethod")
                .and_then(|node| d.word(node, &METHODS))
                .map(|word| word.value),
        });
    }
    Some(sections)
}
