//! A folder full of traps, and what may be had from it.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, UNIX_EPOCH};

use http::HeaderName;
use http_body_util::BodyExt as _;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::*;

mod versions;

const ETAG: &str = "W/\"b-18bcfe56800\"";
const MODIFIED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

/// The folder `web`, a secret beside it, and links of every kind.
fn folder() -> (TempDir, LocalDir) {
    let outside = TempDir::new().expect("a folder");
    let web = outside.path().join("web");
    for name in ["sub", "empty", ".well-known", ".git", "deep/er"] {
        fs::create_dir_all(web.join(name)).expect("a folder");
    }
    for (name, text) in [
        ("../secret.txt", "secret"),
        ("index.html", "<h1>web</h1>"),
        ("a.txt", "hello world"),
        ("a b.txt", "space"),
        ("a+b.txt", "plus"),
        ("%41.txt", "pct"),
        ("ü.txt", "uml"),
        ("A.TXT", "upper"),
        ("empty.txt", ""),
        ("noext", "noext"),
        ("sub/index.html", "sub"),
        ("empty/x.txt", "x"),
        ("deep/er/x.txt", "deep"),
        (".dot", "dot"),
        (".well-known/security.txt", "sec"),
        (".git/.config", "git"),
    ] {
        write(&web.join(name), text);
    }
    links(&web);
    let dir = LocalDir::open(&web, None).expect("the folder");
    (outside, dir)
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("a file");
    let file = fs::File::options().write(true).open(path).expect("the file");
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_700_000_000)).expect("its time");
}

fn links(web: &Path) {
    for (target, name) in [
        ("a.txt", "link-inside.txt"),
        ("../a.txt", "sub/link-up-inside.txt"),
        ("sub", "link-folder"),
        ("../secret.txt", "link-outside.txt"),
        ("/etc/passwd", "link-absolute.txt"),
        ("..", "link-parent"),
        ("/", "link-root"),
        ("link-loop", "link-loop"),
        ("link-parent/secret.txt", "link-chain.txt"),
        ("nowhere", "link-dangling"),
        ("/proc/self/root/etc/passwd", "link-proc"),
    ] {
        symlink(target, web.join(name)).expect("a link");
    }
    mknodat(CWD, web.join("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
    drop(std::os::unix::net::UnixListener::bind(web.join("socket")).expect("a socket"));
}

fn headers(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
}

async fn get(dir: &LocalDir, path: &str, headers: &HeaderMap) -> Result<Response<FileBody>, Unserved> {
    dir.serve(&Method::GET, path, path, headers).await
}

async fn text(response: Response<FileBody>) -> String {
    let bytes = response.into_body().collect().await.expect("the whole body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[tokio::test]
async fn what_is_there_is_served_with_its_type() {
    let (_outside, dir) = folder();
    for (path, body, kind, shows) in [
        ("/", "<h1>web</h1>", "text/html; charset=UTF-8", "the index"),
        ("", "<h1>web</h1>", "text/html; charset=UTF-8", "a rewrite to nothing is the folder"),
        ("/a.txt", "hello world", "text/plain; charset=UTF-8", "a file"),
        ("a.txt", "hello world", "text/plain; charset=UTF-8", "a rewrite without a slash"),
        ("//a.txt", "hello world", "text/plain; charset=UTF-8", "empty segments are nothing"),
        ("/sub//index.html", "sub", "text/html; charset=UTF-8", "inside, too"),
        ("/sub/", "sub", "text/html; charset=UTF-8", "a folder's index"),
        ("/a%20b.txt", "space", "text/plain; charset=UTF-8", "a space"),
        ("/a+b.txt", "plus", "text/plain; charset=UTF-8", "a plus is a plus"),
        ("/%2541.txt", "pct", "text/plain; charset=UTF-8", "decoded once"),
        ("/%C3%BC.txt", "uml", "text/plain; charset=UTF-8", "UTF-8"),
        ("/A.TXT", "upper", "text/plain; charset=UTF-8", "names differ by case, types do not"),
        ("/empty.txt", "", "text/plain; charset=UTF-8", "no byte"),
        ("/noext", "noext", "application/octet-stream", "nothing is known of it"),
        ("/.well-known/security.txt", "sec", "text/plain; charset=UTF-8", "in a hidden folder"),
        ("/link-inside.txt", "hello world", "text/plain; charset=UTF-8", "a link that stays"),
        ("/sub/link-up-inside.txt", "hello world", "text/plain; charset=UTF-8", "upwards and stays"),
        ("/link-folder/", "sub", "text/html; charset=UTF-8", "a linked folder"),
    ] {
        let response = get(&dir, path, &HeaderMap::new()).await.unwrap_or_else(|no| panic!("{path}: {no}"));
        assert_eq!(response.status(), 200, "{path}: {shows}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], kind, "{path}: {shows}");
        assert_eq!(response.headers()[header::CONTENT_LENGTH], body.len().to_string(), "{path}");
        assert_eq!(text(response).await, body, "{path}: {shows}");
    }
}

#[test]
fn a_name_tells_the_type() {
    for (name, kind) in [
        ("f.js", "application/javascript; charset=UTF-8"),
        ("f.mjs", "application/javascript; charset=UTF-8"),
        ("f.json", "application/json; charset=UTF-8"),
        ("f.js.map", "application/json; charset=UTF-8"),
        ("f.css", "text/css; charset=UTF-8"),
        ("f.md", "text/markdown; charset=UTF-8"),
        ("f.yaml", "text/yaml; charset=UTF-8"),
        ("f.xml", "application/xml"),
        ("f.svg", "image/svg+xml"),
        ("f.png", "image/png"),
        ("f.ico", "image/x-icon"),
        ("f.wasm", "application/wasm"),
        ("f.webmanifest", "application/manifest+json"),
        ("f.woff2", "font/woff2"),
        ("f.pdf", "application/pdf"),
        ("f.zip", "application/zip"),
        ("f.gz", "application/gzip"),
        ("f.properties", "application/octet-stream"),
        ("f", "application/octet-stream"),
    ] {
        assert_eq!(kind::of(Path::new(name)), kind, "{name}");
    }
}

#[tokio::test]
async fn nothing_else_is_there() {
    let (_outside, dir) = folder();
    for path in [
        "/none",
        "/none/",
        "/sub/none",
        "/empty/",
        "/a.txt/",
        "/a.txt/x",
        "/a.txt;v=1",
        "/sub;x/index.html",
        "/.dot",
        "/.git",
        "/sub/.hidden",
        "/.git/.config",
        "/...",
        "/..a",
        "/a.TXT",
        "/SUB/",
        "/pipe",
        "/pipe/",
        "/socket",
        "/socket/",
        "/link-outside.txt",
        "/link-absolute.txt",
        "/link-chain.txt",
        "/link-dangling",
        "/link-loop",
        "/link-loop/x",
        "/link-proc",
        "/link-parent/secret.txt",
        "/link-parent/web/a.txt",
        "/link-parent/",
        "/link-root/etc/passwd",
        "/link-root/",
    ] {
        let answer = get(&dir, path, &HeaderMap::new()).await;
        assert!(matches!(answer, Err(Unserved::NotFound)), "{path}: {answer:?}");
    }
    let long = format!("/{}", "a".repeat(5000));
    assert!(matches!(get(&dir, &long, &HeaderMap::new()).await, Err(Unserved::NotFound)), "too long a name");
    let deep = "/a".repeat(5000);
    assert!(matches!(get(&dir, &deep, &HeaderMap::new()).await, Err(Unserved::NotFound)), "too long a path");
}

/// Forms of "one up", encoded and confused in every way seen in the field.
const UP: [&str; 24] = [
    "..",
    "%2e%2e",
    "%2E%2E",
    ".%2e",
    "%2e.",
    "..;",
    "..;x=1",
    "..%3b",
    "..%00",
    "%00..",
    "..%20",
    "..%09",
    "..%0d",
    "..%0a",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "%252e%252e",
    "%25252e%25252e",
    "..%c0%af",
    "%uff0e%uff0e",
    "\u{ff0e}\u{ff0e}",
    "%ef%bc%8e%ef%bc%8e",
    "....",
    "..\\",
];

/// What separates it from what follows.
const SEPARATORS: [&str; 8] = ["/", "//", "%2f", "%2F", "\\", "%5c", "%252f", "/./"];

#[tokio::test]
async fn no_path_leads_out() {
    let (outside, dir) = folder();
    let absolute = outside.path().join("secret.txt");
    let absolute = absolute.display();
    let mut paths: Vec<String> = UP
        .iter()
        .flat_map(|up| SEPARATORS.iter().map(move |separator| (up, separator)))
        .flat_map(|(up, separator)| {
            [
                format!("/{up}{separator}secret.txt"),
                format!("/sub/{up}{separator}{up}{separator}secret.txt"),
                format!("/deep/er{separator}{up}{separator}{up}{separator}{up}{separator}secret.txt"),
            ]
        })
        .collect();
    paths.extend([
        format!("/{absolute}"),
        format!("//{absolute}"),
        format!("/%2f{absolute}"),
        "/etc/passwd".to_owned(),
        "/file:///etc/passwd".to_owned(),
        "/C:/windows/win.ini".to_owned(),
        "/~root".to_owned(),
        "/a.txt%00.html".to_owned(),
        "/%".to_owned(),
        "/%zz".to_owned(),
        "/%ff.txt".to_owned(),
    ]);
    assert!(paths.len() > 500);
    for path in paths {
        match get(&dir, &path, &HeaderMap::new()).await {
            Err(Unserved::NotFound) => {}
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_folder_without_a_slash_is_sent_to_the_one_with() {
    let (_outside, dir) = folder();
    for (path, original, location, shows) in [
        ("/sub", "/web/sub", "/web/sub/", "the client's path, not the rewritten one"),
        ("/sub", "/pin?a=1&b=?", "/pin/?a=1&b=?", "the query stays"),
        ("/sub", "//evil.test", "/evil.test/", "never another host"),
        ("/sub", "///evil.test?x", "/evil.test/?x", "never another host"),
        ("/link-folder", "/link-folder", "/link-folder/", "a linked folder is one"),
        ("/empty", "/empty", "/empty/", "whether or not it has an index"),
    ] {
        let response = dir.serve(&Method::GET, path, original, &HeaderMap::new()).await.expect("a redirect");
        assert_eq!(response.status(), 301, "{original}: {shows}");
        assert_eq!(response.headers()[header::LOCATION], location, "{shows}");
        assert_eq!(text(response).await, "");
    }
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let (_outside, dir) = folder();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"] {
        for path in ["/a.txt", "/none", "/../secret.txt"] {
            let method = method.parse().expect("a method");
            let answer = dir.serve(&method, path, path, &HeaderMap::new()).await;
            assert!(matches!(answer, Err(Unserved::MethodNotAllowed)), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let (_outside, dir) = folder();
    let ranged = headers(&[(header::RANGE, "bytes=0-4")]);
    let head = dir.serve(&Method::HEAD, "/a.txt", "/a.txt", &ranged).await.expect("a file");
    assert_eq!(head.status(), 200, "a range means something to GET only (RFC 9110 §14.2)");
    assert_eq!(head.headers()[header::CONTENT_LENGTH], "11");
    assert_eq!(head.headers()[header::CONTENT_TYPE], "text/plain; charset=UTF-8");
    assert_eq!(text(head).await, "");
}

#[tokio::test]
async fn conditions_are_judged_in_the_order_of_the_rfc() {
    use header::{CACHE_CONTROL as CACHE, IF_MATCH, IF_MODIFIED_SINCE as SINCE, IF_NONE_MATCH as NONE};
    const BEFORE: &str = "Mon, 14 Nov 2022 22:13:20 GMT";
    const NOT_SINCE: HeaderName = header::IF_UNMODIFIED_SINCE;
    let (_outside, dir) = folder();
    for (lines, status, shows) in [
        (vec![], 200, "none"),
        (vec![(NONE, ETAG)], 304, "known"),
        (vec![(NONE, "\"b-18bcfe56800\"")], 304, "known, compared weakly"),
        (vec![(NONE, "\"x\", W/\"b-18bcfe56800\"")], 304, "one of a list"),
        (vec![(NONE, "\"x\""), (NONE, ETAG)], 304, "one of two lines"),
        (vec![(NONE, "*")], 304, "any version"),
        (vec![(NONE, "\"x\"")], 200, "another version"),
        (vec![(NONE, "\"x\""), (SINCE, MODIFIED)], 200, "a tag outweighs a date"),
        (vec![(SINCE, MODIFIED)], 304, "not modified since"),
        (vec![(SINCE, BEFORE)], 200, "modified since"),
        (vec![(SINCE, "yesterday")], 200, "no date"),
        (vec![(NONE, ETAG), (CACHE, "no-cache")], 200, "the client wants it anew"),
        (vec![(NONE, ETAG), (CACHE, "max-age=0, No-Cache")], 200, "in any case and place"),
        (vec![(IF_MATCH, ETAG)], 200, "the one that is meant"),
        (vec![(IF_MATCH, "*")], 200, "any"),
        (vec![(IF_MATCH, "\"x\"")], 412, "not the one that is meant"),
        (vec![(IF_MATCH, "\"x\""), (NONE, ETAG)], 412, "what is meant comes before what is known"),
        (vec![(IF_MATCH, ETAG), (NONE, ETAG)], 304, "meant and known"),
        (vec![(NOT_SINCE, MODIFIED)], 200, "unmodified since"),
        (vec![(NOT_SINCE, BEFORE)], 412, "modified since"),
        (vec![(NOT_SINCE, BEFORE), (IF_MATCH, ETAG)], 200, "a tag outweighs a date"),
    ] {
        let answer = get(&dir, "/a.txt", &headers(&lines)).await;
        let answered = match &answer {
            Ok(response) => response.status().as_u16(),
            Err(Unserved::PreconditionFailed) => 412,
            Err(other) => panic!("{lines:?}: {other}"),
        };
        assert_eq!(answered, status, "{lines:?}: {shows}");
        if let Ok(response) = answer {
            assert_eq!(response.headers()[header::ETAG], ETAG);
            assert_eq!(response.headers()[header::LAST_MODIFIED], MODIFIED);
            assert_eq!(response.headers()[header::ACCEPT_RANGES], "bytes");
            assert_eq!(text(response).await.is_empty(), status == 304, "{shows}");
        }
    }
}

#[tokio::test]
async fn a_range_is_a_part() {
    use header::{IF_RANGE, RANGE};
    const OTHER: &str = "W/\"other\"";
    let (_outside, dir) = folder();
    for (lines, status, range, body) in [
        (vec![(RANGE, "bytes=0-4")], 206, Some("bytes 0-4/11"), "hello"),
        (vec![(RANGE, "bytes=6-")], 206, Some("bytes 6-10/11"), "world"),
        (vec![(RANGE, "bytes=-5")], 206, Some("bytes 6-10/11"), "world"),
        (vec![(RANGE, "bytes=-99")], 206, Some("bytes 0-10/11"), "hello world"),
        (vec![(RANGE, "bytes=0-1,3-4")], 200, None, "hello world"),
        (vec![(RANGE, "lines=0-1")], 200, None, "hello world"),
        (vec![(RANGE, "bytes=0-4"), (IF_RANGE, ETAG)], 206, Some("bytes 0-4/11"), "hello"),
        (vec![(RANGE, "bytes=0-4"), (IF_RANGE, MODIFIED)], 206, Some("bytes 0-4/11"), "hello"),
        (vec![(RANGE, "bytes=0-4"), (IF_RANGE, OTHER)], 200, None, "hello world"),
        (vec![(RANGE, "bytes=99-"), (IF_RANGE, OTHER)], 200, None, "hello world"),
    ] {
        let response = get(&dir, "/a.txt", &headers(&lines)).await.expect("a part");
        assert_eq!(response.status(), status, "{lines:?}");
        let shown =
            response.headers().get(header::CONTENT_RANGE).map(|it| it.to_str().expect("ASCII").to_owned());
        assert_eq!(shown.as_deref(), range, "{lines:?}");
        assert_eq!(response.headers()[header::CONTENT_LENGTH], body.len().to_string());
        assert_eq!(text(response).await, body, "{lines:?}");
    }
    let beyond = get(&dir, "/a.txt", &headers(&[(RANGE, "bytes=99-")])).await;
    assert!(matches!(beyond, Err(Unserved::RangeNotSatisfiable { length: 11 })));
}

#[tokio::test]
async fn cache_control_goes_with_what_is_served() {
    let (outside, _dir) = folder();
    let value = HeaderValue::from_static("public, max-age=10");
    let dir = LocalDir::open(&outside.path().join("web"), Some(value.clone())).expect("the folder");
    for (path, lines, status) in [
        ("/a.txt", vec![], 200),
        ("/a.txt", vec![(header::RANGE, "bytes=0-1")], 206),
        ("/a.txt", vec![(header::IF_NONE_MATCH, "*")], 304),
        ("/sub", vec![], 301),
    ] {
        let response = get(&dir, path, &headers(&lines)).await.expect("an answer");
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()[header::CACHE_CONTROL], value, "{status}");
    }
}

#[tokio::test]
async fn a_large_file_comes_whole_and_in_parts() {
    let (outside, dir) = folder();
    let bytes: Vec<u8> =
        (0..1_000_003_u32).map(|number| u8::try_from(number % 251).expect("a byte")).collect();
    fs::write(outside.path().join("web/large.bin"), &bytes).expect("a file");
    let whole = get(&dir, "/large.bin", &HeaderMap::new()).await.expect("the file");
    assert!(whole.into_body().collect().await.expect("the body").to_bytes() == bytes);
    let range = headers(&[(header::RANGE, "bytes=131071-700000")]);
    let part = get(&dir, "/large.bin", &range).await.expect("a part");
    assert!(part.into_body().collect().await.expect("the body").to_bytes() == bytes[131_071..=700_000]);
}

#[tokio::test]
async fn a_file_that_shrinks_ends_with_an_error_and_one_that_grows_is_cut() {
    let (outside, dir) = folder();
    let path = outside.path().join("web/large.bin");
    fs::write(&path, vec![b'a'; 600_000]).expect("a file");
    let shrinking = get(&dir, "/large.bin", &HeaderMap::new()).await.expect("the file");
    fs::File::options().write(true).open(&path).expect("the file").set_len(200_000).expect("shorter");
    let error = shrinking.into_body().collect().await.expect_err("too short");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    let growing = get(&dir, "/large.bin", &HeaderMap::new()).await.expect("the file");
    fs::File::options().write(true).open(&path).expect("the file").set_len(900_000).expect("longer");
    assert_eq!(growing.into_body().collect().await.expect("the body").to_bytes().len(), 200_000);
}

#[tokio::test]
async fn a_folder_that_was_replaced_is_seen() {
    let (outside, dir) = folder();
    fs::rename(outside.path().join("web"), outside.path().join("old")).expect("moved away");
    assert!(matches!(get(&dir, "/a.txt", &HeaderMap::new()).await, Err(Unserved::NotFound)));
    fs::create_dir(outside.path().join("web")).expect("a new one");
    write(&outside.path().join("web/a.txt"), "new");
    let response = get(&dir, "/a.txt", &HeaderMap::new()).await.expect("the new file");
    assert_eq!(text(response).await, "new");
}

#[test]
fn a_folder_that_is_not_there_is_told_at_once() {
    let (outside, _dir) = folder();
    for name in ["none", "secret.txt"] {
        assert!(LocalDir::open(&outside.path().join(name), None).is_err(), "{name}");
    }
}
