//! Files compressed as a whole: `.gz .zst .lz4 .bz2 .xz`, known by their content, decompressed to a temporary file.

use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::input::FileOptions;
use super::map::Bytes;
use super::spool::Spool;
use crate::error::{Error, ErrorKind, Result};

/// What a file is compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// `.gz`, of one or more members.
    Gzip,
    /// `.zst`, of one or more frames.
    Zstd,
    /// `.lz4`: its frames, not its blocks.
    Lz4,
    /// `.bz2`.
    Bzip2,
    /// `.xz`.
    Xz,
}

/// Bytes taken from the file at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Bytes decompressed at a time.
const OUTPUT_BYTES: usize = 128 << 10;

/// Output that any file may have, whatever its size; see [`crate::limits::Limits::expansion_max`].
const EXPANSION_FREE_BYTES: u64 = 16 << 20;

/// The longest window of zstd, as a power of two: what the reference decoder takes unless told otherwise.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Memory for xz, in bytes: enough for `xz -9`, which wants 65 MiB.
const XZ_MEMORY_BYTES: u64 = 100 << 20;

/// The last bytes of RocksDB's and LevelDB's tables, whose first block may begin with anything.
const TABLE_MAGICS: [[u8; 8]; 2] = [
    [0xf7, 0xcf, 0xf4, 0x85, 0xb7, 0x41, 0xe2, 0x88],
    [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb],
];

/// Endings of files that are never compressed as a whole, though they may begin like it: a Cassandra `Data.db` of zstd
/// chunks does.
const PLAIN_EXTENSIONS: [&str; 5] = ["sst", "ldb", "db", "mtree", "mpatch"];

impl Packing {
    fn name(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
            Packing::Lz4 => "lz4",
            Packing::Bzip2 => "bzip2",
            Packing::Xz => "xz",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Packing::Gzip => "gz",
            Packing::Zstd => "zst",
            Packing::Lz4 => "lz4",
            Packing::Bzip2 => "bz2",
            Packing::Xz => "xz",
        }
    }

    fn of_head(head: &[u8]) -> Option<Packing> {
        match head {
            // Deflate, and none of the reserved flags.
            [0x1f, 0x8b, 0x08, flags, ..] if flags & 0xe0 == 0 => Some(Packing::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Packing::Zstd),
            // Version 1, and no reserved flag.
            [0x04, 0x22, 0x4d, 0x18, flags, ..] if flags & 0xc2 == 0x40 => Some(Packing::Lz4),
            [
                b'B',
                b'Z',
                b'h',
                b'1'..=b'9',
                0x31,
                0x41,
                0x59,
                0x26,
                0x53,
                0x59,
                ..,
            ]
            | [
                b'B',
                b'Z',
                b'h',
                b'1'..=b'9',
                0x17,
                0x72,
                0x45,
                0x38,
                0x50,
                0x90,
                ..,
            ] => Some(Packing::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0x00, 0x00, ..] => Some(Packing::Xz),
            _ => None,
        }
    }
}

/// What `bytes` are compressed with, as far as their first and last bytes and the file's name tell.
pub(super) fn detect(bytes: &Bytes, path: &Path) -> Result<Option<Packing>> {
    let has_extension = |extensions: &[&str]| {
        path.extension()
            .is_some_and(|e| extensions.iter().any(|x| e.eq_ignore_ascii_case(x)))
    };
    if has_extension(&PLAIN_EXTENSIONS) {
        return Ok(None);
    }
    let failed = |e| Error::io("reading", path, e);
    let mut scratch = Vec::new();
    let head = bytes
        .read(0, bytes.len().min(16) as usize, &mut scratch)
        .map_err(failed)?;
    let Some(packing) = Packing::of_head(head) else {
        return Ok(None);
    };
    if let Some(tail) = bytes.len().checked_sub(8) {
        let tail = bytes.read(tail, 8, &mut scratch).map_err(failed)?;
        if TABLE_MAGICS.iter().any(|magic| magic == tail) && !has_extension(&[packing.extension()])
        {
            return Ok(None);
        }
    }
    Ok(Some(packing))
}

/// Decompresses all of `bytes`. `None` where not one byte comes out of them and the name does not say either that they
/// are compressed: they only begin like it.
///
/// # Errors
///
/// Damaged, with the offset into the compressed file; Limit where the output grows out of proportion; I/O errors.
pub(super) fn unpack(
    packing: Packing,
    bytes: &Bytes,
    path: &Path,
    options: &FileOptions,
) -> Result<Option<Spool>> {
    let source = Source::new(bytes);
    let mut spool = Spool::new(options.temp_dir.as_deref())?;
    let result = copy(packing, &source, path, options, &mut spool);
    match result {
        Ok(()) => Ok(Some(spool)),
        Err(e)
            if matches!(e.kind(), ErrorKind::Damaged { .. })
                && spool.is_empty()
                && !path
                    .extension()
                    .is_some_and(|e| e.eq_ignore_ascii_case(packing.extension())) =>
        {
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

fn copy(
    packing: Packing,
    source: &Source,
    path: &Path,
    options: &FileOptions,
    spool: &mut Spool,
) -> Result<()> {
    let failed = |error: io::Error| match source.error().take() {
        Some(e) if e.kind() == io::ErrorKind::UnexpectedEof => ErrorKind::Changed {
            path: path.to_owned(),
            what: "it is shorter than it was".into(),
        }
        .into(),
        Some(e) => Error::io("reading", path, e),
        None => Error::damaged(
            path,
            source.position(),
            format!("{} data do not decompress: {error}", packing.name()),
        ),
    };
    let mut decoder = decoder(packing, SourceReader::new(source)).map_err(failed)?;
    let mut buffer = vec![0; OUTPUT_BYTES];
    loop {
        let before = source.position();
        let len = match decoder.read(&mut buffer) {
            Ok(0) => {
                // An LZ4 decoder stops at the end of each frame.
                let position = source.position();
                if position == source.bytes.len() {
                    return Ok(());
                }
                if position == before {
                    return Err(failed(io::Error::other("bytes after the end")));
                }
                continue;
            }
            Ok(len) => len,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(failed(e)),
        };
        let got = buffer.get(..len).unwrap_or_default();
        spool.write_all(got).map_err(|e| spool.error(e))?;
        check_expansion(
            spool.len(),
            source.position(),
            path,
            options.limits.expansion_max,
        )?;
    }
}

/// Refuses output that grows out of proportion.
///
/// # Errors
///
/// Limit, at the offset `read` of the compressed bytes.
pub fn check_expansion(written: u64, read: u64, path: &Path, max: u64) -> Result<()> {
    if written
        <= read
            .saturating_mul(max)
            .saturating_add(EXPANSION_FREE_BYTES)
    {
        return Ok(());
    }
    Err(ErrorKind::Limit {
        path: path.to_owned(),
        offset: read,
        what: "expansion",
        value: written / read.max(1),
        max,
    }
    .into())
}

/// Decompresses what `reader` gives, piece by piece. That of LZ4 ends with each frame; the next read goes on with the next one.
///
/// # Errors
///
/// Those of making the decoder.
pub fn decoder<'a>(
    packing: Packing,
    reader: impl BufRead + Send + 'a,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match packing {
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
        Packing::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(NoEnd(reader))),
        Packing::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(reader)),
        Packing::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(
                XZ_MEMORY_BYTES,
                liblzma::stream::CONCATENATED,
            )?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(reader, stream))
        }
    })
}

/// The compressed bytes, and what became of reading them, seen past the decoder that holds the reader.
struct Source<'a> {
    bytes: &'a Bytes,
    position: AtomicU64,
    error: Mutex<Option<io::Error>>,
}

impl<'a> Source<'a> {
    fn new(bytes: &'a Bytes) -> Source<'a> {
        Source {
            bytes,
            position: AtomicU64::new(0),
            error: Mutex::new(None),
        }
    }

    fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    fn error(&self) -> MutexGuard<'_, Option<io::Error>> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a [`Source`] in chunks.
struct SourceReader<'a> {
    source: &'a Source<'a>,
    scratch: Vec<u8>,
    chunk_start: u64,
    chunk_len: usize,
}

impl<'a> SourceReader<'a> {
    fn new(source: &'a Source<'a>) -> SourceReader<'a> {
        SourceReader {
            source,
            scratch: Vec::new(),
            chunk_start: 0,
            chunk_len: 0,
        }
    }
}

impl BufRead for SourceReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let position = self.source.position();
        let bytes = self.source.bytes;
        let skip = position.saturating_sub(self.chunk_start) as usize;
        if let Some(mapped) = bytes.mapped() {
            let rest = mapped.get(position as usize..).unwrap_or_default();
            return Ok(rest.get(..CHUNK_BYTES).unwrap_or(rest));
        }
        if skip >= self.chunk_len {
            let len = (bytes.len() - position).min(CHUNK_BYTES as u64) as usize;
            if let Err(e) = bytes.read(position, len, &mut self.scratch) {
                let shown = io::Error::from(e.kind());
                *self.source.error() = Some(e);
                return Err(shown);
            }
            self.chunk_start = position;
            self.chunk_len = len;
            return Ok(self.scratch.get(..len).unwrap_or_default());
        }
        Ok(self.scratch.get(skip..self.chunk_len).unwrap_or_default())
    }

    fn consume(&mut self, len: usize) {
        let position = self.source.position().saturating_add(len as u64);
        self.source
            .position
            .store(position.min(self.source.bytes.len()), Ordering::Relaxed);
    }
}

impl Read for SourceReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut chunk = self.fill_buf()?;
        let len = chunk.read(out)?;
        self.consume(len);
        Ok(len)
    }
}

/// Makes the end of the bytes an error: lz4_flex takes it for the end of a frame where one is cut between two blocks. After
/// a whole frame it stops by itself.
struct NoEnd<R>(R);

impl<R: Read> Read for NoEnd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(out)? {
            0 if !out.is_empty() => Err(io::Error::other("they end too early")),
            len => Ok(len),
        }
    }
}

#[cfg(test)]
#[path = "unpack_tests.rs"]
mod tests;
