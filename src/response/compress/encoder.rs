//! The codings, as one thing that takes bytes and gives fewer.
//!
//! The levels were chosen by measuring JSON, scripts and pages of 4 to 370 KiB. gzip 4: within 1 % of the
//! original size of what level 6 makes, at 1.3 times its speed and more. Brotli 4: 2 to 18 % smaller than
//! that at 0.4 to 0.8 of its speed; higher levels cost several times as much. zstd 3: as small as gzip
//! within 5 %, at two to three times the speed. Windows are no larger than the content, where its length is known.

use std::io;

use compression_codecs::brotli::params::EncoderParams;
use compression_codecs::core::Level;
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::zstd::params::CParameter;
use compression_codecs::{BrotliEncoder, EncodeV2, GzipEncoder, ZlibEncoder, ZstdEncoder};

use crate::request::coding::Coding;

const GZIP_LEVEL: Level = Level::Precise(4);
const BROTLI_LEVEL: Level = Level::Precise(4);
const ZSTD_LEVEL: i32 = 3;

/// The largest windows, as powers of two: enough for a page, and little to hold for a slow reader.
const BROTLI_WINDOW: u32 = 18;
const ZSTD_WINDOW: u32 = 17;

/// The smallest window that both know.
const SMALLEST_WINDOW: u32 = 10;

/// The bytes of one answer on their way into a coding.
pub(super) struct Encoder(Box<dyn EncodeV2 + Send>);

/// What an encoder holds at most, in KiB, measured.
pub(super) fn cost(coding: Coding) -> usize {
    match coding {
        Coding::Gzip | Coding::Deflate => 400,
        Coding::Zstd => 1200,
        Coding::Brotli => 2600,
    }
}

impl Encoder {
    /// An encoder for content of this length, where it is known.
    pub(super) fn new(coding: Coding, length: Option<u64>) -> Self {
        Self(match coding {
            Coding::Gzip => Box::new(GzipEncoder::new(GZIP_LEVEL.into())),
            Coding::Deflate => Box::new(ZlibEncoder::new(GZIP_LEVEL.into())),
            Coding::Brotli => {
                let window = i32::try_from(window(length, BROTLI_WINDOW)).unwrap_or_default();
                Box::new(BrotliEncoder::new(
                    EncoderParams::default().quality(BROTLI_LEVEL).window_size(window),
                ))
            }
            Coding::Zstd => {
                let window = CParameter::window_log(window(length, ZSTD_WINDOW));
                Box::new(ZstdEncoder::new_with_params(ZSTD_LEVEL, &[window]))
            }
        })
    }

    /// Takes bytes from the front of `input`; says how many it took and how many it gave.
    pub(super) fn take(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<(usize, usize)> {
        let (mut input, mut output) = (PartialBuffer::new(input), WriteBuffer::new_initialized(output));
        self.0.encode(&mut input, &mut output)?;
        Ok((input.written_len(), output.written_len()))
    }

    /// Gives what it holds back, so that all that was taken can be read; says how many bytes it gave and
    /// whether that was all.
    pub(super) fn flush(&mut self, output: &mut [u8]) -> io::Result<(usize, bool)> {
        let mut output = WriteBuffer::new_initialized(output);
        let all = self.0.flush(&mut output)?;
        Ok((output.written_len(), all))
    }

    /// The same, with the end of the content.
    pub(super) fn finish(&mut self, output: &mut [u8]) -> io::Result<(usize, bool)> {
        let mut output = WriteBuffer::new_initialized(output);
        let all = self.0.finish(&mut output)?;
        Ok((output.written_len(), all))
    }
}

/// The power of two that the content fits into, up to `largest`.
fn window(length: Option<u64>, largest: u32) -> u32 {
    let fitting = length.and_then(u64::checked_next_power_of_two).map_or(largest, u64::trailing_zeros);
    fitting.clamp(SMALLEST_WINDOW, largest)
}
