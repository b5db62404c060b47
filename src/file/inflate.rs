//! Block codecs behind one call that takes a byte cap: Snappy, raw deflate, bzip2, LZ4 blocks, zstd.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::zstd_safe::{self, DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

/// How a block is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Raw Snappy: carries its own length, knows no dictionary.
    Snappy,
    /// Raw deflate, without a zlib or gzip header.
    Zlib,
    /// One bzip2 stream; a dictionary is ignored.
    Bzip2,
    /// The LZ4 block format (not its frames); its length must be declared.
    Lz4,
    /// zstd frames.
    Zstd,
}

/// Why a block can't be inflated. The caller adds the path and the offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InflateError {
    /// The output is or says it is longer than allowed, in bytes.
    TooLarge {
        /// The declared length, or one more than `max` where no length was declared.
        value: u64,
        /// The cap that the caller gave.
        max: u64,
    },
    /// The block contradicts itself or its declared length.
    Malformed(String),
}

/// Decompresses blocks. It keeps the state of each codec from call to call, so have one a thread.
///
/// A call allocates nothing once `out` is large enough, except for bzip2.
pub struct Inflater {
    dictionary: Box<[u8]>,
    deflate: Option<Decompress>,
    zstd: Option<DCtx<'static>>,
}

/// What a lying length may claim beyond its codec's highest ratio, in bytes: small blocks with a dictionary and empty
/// blocks need some.
const RATIO_SLACK_BYTES: u64 = 64 << 10;

/// zstd frames that want a longer window than this are refused, as the reference decoder does unless told otherwise.
const ZSTD_WINDOW_BYTES_MAX: u64 = 1 << 27;

/// First allocation where no length is known, and the least growth after it.
const GROWTH_BYTES_MIN: usize = 16 << 10;

impl Codec {
    /// Output bytes that one byte of input can give, at most, by the format.
    fn ratio_max(self) -> u64 {
        match self {
            Codec::Snappy => 22,
            Codec::Zlib => 1033,
            Codec::Lz4 => 256,
            Codec::Zstd => 32_768,
            // 900,000 bytes of runs, each byte of which may stand for 51, from a block of some 40 bytes.
            Codec::Bzip2 => 1 << 20,
        }
    }
}

impl Inflater {
    /// Makes an inflater whose blocks were compressed with `dictionary`, or with none.
    ///
    /// For zstd it is a trained dictionary or raw content, told apart by its magic; for LZ4 and deflate it is the history
    /// before the block; Snappy and bzip2 ignore it.
    pub fn new(dictionary: Option<&[u8]>) -> Inflater {
        Inflater {
            dictionary: dictionary.unwrap_or_default().into(),
            deflate: None,
            zstd: None,
        }
    }

    /// Decompresses `input`, one whole block, into `out`, whose former content is lost and whose capacity is used again.
    ///
    /// Where `declared_len` is given the output has exactly that length. Neither a declared length nor the output may
    /// exceed `max_len`; this and the highest ratio of the codec are checked before anything is allocated.
    ///
    /// # Errors
    ///
    /// TooLarge where the cap is exceeded, else Malformed. `out` holds no meaning then.
    pub fn inflate(
        &mut self,
        codec: Codec,
        input: &[u8],
        declared_len: Option<u64>,
        max_len: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), InflateError> {
        let own_len = match codec {
            Codec::Snappy => Some(snap::raw::decompress_len(input).map_err(malformed)? as u64),
            Codec::Zstd => zstd_len(input)?,
            _ => None,
        };
        // Frames may follow each other in zstd, so the first one's length need not be the whole.
        if let (Codec::Snappy, Some(own), Some(declared)) = (codec, own_len, declared_len)
            && own != declared
        {
            return Err(InflateError::Malformed(format!(
                "snappy block of {own} bytes, {declared} declared"
            )));
        }
        let len = match declared_len.or(own_len) {
            Some(len) => Some(check_len(codec, input, len, max_len)?),
            None => None,
        };
        match codec {
            Codec::Snappy => inflate_snappy(input, len, out),
            Codec::Zlib => self.inflate_deflate(input, len, max_len, out),
            Codec::Bzip2 => inflate_bzip2(input, len, max_len, out),
            Codec::Lz4 => self.inflate_lz4(input, len, out),
            Codec::Zstd => self.inflate_zstd(input, len, max_len, out),
        }
    }

    fn inflate_lz4(
        &mut self,
        input: &[u8],
        len: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), InflateError> {
        let len = len.ok_or_else(|| malformed("LZ4 block without a length"))?;
        out.resize(len, 0);
        let got = if self.dictionary.is_empty() {
            lz4_flex::block::decompress_into(input, out)
        } else {
            lz4_flex::block::decompress_into_with_dict(input, out, &self.dictionary)
        };
        check_got(got.map_err(malformed)?, len)
    }

    fn inflate_deflate(
        &mut self,
        input: &[u8],
        len: Option<usize>,
        max_len: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), InflateError> {
        let deflate = match &mut self.deflate {
            Some(deflate) => {
                deflate.reset(false);
                deflate
            }
            none => none.insert(Decompress::new(false)),
        };
        if !self.dictionary.is_empty() {
            deflate
                .set_dictionary(&self.dictionary)
                .map_err(malformed)?;
        }
        grow(input, len, max_len, out, |input, out| {
            let (before_in, before_out) = (deflate.total_in(), deflate.total_out());
            let status = deflate
                .decompress(input, out, FlushDecompress::Finish)
                .map_err(malformed)?;
            Ok(Step {
                read: (deflate.total_in() - before_in) as usize,
                written: (deflate.total_out() - before_out) as usize,
                ended: status == Status::StreamEnd,
            })
        })
    }

    fn inflate_zstd(
        &mut self,
        input: &[u8],
        len: Option<usize>,
        max_len: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), InflateError> {
        let context = match &mut self.zstd {
            Some(context) => context,
            none => {
                let mut context =
                    DCtx::try_create().ok_or_else(|| malformed("no memory for a zstd context"))?;
                context
                    .set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_BYTES_MAX.ilog2()))
                    .map_err(zstd_error)?;
                if !self.dictionary.is_empty() {
                    context
                        .load_dictionary(&self.dictionary)
                        .map_err(zstd_error)?;
                }
                none.insert(context)
            }
        };
        if let Some(len) = len
            && len <= believed(input)
        {
            out.resize(len, 0);
            let got = context
                .decompress(out.as_mut_slice(), input)
                .map_err(zstd_error)?;
            return check_got(got, len);
        }
        context
            .reset(ResetDirective::SessionOnly)
            .map_err(zstd_error)?;
        grow(input, len, max_len, out, |input, out| {
            let mut source = InBuffer::around(input);
            let mut sink = OutBuffer::around(out);
            let hint = context
                .decompress_stream(&mut sink, &mut source)
                .map_err(zstd_error)?;
            Ok(Step {
                read: source.pos(),
                written: sink.pos(),
                ended: hint == 0 && source.pos() == input.len(),
            })
        })
    }
}

fn inflate_snappy(input: &[u8], len: Option<usize>, out: &mut Vec<u8>) -> Result<(), InflateError> {
    let len = len.unwrap_or_default();
    out.resize(len, 0);
    let got = snap::raw::Decoder::new()
        .decompress(input, out)
        .map_err(malformed)?;
    check_got(got, len)
}

fn inflate_bzip2(
    input: &[u8],
    len: Option<usize>,
    max_len: u64,
    out: &mut Vec<u8>,
) -> Result<(), InflateError> {
    let mut stream = bzip2::Decompress::new(false);
    grow(input, len, max_len, out, |input, out| {
        let (before_in, before_out) = (stream.total_in(), stream.total_out());
        let status = stream.decompress(input, out).map_err(malformed)?;
        if status == bzip2::Status::MemNeeded {
            return Err(malformed("no memory for bzip2"));
        }
        Ok(Step {
            read: (stream.total_in() - before_in) as usize,
            written: (stream.total_out() - before_out) as usize,
            ended: status == bzip2::Status::StreamEnd,
        })
    })
}

/// What one call of a streaming codec did.
struct Step {
    read: usize,
    written: usize,
    ended: bool,
}

/// Bytes that a block may claim without having to give some first.
fn believed(input: &[u8]) -> usize {
    input.len().saturating_mul(4).max(1 << 20)
}

/// Drives a streaming codec to its end: into a buffer of the known length, or one that grows with the output up to
/// `max_len`.
fn grow(
    mut input: &[u8],
    len: Option<usize>,
    max_len: u64,
    out: &mut Vec<u8>,
    mut step: impl FnMut(&[u8], &mut [u8]) -> Result<Step, InflateError>,
) -> Result<(), InflateError> {
    let max = len.unwrap_or(usize::try_from(max_len).unwrap_or(usize::MAX));
    // bzip2's and zstd's ratios let a tiny block claim any length, so a large claim is not believed at once either.
    let first = match len {
        Some(_) => believed(input),
        None => GROWTH_BYTES_MIN
            .max(input.len().saturating_mul(4))
            .min(16 << 20),
    };
    out.resize(first.min(max), 0);
    let mut written = 0usize;
    loop {
        let done = step(input, out.get_mut(written..).unwrap_or_default())?;
        input = input.get(done.read..).unwrap_or_default();
        written += done.written;
        if done.ended {
            out.truncate(written);
            return match len {
                Some(len) => check_got(written, len),
                None => Ok(()),
            };
        }
        if written < out.len() {
            if done.read == 0 && done.written == 0 {
                return Err(malformed("the compressed data end too early"));
            }
        } else if out.len() < max {
            let longer = out.len().saturating_mul(2).max(GROWTH_BYTES_MIN).min(max);
            // `resize` alone may take twice what there was, and so more than the claim.
            out.reserve_exact(longer - out.len());
            out.resize(longer, 0);
        } else if done.read == 0 && done.written == 0 {
            return Err(match len {
                Some(len) => InflateError::Malformed(format!(
                    "more than the declared {len} bytes, or no end after them"
                )),
                None => InflateError::TooLarge {
                    value: max_len.saturating_add(1),
                    max: max_len,
                },
            });
        }
    }
}

/// Compares a length with the cap and with what `input` can hold; returns it as a length in memory.
fn check_len(codec: Codec, input: &[u8], len: u64, max: u64) -> Result<usize, InflateError> {
    if len > max {
        return Err(InflateError::TooLarge { value: len, max });
    }
    let possible = (input.len() as u64)
        .saturating_mul(codec.ratio_max())
        .saturating_add(RATIO_SLACK_BYTES);
    if len > possible {
        return Err(InflateError::Malformed(format!(
            "{len} bytes declared, {} compressed bytes can give {possible} at most",
            input.len()
        )));
    }
    usize::try_from(len).map_err(|_| InflateError::TooLarge {
        value: len,
        max: usize::MAX as u64,
    })
}

fn check_got(got: usize, len: usize) -> Result<(), InflateError> {
    if got == len {
        return Ok(());
    }
    Err(InflateError::Malformed(format!(
        "{got} bytes, {len} declared"
    )))
}

/// Refuses a frame whose window is too long; returns the length of its content where the header gives it.
fn zstd_len(input: &[u8]) -> Result<Option<u64>, InflateError> {
    if let Some(window) = zstd_window(input)
        && window > ZSTD_WINDOW_BYTES_MAX
    {
        return Err(InflateError::Malformed(format!(
            "zstd window of {window} bytes, over the limit of {ZSTD_WINDOW_BYTES_MAX}"
        )));
    }
    zstd_safe::get_frame_content_size(input).map_err(|_| malformed("not a zstd frame"))
}

/// The window that the header of a zstd frame (RFC 8878, section 3.1.1.1) asks for; `None` where the content is the window.
pub(super) fn zstd_window(input: &[u8]) -> Option<u64> {
    let (magic, header) = input.split_first_chunk::<4>()?;
    let [descriptor, window, ..] = header else {
        return None;
    };
    if *magic != [0x28, 0xb5, 0x2f, 0xfd] || descriptor & 0x20 != 0 {
        return None;
    }
    let base = 1u64 << (10 + (window >> 3));
    Some(base + base / 8 * u64::from(window & 7))
}

fn malformed(what: impl ToString) -> InflateError {
    InflateError::Malformed(what.to_string())
}

fn zstd_error(code: zstd_safe::ErrorCode) -> InflateError {
    InflateError::Malformed(format!("zstd: {}", zstd_safe::get_error_name(code)))
}

#[cfg(test)]
#[path = "inflate_tests.rs"]
mod tests;
