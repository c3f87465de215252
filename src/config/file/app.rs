//! `xs-app.json`: routes and behaviour.
//!
//! Knows which keys there are and what they hold.

use super::super::decode::{Decoder, Fields, Node};
use super::super::text::{Located, Mark};
use super::answers::Answers;
use super::cors;
use super::login::{self, Logout, Section};
use super::route::Route;
use super::services;
use super::websockets;

/// The keys of `xs-app.json`.
pub(crate) const KEYS: &[&str] = &[
    "welcomeFile",
    "authenticationMethod",
    "stateProtection",
    "sessionTimeout",
    "routes",
    "login",
    "logout",
    "destinations",
    "services",
    "responseHeaders",
    "compression",
    "pluginMetadataEndpoint",
    "whitelistService",
    "websockets",
    "errorPage",
    "cors",
    "outgoingRequestOptions",
];

/// The keys of `whitelistService`.
pub(crate) const ALLOWLIST: &[&str] = &["endpoint"];

/// `xs-app.json`.
#[derive(Debug)]
pub(crate) struct XsApp {
    /// Where the file begins.
    pub(crate) mark: Mark,
    /// Where `/` leads.
    pub(crate) welcome: Option<Located<Box<str>>>,
    /// `authenticationMethod: none`: every route is open.
    pub(crate) open: bool,
    /// In the order they are tried; routes that are not objects are left out.
    pub(crate) routes: Vec<Route>,
    /// The sections of `destinations`; a route must use each.
    pub(crate) destinations: Vec<Section>,
    /// The sections of `services`.
    pub(crate) services: Vec<services::Section>,
    /// How long a session lives without a request, in minutes.
    pub(crate) session_timeout: Option<Located<u64>>,
    /// Where `stateProtection: false` stands.
    pub(crate) unprotected_state: Option<Mark>,
    /// Where issuers send browsers back to.
    pub(crate) callback: Option<Located<Box<str>>>,
    /// How people log out.
    pub(crate) logout: Logout,
    /// Where WebSockets are enabled.
    pub(crate) websockets: Option<Mark>,
    /// What is said about answers.
    pub(crate) answers: Answers,
    /// Who may ask from another origin.
    pub(crate) cors: Option<cors::Rules>,
    /// Where the plugins are told.
    pub(crate) plugin_metadata: Option<Located<Box<str>>>,
    /// Where a page asks whose frames it may be in.
    pub(crate) allowlist: Option<Located<Box<str>>>,
}

impl XsApp {
    /// Reads the file's value.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Self> {
        let fields = d.fields(node, KEYS)?;
        if let Some(node) = fields.take("outgoingRequestOptions") {
            ignore_request_options(d, node);
        }
        Some(Self {
            mark: fields.mark(),
            welcome: fields.take("welcomeFile").and_then(|node| d.string(node)),
            open: decode_method(d, &fields),
            routes: fields.take("routes").and_then(|node| d.list(node, Route::decode)).unwrap_or_default(),
            destinations: fields
                .take("destinations")
                .and_then(|node| login::destinations(d, node))
                .unwrap_or_default(),
            services: fields.take("services").and_then(|node| services::decode(d, node)).unwrap_or_default(),
            session_timeout: login::session_timeout(d, &fields),
            unprotected_state: login::state_protection(d, &fields),
            callback: login::callback(d, &fields),
            logout: fields.take("logout").and_then(|node| Logout::decode(d, node)).unwrap_or_default(),
            websockets: fields.take("websockets").and_then(|node| websockets::enabled(d, node)),
            answers: Answers::decode(d, &fields),
            cors: fields.take("cors").and_then(|node| cors::decode(d, node)),
            plugin_metadata: fields.take("pluginMetadataEndpoint").and_then(|node| d.text(node)),
            allowlist: fields.take("whitelistService").and_then(|node| decode_allowlist(d, node)),
        })
    }
}

/// Whether every route is open.
fn decode_method(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> bool {
    let method = fields.take("authenticationMethod");
    let method = method.and_then(|node| d.word(node, &[("none", true), ("route", false)]));
    method.is_some_and(|none| none.value)
}

/// Where the allowlist is asked.
fn decode_allowlist(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Located<Box<str>>> {
    let fields = d.fields(node, ALLOWLIST)?;
    d.required(&fields, "endpoint").and_then(|node| d.text(node))
}

/// Notes options of Node's HTTP client, which is not here.
fn ignore_request_options(d: &mut Decoder<'_, '_>, node: Node<'_>) {
    if d.map(node).is_some() {
        let message = "this has no effect: it is for the HTTP client of Node.js, which does not run here";
        d.findings.note(node.mark(), "ignored_key", message);
    }
}
