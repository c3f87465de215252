//! Who signs the tokens of which tenant.
//!
//! A tenant's own issuer is its keys over those of the defaults; the defaults are those of
//! `xs-tenants.json`, else the bound authorization server.

use std::sync::Arc;

use super::super::file::issuer::{Issuer as Written, IssuerType};
use super::super::text::{Located, Mark};
use super::Compiler;
use super::bound::{Bound, Server};
use super::tenants::Rows;
use crate::auth::{
    Algorithm, ClientAuthentication, IssuerError, IssuerKind, IssuerSpec, Issuers, IssuersBuilder, KeySource,
    SigningKey,
};
use crate::tenant::{Directory, Tenant, TenantHeaders};

/// Issuers on their way.
pub(super) struct Gathered {
    builder: IssuersBuilder,
    any: bool,
    defaults_mark: Option<Mark>,
}

/// Compiles the defaults and each tenant's own issuer.
pub(super) fn gather(
    compiler: &mut Compiler<'_>,
    bound: &Bound,
    rows: &mut Rows<'_>,
    headers: &TenantHeaders,
) -> Gathered {
    let count = rows.iter().len();
    let mut gathered = Gathered { builder: Issuers::builder(count), any: false, defaults_mark: None };
    if let Some(development) = &compiler.model.development {
        let spec = super::development::issuer(compiler, development, bound);
        gathered.stand_in(compiler, spec);
        return gathered;
    }
    let defaults = compiler.tenants.defaults.issuer.as_ref();
    gathered.defaults(compiler, bound, defaults);
    let headers = Arc::new(headers.clone());
    for row in rows.iter_mut() {
        let Some(own) = &row.written.issuer else { continue };
        let merged = defaults.map_or_else(|| own.as_ref().clone(), |defaults| own.or(defaults));
        let before = compiler.findings.errors();
        if let Some(spec) = spec(compiler, bound, &merged) {
            let tenant = Tenant::new(
                row.spec(compiler.tenants.defaults.limits),
                Some(row.index),
                Arc::clone(&headers),
            );
            if let Err(error) = gathered.builder.tenant(&tenant, &spec) {
                refuse(compiler, &merged, &error);
            }
            gathered.any = true;
        }
        row.broken |= compiler.findings.contain(before);
    }
    gathered
}

impl Gathered {
    /// Whether anybody signs tokens.
    pub(super) fn any(&self) -> bool {
        self.any
    }

    fn defaults(&mut self, compiler: &mut Compiler<'_>, bound: &Bound, written: Option<&Written>) {
        match (written, bound.server()) {
            // Defaults without an address are for tenants to complete.
            (Some(written), None) if written.url.is_none() => {}
            (Some(written), _) => {
                self.defaults_mark = Some(written.mark);
                let Some(spec) = spec(compiler, bound, written) else { return };
                self.any = true;
                if let Err(error) = self.builder.defaults(spec) {
                    refuse(compiler, written, &error);
                }
            }
            (None, Some(server)) => self.bound(compiler, server),
            (None, None) => {}
        }
    }

    fn bound(&mut self, compiler: &mut Compiler<'_>, server: &Server) {
        self.any = true;
        self.defaults_mark = Some(server.mark);
        if let Err(error) = self.builder.defaults(server.issuer.clone()) {
            let message = format!("the binding cannot be used: {error}");
            compiler.findings.error(server.mark, "unusable_issuer", message);
        }
    }

    /// One issuer for everybody, whatever was written.
    fn stand_in(&mut self, compiler: &mut Compiler<'_>, spec: IssuerSpec) {
        self.any = true;
        if let Err(error) = self.builder.defaults(spec) {
            let message = format!("the development issuer cannot be used: {error}");
            compiler.findings.error(compiler.mark(), "unusable_issuer", message);
        }
    }

    /// The issuers, unless two tenants accept the same tokens.
    pub(super) fn build(self, compiler: &mut Compiler<'_>, directory: Option<&Directory>) -> Option<Issuers> {
        let is_tenant = |key: &str| directory.is_none_or(|directory| directory.find(key).is_some());
        let accepts = compiler.tenants.accept_unknown.is_some_and(|accept| accept.value);
        let errors = match self.builder.build(|key| accepts || is_tenant(key.as_str())) {
            Ok(issuers) => return Some(issuers),
            Err(errors) => errors,
        };
        for error in errors {
            let of_tenant = |key: &str| {
                let tenants = compiler.tenants.tenants.as_deref().unwrap_or_default();
                tenants.iter().find(|tenant| *tenant.key.value == *key).map(|tenant| tenant.key.mark)
            };
            let mark = match &error {
                IssuerError::Indistinguishable(first, second) => {
                    of_tenant(second).or_else(|| of_tenant(first))
                }
                IssuerError::SharedDefaults
                | IssuerError::MalformedUrl(_)
                | IssuerError::Downgrade(_)
                | IssuerError::NoAudience
                | IssuerError::Keys(_) => self.defaults_mark,
            };
            let mark = mark.or(self.defaults_mark).unwrap_or(compiler.mark());
            compiler
                .findings
                .error(mark, "indistinguishable_tenants", error.to_string())
                .hint("name the claim that tells the tenants apart: `tenantClaim`");
        }
        None
    }
}

/// The issuer that was written; `None` where it cannot be understood, which has been noticed.
fn spec(compiler: &mut Compiler<'_>, bound: &Bound, written: &Written) -> Option<IssuerSpec> {
    let kind = kind(compiler, bound, written)?;
    let base = bound.xsuaa.as_ref().filter(|_| matches!(kind, IssuerKind::Xsuaa(_)));
    let url = match (&written.url, base) {
        (Some(url), _) => url.value.to_string(),
        (None, Some(server)) => server.issuer.url.clone(),
        (None, None) => {
            compiler.findings.error(
                written.mark,
                "missing_key",
                "`url` is missing, here and in the defaults",
            );
            return None;
        }
    };
    let keys = match (&written.jwks, &written.jwks_uri) {
        (Some(set), None) => KeySource::Inline(set.value.to_string()),
        (None, Some(uri)) => KeySource::At(uri.value.to_string()),
        (None, None) => KeySource::Discovered,
        (Some(set), Some(_)) => {
            let message = "an issuer has either `jwks` or `jwksUri`, not both";
            compiler.findings.error(set.mark, "two_key_sets", message);
            return None;
        }
    };
    Some(IssuerSpec {
        kind,
        url,
        keys,
        client_id: written.client_id.as_ref().map(|client| client.value.to_string()),
        audience: written.audience.iter().flatten().map(ToString::to_string).collect(),
        algorithms: algorithms(compiler, written.algorithms.as_ref())?,
        tenant_claim: written.tenant_claim.as_ref().map(|claim| claim.value.to_string()),
        authentication: authentication(compiler, written, base)?,
        scopes: written.scopes.iter().flatten().map(ToString::to_string).collect(),
    })
}

/// How the application proves that it is the client: as it was written, else as the binding says.
fn authentication(
    compiler: &mut Compiler<'_>,
    written: &Written,
    base: Option<&Server>,
) -> Option<ClientAuthentication> {
    match (&written.client_secret, &written.client_key) {
        (Some(_), Some(_)) => {
            let message = "an issuer has either `clientSecret` or `clientKey`, not both";
            compiler.findings.error(written.mark, "two_proofs", message);
            None
        }
        (Some(secret), None) => Some(ClientAuthentication::Secret(secret.clone())),
        (None, Some(pem)) => match SigningKey::from_pem(pem) {
            Ok(key) => Some(ClientAuthentication::PrivateKey(Arc::new(key))),
            Err(error) => {
                let message = format!("`clientKey` cannot be used: {error}");
                compiler.findings.error(written.mark, "unusable_key", message);
                None
            }
        },
        (None, None) => {
            Some(base.map_or(ClientAuthentication::None, |server| server.issuer.authentication.clone()))
        }
    }
}

fn kind(compiler: &mut Compiler<'_>, bound: &Bound, written: &Written) -> Option<IssuerKind> {
    match (written.kind, &bound.xsuaa) {
        (Some(IssuerType::Oidc) | None, _) => Some(IssuerKind::Oidc),
        (Some(IssuerType::Ias), _) => Some(IssuerKind::Ias),
        (Some(IssuerType::Xsuaa), Some(server)) => Some(server.issuer.kind.clone()),
        (Some(IssuerType::Xsuaa), None) => {
            let message = "an issuer of the type `xsuaa` needs an XSUAA service, which is not bound";
            compiler.findings.error(written.mark, "unknown_service", message);
            None
        }
    }
}

fn algorithms(
    compiler: &mut Compiler<'_>,
    written: Option<&Located<Vec<Box<str>>>>,
) -> Option<Vec<Algorithm>> {
    let Some(written) = written else { return Some(Vec::new()) };
    let mut algorithms = Vec::with_capacity(written.value.len());
    for name in &written.value {
        let Some(algorithm) = Algorithm::parse(name) else {
            let message = format!("`{name}` is not an algorithm that tokens may be signed with");
            let known = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
            let hint = format!("one of {}", known.join(", "));
            compiler.findings.error(written.mark, "unknown_value", message).hint(hint);
            return None;
        };
        algorithms.push(algorithm);
    }
    Some(algorithms)
}

/// Notices why an issuer does not compile, where that was written.
fn refuse(compiler: &mut Compiler<'_>, written: &Written, error: &IssuerError) {
    let text = |text: &Option<Located<Box<str>>>| text.as_ref().map(|text| text.mark);
    let mark = match error {
        IssuerError::MalformedUrl(_) => text(&written.url),
        IssuerError::Downgrade(_) => text(&written.jwks_uri),
        IssuerError::Keys(_) => text(&written.jwks),
        IssuerError::NoAudience | IssuerError::Indistinguishable(..) | IssuerError::SharedDefaults => None,
    };
    compiler.findings.error(mark.unwrap_or(written.mark), "unusable_issuer", error.to_string());
}
