//! Class 16, redirects that leave the origin.
//!
//! Recipe: `//e`, `/\e`, `/%09/e`, `https:e`, `///e`, `/.//e`, unicode slashes, in the path of a folder
//! and in `x-forwarded-path`, wherever this program makes a `Location` itself: the welcome file and
//! folders of `localDir`; and in a backend's, where a tenant's prefix is put back into it. Must happen: a
//! browser that resolves it stays on the origin, and what a backend says comes to lead nowhere else.

use serde_json::json;

use super::harness::{Backend, Setup};

/// Whether a browser that is at `http://app.example.com/` stays there: the URL standard drops tabs and
/// line breaks, and reads a backslash as a slash.
fn stays(location: &str) -> bool {
    let text: String = location.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
    let text = text.trim_matches(|c: char| c <= ' ').replace('\\', "/");
    match text.strip_prefix("http://app.example.com") {
        Some(rest) => rest.is_empty() || rest.starts_with(['/', '?', '#']),
        None => {
            !text.starts_with("//") && !text.split(['/', '?', '#']).next().unwrap_or_default().contains(':')
        }
    }
}

const EVIL: [&str; 16] = [
    "//evil.example",
    "//evil.example/",
    "/\\evil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "https:evil.example",
    "https://evil.example/",
    "///evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "//evil.example/%2e%2e",
    "/%2f/evil.example",
    "/%5cevil.example",
    "/\u{ff0f}evil.example",
    "//evil.example@app.example.com/",
    "/;//evil.example",
];

#[test]
fn the_test_reads_as_a_browser_does() {
    for text in ["//e", "/\\e", "/\t/e", "https:e", "///e", "http://app.example.com.evil/", "javascript:x"] {
        assert!(!stays(text), "{text}");
    }
    for text in ["/", "/x//y", "x/y", "?a:b", "http://app.example.com/x", "./x:y"] {
        assert!(stays(text), "{text}");
    }
}

#[test]
fn folders_and_welcome_redirect_within_the_origin() {
    let backend = Backend::start();
    let xs_app = json!({"authenticationMethod": "none", "welcomeFile": "/w/index.html", "routes": [
        {"source": "^/+(.*)$", "target": "$1", "localDir": "web"},
    ]});
    let folders = ["sub", "evil.example", "w", "%09", "https:evil.example", "\u{ff0f}evil.example"];
    let mut setup = Setup::new(&xs_app).destination("unused", backend.address);
    for folder in folders {
        setup =
            setup.file(&format!("web/{folder}/index.html"), "x").file(&format!("web/{folder}/sub/a"), "x");
    }
    let server = setup.start();
    assert_eq!(server.ask("GET /sub", &[]).header("location"), "/sub/");
    assert_eq!(server.ask("GET /", &[]).header("location"), "/w/index.html");
    let mut targets: Vec<String> = EVIL.iter().map(|text| (*text).to_owned()).collect();
    for prefix in ["/", "//", "///", "////", "/sub/", "/sub//"] {
        targets.extend(folders.map(|folder| format!("{prefix}{folder}")));
        targets.extend(EVIL.map(|text| format!("{prefix}{text}")));
    }
    for target in targets.iter().filter(|target| target.is_ascii()) {
        for suffix in ["", "?x=//evil.example"] {
            let mut client = server.connect();
            client.send(format!("GET {target}{suffix} HTTP/1.1\r\nHost: app.example.com\r\n\r\n"));
            let Ok(reply) = client.read() else { continue };
            for location in reply.all("location") {
                assert!(stays(location), "GET {target}{suffix} goes to {location}");
            }
        }
    }
}

#[test]
fn the_forwarded_path_of_a_trusted_peer_cannot_leave_either() {
    let backend = Backend::start();
    let xs_app = json!({"authenticationMethod": "none", "welcomeFile": "/w/index.html", "routes": []});
    let setup = Setup::new(&xs_app).destination("unused", backend.address);
    let server = setup.tenants(&json!({"trustedProxies": ["127.0.0.0/8"]})).start();
    for text in EVIL.into_iter().filter(|text| text.is_ascii()) {
        for value in [text.to_owned(), format!("/x{text}"), format!("{text}/"), format!("/,{text}")] {
            let reply = server.ask("GET /", &[("x-forwarded-path", &value)]);
            for location in reply.all("location") {
                assert!(stays(location), "x-forwarded-path: {value} goes to {location}");
            }
        }
    }
}

#[test]
fn a_host_header_cannot_choose_where_a_redirect_goes() {
    let backend = Backend::start();
    let xs_app = json!({"authenticationMethod": "none", "welcomeFile": "/w/index.html", "routes": []});
    let server = Setup::new(&xs_app).destination("unused", backend.address).start();
    for headers in [
        [("Host", "evil.example"), ("x-forwarded-host", "evil.example")],
        [("Host", "app.example.com"), ("x-forwarded-host", "evil.example")],
        [("Host", "app.example.com"), ("x-custom-host", "evil.example")],
        [("Host", "app.example.com"), ("forwarded", "host=evil.example")],
    ] {
        let location = server.ask("GET /", &headers).header("location");
        assert!(location.starts_with("/w/"), "{headers:?}: {location}");
    }
}

#[test]
fn a_prefix_that_is_put_back_leads_nowhere_else() {
    let backend = Backend::start();
    let xs_app =
        json!({"authenticationMethod": "none", "routes": [{"source": "^/", "destination": "backend"}]});
    let tenants = json!({"path": {"prefix": "/t/{tenant}", "strip": true}, "tenants": {"acme": {}},
                         "trustedProxies": ["127.0.0.0/8"]});
    let server = Setup::new(&xs_app).destination("backend", backend.address).tenants(&tenants).start();
    let said = ["/x", "/", "/x?next=//evil.example", "http://app.example.com/x", "/\t/evil.example"]
        .into_iter()
        .chain(EVIL.into_iter().filter(|text| text.is_ascii()));
    for location in said {
        for outer in ["", "/outer"] {
            let echo =
                json!({"status": 302, "headers": [["location", location], ["content-location", location]]});
            let forwarded = format!("{outer}/t/acme/a/b");
            let headers = [
                ("Host", "app.example.com"),
                ("x-echo", &echo.to_string()),
                ("x-forwarded-path", &forwarded),
            ];
            let reply = server.ask("GET /t/acme/a/b", &headers);
            let heard = reply.header("location");
            assert_eq!(heard, reply.header("content-location"));
            if stays(location) {
                let path = heard.strip_prefix("http://app.example.com").unwrap_or(&heard);
                assert!(
                    stays(&heard) && path.starts_with(&format!("{outer}/t/acme/")),
                    "{location}: {heard}"
                );
            } else {
                assert!(heard == location || stays(&heard), "{location} became {heard}");
            }
        }
    }
}
