//! Which authorization servers are bound, and what the bindings say.
//!
//! One XSUAA and one IAS count: by `UAA_SERVICE_NAME`, else the first. Services of features that are not
//! there yet are noted.

use std::sync::Arc;

use super::super::env::settings::Settings;
use super::super::file::bindings::Binding;
use super::super::text::Mark;
use super::Compiler;
use crate::auth::{ClientAuthentication, ClientCertificate, IssuerKind, IssuerSpec, KeySource, XsuaaBinding};
use crate::secret::Secret;

/// The bound authorization servers.
#[derive(Debug, Default)]
pub(super) struct Bound {
    pub(super) xsuaa: Option<Server>,
    pub(super) ias: Option<Server>,
}

/// One bound authorization server.
#[derive(Debug)]
pub(super) struct Server {
    /// Where the binding stands.
    pub(super) mark: Mark,
    /// It as an issuer.
    pub(super) issuer: IssuerSpec,
    /// `$XSAPPNAME`.
    pub(super) application: Option<String>,
    /// Whose subaccount it is.
    pub(super) zone: Zone,
    /// Whether each tenant has a zone of its own.
    pub(super) shared: bool,
}

/// The provider's identity zone.
#[derive(Debug, Default)]
pub(super) struct Zone {
    /// Its subdomain.
    pub(super) name: Option<String>,
    /// Its id.
    pub(super) id: Option<String>,
}

impl Bound {
    /// Looks through the bindings.
    pub(super) fn find(compiler: &mut Compiler<'_>) -> Self {
        let settings = &compiler.model.settings;
        let chosen = settings.uaa_service_name.as_ref();
        let (xsuaa, ias) = servers(settings);
        if let (Some(name), None) = (chosen, xsuaa) {
            let message = format!("no bound service is called `{}`", name.value);
            compiler.findings.warning(name.mark, "unknown_service", message);
        }
        for binding in &settings.bindings {
            if binding.is("saas-registry") || binding.is("subscription-manager") {
                compiler.findings.unsupported(binding.mark, &format!("the service `{}`", binding.label));
            }
            if &*binding.label == "html5-apps-repo" {
                refuse_repository(compiler, binding);
            }
        }
        if let Some(development) = &compiler.model.development {
            return super::development::bound(compiler, development, xsuaa, ias);
        }
        Self {
            xsuaa: xsuaa.and_then(|binding| xsuaa_server(compiler, binding)),
            ias: ias.and_then(|binding| ias_server(compiler, binding)),
        }
    }

    /// The one that signs tokens where the tenants say nothing.
    pub(super) fn server(&self) -> Option<&Server> {
        self.xsuaa.as_ref().or(self.ias.as_ref())
    }

    /// `$XSAPPNAME`.
    pub(super) fn application(&self) -> Option<&str> {
        self.xsuaa.as_ref()?.application.as_deref()
    }
}

/// The bindings of the XSUAA and the IAS that count.
fn servers(settings: &Settings) -> (Option<&Binding>, Option<&Binding>) {
    let is_chosen = |binding: &&Binding| match &settings.uaa_service_name {
        Some(name) => name.value == binding.name,
        None => binding.is("xsuaa"),
    };
    let ias = settings.bindings.iter().find(|binding| binding.is("identity"));
    (settings.bindings.iter().find(is_chosen), ias)
}

/// The certificate of the bound authorization server, which backends may ask for; of the IAS where there
/// are two, because it is the IAS whose tokens are good only together with it.
pub(super) fn certificate(compiler: &Compiler<'_>) -> Option<Arc<ClientCertificate>> {
    let (xsuaa, ias) = servers(&compiler.model.settings);
    let read = |binding: &Binding| {
        let (certificate, key) = (binding.credential("certificate")?, binding.credential("key")?);
        ClientCertificate::from_pem(&Secret::new(certificate), &Secret::new(key)).ok()
    };
    ias.into_iter().chain(xsuaa).find_map(read).map(Arc::new)
}

/// The applications of the repository would all be 404, so nobody should find out by that.
fn refuse_repository(compiler: &mut Compiler<'_>, binding: &Binding) {
    let message = "the HTML5 Application Repository is bound, and not supported: none of its applications \
                   would be served";
    compiler
        .findings
        .error(binding.mark, "unsupported_service", message)
        .hint("serve the built applications with `localDir`, and take the binding away");
}

/// A credential that there must be.
pub(super) fn required(compiler: &mut Compiler<'_>, binding: &Binding, key: &str) -> Option<String> {
    let found = binding.credential(key).map(str::to_owned);
    if found.is_none() {
        let message = format!("the credentials of `{}` have no `{key}`", binding.name);
        compiler.findings.error(binding.mark, "missing_credential", message);
    }
    found
}

fn xsuaa_server(compiler: &mut Compiler<'_>, binding: &Binding) -> Option<Server> {
    let text = |key| binding.credential(key).map(str::to_owned);
    let url = required(compiler, binding, "url");
    let client = required(compiler, binding, "clientid");
    let application = required(compiler, binding, "xsappname")?;
    let (url, client_id) = (url?, client?);
    let shared = binding.credential("tenantmode") == Some("shared");
    let kind = IssuerKind::Xsuaa(XsuaaBinding {
        client_id: client_id.clone(),
        xsappname: application.clone(),
        uaa_domain: text("uaadomain"),
        shared,
        cert_url: text("certurl"),
        verification_key: text("verificationkey"),
    });
    let id = ["identityzoneid", "zoneid", "tenantid"].into_iter().find_map(text);
    Some(Server {
        mark: binding.mark,
        issuer: IssuerSpec { authentication: proof(compiler, binding)?, ..issuer(kind, url, client_id) },
        application: Some(application),
        zone: Zone { name: text("identityzone"), id },
        shared,
    })
}

fn ias_server(compiler: &mut Compiler<'_>, binding: &Binding) -> Option<Server> {
    let text = |key| binding.credential(key).map(str::to_owned);
    let url = required(compiler, binding, "url");
    let client_id = required(compiler, binding, "clientid")?;
    let id = ["app_tid", "zone_uuid"].into_iter().find_map(text);
    Some(Server {
        mark: binding.mark,
        issuer: IssuerSpec {
            authentication: proof(compiler, binding)?,
            ..issuer(IssuerKind::Ias, url?, client_id)
        },
        application: None,
        zone: Zone { name: None, id },
        shared: false,
    })
}

/// How the application proves that it is the client; `None` where that does not compile.
fn proof(compiler: &mut Compiler<'_>, binding: &Binding) -> Option<ClientAuthentication> {
    if let Some(secret) = binding.credential("clientsecret") {
        return Some(ClientAuthentication::Secret(Secret::new(secret)));
    }
    let (Some(certificate), Some(key)) = (binding.credential("certificate"), binding.credential("key"))
    else {
        let message = format!(
            "the credentials of `{}` have neither `clientsecret` nor `certificate` and `key`: tokens are \
             checked, but most servers let nobody log in",
            binding.name
        );
        compiler.findings.warning(binding.mark, "missing_credential", message);
        return Some(ClientAuthentication::None);
    };
    match ClientCertificate::from_pem(&Secret::new(certificate), &Secret::new(key)) {
        Ok(certificate) => Some(ClientAuthentication::Certificate(Arc::new(certificate))),
        Err(error) => {
            let message = format!("the certificate of `{}` cannot be used: {error}", binding.name);
            compiler.findings.error(binding.mark, "unusable_certificate", message);
            None
        }
    }
}

/// A bound server as an issuer.
pub(super) fn issuer(kind: IssuerKind, url: String, client_id: String) -> IssuerSpec {
    IssuerSpec {
        kind,
        url,
        keys: KeySource::Discovered,
        client_id: Some(client_id),
        audience: Vec::new(),
        algorithms: Vec::new(),
        tenant_claim: None,
        authentication: ClientAuthentication::None,
        scopes: Vec::new(),
    }
}
