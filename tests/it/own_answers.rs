//! What is answered without a backend, and the small switches: rendered files, the allowlist, the
//! plugins, statistics, connections.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::harness::{Backend, Setup};

const HOST: (&str, &str) = ("Host", "app.test");

/// Services with what a page needs and what no page may have.
fn services() -> Value {
    json!({
        "ui5": [{"name": "ui5", "label": "ui5", "tags": ["ui5"], "credentials": {
            "url": "https://ui5.test", "clientsecret": "hunter2",
            "endpoints": {"api": {"url": "https://api.test", "password": "hunter3"}}}}],
        "other": [{"name": "other", "label": "other", "tags": ["other"],
                   "credentials": {"url": "https://other.test"}}],
    })
}

fn replacing() -> Setup {
    let replace = json!({"pathSuffixes": [".html"], "vars": ["TITLE", "MISSING", "VCAP_SERVICES"],
                         "services": {"lib": {"tag": "ui5"}}});
    let app = json!({"authenticationMethod": "none",
                     "routes": [{"source": "^/(.*)$", "target": "/$1", "localDir": "web", "replace": replace}]});
    let page = "<title>{{TITLE}}|{{{TITLE}}}</title>{{MISSING}}{{PATH}}[{{{lib.url}}}|{{lib.endpoints.api.url}}]\
                ({{lib.clientsecret}}{{lib.endpoints.api.password}}{{lib.endpoints}}{{lib.endpoints.api}}\
                {{VCAP_SERVICES}}{{other.url}}{{lib}}){{{TITLE";
    Setup::new(&app)
        .file("web/index.html", page)
        .file("web/plain.txt", page)
        .variable("TITLE", "<b>\"x\"</b>{{lib.url}}")
        .variable("VCAP_SERVICES", services())
}

#[test]
fn only_what_a_route_names_gets_into_its_files() {
    let server = replacing().start();
    let page = server.ask("GET /", &[HOST]);
    assert_eq!(page.status, 200);
    assert_eq!(
        page.text(),
        "<title>&lt;b&gt;&quot;x&quot;&lt;/b&gt;{{lib.url}}|<b>\"x\"</b>{{lib.url}}</title>\
         [https://ui5.test|https://api.test](){{{TITLE"
    );
    assert_eq!(page.header("content-type"), "text/html; charset=UTF-8");
    let known = page.header("etag");
    assert_eq!(server.ask("GET /index.html", &[HOST, ("If-None-Match", &known)]).status, 304);
    let plain = server.ask("GET /plain.txt", &[HOST]).text();
    assert!(plain.contains("{{TITLE}}"), "another suffix is served as it is: {plain}");
    for path in ["/", "/index.html", "/plain.txt"] {
        let text = server.ask(&format!("GET {path}"), &[HOST]).text();
        assert!(!text.contains("hunter"), "{path}: {text}");
    }
    let admin = server.ask_admin("GET /config").text();
    assert!(!admin.contains("hunter") && !server.log().contains("hunter"), "{admin}");
}

#[test]
fn what_stays_out_of_files_is_said() {
    let report = replacing().run(&["check", "--format", "json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let found: BTreeSet<(String, String)> = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["code"].to_string(), problem["key"].to_string()))
        .map(|(code, key)| (code.trim_matches('"').to_owned(), key.trim_matches('"').to_owned()))
        .filter(|(_, key)| key.contains("replace"))
        .collect();
    let expected = [
        ("unset_variable", "routes[0].replace.vars[1]"),
        ("withheld_secret", "routes[0].replace.services.lib"),
        ("withheld_secret", "routes[0].replace.vars[2]"),
    ];
    let expected = expected.map(|(code, key)| (code.to_owned(), key.to_owned()));
    assert_eq!(found, BTreeSet::from(expected), "{report:#}");
    assert!(!report.to_string().contains("hunter"), "{report:#}");
}

#[test]
fn a_changed_value_is_in_the_file_after_a_reload() {
    let app = json!({"authenticationMethod": "none", "routes": [
        {"source": "^/(.*)$", "target": "/$1", "localDir": "web",
         "replace": {"pathSuffixes": [".html"], "vars": ["COLOUR"]}}]});
    let server = Setup::new(&app)
        .file("web/index.html", "{{COLOUR}}")
        .file("default-env.json", r#"{"COLOUR": "red"}"#)
        .start();
    assert_eq!(server.ask("GET /", &[HOST]).text(), "red");
    std::fs::write(server.path().join("default-env.json"), r#"{"COLOUR": "blue"}"#).unwrap();
    assert_eq!(server.ask_admin("POST /reload").status, 200);
    assert_eq!(server.ask("GET /", &[HOST]).text(), "blue");
}

#[test]
fn a_service_that_two_bindings_are_is_refused() {
    let app = json!({"authenticationMethod": "none", "routes": [
        {"source": "^/", "localDir": "web", "replace": {"pathSuffixes": [".html"], "services": {"s": {"tag": "t"}}}}]});
    let bound = |name: &str| json!({"name": name, "label": "x", "tags": ["t"], "credentials": {"url": name}});
    let (code, log) = Setup::new(&app)
        .file("web/index.html", "{{s.url}}")
        .variable("VCAP_SERVICES", json!({"x": [bound("a"), bound("b")]}))
        .refuse();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("2 bound services"), "{log}");
}

#[test]
fn the_allowlist_is_asked_before_a_page_is_framed() {
    let app = json!({"authenticationMethod": "none", "whitelistService": {"endpoint": "allow/list/"}, "routes": []});
    let with = |app: &Value, list: Option<Value>| {
        let setup = Setup::new(app);
        list.into_iter().fold(setup, |setup, list| setup.variable("CJ_PROTECT_WHITELIST", list)).start()
    };
    let active = with(&app, Some(json!([{"host": "*.good.test", "protocol": "https"}])));
    let inactive = with(&app, None);
    for (server, line, expected, shows) in [
        (&active, "GET /allow/list?parentOrigin=https%3A%2F%2Fa.good.test", (true, true), "listed"),
        (&active, "GET /allow/list/x?parentOrigin=http://a.good.test", (true, false), "another scheme"),
        (&active, "GET /allow/list", (true, false), "nobody named"),
        (&inactive, "GET /allow/list?parentOrigin=https://a.good.test", (false, false), "no list"),
    ] {
        let reply = server.ask(line, &[HOST]);
        let told = reply.json();
        assert_eq!(reply.status, 200, "{line}");
        assert_eq!(
            (&told["active"], &told["framing"]),
            (&json!(expected.0), &json!(expected.1)),
            "{line}: {shows}"
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
    for line in ["POST /allow/list", "HEAD /allow/list", "GET /allow/listed", "GET /allow"] {
        let reply = active.connect().try_ask(line, &[HOST], b"");
        let status = reply.map_or(404, |reply| reply.status);
        assert_eq!(status, 404, "{line} is the routes' affair");
    }
}

#[test]
fn plugins_are_told_as_they_were_written() {
    let backend = Backend::start();
    let plugin = json!([{"name": "p", "source": "^/p/(.*)$", "target": "/$1", "destination": "be",
                         "authenticationType": "none"}]);
    let app = json!({"authenticationMethod": "none", "pluginMetadataEndpoint": "/plugins", "routes": []});
    let server = Setup::new(&app).destination("be", backend.address).variable("plugins", plugin).start();
    let told = server.ask("GET /plugins", &[HOST]);
    assert_eq!(
        told.json(),
        json!([{"name": "p", "source": "^\\/p\\/(.*)$", "destination": "be", "target": "/$1",
                "authenticationType": "none"}])
    );
    let posted = server.ask("POST /plugins", &[HOST]);
    assert_eq!((posted.status, posted.header("allow").as_str()), (405, "GET, HEAD"));
    assert_eq!(server.ask("GET /p/x", &[HOST]).status, 200);
}

#[test]
fn statistics_are_told_to_those_who_ask() {
    let backend = Backend::start();
    let server = Setup::open(backend.address).start();
    let quiet = server.ask("GET /x", &[HOST]);
    assert_eq!(quiet.header("sap-statistics-approuter"), "");
    assert!(backend.only().all("sap-statistics").is_empty());
    backend.take();
    for (line, headers) in
        [("GET /x", vec![HOST, ("sap-statistics", "true")]), ("GET /x?a=1&sap-statistics=true", vec![HOST])]
    {
        let told = server.ask(line, &headers).header("sap-statistics-approuter");
        let (total, ext) = told.strip_prefix("total=").unwrap().split_once(", ext=").unwrap();
        let (total, ext): (f64, f64) = (total.parse().unwrap(), ext.parse().unwrap());
        assert!(total >= ext && ext > 0.0, "{told}");
        assert_eq!(backend.only().header("sap-statistics"), "true", "{line}");
        backend.take();
    }
}

#[test]
fn each_request_gets_its_own_connection_where_that_is_wanted() {
    for (variable, connections) in [(Some("true"), 3), (Some("false"), 1), (None, 1)] {
        let backend = Backend::start();
        let setup = Setup::open(backend.address).flags(&["--workers", "1"]);
        let setup = variable
            .into_iter()
            .fold(setup, |setup, value| setup.variable("DISABLE_CONNECTION_REUSE", value));
        let server = setup.start();
        let mut client = server.connect();
        for _ in 0..3 {
            assert_eq!(client.ask("GET /x", &[HOST], b"").status, 200);
        }
        let seen: BTreeSet<usize> = backend.take().iter().map(|request| request.connection).collect();
        assert_eq!(seen.len(), connections, "{variable:?}");
    }
}

#[test]
fn an_idle_connection_stays_as_long_as_the_server_says() {
    let backend = Backend::start();
    let setup = Setup::open(backend.address).variable("SERVER_KEEP_ALIVE", "300");
    let server = setup.variable("INCOMING_CONNECTION_TIMEOUT", "60000").start();
    let mut client = server.connect();
    assert_eq!(client.ask("GET /x", &[HOST], b"").status, 200);
    let begun = Instant::now();
    assert_eq!(client.until_closed(), b"", "nothing more is said");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn behind_a_proxy_of_the_outside_the_tenant_is_in_a_header_of_its_own() {
    let backend = Backend::start();
    let app = json!({"authenticationMethod": "none", "routes": [{"source": "^/", "destination": "be"}]});
    let tenants = |trusted: Value| json!({"hosts": ["{tenant}.inside.test"], "tenants": {"acme": {}, "globex": {}}, "trustedProxies": trusted});
    let start = |external: bool, trusted: Value| {
        Setup::new(&app)
            .destination("be", backend.address)
            .tenants(&tenants(trusted))
            .variable("EXTERNAL_REVERSE_PROXY", external)
            .start()
    };
    let (on, off, nobody) =
        (start(true, json!(["127.0.0.0/8"])), start(false, json!(["127.0.0.0/8"])), start(true, json!([])));
    let custom = ("X-Custom-Host", "globex.inside.test");
    let forwarded = ("X-Forwarded-Host", "www.outside.test");
    let acme = ("Host", "acme.inside.test");
    for (server, headers, tenant, host, shows) in [
        (&on, vec![acme, custom, forwarded], "globex", "www.outside.test", "the header names the tenant"),
        (&on, vec![acme, forwarded], "acme", "www.outside.test", "else the host does"),
        (&on, vec![acme], "acme", "acme.inside.test", "and it is the outside, too"),
        (&off, vec![acme, custom], "acme", "acme.inside.test", "not read where it is not said"),
        (&nobody, vec![acme, custom, forwarded], "acme", "acme.inside.test", "nor from anybody"),
    ] {
        let reply = server.ask("GET /x", &headers);
        assert_eq!(reply.status, 200, "{headers:?}: {}", reply.text());
        let seen = backend.only();
        backend.take();
        assert_eq!(seen.header("x-tenant"), tenant, "{headers:?}: {shows}");
        assert_eq!(seen.header("x-forwarded-host"), host, "{headers:?}: {shows}");
    }
    for (headers, shows) in [
        (vec![acme, custom, ("X-Custom-Host", "acme.inside.test")], "two"),
        (vec![acme, ("X-Custom-Host", "a.inside.test, b.inside.test")], "a list"),
        (vec![acme, ("X-Custom-Host", "a/b")], "no host"),
        (vec![acme, ("X-Custom-Host", "")], "nothing"),
    ] {
        assert_eq!(on.ask("GET /x", &headers).status, 400, "{headers:?}: {shows}");
    }
    assert_eq!(
        on.ask("GET /x", &[acme, ("X-Custom-Host", "www.outside.test")]).status,
        404,
        "never a default"
    );
}
