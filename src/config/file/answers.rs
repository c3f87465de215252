//! What `xs-app.json` says about answers: headers, compression, pages for refusals.
//!
//! Knows the keys and what they hold. A page's file is read here, where the other files are, so that it is
//! watched as they are; one that is missing takes nothing away but the page.

use super::super::decode::{Decoder, Fields, Node};
use super::super::text::{Located, Mark};

pub(crate) const RESPONSE_HEADER: &[&str] = &["name", "value"];
pub(crate) const COMPRESSION: &[&str] = &["enabled", "minSize", "compressResponseMixedTypeContent"];

/// One header of every answer.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) name: Located<Box<str>>,
    pub(crate) value: Located<Box<str>>,
}

/// `compression`, in the file or in the environment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Compression {
    pub(crate) enabled: Option<Located<bool>>,
    /// In bytes.
    pub(crate) min_size: Option<Located<u64>>,
    pub(crate) mixed: Option<Located<bool>>,
}

/// One entry of `errorPage`.
#[derive(Debug)]
pub(crate) struct ErrorPage {
    /// Where it stands.
    pub(crate) mark: Mark,
    pub(crate) statuses: Vec<u16>,
    pub(crate) file: Option<PageFile>,
    pub(crate) path: Option<Located<Box<str>>>,
}

/// A page's file.
#[derive(Debug)]
pub(crate) struct PageFile {
    pub(crate) name: Located<Box<str>>,
    /// What it holds; nothing where it could not be read, which has been noticed.
    pub(crate) content: Option<Vec<u8>>,
}

/// What the file says about answers.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) headers: Vec<Header>,
    pub(crate) compression: Compression,
    pub(crate) error_pages: Vec<ErrorPage>,
}

impl Answers {
    /// Reads the keys of `xs-app.json` that are about answers.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, fields: &Fields<'_>) -> Self {
        let headers = fields.take("responseHeaders").and_then(|node| d.list(node, header));
        let pages = fields.take("errorPage").and_then(|node| d.list(node, error_page));
        Self {
            headers: headers.unwrap_or_default(),
            compression: fields.take("compression").and_then(|node| compression(d, node)).unwrap_or_default(),
            error_pages: pages.unwrap_or_default(),
        }
    }
}

fn header(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Header> {
    let fields = d.fields(node, RESPONSE_HEADER)?;
    let value = d.required(&fields, "value").and_then(|node| d.string(node));
    let name = d.required(&fields, "name").and_then(|node| d.text(node))?;
    Some(Header { name, value: value? })
}

/// A list of objects of headers each: `httpHeaders`.
pub(crate) fn http_headers(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Vec<Header>> {
    let objects = d.list(node, |d, node| {
        let fields = d.map(node)?;
        let headers = fields.entries().filter_map(|(name, mark, value)| {
            Some(Header { name: Located { value: name.into(), mark }, value: d.string(value)? })
        });
        Some(headers.collect::<Vec<_>>())
    });
    Some(objects?.into_iter().flatten().collect())
}

/// Reads `compression`.
pub(crate) fn compression(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<Compression> {
    let fields = d.fields(node, COMPRESSION)?;
    let flag = |d: &mut Decoder<'_, '_>, key| {
        let node = fields.take(key)?;
        Some(Located { value: d.boolean(node)?, mark: node.mark() })
    };
    let (enabled, mixed) = (flag(d, "enabled"), flag(d, "compressResponseMixedTypeContent"));
    let min_size = fields
        .take("minSize")
        .and_then(|node| Some(Located { value: d.integer(node, 1..=u64::MAX)?, mark: node.mark() }));
    Some(Compression { enabled, min_size, mixed })
}

impl Compression {
    /// What is said here, and otherwise what `other` says, key by key.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            enabled: self.enabled.or(other.enabled),
            min_size: self.min_size.or(other.min_size),
            mixed: self.mixed.or(other.mixed),
        }
    }
}

/// Entries may hold further keys, which mean nothing: files in the wild do.
fn error_page(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<ErrorPage> {
    let fields = d.map(node)?;
    let file = fields.take("file").and_then(|node| d.text(node)).map(|name| page_file(d, name));
    let path = fields.take("path").and_then(|node| d.text(node));
    let status = d.required(&fields, "status")?;
    let statuses =
        if status.is_list() { d.filled_list(status, one_status)? } else { vec![one_status(d, status)?] };
    Some(ErrorPage { mark: node.mark(), statuses, file, path })
}

fn one_status(d: &mut Decoder<'_, '_>, node: Node<'_>) -> Option<u16> {
    d.integer(node, 100..=599).and_then(|status| u16::try_from(status).ok())
}

fn page_file(d: &mut Decoder<'_, '_>, name: Located<Box<str>>) -> PageFile {
    let content = match d.references.bytes(name.value.trim_start_matches('/')) {
        Some(Ok(content)) => Some(content),
        Some(Err(error)) => {
            let message = format!("`{}` cannot be read: {error}", name.value);
            let finding = d.findings.warning(name.mark, "missing_file", message);
            finding.hint("until it can be, refusals look as they do without `errorPage`");
            None
        }
        None => None,
    };
    PageFile { name, content }
}
