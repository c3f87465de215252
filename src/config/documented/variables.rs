//! The variables of the environment.
//!
//! A sample is the variable's value; for a key inside of a value (`COOKIES.SameSite`) the whole value.
//! `CORS`, `COMPRESSION` and `plugins` take the keys of `cors`, `compression` and a route.

use super::Documented as Row;

const PLUGIN: &str = r#"[{"name": "p", "source": "^/p/", "target": "/", "destination": "be"}]"#;
const NODE: &str = "it is about Node.js, which does not run here";

/// The variables.
pub(super) const ROWS: &[Row] = &[
    Row::works("PORT", "5000"),
    Row::works("XS_BIND_ADDRESS", "127.0.0.1"),
    Row::works("VCAP_APPLICATION", r#"{"application_uris": ["app.example.com"]}"#),
    Row::works("VCAP_SERVICES", r#"{"xsuaa": [{"name": "uaa", "label": "xsuaa", "credentials": {}}]}"#),
    Row::works("SERVICE_BINDING_ROOT", "/bindings"),
    Row::works("UAA_SERVICE_NAME", "uaa"),
    Row::works("destinations", r#"[{"name": "be", "url": "http://127.0.0.1:1"}]"#),
    Row::works("httpHeaders", r#"[{"Content-Security-Policy": "default-src 'self'"}]"#),
    Row::works("MERGE_CSP_HEADERS", "true"),
    Row::works("COOKIES", r#"{"SameSite": "None"}"#),
    Row::works("COOKIES.SameSite", r#"{"SameSite": "Lax"}"#),
    Row::works("COOKIES.Partitioned", r#"{"SameSite": "None", "Partitioned": true}"#),
    Row::ignored(
        "COOKIES.Partitioned.supportedPartitionAgents",
        r#"{"Partitioned": {"supportedPartitionAgents": "^Mozilla"}}"#,
        "browsers ignore the attribute where they do not know it; no decision reads `User-Agent`",
    ),
    Row::ignored(
        "COOKIES.Partitioned.unsupportedPartitionAgents",
        r#"{"Partitioned": {"unsupportedPartitionAgents": "^Postman"}}"#,
        "browsers ignore the attribute where they do not know it; no decision reads `User-Agent`",
    ),
    Row::works("plugins", PLUGIN),
    Row::works("plugins[].name", PLUGIN),
    Row::works("plugins[].source", PLUGIN),
    Row::works("plugins[].target", PLUGIN),
    Row::works("plugins[].destination", PLUGIN),
    Row::works(
        "plugins[].authenticationType",
        r#"[{"name": "p", "source": "^/p/", "destination": "be", "authenticationType": "none"}]"#,
    ),
    Row::works(
        "plugins[].csrfProtection",
        r#"[{"name": "p", "source": "^/p/", "destination": "be", "csrfProtection": false}]"#,
    ),
    Row::works(
        "plugins[].scope",
        r#"[{"name": "p", "source": "^/p/", "destination": "be", "scope": ["viewer"]}]"#,
    ),
    Row::works("SESSION_TIMEOUT", "40"),
    Row::works("SEND_XFRAMEOPTIONS", "false"),
    Row::works("CJ_PROTECT_WHITELIST", r#"[{"host": "*.example.com"}]"#),
    Row::works("CJ_PROTECT_WHITELIST[].protocol", r#"[{"host": "a.example.com", "protocol": "https"}]"#),
    Row::works("CJ_PROTECT_WHITELIST[].host", r#"[{"host": "*.example.com"}]"#),
    Row::works("CJ_PROTECT_WHITELIST[].port", r#"[{"host": "a.example.com", "port": 12345}]"#),
    Row::works("WS_ALLOWED_ORIGINS", r#"[{"host": "*.example.com"}]"#),
    Row::works("WS_ALLOWED_ORIGINS[].protocol", r#"[{"host": "a.example.com", "protocol": "https"}]"#),
    Row::works("WS_ALLOWED_ORIGINS[].host", r#"[{"host": "*.example.com"}]"#),
    Row::works("WS_ALLOWED_ORIGINS[].port", r#"[{"host": "a.example.com", "port": 12345}]"#),
    Row::works("JWT_REFRESH", "5"),
    Row::works("INCOMING_CONNECTION_TIMEOUT", "60000"),
    Row::differs(
        "INCOMING_REQUEST_TIMEOUT",
        "60000",
        "a request that takes longer to arrive gets 408; without it slow bodies have a limit of their own",
    ),
    Row::differs(
        "TENANT_HOST_PATTERN",
        "^(.*)-app.example.com$",
        "has to match the whole host, which is compared in lower case; a host that names no tenant is 404, \
         never the provider; `x-forwarded-host` counts from trusted proxies alone",
    )
    .instead("`\"tenancy\": {\"anchored\": false}` in `xs-tenants.json` brings the search back"),
    Row::differs(
        "DESTINATION_HOST_PATTERN",
        "^([^.]+)\\.app\\.example\\.com$",
        "the host is lower case before it is matched",
    ),
    Row::works("COMPRESSION", r#"{"enabled": false}"#),
    Row::differs(
        "SECURE_SESSION_COOKIE",
        "true",
        "with `true`, requests that come without TLS are answered, without the cookie",
    ),
    Row::works("XS_CACERT_PATH", "/etc/ca.pem"),
    Row::ignored(
        "NODE_TLS_REJECT_UNAUTHORIZED",
        "0",
        "certificates are always verified unless a destination says `\"strictSSL\": false`",
    )
    .instead("add the authority to `XS_CACERT_PATH`, or set `strictSSL` for the one destination"),
    Row::ignored("NODE_EXTRA_CA_CERTS", "/etc/ca.pem", NODE)
        .instead("add the authority to `XS_CACERT_PATH`")
        .unnoted(),
    Row::ignored("NODE_ENV", "production", NODE).unnoted(),
    Row::ignored("NODE_OPTIONS", "--max-old-space-size=256", NODE).unnoted(),
    Row::ignored("OPTIMIZE_MEMORY", "true", NODE).unnoted(),
    Row::ignored("NODE_DEBUG", "http", NODE).instead("`XS_APP_LOG_LEVEL=debug`").unnoted(),
    Row::ignored("DEBUG", "*", NODE).instead("`XS_APP_LOG_LEVEL=debug`").unnoted(),
    Row::differs(
        "EXTERNAL_REVERSE_PROXY",
        "true",
        "`x-custom-host` counts from trusted proxies alone",
    )
    .instead("list the proxy in `trustedProxies` of `xs-tenants.json`"),
    Row::ignored(
        "SKIP_CLIENT_CREDENTIALS_TOKENS_LOAD",
        "true",
        "tokens are never fetched before they are needed",
    ),
    Row::works("CORS", r#"[{"uriPattern": "^/a", "allowedOrigin": [{"host": "a.example.com"}]}]"#),
    Row::works("PRESERVE_FRAGMENT", "false"),
    Row::works("PRESERVE_URL_FRAGMENT", "false"),
    Row::ignored(
        "DIRECT_ROUTING_URI_PATTERNS",
        r#"["route1", "^route2$"]"#,
        "every request is routed by this `xs-app.json`: there is no HTML5 Application Repository to ask first",
    ),
    Row::ignored("CF_NODEJS_LOGGING_LEVEL", "debug", "XS_APP_LOG_LEVEL says how much is logged"),
    Row::works("XS_APP_LOG_LEVEL", "debug"),
    Row::ignored("REQUEST_TRACE", "true", "XS_APP_LOG_LEVEL says how much is logged"),
    Row::works("DYNAMIC_IDENTITY_PROVIDER", "true"),
    Row::works("BACKEND_COOKIES_SECRET", "a-secret-of-some-length"),
    Row::ignored("SERVICE_2_APPROUTER", "true", "`sap-passport` always passes as it came"),
    Row::refused(
        "CLIENT_CERTIFICATE_HEADER_NAME",
        "x-forwarded-client-cert",
        "not supported yet: subscription callbacks are not there",
    ),
    Row::works("SERVER_KEEP_ALIVE", "5000"),
    Row::works("MINIMUM_TOKEN_VALIDITY", "60"),
    Row::ignored(
        "STATE_PARAMETER_SECRET",
        "a-secret",
        "`state` is always used, and sealed with the session's secret",
    ),
    Row::ignored("PKCE_ENABLED", "false", "PKCE is always used"),
    Row::ignored("HTTP2_SUPPORT", "true", "HTTP/2 is always spoken beside HTTP/1.1"),
    Row::ignored(
        "FULL_CERTIFICATE_CHAIN",
        "true",
        "the SAP application router has given it up; the chain of the binding is always sent",
    ),
    Row::ignored(
        "SKIP_DEFAULT_MTLS_AUTH_CA",
        "true",
        "the SAP application router has given it up; `forwardAuthCertificates` says it for each destination",
    ),
    Row::works("SVC2AR_STORE_CSRF_IN_EXTERNAL_SESSION", "true"),
    Row::ignored(
        "STORE_CSRF_IN_EXTERNAL_SESSION",
        "true",
        "a session's CSRF token is always kept with it",
    ),
    Row::works("CACHE_SERVICE_CREDENTIALS", "true"),
    Row::ignored(
        "REMOVE_CLASHING_BACKEND_SESSION_COOKIE",
        "true",
        "a backend never sets a cookie of the session's name in a browser",
    ),
    Row::ignored(
        "ENABLE_FRONTCHANNEL_LOGOUT",
        "true",
        "issuers end sessions by back-channel logout: `logout.backChannelLogoutEndpoint`",
    ),
    Row::ignored("ENABLE_X_FORWARDED_HOST_VALIDATION", "true", "hosts are always checked"),
    Row::ignored(
        "ENABLE_FRAME_ANCESTORS_CSP_HEADERS",
        "true",
        "the trusted domains of a subaccount are not known here",
    )
    .instead("name them in `frame-ancestors` of a `Content-Security-Policy` in `responseHeaders`"),
    Row::ignored(
        "COOKIE_BACKWARD_COMPATIBILITY",
        "true",
        "no request fails for the form of its cookies: they are passed on as they came",
    ),
    Row::ignored(
        "OWN_SAP_CLOUD_SERVICE",
        r#"["mycloudservice"]"#,
        "it is about addresses of the HTML5 Application Repository",
    ),
    Row::ignored(
        "OUTGOING_REQUEST_OPTIONS",
        "{}",
        "it is for the HTTP client of Node.js, which does not run here",
    )
    .instead("`timeout`, `proxyHost` and `strictSSL` of the destination"),
    Row::ignored(
        "RETURN_ERROR_SOURCE",
        "true",
        "an answer of the router itself always says so: it has a `code` and an `id`",
    ),
    Row::works("DISABLE_CONNECTION_REUSE", "true"),
    Row::refused(
        "SUBSCRIPTION_URL_REPLACEMENT_RULES",
        r#"[["srv", "app"]]"#,
        "not supported yet: subscription callbacks are not there",
    ),
    Row::ignored("XSUAA_PRIVATE_KEY", "-----BEGIN PRIVATE KEY-----", "the key is read from the binding")
        .instead("have the binding generate the key (`\"credential-type\": \"x509\"`)"),
    Row::ignored("IAS_PRIVATE_KEY", "-----BEGIN PRIVATE KEY-----", "the key is read from the binding")
        .instead("have the binding generate the key (`\"credential-type\": \"X509_GENERATED\"`)"),
    Row::ignored(
        "SAP_JWT_TRUST_ACL",
        r#"[{"clientid": "*", "identityzone": "*"}]"#,
        "a token is accepted by its audience, whoever's client it was issued to",
    ),
    Row::ignored(
        "IAS_XSUAA_XCHANGE_ENABLED",
        "true",
        "tokens of both are accepted where both are bound; none is exchanged for the other at login",
    ),
    Row::works(
        "EXT_SESSION_MGT",
        r#"{"instanceName": "redis", "storageType": "redis", "sessionSecret": "sixty-four-characters"}"#,
    ),
    Row::works(
        "EXT_SESSION_MGT.instanceName",
        r#"{"instanceName": "redis", "storageType": "redis", "sessionSecret": "sixty-four-characters"}"#,
    ),
    Row::works(
        "EXT_SESSION_MGT.storageType",
        r#"{"instanceName": "redis", "storageType": "redis", "sessionSecret": "sixty-four-characters"}"#,
    ),
    Row::works(
        "EXT_SESSION_MGT.sessionSecret",
        r#"{"instanceName": "redis", "storageType": "redis", "sessionSecret": "sixty-four-characters"}"#,
    ),
    Row::ignored(
        "EXT_SESSION_MGT.defaultRetryTimeout",
        r#"{"instanceName": "redis", "storageType": "redis", "sessionSecret": "sixty-four-characters", "defaultRetryTimeout": 2000}"#,
        "nobody waits longer than 2 s for Redis",
    ),
    Row::ignored(
        "EXT_SESSION_MGT.backOffMultiplier",
        r#"{"instanceName": "redis", "storageType": "redis", "sessionSecret": "sixty-four-characters", "backOffMultiplier": 50}"#,
        "nobody waits longer than 2 s for Redis",
    ),
    Row::refused(
        "EXT_SESSION_MGT.externalStoreFilePath",
        r#"{"instanceName": "redis", "storageType": "redis", "sessionSecret": "sixty-four-characters", "externalStoreFilePath": "./store.js"}"#,
        "a store of one's own in JavaScript cannot be run here",
    )
    .instead("use Redis, or `SESSION_STORE=cookie`, which needs no store at all"),
];
