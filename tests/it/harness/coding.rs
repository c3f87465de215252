//! Reads content codings, as far as what has come can be read.

use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::{BrotliDecoder, DecodeV2, GzipDecoder, ZlibDecoder, ZstdDecoder};

use super::Reply;

/// What can be read of `bytes` so far, and whether that is the end.
pub(crate) fn read(coding: &str, bytes: &[u8]) -> (Vec<u8>, bool) {
    if bytes.is_empty() {
        return (Vec::new(), coding.is_empty());
    }
    let mut decoder: Box<dyn DecodeV2> = match coding {
        "gzip" => Box::new(GzipDecoder::new()),
        "deflate" => Box::new(ZlibDecoder::new()),
        "br" => Box::new(BrotliDecoder::new()),
        "zstd" => Box::new(ZstdDecoder::new()),
        "" => return (bytes.to_vec(), true),
        other => panic!("the coding {other:?} is not known"),
    };
    let (mut content, mut input) = (Vec::new(), PartialBuffer::new(bytes));
    let mut piece = vec![0; 64 * 1024];
    loop {
        let mut output = WriteBuffer::new_initialized(&mut piece);
        let ended = match decoder.decode(&mut input, &mut output) {
            Ok(ended) => ended,
            // Nothing is left to be read: what is wrong is only that.
            Err(_) if input.unwritten().is_empty() => false,
            Err(error) => panic!("{coding}: {error}"),
        };
        content.extend_from_slice(output.written());
        if ended || (input.unwritten().is_empty() && !output.has_no_spare_space()) {
            return (content, ended);
        }
    }
}

/// The content of an answer, which must be whole.
pub(crate) fn content(reply: &Reply) -> Vec<u8> {
    let coding = reply.header("content-encoding");
    let (content, ended) = read(&coding, &reply.body);
    assert!(ended, "{coding}: the end is missing after {} bytes", content.len());
    content
}
