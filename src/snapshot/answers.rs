//! How answers are dressed, as far as it is configured.
//!
//! Everything is ready to be sent: names and values are those of headers, pages lie in memory. What is not
//! asked for is absent, so that it costs an answer one look.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::route::welcome::Welcome;

/// How answers are dressed.
#[derive(Debug, Default)]
pub struct AnswerRules {
    /// What an answer gets that does not say it itself, each name once: `httpHeaders`, `responseHeaders`,
    /// `SEND_XFRAMEOPTIONS`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The policy of [`Self::headers`] that goes beside a backend's own: `MERGE_CSP_HEADERS`.
    pub policy_beside: Option<HeaderValue>,
    /// What is compressed; `None` where nothing is.
    pub compression: Option<Compression>,
    /// What refusals look like, by status.
    pub error_pages: ErrorPages,
}

/// What is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    /// The length in bytes from which on it is worth while; a length that is not known always is.
    pub min_size: u64,
    /// Whether `multipart/mixed` is compressed as well.
    pub mixed: bool,
}

impl Default for Compression {
    fn default() -> Self {
        Self { min_size: 1024, mixed: false }
    }
}

/// What stands in for our own refusals.
#[derive(Debug, Default)]
pub struct ErrorPages(Vec<(StatusCode, Arc<ErrorPage>)>);

/// One page.
#[derive(Debug)]
pub enum ErrorPage {
    /// What a file held when the configuration was read.
    File {
        /// Its bytes.
        content: Bytes,
        /// Its type.
        kind: HeaderValue,
    },
    /// A path of the application, which browsers are sent to.
    Path(Welcome),
}

impl ErrorPages {
    /// Has refusals with `status` look like `page`, unless another page was first.
    pub fn add(&mut self, status: StatusCode, page: Arc<ErrorPage>) {
        if self.of(status).is_none() {
            self.0.push((status, page));
        }
    }

    /// The page of a status.
    #[must_use]
    pub fn of(&self, status: StatusCode) -> Option<&ErrorPage> {
        self.0.iter().find(|(its, _)| *its == status).map(|(_, page)| &**page)
    }

    /// The paths that browsers are sent to.
    pub fn paths(&self) -> impl Iterator<Item = &Welcome> {
        self.0.iter().filter_map(|(_, page)| match &**page {
            ErrorPage::Path(path) => Some(path),
            ErrorPage::File { .. } => None,
        })
    }
}
