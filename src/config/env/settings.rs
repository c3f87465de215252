//! The variables that are known, what values they take, and what they say.
//!
//! Every variable documented for `xs-app.json` routers is here: those that are used, those of features
//! that are not there yet (checked, then noted), and those that ask for nothing here (noted as ignored,
//! with the reason of [`documented`]).

use super::super::decode::{Decoder, Node};
use super::super::documented;
use super::super::file::bindings::{self, Binding};
use super::super::file::cors;
use super::super::file::destinations::{self, Destination};
use super::super::file::origin::Origin;
use super::super::file::plugins;
use super::super::file::route::Route;
use super::super::file::websockets;
use super::super::text::{Located, Mark};
use super::Variables;
use super::answers::AnswerVariables;
use super::sessions::SessionVariables;

/// What the environment says.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) destinations: Vec<Destination>,
    pub(crate) plugins: Vec<Route>,
    pub(crate) bindings: Vec<Binding>,
    /// The hosts of the application's own routes on Cloud Foundry.
    pub(crate) application_uris: Vec<Box<str>>,
    pub(crate) tenant_host_pattern: Option<Located<Box<str>>>,
    pub(crate) destination_host_pattern: Option<Located<Box<str>>>,
    pub(crate) uaa_service_name: Option<Located<Box<str>>>,
    /// In milliseconds.
    pub(crate) incoming_connection_timeout: Option<Located<u64>>,
    /// In milliseconds.
    pub(crate) incoming_request_timeout: Option<Located<u64>>,
    /// Whose pages may open WebSockets.
    pub(crate) websocket_origins: Option<Located<Vec<Origin>>>,
    /// What is said about answers.
    pub(crate) answers: AnswerVariables,
    /// How long an idle connection stays, in milliseconds; wins over the time of all connections.
    pub(crate) server_keep_alive: Option<Located<u64>>,
    /// Whether a reverse proxy of the outside says in `x-custom-host` which host is the tenant's.
    pub(crate) external_reverse_proxy: Option<Located<bool>>,
    /// Who may ask from another origin, where `xs-app.json` does not say.
    pub(crate) cors: Option<cors::Rules>,
    /// Whose frames pages may be in; `None` where nothing is said.
    pub(crate) framing_origins: Option<Located<Vec<Origin>>>,
    /// For how many seconds the token of a login must at least be good.
    pub(crate) minimum_token_validity: Option<Located<u64>>,
    /// What is said about login and sessions.
    pub(crate) sessions: SessionVariables,
}

/// What value a variable takes.
#[derive(Clone, Copy)]
enum Kind {
    /// Anything.
    Text,
    /// JSON, `true` or `false`.
    Flag,
    /// A list of strings.
    Words,
    /// Any JSON.
    Json,
}

/// Variables of features that are not there yet.
const LATER: &[(&str, Kind)] =
    &[("CLIENT_CERTIFICATE_HEADER_NAME", Kind::Text), ("SUBSCRIPTION_URL_REPLACEMENT_RULES", Kind::Text)];

/// What value a variable takes that has no effect; a wrong one is an error all the same.
fn ignored_kind(name: &str) -> Kind {
    match name {
        "STORE_CSRF_IN_EXTERNAL_SESSION"
        | "SERVICE_2_APPROUTER"
        | "REMOVE_CLASHING_BACKEND_SESSION_COOKIE" => Kind::Flag,
        "DIRECT_ROUTING_URI_PATTERNS" => Kind::Words,
        "OWN_SAP_CLOUD_SERVICE" | "OUTGOING_REQUEST_OPTIONS" => Kind::Json,
        _ => Kind::Text,
    }
}

impl Settings {
    /// Reads every known variable.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, variables: &Variables<'_>) -> Self {
        decode_later(d, variables);
        // Credentials are read once with the configuration, whether this says so or not.
        variables.json(d, "CACHE_SERVICE_CREDENTIALS", flag);
        variables.json(d, "PORT", |d, node| d.integer(node, 0..=65535));
        variables.json(d, "DISABLE_CONNECTION_REUSE", flag);
        if variables.environment.value("DESTINATIONS").is_some()
            && let Some(mark) = mark_of(d, variables, "DESTINATIONS")
        {
            d.findings.warning(mark, "misspelt_variable", "this is not read; it is called `destinations`");
        }
        Self {
            destinations: variables.json(d, "destinations", destinations::decode).unwrap_or_default(),
            plugins: variables.json(d, "plugins", plugins::decode).unwrap_or_default(),
            bindings: variables.json(d, "VCAP_SERVICES", bindings::decode_vcap).unwrap_or_default(),
            application_uris: variables.json(d, "VCAP_APPLICATION", application_uris).unwrap_or_default(),
            tenant_host_pattern: variables.text(d, "TENANT_HOST_PATTERN"),
            destination_host_pattern: variables.text(d, "DESTINATION_HOST_PATTERN"),
            uaa_service_name: variables.text(d, "UAA_SERVICE_NAME"),
            incoming_connection_timeout: whole(d, variables, "INCOMING_CONNECTION_TIMEOUT"),
            incoming_request_timeout: whole(d, variables, "INCOMING_REQUEST_TIMEOUT"),
            websocket_origins: variables.json(d, "WS_ALLOWED_ORIGINS", websockets::origins),
            answers: AnswerVariables::decode(d, variables),
            server_keep_alive: whole(d, variables, "SERVER_KEEP_ALIVE"),
            external_reverse_proxy: located_flag(d, variables, "EXTERNAL_REVERSE_PROXY"),
            cors: variables.json(d, "CORS", cors::decode),
            framing_origins: variables.json(d, "CJ_PROTECT_WHITELIST", framing_origins),
            minimum_token_validity: whole(d, variables, "MINIMUM_TOKEN_VALIDITY"),
            sessions: SessionVariables::decode(d, variables),
        }
    }
}

fn whole(d: &mut Decoder<'_, '_>, variables: &Variables<'_>, name: &str) -> Option<Located<u64>> {
    variables
        .json(d, name, |d, node| Some(Located { value: d.integer(node, 0..=u64::MAX)?, mark: node.mark() }))
}

fn located_flag(d: &mut Decoder<'_, '_>, variables: &Variables<'_>, name: &str) -> Option<Located<bool>> {
    variables.json(d, name, |d, node| Some(Located { value: d.boolean(node)?, mark: node.mark() }))
}

fn framing_origins(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Located<Vec<Origin>>> {
    Some(Located { value: d.list(node, Origin::decode)?, mark: node.mark() })
}

/// `true` or `false`.
pub(super) fn flag(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<bool> {
    d.boolean(node)
}

/// The hosts of the application's own routes, without paths.
fn application_uris(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Vec<Box<str>>> {
    let application = d.map(node)?;
    let uris = application.take("application_uris").or_else(|| application.take("uris"))?;
    d.list(uris, |_, node| node.as_str().map(Box::from))
}

fn mark_of(d: &mut Decoder<'_, '_>, variables: &Variables<'_>, name: &str) -> Option<Mark> {
    variables.text(d, name).map(|text| text.mark)
}

fn check(d: &mut Decoder<'_, '_>, variables: &Variables<'_>, name: &str, kind: Kind) -> Option<Mark> {
    match kind {
        Kind::Text => mark_of(d, variables, name),
        Kind::Flag => variables.json(d, name, |d, node| d.boolean(node).map(|_| node.mark())),
        Kind::Words => variables.json(d, name, |d, node| d.list(node, Decoder::text).map(|_| node.mark())),
        Kind::Json => variables.json(d, name, |_, node| Some(node.mark())),
    }
}

fn decode_later(d: &mut Decoder<'_, '_>, variables: &Variables<'_>) {
    for &(name, kind) in LATER {
        if let Some(mark) = check(d, variables, name, kind) {
            d.findings.unsupported(mark, &format!("`{name}`"));
        }
    }
    for documented::Documented { name, words, instead, .. } in documented::ignored_variables() {
        if let Some(mark) = check(d, variables, name, ignored_kind(name)) {
            let finding =
                d.findings.note(mark, "ignored_variable", format!("`{name}` has no effect: {words}"));
            if !instead.is_empty() {
                finding.hint(*instead);
            }
        }
    }
}
