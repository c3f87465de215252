//! Routes to bound services, and services that `replace` looks for.
//!
//! Neither is supported yet, except the user API, which is bound to nothing. That the service is bound
//! is checked all the same, because a configuration with a service that is not there would not start
//! later either.

use super::super::super::decode::nearest;
use super::super::super::file::bindings::Binding;
use super::super::super::file::route::ServiceQuery;
use super::super::super::text::Mark;
use super::Compiler;

/// The service that is always there: it says who the caller is.
pub(super) const USER_API: &str = "sap-approuter-userapi";

/// Checks that a route's service is bound, and notes that it is not supported yet.
pub(super) fn check(compiler: &mut Compiler<'_>, name: &str, mark: Mark) {
    let bindings = &compiler.model.settings.bindings;
    if bindings.iter().any(|binding| serves(binding, name)) {
        compiler.findings.unsupported(mark, &format!("the service `{name}`"));
        return;
    }
    let finding = compiler.findings.error(mark, "unknown_service", format!("no service `{name}` is bound"));
    if let Some(nearest) = nearest(name, &[USER_API]) {
        finding.hint(format!("did you mean `{nearest}`?"));
    }
}

/// `html5-apps-repo-rt` is how routes call the runtime plan of `html5-apps-repo`.
fn serves(binding: &Binding, name: &str) -> bool {
    *binding.name == *name
        || binding.is(name)
        || binding.credential("sap.cloud.service") == Some(name)
        || (name == "html5-apps-repo-rt" && binding.is("html5-apps-repo"))
}

/// Checks that a service is bound for each that `replace` looks for.
pub(super) fn check_replaced(compiler: &mut Compiler<'_>, queries: &[ServiceQuery]) {
    for query in queries {
        if !compiler.model.settings.bindings.iter().any(|binding| answers(binding, query)) {
            let message = format!("no bound service is what `{}` looks for", query.name.value);
            compiler.findings.error(query.name.mark, "unknown_service", message);
        }
    }
}

fn answers(binding: &Binding, query: &ServiceQuery) -> bool {
    query.properties.iter().all(|(property, value)| match *property {
        "name" => binding.name == *value,
        "label" => binding.label == *value,
        "plan" => binding.plan == *value,
        _ => binding.tags.contains(value),
    })
}
