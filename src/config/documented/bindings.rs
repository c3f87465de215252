//! The services that are bound, and the credentials of business services.
//!
//! A binding's sample is its credentials; a credential's is the credentials that it stands in.

use super::Documented as Row;

/// The kinds of services, by label.
pub(super) const ROWS: &[Row] = &[
    Row::works(
        "xsuaa",
        r#"{"clientid": "c", "clientsecret": "s", "url": "https://u.example.com", "xsappname": "app!t1"}"#,
    ),
    Row::works("identity", r#"{"clientid": "c", "clientsecret": "s", "url": "https://i.example.com"}"#),
    Row::works(
        "destination",
        r#"{"clientid": "c", "clientsecret": "s", "url": "https://u.example.com", "uri": "https://d.example.com"}"#,
    ),
    Row::works(
        "connectivity",
        r#"{"clientid": "c", "clientsecret": "s", "url": "https://u.example.com", "onpremise_proxy_host": "p", "onpremise_proxy_port": "20003"}"#,
    ),
    Row::works("redis-cache", r#"{"hostname": "redis.example.com", "port": 6379, "password": "s"}"#),
    Row::refused(
        "html5-apps-repo",
        r#"{"uri": "https://html5.example.com"}"#,
        "the HTML5 Application Repository is not supported: its applications would all be 404",
    )
    .instead("serve the built applications with `localDir`, and take the binding away"),
    Row::refused(
        "saas-registry",
        r#"{"appId": "app!t1"}"#,
        "not supported yet: subscription callbacks are not there",
    ),
    Row::refused(
        "subscription-manager",
        r#"{"appId": "app!t1"}"#,
        "not supported yet: subscription callbacks are not there",
    ),
    Row::ignored(
        "portal",
        r#"{"uri": "https://portal.example.com"}"#,
        "it is about the HTML5 Application Repository",
    )
    .unnoted(),
    Row::ignored(
        "auditlog",
        r#"{"url": "https://audit.example.com"}"#,
        "who was refused and why is in the log of the process, with an id that the answer names",
    )
    .unnoted(),
    Row::ignored("application-logs", "{}", "the platform collects what is printed").unnoted(),
    Row::ignored("cloud-logging", "{}", "the platform collects what is printed").unnoted(),
    Row::ignored("autoscaler", "{}", "it is the platform's affair").unnoted(),
];

/// The credentials of a business service.
pub(super) const CREDENTIAL_ROWS: &[Row] = &[
    Row::works("sap.cloud.service", r#"{"sap.cloud.service": "com.example.country"}"#),
    Row::works(
        "sap.cloud.service.alias",
        r#"{"sap.cloud.service": "com.example.country", "sap.cloud.service.alias": "country"}"#,
    ),
    Row::works(
        "endpoints",
        r#"{"sap.cloud.service": "country", "endpoints": {"data": {"url": "https://c.example.com"}}}"#,
    ),
    Row::works(
        "endpoints.*.url",
        r#"{"sap.cloud.service": "country", "endpoints": {"data": {"url": "https://c.example.com"}}}"#,
    ),
    Row::works(
        "endpoints.*.timeout",
        r#"{"sap.cloud.service": "country", "endpoints": {"data": {"url": "https://c.example.com", "timeout": 120000}}}"#,
    ),
    Row::works("grant_type", r#"{"sap.cloud.service": "country", "grant_type": "client_credentials"}"#),
    Row::works("forwardiastoken", r#"{"sap.cloud.service": "country", "forwardiastoken": true}"#),
    Row::ignored(
        "html5-apps-repo",
        r#"{"sap.cloud.service": "country", "html5-apps-repo": {"app_host_id": "1bd7c044"}}"#,
        "the pages of a business service are in the HTML5 Application Repository, which is not supported",
    )
    .unnoted(),
    Row::differs(
        "saasregistryenabled",
        r#"{"sap.cloud.service": "country", "saasregistryenabled": true}"#,
        "subscribers know the service, so `client_credentials` tokens come from their zones; subscription \
         callbacks, which would name it as a dependency, are not supported yet",
    ),
];
