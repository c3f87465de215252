//! What a backend is told of the tenant, prepared once.
//!
//! Names come from the configuration, values from the table; both are made before a request needs
//! them. Removing the client's copies of these names is the business of `forward`.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::Tenant;

/// The names and the form in which backends learn of the tenant; one for all tenants of a snapshot.
#[derive(Clone, Debug)]
pub struct TenantHeaders {
    /// Carries the key; `x-tenant` unless configured.
    pub key: HeaderName,
    /// Carries the id; `x-tenant-id` unless configured.
    pub id: HeaderName,
    /// Carries what the SAP application router tells; `tenantid` unless configured.
    pub sap: HeaderName,
    /// What the last one holds.
    pub form: TenantIdForm,
}

impl Default for TenantHeaders {
    fn default() -> Self {
        Self {
            key: HeaderName::from_static("x-tenant"),
            id: HeaderName::from_static("x-tenant-id"),
            sap: HeaderName::from_static("tenantid"),
            form: TenantIdForm::Id,
        }
    }
}

/// What `tenantid` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantIdForm {
    /// The tenant's id: without an XSUAA binding.
    Id,
    /// The binding's identity zone, whoever the tenant is: with a dedicated XSUAA binding.
    Zone(Arc<str>),
    /// `<identityzone>!<key>`: with a shared XSUAA binding.
    ZoneAndTenant(Arc<str>),
}

impl TenantHeaders {
    /// Every name, so that a client's own copies can be removed.
    #[must_use]
    pub fn names(&self) -> [&HeaderName; 3] {
        [&self.key, &self.id, &self.sap]
    }

    /// The lines for one tenant. A value that is no header value leaves its line out; the table refuses
    /// ids of that kind, so this concerns zones only.
    pub(super) fn prepare(&self, tenant: &Tenant) -> Box<[(HeaderName, HeaderValue)]> {
        let (Some(key), Some(id)) = (&tenant.key, &tenant.id) else { return Box::default() };
        let sap = match &self.form {
            TenantIdForm::Id => id.to_string(),
            TenantIdForm::Zone(zone) => zone.to_string(),
            TenantIdForm::ZoneAndTenant(zone) => format!("{zone}!{key}"),
        };
        [(&self.key, key.as_str()), (&self.id, id), (&self.sap, &sap)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.clone(), HeaderValue::from_str(value).ok()?)))
            .collect()
    }
}
