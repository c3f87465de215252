//! Serves the files of a `localDir`.
//!
//! Nothing outside the folder is ever opened: the kernel (or `cap-std` step by step, where the kernel is
//! old) resolves the path beneath it, so neither dots nor a symbolic link leads out, and there is no moment
//! between a check and an opening. It knows no route and no refusal page: what it does not serve it says as
//! an [`Unserved`]. Opening, judging the conditions and reading the first piece are one visit to a blocking
//! thread. Surprising: the folder itself is opened anew for each request, so that replacing it whole, as a
//! deployment does, is seen at once.

mod body;
mod condition;
mod encoding;
mod kind;
mod path;
mod range;
mod replace;

use std::io::{self, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions, OpenOptionsExt as _};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use rustix::fs::OFlags;
use rustix::io::Errno;

use self::condition::{Conditions, Validators, Verdict};
use self::path::Wanted;
use self::range::Part;
use self::replace::Rendered;
use crate::request::coding::{Accepted, Coding};

pub use self::body::FileBody;
pub use self::kind::of as kind;
pub use self::replace::Replacement;

/// Why a request was not answered with a file.
#[derive(Debug, thiserror::Error)]
pub enum Unserved {
    /// There is no such file, or it is one that is never served. 404.
    #[error("no file to serve")]
    NotFound,
    /// Files are read only. 405 with [`ALLOW`], whether or not the file exists.
    #[error("a file is only read")]
    MethodNotAllowed,
    /// `If-Match` or `If-Unmodified-Since` does not hold. 412.
    #[error("the file is not the one that the request asks for")]
    PreconditionFailed,
    /// No byte of the asked range exists. 416 with `Content-Range: bytes */length`.
    #[error("the range lies outside of the file")]
    RangeNotSatisfiable {
        /// The file's length in bytes.
        length: u64,
    },
    /// The file exists and cannot be read. 500.
    #[error("the file cannot be read")]
    Unreadable(#[source] io::Error),
}

/// What a 405 of this module allows.
pub const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD");

/// A folder whose files are served.
#[derive(Clone, Debug)]
pub struct LocalDir {
    root: Arc<Path>,
    cache_control: Option<HeaderValue>,
    replacement: Option<Arc<Replacement>>,
}

/// What of a request decides how its file is answered.
struct Question {
    wanted: Wanted,
    conditions: Conditions,
    accepted: Accepted,
    with_body: bool,
    /// Where a folder without a slash is redirected to.
    location: Option<HeaderValue>,
}

/// A file that was opened, perhaps a compressed sibling of the one that is wanted.
struct Opened {
    file: File,
    length: u64,
    validators: Validators,
    coding: Option<Coding>,
    kind: HeaderValue,
}

impl LocalDir {
    /// The folder `root`, which must be there; `cache_control` goes with every file of it.
    pub fn open(root: &Path, cache_control: Option<HeaderValue>) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        Dir::open_ambient_dir(&root, ambient_authority())?;
        Ok(Self { root: root.into(), cache_control, replacement: None })
    }

    /// The same folder, in whose files tags are replaced.
    #[must_use]
    pub fn with_replacement(self, replacement: Replacement) -> Self {
        Self { replacement: Some(Arc::new(replacement)), ..self }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file that `path` names: the rewritten path, still percent-encoded, without a query.
    /// `original` is path and query as the client sent them, for the redirect that adds a slash.
    pub async fn serve(
        &self,
        method: &Method,
        path: &str,
        original: &str,
        headers: &HeaderMap,
    ) -> Result<Response<FileBody>, Unserved> {
        let with_body = match *method {
            Method::GET => true,
            Method::HEAD => false,
            _ => return Err(Unserved::MethodNotAllowed),
        };
        let wanted = Wanted::parse(path).ok_or(Unserved::NotFound)?;
        let question = Question {
            conditions: Conditions::of(headers, with_body),
            accepted: Accepted::of(headers),
            with_body,
            location: if wanted.folder { None } else { slash_added(original) },
            wanted,
        };
        let this = self.clone();
        let visited = tokio::task::spawn_blocking(move || this.answer(question)).await;
        visited.unwrap_or_else(|died| Err(Unserved::Unreadable(io::Error::other(died))))
    }

    /// Opens, judges and answers; blocks on the disk.
    fn answer(&self, question: Question) -> Result<Response<FileBody>, Unserved> {
        let Question { wanted, conditions, accepted, with_body, location } = question;
        let root = self.open_root().map_err(unserved)?;
        let (mut file, metadata) = find(&root, &wanted.path).map_err(unserved)?;
        if metadata.is_dir() {
            return location.map(|it| self.redirect(it)).ok_or(Unserved::NotFound);
        }
        if !metadata.is_file() {
            return Err(Unserved::NotFound);
        }
        let replacement = self.replacement.as_ref().filter(|it| it.concerns(&wanted.path));
        if let Some(replacement) = replacement {
            let rendered = replacement.rendered(&wanted.path, &mut file, &metadata);
            let rendered = rendered.map_err(Unserved::Unreadable)?;
            return self.replaced(&conditions, rendered, kind::of_replaced(&wanted.path), with_body);
        }
        let accepted = if conditions.asks_for_a_part() { Accepted::default() } else { accepted };
        let opened = chosen(&root, &wanted.path, file, &metadata, accepted).map_err(Unserved::Unreadable)?;
        match conditions.judge(&opened.validators) {
            Verdict::Failed => Err(Unserved::PreconditionFailed),
            Verdict::Unmodified => Ok(self.dressed(StatusCode::NOT_MODIFIED, &opened)),
            Verdict::Send => {
                let part = conditions.part(&opened.validators);
                let mut response = self.dressed(StatusCode::OK, &opened);
                dress_part(&mut response, &part, &opened)?;
                if with_body {
                    *response.body_mut() = body(opened.file, &part).map_err(Unserved::Unreadable)?;
                }
                Ok(response)
            }
        }
    }

    /// The answer with a file whose tags are replaced: whole, or not at all.
    fn replaced(
        &self,
        conditions: &Conditions,
        rendered: Rendered,
        kind: HeaderValue,
        with_body: bool,
    ) -> Result<Response<FileBody>, Unserved> {
        let mut response = Response::new(FileBody::empty());
        let headers = response.headers_mut();
        let verdict = conditions.judge_tag(&rendered.etag);
        headers.insert(header::ETAG, rendered.etag);
        self.dress_cache_control(headers);
        match verdict {
            Verdict::Failed => return Err(Unserved::PreconditionFailed),
            Verdict::Unmodified => *response.status_mut() = StatusCode::NOT_MODIFIED,
            Verdict::Send => {
                headers.insert(header::CONTENT_TYPE, kind);
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(rendered.body.len()));
                if with_body {
                    *response.body_mut() = FileBody::whole(rendered.body);
                }
            }
        }
        Ok(response)
    }

    fn open_root(&self) -> io::Result<Dir> {
        Dir::open_ambient_dir(&self.root, ambient_authority())
    }

    /// An answer with the file's validators and no body.
    fn dressed(&self, status: StatusCode, opened: &Opened) -> Response<FileBody> {
        let mut response = Response::new(FileBody::empty());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::ETAG, opened.validators.etag.clone());
        headers.insert(header::LAST_MODIFIED, opened.validators.last_modified.clone());
        if let Some(coding) = opened.coding {
            headers.insert(header::CONTENT_ENCODING, coding.value());
        }
        if encoding::is_worthwhile(&opened.kind) {
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        self.dress_cache_control(headers);
        response
    }

    fn redirect(&self, location: HeaderValue) -> Response<FileBody> {
        let mut response = Response::new(FileBody::empty());
        *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
        response.headers_mut().insert(header::LOCATION, location);
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(0));
        self.dress_cache_control(response.headers_mut());
        response
    }

    fn dress_cache_control(&self, headers: &mut HeaderMap) {
        if let Some(value) = &self.cache_control {
            headers.insert(header::CACHE_CONTROL, value.clone());
        }
    }
}

/// Opens `path` beneath the folder. A pipe does not make it wait; it is told by its metadata.
fn find(root: &Dir, path: &Path) -> io::Result<(File, Metadata)> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    let file = root.open_with(path, &options)?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

/// The file, or the sibling that the client rather takes.
fn chosen(
    root: &Dir,
    path: &Path,
    file: File,
    metadata: &Metadata,
    accepted: Accepted,
) -> io::Result<Opened> {
    let modified = metadata.modified()?.into_std();
    let kind = kind::of(path);
    let accepted = if encoding::is_worthwhile(&kind) { accepted } else { Accepted::default() };
    for (coding, name) in encoding::siblings(path, accepted) {
        let Ok((sibling, metadata)) = find(root, &name) else { continue };
        let changed = metadata.modified()?.into_std();
        if metadata.is_file() && changed >= modified {
            let validators = Validators::of(metadata.len(), changed).coded(coding.name());
            let length = metadata.len();
            return Ok(Opened { file: sibling, length, validators, coding: Some(coding), kind });
        }
    }
    let length = metadata.len();
    Ok(Opened { file, length, validators: Validators::of(length, modified), coding: None, kind })
}

/// Says which bytes follow and what they are.
fn dress_part(response: &mut Response<FileBody>, part: &Part, opened: &Opened) -> Result<(), Unserved> {
    let length = opened.length;
    let unsatisfiable = Unserved::RangeNotSatisfiable { length };
    let range = match part {
        Part::Whole { .. } => None,
        Part::Outside => return Err(unsatisfiable),
        Part::Bytes { start, length: count } => {
            let last = start + count.saturating_sub(1);
            Some(HeaderValue::try_from(format!("bytes {start}-{last}/{length}")).map_err(|_| unsatisfiable)?)
        }
    };
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, opened.kind.clone());
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.bounds().1));
    headers.extend(range.map(|range| (header::CONTENT_RANGE, range)));
    Ok(())
}

/// The bytes of `part`, the first piece of them already read.
fn body(mut file: File, part: &Part) -> io::Result<FileBody> {
    let (start, length) = part.bounds();
    if start > 0 {
        file.seek(SeekFrom::Start(start))?;
    }
    let first = body::read(&mut file, length)?;
    Ok(FileBody::new(first, file, length))
}

/// The path with a slash behind it and the query behind that. One slash begins it: a browser reads two as
/// the beginning of another host.
fn slash_added(original: &str) -> Option<HeaderValue> {
    let (path, query) = original.split_at(original.find('?').unwrap_or(original.len()));
    HeaderValue::try_from(format!("/{}/{query}", path.trim_start_matches('/'))).ok()
}

/// Failures that mean "not here" in all their forms, among them a link that leads out of the folder.
fn unserved(error: io::Error) -> Unserved {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied};
    let known =
        matches!(error.kind(), NotFound | NotADirectory | PermissionDenied | InvalidInput | InvalidFilename);
    let by_number =
        matches!(Errno::from_io_error(&error), Some(Errno::LOOP | Errno::NXIO | Errno::NODEV | Errno::XDEV));
    if known || by_number { Unserved::NotFound } else { Unserved::Unreadable(error) }
}

#[cfg(test)]
mod tests;
