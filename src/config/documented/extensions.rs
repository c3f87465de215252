//! How the application router is started, and what its start file may call or hand over.
//!
//! JavaScript is not run here, so each is refused by name, with what does the same. A sample is the line
//! of a start file that uses it.

use super::Documented as Row;

const CODE: &str = "it is JavaScript inside of the router's process, and none runs here";

/// How the application router is started.
pub(super) const START_ROWS: &[Row] = &[
    Row::works("node_modules/@sap/approuter/approuter.js", "node node_modules/@sap/approuter/approuter.js")
        .instead("start `vestibule` instead; `@sap/approuter` and Node.js are not needed"),
    Row::works("--workingDir", "node node_modules/@sap/approuter/approuter.js -w web").instead("`-w DIR`"),
    Row::works("--port", "node node_modules/@sap/approuter/approuter.js -p 8080").instead("`--port PORT`"),
    Row::refused("a start file of one's own", "node start.js", CODE)
        .instead("see what the file does with the router below; what is not named needs nothing"),
    Row::refused("extend.json", r#"{"extensions": ["./extension.js"]}"#, CODE)
        .instead("put what the extensions do into a service of its own, and a route before the others"),
];

/// What a start file may call or hand over.
pub(super) const ROWS: &[Row] = &[
    Row::refused("insertMiddleware", "module.exports = { insertMiddleware: {} };", CODE)
        .instead("put it into a service of its own, and a route before the others"),
    Row::refused("first", "ar.first.use(handler);", CODE).instead(
        "headers: `responseHeaders`; logging: the access log; requests to answer: a route before the others \
         with `authenticationType: none`",
    ),
    Row::refused("beforeRequestHandler", "ar.beforeRequestHandler.use('/my-ext', handler);", CODE)
        .instead("serve the path from a service of its own: a route before the others, with a scope"),
    Row::refused("beforeErrorHandler", "ar.beforeErrorHandler.use(handler);", CODE).instead("`errorPage`"),
    Row::refused("firstWS", "ar.firstWS.use(handler);", CODE)
        .instead("`WS_ALLOWED_ORIGINS`, a scope on the route, or checks in the backend"),
    Row::refused("beforeRequestHandlerWS", "ar.beforeRequestHandlerWS.use(handler);", CODE)
        .instead("a scope on the route, or checks in the backend"),
    Row::refused("extensions", "ar.start({ extensions: [require('./my-ext.js')] });", CODE)
        .instead("see what each extension inserts"),
    Row::refused("getRouterConfig", "ar.start({ getRouterConfig: choose });", CODE).instead(
        "routes are the same for all requests; a tenant's own destinations stand in `xs-tenants.json`, and \
         changed files are loaded while it runs",
    ),
    Row::refused("createRouterConfig", "ar.createRouterConfig(options, done);", CODE)
        .instead("write the routes into `xs-app.json`; changes are loaded while it runs"),
    Row::refused("getRouteInfo", "ar.getRouteInfo(req);", CODE)
        .instead("`vestibule explain URL` says which route a request takes, and why"),
    Row::refused("getToken", "ar.start({ getToken: token });", CODE).instead(
        "`forwardAuthToken`, `IASDependencyName`, or a destination with an authentication of its own",
    ),
    Row::refused("getSessionSecret", "ar.start({ getSessionSecret: secret });", CODE)
        .instead("`SESSION_SECRET`, or `sessionSecret` in `EXT_SESSION_MGT`"),
    Row::refused("getSessionStore", "var store = ar.getSessionStore();", CODE)
        .instead("`SESSION_STORE`: `cookie`, `redis` or `memory`"),
    Row::refused("resolveUaaConfig", "ar.resolveUaaConfig(request, uaa, done);", CODE)
        .instead("each tenant's issuer stands in `xs-tenants.json`"),
    Row::refused("httpsOptions", "ar.start({ httpsOptions: options });", CODE)
        .instead("`TLS_CERT_FILE` and `TLS_KEY_FILE`"),
    Row::refused("xsappConfig", "ar.start({ xsappConfig: config });", CODE)
        .instead("write it into `xs-app.json`; any string of it may be `{\"env\": \"NAME\"}`"),
    Row::refused("workingDir", "ar.start({ workingDir: 'web' });", CODE).instead("`vestibule -w DIR`"),
    Row::refused("cmdParser", "ar.cmdParser.option('-d', 'dummy');", CODE)
        .instead("`vestibule --help` shows what can be said"),
    Row::refused("on('login')", "ar.on('login', handler);", CODE)
        .instead("logins are counted in `vestibule_logins_total` and stand in the audit log"),
    Row::refused("on('logout')", "ar.on('logout', handler);", CODE)
        .instead("`logoutPath` of a destination is called at logout"),
    Row::refused("on('update')", "ar.on('update', handler);", CODE).instead("`SESSION_STORE=redis`"),
    Row::refused("@sap/asp-middleware", "require('@sap/asp-middleware')", CODE)
        .instead("name each tenant's ABAP system as its destination in `xs-tenants.json`"),
];
