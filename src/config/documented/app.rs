//! The keys of `xs-app.json`.
//!
//! A sample is the file's object, or for keys below `routes[]` the route's; the rest of what makes them
//! whole is left out.

use super::Documented as Row;

/// The keys of `xs-app.json`.
pub(super) const ROWS: &[Row] = &[
    Row::works("welcomeFile", r#"{"welcomeFile": "/index.html"}"#),
    Row::works("authenticationMethod", r#"{"authenticationMethod": "none"}"#),
    Row::differs(
        "stateProtection",
        r#"{"stateProtection": false}"#,
        "`false` changes nothing and is warned of: `state`, `nonce` and PKCE are always used",
    ),
    Row::differs(
        "sessionTimeout",
        r#"{"sessionTimeout": 30}"#,
        "wins over `SESSION_TIMEOUT` where they differ, with a warning",
    ),
    Row::works("routes", r#"{"source": "^/a/(.*)$"}"#),
    Row::works("routes[].source", r#"{"source": "^/a/(.*)$"}"#),
    Row::works("routes[].source.path", r#"{"source": {"path": "^/a/(.*)$"}}"#),
    Row::works("routes[].source.matchCase", r#"{"source": {"path": "^/a/", "matchCase": false}}"#),
    Row::works("routes[].httpMethods", r#"{"httpMethods": ["GET", "POST"]}"#),
    Row::works("routes[].target", r#"{"target": "/b/$1"}"#),
    Row::works("routes[].destination", r#"{"destination": "be"}"#),
    Row::differs(
        "routes[].destination: $1",
        r#"{"source": "^/to/([^/]+)/", "destination": "$1"}"#,
        "leads only to destinations of the configuration, and to those of the Destination service that \
         have `HTML5.DynamicDestination`",
    ),
    Row::differs(
        "routes[].destination: *",
        r#"{"destination": "*"}"#,
        "as `$1`; without `DESTINATION_HOST_PATTERN` it does not compile",
    ),
    Row::works("routes[].localDir", r#"{"destination": null, "localDir": "web"}"#),
    Row::works("routes[].service", r#"{"destination": null, "service": "country"}"#),
    Row::works(
        "routes[].service: sap-approuter-userapi",
        r#"{"destination": null, "service": "sap-approuter-userapi"}"#,
    ),
    Row::refused(
        "routes[].service: html5-apps-repo-rt",
        r#"{"destination": null, "service": "html5-apps-repo-rt"}"#,
        "the HTML5 Application Repository is not supported: applications are served from folders",
    )
    .instead("put the built application into a folder and serve it with `localDir`"),
    Row::refused(
        "routes[].service: app-front",
        r#"{"destination": null, "service": "app-front"}"#,
        "the Application Frontend service is not supported: applications are served from folders",
    )
    .instead("put the built application into a folder and serve it with `localDir`"),
    Row::works("routes[].endpoint", r#"{"destination": null, "service": "country", "endpoint": "data"}"#),
    Row::works("routes[].preferLocal", r#"{"preferLocal": true}"#),
    Row::works(
        "routes[].replace",
        r#"{"destination": null, "localDir": "web", "replace": {"pathSuffixes": ["index.html"]}}"#,
    ),
    Row::works(
        "routes[].replace.pathSuffixes",
        r#"{"destination": null, "localDir": "web", "replace": {"pathSuffixes": [".html"]}}"#,
    ),
    Row::works(
        "routes[].replace.vars",
        r#"{"destination": null, "localDir": "web", "replace": {"pathSuffixes": [".html"], "vars": ["NAME"]}}"#,
    ),
    Row::works(
        "routes[].replace.services",
        r#"{"destination": null, "localDir": "web", "replace": {"pathSuffixes": [".html"], "services": {"x": {"label": "ui5"}}}}"#,
    ),
    Row::works(
        "routes[].replace.services.*.name",
        r#"{"destination": null, "localDir": "web", "replace": {"pathSuffixes": [".html"], "services": {"x": {"name": "ui5"}}}}"#,
    ),
    Row::works(
        "routes[].replace.services.*.label",
        r#"{"destination": null, "localDir": "web", "replace": {"pathSuffixes": [".html"], "services": {"x": {"label": "ui5"}}}}"#,
    ),
    Row::works(
        "routes[].replace.services.*.tag",
        r#"{"destination": null, "localDir": "web", "replace": {"pathSuffixes": [".html"], "services": {"x": {"tag": "sapui5"}}}}"#,
    ),
    Row::works(
        "routes[].replace.services.*.plan",
        r#"{"destination": null, "localDir": "web", "replace": {"pathSuffixes": [".html"], "services": {"x": {"plan": "free"}}}}"#,
    ),
    Row::works("routes[].authenticationType", r#"{"authenticationType": "xsuaa"}"#),
    Row::differs(
        "routes[].authenticationType: ias",
        r#"{"authenticationType": "ias"}"#,
        "where an XSUAA is bound as well, the XSUAA logs people in: both at once are not supported yet",
    ),
    Row::works("routes[].authenticationType: basic", r#"{"authenticationType": "basic"}"#),
    Row::differs(
        "routes[].authenticationType: none",
        r#"{"authenticationType": "none"}"#,
        "the pattern has to match the path alone as well, so that a query never opens a door",
    ),
    Row::differs(
        "routes[].csrfProtection",
        r#"{"csrfProtection": false}"#,
        "`false` takes the token away; a browser's unsafe request from another site is still refused",
    ),
    Row::works("routes[].scope", r#"{"scope": ["$XSAPPNAME.viewer", "$XSAPPNAME.admin"]}"#),
    Row::works(
        "routes[].scope.*",
        r#"{"scope": {"GET": "$XSAPPNAME.viewer", "default": "$XSAPPNAME.admin"}}"#,
    ),
    Row::works(
        "routes[].cacheControl",
        r#"{"destination": null, "localDir": "web", "cacheControl": "public, max-age=1000"}"#,
    ),
    Row::works("routes[].identityProvider", r#"{"identityProvider": "hospital"}"#),
    Row::works("routes[].dynamicIdentityProvider", r#"{"dynamicIdentityProvider": true}"#),
    Row::differs(
        "routes[].setBackendSessionCookies",
        r#"{"setBackendSessionCookies": true}"#,
        "the router's own session cookie is never sent to a backend",
    ),
    Row::works("login", r#"{"login": {"callbackEndpoint": "/custom/login/callback"}}"#),
    Row::differs(
        "login.callbackEndpoint",
        r#"{"login": {"callbackEndpoint": "/custom/login/callback"}}"#,
        "is this path alone, not every path that begins with it",
    ),
    Row::works("logout", r#"{"logout": {"logoutEndpoint": "/logout"}}"#),
    Row::works("logout.logoutEndpoint", r#"{"logout": {"logoutEndpoint": "/logout"}}"#),
    Row::refused(
        "logout.logoutPath",
        r#"{"logout": {"logoutPath": "/logout"}}"#,
        "no version takes this; one table of the documentation calls the endpoint so",
    )
    .instead("write `logoutEndpoint`"),
    Row::works(
        "logout.logoutPage",
        r#"{"logout": {"logoutEndpoint": "/logout", "logoutPage": "/bye.html"}}"#,
    ),
    Row::works("logout.logoutMethod", r#"{"logout": {"logoutEndpoint": "/logout", "logoutMethod": "POST"}}"#),
    Row::works(
        "logout.csrfProtection",
        r#"{"logout": {"logoutEndpoint": "/logout", "logoutMethod": "POST", "csrfProtection": false}}"#,
    ),
    Row::works("logout.backChannelLogoutEndpoint", r#"{"logout": {"backChannelLogoutEndpoint": "/bcl"}}"#),
    Row::works("destinations", r#"{"destinations": {"be": {}}}"#),
    Row::differs(
        "destinations.*.logoutPath",
        r#"{"destinations": {"be": {"logoutPath": "/logout"}}}"#,
        "the call has no session cookie of the router; after a time-out it is made only where sessions are \
         in memory",
    ),
    Row::works(
        "destinations.*.logoutMethod",
        r#"{"destinations": {"be": {"logoutPath": "/logout", "logoutMethod": "GET"}}}"#,
    ),
    Row::works("services", r#"{"services": {"country": {}}}"#),
    Row::works("services.*.endpoint", r#"{"services": {"country": {"endpoint": "data"}}}"#),
    Row::works("services.*.logoutPath", r#"{"services": {"country": {"logoutPath": "/logout"}}}"#),
    Row::works(
        "services.*.logoutMethod",
        r#"{"services": {"country": {"logoutPath": "/logout", "logoutMethod": "GET"}}}"#,
    ),
    Row::works("responseHeaders", r#"{"responseHeaders": [{"name": "x-a", "value": "1"}]}"#),
    Row::works("responseHeaders[].name", r#"{"responseHeaders": [{"name": "x-a", "value": "1"}]}"#),
    Row::works("responseHeaders[].value", r#"{"responseHeaders": [{"name": "x-a", "value": "1"}]}"#),
    Row::differs(
        "compression",
        r#"{"compression": {"enabled": true}}"#,
        "zstd is spoken as well; what has to arrive at once or carries a secret is not compressed",
    ),
    Row::works("compression.enabled", r#"{"compression": {"enabled": false}}"#),
    Row::works("compression.minSize", r#"{"compression": {"minSize": 2048}}"#),
    Row::works(
        "compression.compressResponseMixedTypeContent",
        r#"{"compression": {"compressResponseMixedTypeContent": true}}"#,
    ),
    Row::works("pluginMetadataEndpoint", r#"{"pluginMetadataEndpoint": "/metadata"}"#),
    Row::works("whitelistService", r#"{"whitelistService": {"endpoint": "/whitelist/service"}}"#),
    Row::works("whitelistService.endpoint", r#"{"whitelistService": {"endpoint": "/whitelist/service"}}"#),
    Row::works("websockets", r#"{"websockets": {"enabled": true}}"#),
    Row::differs(
        "websockets.enabled",
        r#"{"websockets": {"enabled": true}}"#,
        "the backend answers the handshake itself, so its subprotocols, extensions and pings are the \
         client's",
    ),
    Row::works("errorPage", r#"{"errorPage": [{"status": 404, "file": "./err.html"}]}"#),
    Row::works("errorPage[].status", r#"{"errorPage": [{"status": [400, 404], "file": "./err.html"}]}"#),
    Row::works("errorPage[].file", r#"{"errorPage": [{"status": 404, "file": "./err.html"}]}"#),
    Row::differs(
        "errorPage[].path",
        r#"{"errorPage": [{"status": 403, "path": "/forbidden.html"}]}"#,
        "browsers that wait for a page are sent there; other clients get the status",
    ),
    Row::works("cors", r#"{"cors": [{"uriPattern": "^/a", "allowedOrigin": [{"host": "a.example.com"}]}]}"#),
    Row::works(
        "cors[].uriPattern",
        r#"{"cors": [{"uriPattern": "^/a", "allowedOrigin": [{"host": "a.example.com"}]}]}"#,
    ),
    Row::works(
        "cors[].allowedOrigin",
        r#"{"cors": [{"uriPattern": "^/a", "allowedOrigin": [{"host": "*.example.com"}]}]}"#,
    ),
    Row::works(
        "cors[].allowedOrigin[].host",
        r#"{"cors": [{"uriPattern": "^/a", "allowedOrigin": [{"host": "a.example.com"}]}]}"#,
    ),
    Row::works(
        "cors[].allowedOrigin[].protocol",
        r#"{"cors": [{"uriPattern": "^/a", "allowedOrigin": [{"host": "a.example.com", "protocol": "https"}]}]}"#,
    ),
    Row::works(
        "cors[].allowedOrigin[].port",
        r#"{"cors": [{"uriPattern": "^/a", "allowedOrigin": [{"host": "a.example.com", "port": 345}]}]}"#,
    ),
    Row::works(
        "cors[].allowedMethods",
        r#"{"cors": [{"uriPattern": "^/a", "allowedOrigin": [{"host": "a"}], "allowedMethods": ["GET"]}]}"#,
    ),
    Row::works(
        "cors[].maxAge",
        r#"{"cors": [{"uriPattern": "^/a", "allowedOrigin": [{"host": "a"}], "maxAge": 3600}]}"#,
    ),
    Row::works(
        "cors[].allowedHeaders",
        r#"{"cors": [{"uriPattern": "^/a", "allowedOrigin": [{"host": "a"}], "allowedHeaders": ["Authorization"]}]}"#,
    ),
    Row::works(
        "cors[].exposeHeaders",
        r#"{"cors": [{"uriPattern": "^/a", "allowedOrigin": [{"host": "a"}], "exposeHeaders": ["x-a"]}]}"#,
    ),
    Row::works(
        "cors[].allowedCredentials",
        r#"{"cors": [{"uriPattern": "^/a", "allowedOrigin": [{"host": "a"}], "allowedCredentials": false}]}"#,
    ),
    Row::ignored(
        "outgoingRequestOptions",
        r#"{"outgoingRequestOptions": {}}"#,
        "it is for the HTTP client of Node.js, which does not run here",
    )
    .instead("`timeout`, `proxyHost` and `strictSSL` of the destination"),
];
