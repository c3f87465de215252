//! Which WebSockets are opened, and for how long.
//!
//! A list of origins takes the place of the default, which is the request's own host; an empty one lets
//! nobody in.

use std::time::Duration;

use super::Compiler;
use crate::request::origin::OriginRule;
use crate::snapshot::WebSocketRules;

/// How long nothing may pass over one where nothing else is said: as over any stream.
const IDLE: u64 = 5 * 60;
/// How long one may be open where nothing else is said.
const AGE: u64 = 24 * 60 * 60;

/// The rules, where WebSockets are enabled.
pub(super) fn compile(compiler: &mut Compiler<'_>) -> Option<WebSocketRules> {
    let origins = origins(compiler);
    let enabled = compiler.model.app.as_ref().and_then(|app| app.websockets);
    let limits = compiler.tenants.websockets;
    let time = |seconds: u64| (seconds > 0).then(|| Duration::from_secs(seconds));
    enabled?;
    Some(WebSocketRules {
        origins,
        idle: time(limits.idle.map_or(IDLE, |idle| idle.value)),
        age: time(limits.age.map_or(AGE, |age| age.value)),
    })
}

/// Compiled whether or not WebSockets are enabled, so that what is wrong is always said.
fn origins(compiler: &mut Compiler<'_>) -> Option<Box<[OriginRule]>> {
    let written = compiler.model.settings.websocket_origins.as_ref()?;
    let mut rules = Vec::with_capacity(written.value.len());
    for origin in &written.value {
        match OriginRule::new(origin.protocol.as_deref(), &origin.host.value, origin.port) {
            Ok(rule) => {
                if rule.is_for_any_host() {
                    let message =
                        "pages of every host may open WebSockets with the cookies of their visitors";
                    compiler.findings.warning(origin.host.mark, "any_origin", message);
                }
                rules.push(rule);
            }
            Err(fault) => {
                let message = format!("`{}` is not a host: {fault}", origin.host.value);
                compiler.findings.error(origin.host.mark, "unusable_host", message);
            }
        }
    }
    Some(rules.into())
}
