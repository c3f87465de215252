//! The properties of destinations: those of the environment, and those of the Destination service.
//!
//! A sample is the destination's object, without its name and URL where they do not matter.

use super::Documented as Row;

/// The keys of an entry of `destinations`.
pub(super) const ROWS: &[Row] = &[
    Row::works("name", r#"{"name": "be"}"#),
    Row::works("url", r#"{"url": "https://backend.example.com/base"}"#),
    Row::works("proxyHost", r#"{"proxyHost": "proxy", "proxyPort": "8080"}"#),
    Row::works("proxyPort", r#"{"proxyHost": "proxy", "proxyPort": 8080}"#),
    Row::works("forwardAuthToken", r#"{"forwardAuthToken": true}"#),
    Row::works("forwardAuthCertificates", r#"{"forwardAuthCertificates": true}"#),
    Row::works("strictSSL", r#"{"strictSSL": false}"#),
    Row::works("timeout", r#"{"timeout": 60000}"#),
    Row::works("setXForwardedHeaders", r#"{"setXForwardedHeaders": false}"#),
    Row::works("proxyType", r#"{"proxyType": "OnPremise"}"#),
    Row::works("IASDependencyName", r#"{"IASDependencyName": "backend"}"#),
];

/// The properties of a destination of the Destination service.
pub(super) const SERVICE_ROWS: &[Row] = &[
    Row::works("Name", r#"{"Name": "be"}"#),
    Row::works("Description", r#"{"Description": "the ERP"}"#),
    Row::works("URL", r#"{"URL": "https://erp.example.com"}"#),
    Row::works("Type", r#"{"Type": "HTTP"}"#),
    Row::refused("Type: RFC", r#"{"Type": "RFC"}"#, "only HTTP is forwarded"),
    Row::refused("Type: MAIL", r#"{"Type": "MAIL"}"#, "only HTTP is forwarded"),
    Row::refused("Type: LDAP", r#"{"Type": "LDAP"}"#, "only HTTP is forwarded"),
    Row::refused("Type: TCP", r#"{"Type": "TCP"}"#, "only HTTP is forwarded"),
    Row::works("Authentication", r#"{"Authentication": "NoAuthentication"}"#),
    Row::works("Authentication: BasicAuthentication", r#"{"Authentication": "BasicAuthentication"}"#),
    Row::works(
        "Authentication: ClientCertificateAuthentication",
        r#"{"Authentication": "ClientCertificateAuthentication", "KeyStoreLocation": "client.pem"}"#,
    ),
    Row::works("Authentication: OAuth2ClientCredentials", r#"{"Authentication": "OAuth2ClientCredentials"}"#),
    Row::works("Authentication: OAuth2Password", r#"{"Authentication": "OAuth2Password"}"#),
    Row::works("Authentication: OAuth2RefreshToken", r#"{"Authentication": "OAuth2RefreshToken"}"#),
    Row::works(
        "Authentication: OAuth2TechnicalUserPropagation",
        r#"{"Authentication": "OAuth2TechnicalUserPropagation"}"#,
    ),
    Row::works("Authentication: OAuth2UserTokenExchange", r#"{"Authentication": "OAuth2UserTokenExchange"}"#),
    Row::works("Authentication: OAuth2JWTBearer", r#"{"Authentication": "OAuth2JWTBearer"}"#),
    Row::works(
        "Authentication: OAuth2SAMLBearerAssertion",
        r#"{"Authentication": "OAuth2SAMLBearerAssertion"}"#,
    ),
    Row::works("Authentication: OAuth2AuthorizationCode", r#"{"Authentication": "OAuth2AuthorizationCode"}"#),
    Row::works("Authentication: SAMLAssertion", r#"{"Authentication": "SAMLAssertion"}"#),
    Row::works("Authentication: SAPAssertionSSO", r#"{"Authentication": "SAPAssertionSSO"}"#),
    Row::works(
        "Authentication: PrincipalPropagation",
        r#"{"Authentication": "PrincipalPropagation", "ProxyType": "OnPremise", "URL": "http://erp:8000"}"#,
    ),
    Row::works("ProxyType", r#"{"ProxyType": "Internet"}"#),
    Row::works("ProxyType: OnPremise", r#"{"ProxyType": "OnPremise", "URL": "http://erp:8000"}"#),
    Row::works("ProxyType: PrivateLink", r#"{"ProxyType": "PrivateLink"}"#),
    Row::works("CloudConnectorLocationId", r#"{"CloudConnectorLocationId": "berlin"}"#),
    Row::works("User", r#"{"User": "technical"}"#),
    Row::works("Password", r#"{"Password": "secret"}"#),
    Row::works("TrustAll", r#"{"TrustAll": "true"}"#),
    Row::works("TrustStoreLocation", r#"{"TrustStoreLocation": "ca.pem"}"#),
    Row::differs(
        "KeyStoreLocation",
        r#"{"Authentication": "ClientCertificateAuthentication", "KeyStoreLocation": "client.pem"}"#,
        "a PEM file with the certificate and its key; PKCS #12 (`.p12`) is not read, and nothing is sent",
    )
    .instead("give the destination a PEM file, or `\"KeyStore.Source\": \"ClientProvided\"`"),
    Row::works("HTML5.ForwardAuthToken", r#"{"HTML5.ForwardAuthToken": true}"#),
    Row::works("HTML5.ForwardAuthCertificates", r#"{"HTML5.ForwardAuthCertificates": true}"#),
    Row::works("HTML5.Timeout", r#"{"HTML5.Timeout": 60000}"#),
    Row::works("HTML5.PreserveHostHeader", r#"{"HTML5.PreserveHostHeader": true}"#),
    Row::works("HTML5.DynamicDestination", r#"{"HTML5.DynamicDestination": true}"#),
    Row::works("HTML5.SetXForwardedHeaders", r#"{"HTML5.SetXForwardedHeaders": false}"#),
    Row::works("HTML5.IASDependencyName", r#"{"HTML5.IASDependencyName": "erp"}"#),
    Row::works("sap-client", r#"{"sap-client": "100"}"#),
    Row::works("URL.headers.*", r#"{"URL.headers.apikey": "k"}"#),
    Row::ignored(
        "WebIDEEnabled",
        r#"{"WebIDEEnabled": "true"}"#,
        "it is for development tools; the application router does not read it either",
    ),
    Row::ignored(
        "WebIDEUsage",
        r#"{"WebIDEUsage": "odata_abap"}"#,
        "it is for development tools; the application router does not read it either",
    ),
];
