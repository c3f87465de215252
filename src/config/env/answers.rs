//! What the environment says about answers.
//!
//! `COMPRESSION` goes before the file key by key; `httpHeaders` stand behind the file's headers.

use super::super::decode::Decoder;
use super::super::file::answers::{self, Compression, Header};
use super::super::text::Located;
use super::Variables;

/// The variables about answers.
#[derive(Debug, Default)]
pub(crate) struct AnswerVariables {
    /// `httpHeaders`.
    pub(crate) headers: Vec<Header>,
    /// `COMPRESSION`.
    pub(crate) compression: Compression,
    /// `SEND_XFRAMEOPTIONS`.
    pub(crate) frame_options: Option<Located<bool>>,
    /// `MERGE_CSP_HEADERS`.
    pub(crate) merge_policies: Option<Located<bool>>,
}

impl AnswerVariables {
    /// Reads them.
    pub(crate) fn decode(d: &mut Decoder<'_, '_>, variables: &Variables<'_>) -> Self {
        let flag = |d: &mut Decoder<'_, '_>, name| {
            variables.json(d, name, |d, node| Some(Located { value: d.boolean(node)?, mark: node.mark() }))
        };
        Self {
            headers: variables.json(d, "httpHeaders", answers::http_headers).unwrap_or_default(),
            compression: variables.json(d, "COMPRESSION", answers::compression).unwrap_or_default(),
            frame_options: flag(d, "SEND_XFRAMEOPTIONS"),
            merge_policies: flag(d, "MERGE_CSP_HEADERS"),
        }
    }
}
