//! How answers are dressed: what is written becomes what can be sent.
//!
//! A header that could split an answer in two, or that would contradict how it is framed, is refused with
//! its place. Where two say the same name, the later one counts, and the file before the environment.

use std::path::Path;
use std::sync::Arc;

use http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use http::{HeaderName, HeaderValue, StatusCode};

use super::super::file::answers::{self, Header};
use super::super::text::Located;
use super::Compiler;
use crate::forward::files;
use crate::route::welcome::Welcome;
use crate::snapshot::{AnswerRules, Compression, ErrorPage, ErrorPages};

/// Names that say how an answer is framed or coded, or whose caller it is: never ours to add.
const TAKEN: [&str; 17] = [
    "set-cookie",
    "cookie",
    "authorization",
    "connection",
    "keep-alive",
    "proxy-connection",
    "content-length",
    "content-encoding",
    "content-range",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "date",
    "x-request-id",
    "x-csrf-token",
    "location",
];

/// How answers are dressed; `None` where that does not compile.
pub(super) fn compile(compiler: &mut Compiler<'_>) -> Option<AnswerRules> {
    let headers = headers(compiler)?;
    let merges = compiler.model.settings.answers.merge_policies.is_some_and(|merges| merges.value);
    let policy = headers.iter().find(|(name, _)| *name == CONTENT_SECURITY_POLICY);
    let policy_beside = policy.filter(|_| merges).map(|(_, value)| value.clone());
    let error_pages = error_pages(compiler)?;
    Some(AnswerRules { headers, policy_beside, compression: compression(compiler), error_pages })
}

/// Whether answers say who may frame them, where nothing else does.
pub(super) fn frame_options(compiler: &Compiler<'_>) -> bool {
    compiler.model.settings.answers.frame_options.is_none_or(|send| send.value)
}

fn headers(compiler: &mut Compiler<'_>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let before = compiler.findings.errors();
    let model = compiler.model;
    let in_file = model.app.iter().flat_map(|app| &app.answers.headers);
    let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::new();
    for written in model.settings.answers.headers.iter().chain(in_file) {
        let Some((name, value)) = header(compiler, written) else { continue };
        headers.retain(|(earlier, _)| *earlier != name);
        headers.push((name, value));
    }
    if frame_options(compiler) && headers.iter().all(|(name, _)| *name != X_FRAME_OPTIONS) {
        headers.insert(0, (X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")));
    }
    (compiler.findings.errors() == before).then_some(headers)
}

/// A header as it is sent. HTTP/2 knows no space around a value (RFC 9113 §8.2.1).
fn header(compiler: &mut Compiler<'_>, written: &Header) -> Option<(HeaderName, HeaderValue)> {
    let name = written.name.value.parse::<HeaderName>();
    let problem = match &name {
        Ok(name) if TAKEN.contains(&name.as_str()) => {
            Some(format!("`{name}` cannot be an additional header: it has a meaning of its own"))
        }
        Ok(_) => None,
        Err(_) => Some(String::from("this cannot be a header's name")),
    };
    if let Some(problem) = problem {
        compiler.findings.error(written.name.mark, "unusable_header", problem);
    }
    let value = written.value.value.trim_matches([' ', '\t']);
    let value = HeaderValue::from_str(value).ok().filter(|_| value.is_ascii());
    if value.is_none() {
        let message = "a header's value is one line of visible ASCII characters";
        compiler.findings.error(written.value.mark, "unusable_header", message);
    }
    name.ok().zip(value)
}

fn compression(compiler: &Compiler<'_>) -> Option<Compression> {
    let written = written_compression(compiler);
    let default = Compression::default();
    written.enabled.is_none_or(|enabled| enabled.value).then(|| Compression {
        min_size: written.min_size.map_or(default.min_size, |size| size.value),
        mixed: written.mixed.map_or(default.mixed, |mixed| mixed.value),
    })
}

/// What is said about compression, the environment first.
pub(super) fn written_compression(compiler: &Compiler<'_>) -> answers::Compression {
    let model = compiler.model;
    let in_file = model.app.as_ref().map(|app| app.answers.compression).unwrap_or_default();
    model.settings.answers.compression.or(in_file)
}

fn error_pages(compiler: &mut Compiler<'_>) -> Option<ErrorPages> {
    let before = compiler.findings.errors();
    let model = compiler.model;
    let mut pages = ErrorPages::default();
    for written in model.app.iter().flat_map(|app| &app.answers.error_pages) {
        let page = match (&written.file, &written.path) {
            // A file that cannot be read has been noticed.
            (Some(file), _) => file.content.as_ref().map(|content| ErrorPage::File {
                content: content.clone().into(),
                kind: files::kind(Path::new(&*file.name.value)),
            }),
            (None, Some(path)) => page_path(compiler, path),
            (None, None) => {
                let message = "without `file` and `path` this changes nothing";
                compiler.findings.warning(written.mark, "no_error_page", message);
                None
            }
        };
        let Some(page) = page.map(Arc::new) else { continue };
        for status in &written.statuses {
            let Ok(status) = StatusCode::from_u16(*status) else { continue };
            if pages.of(status).is_some() {
                let message = format!("{} has a page already, which counts", status.as_u16());
                compiler.findings.warning(written.mark, "duplicate_error_page", message);
            }
            pages.add(status, Arc::clone(&page));
        }
    }
    (compiler.findings.errors() == before).then_some(pages)
}

/// A path of the application, whatever is written: it leads to no other host.
fn page_path(compiler: &mut Compiler<'_>, path: &Located<Box<str>>) -> Option<ErrorPage> {
    match Welcome::compile(&path.value) {
        Ok(path) => Some(ErrorPage::Path(path)),
        Err(error) => {
            let message = format!("no request can be for this path: {error}");
            compiler.findings.error(path.mark, "unusable_path", message);
            None
        }
    }
}
