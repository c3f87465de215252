//! Services that `replace` looks for.
//!
//! `replace` is not supported yet. That the service is bound is checked all the same, because a
//! configuration with a service that is not there would not start later either.

use super::super::super::file::bindings::Binding;
use super::super::super::file::route::ServiceQuery;
use super::Compiler;

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
