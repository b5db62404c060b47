//! The manifests of an export: `manifest-summary.json`, what the export is, and `manifest-files.json`, one JSON object a line
//! for each data file. Beside each lies a file of its MD5 in base64, `.checksum` or `.md5`.

use std::path::{Component, Path, PathBuf};

use md5::{Digest, Md5};
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::file::input::{FileOptions, Input};

/// Name of the file that makes a folder an export.
pub const SUMMARY: &str = "manifest-summary.json";
const FILES: &str = "manifest-files.json";

/// Longest manifest: a line for each of a few hundred thousand files.
const MANIFEST_BYTES_MAX: u64 = 256 << 20;

/// What an export says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Name of the table.
    pub table: String,
    /// Items, or changes, in all files.
    pub items: Option<u64>,
    /// What it holds.
    pub kind: Kind,
}

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// All items at one time.
    Full {
        /// That time, as the manifest writes it.
        time: String,
    },
    /// The changes between two times.
    Incremental {
        /// From here.
        from: String,
        /// To here, exclusive.
        to: String,
        /// Items before the changes are there too.
        has_old_images: bool,
    },
}

/// A data file that the manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What the manifest says of it; `None` of a file that was found without a manifest.
    pub claim: Option<Claim>,
}

/// What a manifest says of a data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Items in it.
    pub items: u64,
    /// MD5 of its bytes, in base64.
    pub md5: String,
}

/// Reads both manifests of the export in `folder` and finds the data files.
///
/// # Errors
///
/// Damaged where a manifest does not have its checksum, names a file that is not there or is malformed; Unsupported for the Ion
/// format; I/O errors.
pub fn read(folder: &Path, options: &FileOptions) -> Result<(Summary, Vec<DataFile>)> {
    let (path, text) = read_checked(folder, SUMMARY, options)?;
    let summary = parse_summary(&path, &text)?;
    let (path, text) = read_checked(folder, FILES, options)?;
    let mut files: Vec<DataFile> = Vec::new();
    let (mut offset, mut items) = (0, 0u64);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        if !line.trim_ascii().is_empty() {
            let damaged = |what: String| Error::damaged(&path, offset, what);
            let (key, claim) =
                parse_line(line).ok_or_else(|| damaged("this line names no data file".into()))?;
            items = items.saturating_add(claim.items);
            let path = find_file(folder, &key).map_err(damaged)?;
            files.push(DataFile {
                path,
                claim: Some(claim),
            });
        }
        offset += line.len() as u64;
    }
    let mut paths: Vec<&PathBuf> = files.iter().map(|file| &file.path).collect();
    paths.sort();
    if let Some([twice, _]) = paths.windows(2).find(|pair| pair.first() == pair.last()) {
        let what = format!("the data file {} is named twice", twice.display());
        return Err(Error::damaged(&path, 0, what));
    }
    if let Some(said) = summary.items.filter(|&said| said != items) {
        let what = format!("the files hold {items} items, the summary says {said}");
        return Err(Error::damaged(&path, 0, what));
    }
    Ok((summary, files))
}

/// Reads a manifest and checks its checksum, where there is one.
fn read_checked(folder: &Path, name: &str, options: &FileOptions) -> Result<(PathBuf, Vec<u8>)> {
    let path = folder.join(name);
    let text = read_small(&path, options)?;
    for extension in ["checksum", "md5"] {
        let beside = path.with_extension(extension);
        if beside.exists() {
            let want = read_small(&beside, options)?;
            if want.trim_ascii() != base64(&Md5::digest(&text)).as_bytes() {
                let what = format!("it does not have the MD5 that {} says", beside.display());
                return Err(Error::damaged(&path, 0, what));
            }
        }
    }
    Ok((path, text))
}

fn read_small(path: &Path, options: &FileOptions) -> Result<Vec<u8>> {
    let input = Input::open_plain(path, options)?;
    if input.len() > MANIFEST_BYTES_MAX {
        return Err(ErrorKind::Limit {
            path: path.to_owned(),
            offset: 0,
            what: "record bytes",
            value: input.len(),
            max: MANIFEST_BYTES_MAX,
        }
        .into());
    }
    let mut scratch = Vec::new();
    let text = input.read(0, input.len(), &mut scratch)?.to_vec();
    input.check_unchanged()?;
    Ok(text)
}

fn parse_summary(path: &Path, text: &[u8]) -> Result<Summary> {
    let json: Value = serde_json::from_slice(text)
        .map_err(|error| Error::damaged(path, 0, format!("it is no JSON: {error}")))?;
    let field = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
    match field("outputFormat") {
        "DYNAMODB_JSON" => {}
        "ION" => return Err(is_ion(path)),
        other => {
            return Err(Error::unsupported(
                path,
                format!("exports of the format {other:?} are not read"),
                "export the table as DYNAMODB_JSON",
            ));
        }
    }
    let kind = match field("exportType") {
        "" | "FULL_EXPORT" => Kind::Full {
            time: field("exportTime").into(),
        },
        "INCREMENTAL_EXPORT" => Kind::Incremental {
            from: field("exportFromTime").into(),
            to: field("exportToTime").into(),
            has_old_images: field("outputView") != "NEW_IMAGE",
        },
        other => {
            return Err(Error::unsupported(
                path,
                format!("exports of the type {other:?} are not known"),
                "types are FULL_EXPORT and INCREMENTAL_EXPORT",
            ));
        }
    };
    let arn = field("tableArn");
    Ok(Summary {
        table: arn.rsplit('/').next().unwrap_or_default().into(),
        items: json.get("itemCount").and_then(Value::as_u64),
        kind,
    })
}

/// The error for Amazon Ion.
pub fn is_ion(path: &Path) -> Error {
    Error::unsupported(
        path,
        "an export in the Amazon Ion format, which is not read",
        "export the table as DYNAMODB_JSON",
    )
}

fn parse_line(line: &[u8]) -> Option<(String, Claim)> {
    let json: Value = serde_json::from_slice(line).ok()?;
    let claim = Claim {
        items: json.get("itemCount")?.as_u64()?,
        md5: json.get("md5Checksum")?.as_str()?.to_owned(),
    };
    Some((json.get("dataFileS3Key")?.as_str()?.to_owned(), claim))
}

/// The file of a key of the bucket: by what stands behind `AWSDynamoDB/` in it, else by its last part. Nothing outside of the
/// export is found: not the folder above `AWSDynamoDB`, nor what a link leads to.
fn find_file(folder: &Path, key: &str) -> Result<PathBuf, String> {
    let below = key
        .rsplit_once("AWSDynamoDB/")
        .map_or(key, |(_, rest)| rest);
    let below = Path::new(below);
    let is_plain = below
        .components()
        .all(|c| matches!(c, Component::Normal(_)));
    let (true, Some(name)) = (is_plain && !key.contains('\0'), below.file_name()) else {
        return Err(format!("{key:?} is no name of a data file in this export"));
    };
    let aws = folder
        .parent()
        .filter(|parent| parent.ends_with("AWSDynamoDB"));
    let candidates = [
        aws.map(|aws| aws.join(below)),
        Some(folder.join("data").join(name)),
        Some(folder.join(name)),
        aws.map(|aws| aws.join("data").join(name)),
    ];
    let found = candidates.into_iter().flatten().find(|path| path.is_file());
    let found = found.ok_or_else(|| format!("the data file {key:?} is missing"))?;
    let root = aws.unwrap_or(folder).canonicalize();
    let is_inside = match (found.canonicalize(), root) {
        (Ok(found), Ok(root)) => found.starts_with(root),
        _ => false,
    };
    match is_inside {
        true => Ok(found),
        false => Err(format!("the data file {key:?} leads out of the export")),
    }
}

/// Reads a data file as it is, and checks its MD5.
///
/// # Errors
///
/// Damaged where it is another; I/O errors.
pub fn check_md5(path: &Path, want: &str, options: &FileOptions) -> Result<()> {
    const WINDOW_BYTES: u64 = 1 << 20;
    let input = Input::open_plain(path, options)?;
    let (mut hasher, mut at, mut scratch) = (Md5::new(), 0, Vec::new());
    while at < input.len() {
        let len = WINDOW_BYTES.min(input.len() - at);
        hasher.update(input.read(at, len, &mut scratch)?);
        at += len;
    }
    input.check_unchanged()?;
    if base64(&hasher.finalize()) != want {
        return Err(Error::damaged(
            path,
            0,
            "the file does not have the MD5 that the manifest says",
        ));
    }
    Ok(())
}

/// Base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three
            .iter()
            .fold(0u32, |bits, &byte| bits << 8 | u32::from(byte));
        let bits = bits << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * place)) as usize & 63);
            let is_padding = place > three.len();
            out.push(if is_padding {
                '='
            } else {
                digit.map_or('=', |&d| d.into())
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("\u{3ff}\u{3ff}", "z7/Pvw=="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
