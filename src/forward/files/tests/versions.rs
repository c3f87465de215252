//! One file, several versions: compressed siblings, and files whose tags are replaced.

use super::*;

#[tokio::test]
async fn a_compressed_sibling_goes_to_those_who_take_it() {
    use header::{ACCEPT_ENCODING as ACCEPT, CONTENT_ENCODING, IF_NONE_MATCH, RANGE, VARY};
    let (outside, dir) = folder();
    let web = outside.path().join("web");
    for (name, text) in [("app.js", "plain js"), ("app.js.br", "B"), ("app.js.gz", "GG"), ("a.txt.gz", "old")]
    {
        write(&web.join(name), text);
    }
    write(&web.join("i.png"), "png");
    write(&web.join("i.png.gz"), "packed");
    fs::create_dir(web.join("sub/index.html.zst")).expect("a folder in its place");
    symlink("../secret.txt", web.join("index.html.gz")).expect("a link");
    let older = UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    let file = fs::File::options().write(true).open(web.join("a.txt.gz")).expect("the file");
    file.set_modified(older).expect("its time");
    for (path, lines, coding, body, shows) in [
        ("/app.js", vec![(ACCEPT, "gzip, br")], Some("br"), "B", "the one that saves most"),
        ("/app.js", vec![(ACCEPT, "gzip")], Some("gzip"), "GG", "the one that is taken"),
        ("/app.js", vec![(ACCEPT, "zstd")], None, "plain js", "none of them"),
        ("/app.js", vec![], None, "plain js", "nothing is said"),
        (
            "/app.js",
            vec![(ACCEPT, "br"), (RANGE, "bytes=0-4")],
            None,
            "plain",
            "a part is of the file itself",
        ),
        ("/a.txt", vec![(ACCEPT, "gzip")], None, "hello world", "older than its file"),
        ("/i.png", vec![(ACCEPT, "gzip")], None, "png", "nothing is gained"),
        ("/sub/", vec![(ACCEPT, "zstd")], None, "sub", "no file"),
        ("/index.html", vec![(ACCEPT, "gzip")], None, "<h1>web</h1>", "a link that leads out"),
        ("/app.js.br", vec![(ACCEPT, "br")], None, "B", "asked for by its own name"),
    ] {
        let response = get(&dir, path, &headers(&lines)).await.expect(path);
        let found = response.headers().get(CONTENT_ENCODING).map(|it| it.to_str().expect("ASCII").to_owned());
        assert_eq!(found.as_deref(), coding, "{path} {lines:?}: {shows}");
        assert_eq!(response.headers().contains_key(VARY), path != "/i.png", "{path} {lines:?}");
        assert_eq!(text(response).await, body, "{path} {lines:?}: {shows}");
    }
    let packed = get(&dir, "/app.js", &headers(&[(ACCEPT, "br")])).await.expect("the sibling");
    assert_eq!(packed.headers()[header::CONTENT_TYPE], "application/javascript; charset=UTF-8");
    let plain = get(&dir, "/app.js", &HeaderMap::new()).await.expect("the file");
    let tag = plain.headers()[header::ETAG].clone();
    assert_ne!(packed.headers()[header::ETAG], tag, "two representations, two tags");
    let mut known = headers(&[(ACCEPT, "br")]);
    known.insert(IF_NONE_MATCH, tag);
    assert_eq!(get(&dir, "/app.js", &known).await.expect("an answer").status(), 200, "not the one it has");
}

#[tokio::test]
async fn tags_are_replaced_in_the_files_that_are_named() {
    let (outside, _dir) = folder();
    let web = outside.path().join("web");
    write(&web.join("index.html"), "<p>{{A}} {{{A}}} {{B}}</p>");
    write(&web.join("index.html.gz"), "packed");
    write(&web.join("t.unknown"), "{{A}}");
    write(&web.join("a.txt"), "{{A}}");
    let values = |value: &str| std::iter::once(("A".into(), crate::secret::Secret::new(value))).collect();
    let suffixes = || vec![".html".into(), ".unknown".into()];
    let open = |value: &str| {
        let cache_control = Some(HeaderValue::from_static("public, max-age=10"));
        let dir = LocalDir::open(&web, cache_control).expect("the folder");
        dir.with_replacement(Replacement::new(suffixes(), values(value)))
    };
    let dir = open("<1>");
    let anything = headers(&[(header::ACCEPT_ENCODING, "gzip"), (header::RANGE, "bytes=0-1")]);
    for (path, kind, body, shows) in [
        ("/index.html", "text/html; charset=UTF-8", "<p>&lt;1&gt; <1> </p>", "a file that is named"),
        ("/", "text/html; charset=UTF-8", "<p>&lt;1&gt; <1> </p>", "the same as a folder's index"),
        ("/%69ndex.html", "text/html; charset=UTF-8", "<p>&lt;1&gt; <1> </p>", "the same, escaped"),
        ("/t.unknown", "text/html; charset=UTF-8", "&lt;1&gt;", "HTML where nothing is known"),
    ] {
        let response = get(&dir, path, &anything).await.expect(path);
        assert_eq!(response.status(), 200, "{path}: whole, or not at all");
        assert_eq!(response.headers()[header::CONTENT_TYPE], kind, "{path}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=10");
        assert!(
            !response.headers().contains_key(header::CONTENT_ENCODING),
            "{path}: no sibling knows the tags"
        );
        assert!(!response.headers().contains_key(header::LAST_MODIFIED), "{path}: values have no date");
        assert_eq!(response.headers()[header::CONTENT_LENGTH], body.len().to_string());
        assert_eq!(text(response).await, body, "{path}: {shows}");
    }
    let plain = get(&dir, "/a.txt", &HeaderMap::new()).await.expect("a file");
    assert_eq!(text(plain).await, "{{A}}", "a file that is not named");
    assert!(matches!(
        dir.serve(&Method::POST, "/index.html", "/index.html", &HeaderMap::new()).await,
        Err(Unserved::MethodNotAllowed)
    ));
    let head = dir.serve(&Method::HEAD, "/index.html", "/", &HeaderMap::new()).await.expect("a file");
    let tag = head.headers()[header::ETAG].clone();
    assert_eq!(text(head).await, "");
    let mut known = HeaderMap::new();
    known.insert(header::IF_NONE_MATCH, tag.clone());
    assert_eq!(get(&dir, "/index.html", &known).await.expect("an answer").status(), 304, "known");
    let other = get(&open("2"), "/index.html", &known).await.expect("an answer");
    assert_eq!(other.status(), 200, "another value is another version");
    write(&web.join("index.html"), "{{A}}!");
    let changed = get(&dir, "/index.html", &known).await.expect("an answer");
    assert_eq!(text(changed).await, "&lt;1&gt;!", "a changed file is seen");
    fs::write(web.join("huge.html"), vec![b'a'; 5 * 1024 * 1024]).expect("a file");
    let huge = get(&dir, "/huge.html", &HeaderMap::new()).await;
    assert!(matches!(huge, Err(Unserved::Unreadable(_))), "too long to look for tags in");
}
