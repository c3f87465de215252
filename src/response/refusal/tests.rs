//! What a stranger is told, and what is kept from them.

use super::*;

const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

fn refusal<'a>(detail: &'a str, headers: &'a [(HeaderName, HeaderValue)]) -> Refusal<'a> {
    Refusal {
        status: StatusCode::NOT_FOUND,
        code: "unknown_tenant",
        title: "Unknown tenant",
        detail,
        id: "01ab",
        action: None,
        headers,
    }
}

fn accepting(accept: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))])
}

fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).expect("UTF-8")
}

#[test]
fn a_program_gets_a_problem() {
    let response = refusal("No such \"tenant\"\n", &[]).response(&Method::GET, &HeaderMap::new());
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache, no-store, must-revalidate");
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let problem: serde_json::Value = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(
        problem,
        json!({"title": "Unknown tenant", "status": 404, "code": "unknown_tenant",
               "detail": "No such \"tenant\"\n", "id": "01ab"})
    );
}

#[test]
fn a_browser_gets_a_page_in_which_nothing_can_open_a_tag() {
    let hostile = "<script>alert('1')</script>\"&{{code}}\u{0}";
    let response = refusal(hostile, &[]).response(&Method::GET, &accepting(BROWSER));
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    let page = text(&response);
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;{{code}}\u{fffd}"));
    assert!(!page.contains("<script"));
    assert!(page.contains("<h1>Unknown tenant</h1>") && page.contains("<dd>01ab</dd>"));
}

#[test]
fn the_page_needs_nothing_from_outside() {
    for forbidden in ["http:", "https:", "src=", "href=", "@import", "url(", "style=\"", "<script"] {
        assert!(!PAGE.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn the_policy_allows_the_style_sheet_of_the_page() {
    let policy = PAGE_POLICY.to_str().expect("ASCII").to_owned();
    assert!(policy.contains(page::STYLE_SOURCE), "{} is expected", page::STYLE_SOURCE);
    assert!(PAGE.contains("<style>\n{{style}}</style>"), "the digest is of the whole element");
}

#[test]
fn what_can_be_done_is_a_link_of_the_page() {
    let action = Action { label: "Log in again", address: "/a?b=\"c".into() };
    let refusal = Refusal { action: Some(&action), ..refusal("expired", &[]) };
    let page = refusal.response(&Method::GET, &accepting(BROWSER));
    assert!(text(&page).contains("<a href=\"/a?b=&quot;c\">Log in again</a>"));
    assert!(!text(&refusal.response(&Method::GET, &HeaderMap::new())).contains("Log in"));
}

#[test]
fn head_has_the_length_and_no_body() {
    let refusal = refusal("gone", &[]);
    let head = refusal.response(&Method::HEAD, &HeaderMap::new());
    let get = refusal.response(&Method::GET, &HeaderMap::new());
    assert!(head.body().is_empty());
    assert_eq!(head.headers()[header::CONTENT_LENGTH], get.body().len().to_string());
}

#[test]
fn what_the_status_asks_for_is_sent_along() {
    let extra = [
        (header::RETRY_AFTER, HeaderValue::from(3)),
        (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        (header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic")),
    ];
    let response = refusal("later", &extra).response(&Method::POST, &HeaderMap::new());
    assert_eq!(response.headers()[header::RETRY_AFTER], "3");
    assert_eq!(response.headers().get_all(header::WWW_AUTHENTICATE).iter().count(), 2);
}
