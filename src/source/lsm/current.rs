//! CURRENT: the name of the MANIFEST that counts, and a line feed.
//!
//! It has no checksum. Where the folder holds several MANIFESTs, one flipped bit may name another of them; so a name that is
//! one bit away from a newer MANIFEST's is refused where the folder shows that the newer one was in use: it holds files
//! that were made later.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::file::input::{FileOptions, Input};

const PREFIX: &str = "MANIFEST-";

/// Bytes of a CURRENT, at most: the prefix, 20 digits and the line feed.
const CURRENT_BYTES_MAX: u64 = 30;

/// Reads CURRENT: the open file, and the path of the MANIFEST that it names.
///
/// # Errors
///
/// Damaged where it is not exactly such a name; I/O errors.
pub fn read(folder: &Path, options: &FileOptions) -> Result<(Input, PathBuf)> {
    let path = folder.join("CURRENT");
    if matches!(path.try_exists(), Ok(false)) {
        let what = "missing, though it names the MANIFEST that counts";
        return Err(Error::damaged(&path, 0, what));
    }
    let input = Input::open_plain(&path, options)?;
    let mut scratch = Vec::new();
    let bytes = input.head(CURRENT_BYTES_MAX + 1, &mut scratch)?;
    let bad = |what: &str| Err(input.explain(Error::damaged(input.path(), 0, what)));
    let name = bytes.strip_suffix(b"\n").unwrap_or_default();
    let digits = name.strip_prefix(PREFIX.as_bytes()).unwrap_or_default();
    let Some((name, number)) = str::from_utf8(name).ok().zip(number(digits)) else {
        return bad("not the name of a MANIFEST and a line feed");
    };
    let manifest = folder.join(name);
    if !manifest.exists() {
        return bad(&format!("names {name}, which is not there"));
    }
    if let Some(newer) = newer_in_use(folder, name, number)? {
        return bad(&format!(
            "names {name}, one bit away from the newer {newer}, after which other files were made"
        ));
    }
    Ok((input, manifest))
}

/// The number that decimal digits, and nothing else, stand for.
pub fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

/// A MANIFEST of a higher number, whose name differs in one bit, and that was in use.
fn newer_in_use(folder: &Path, name: &str, number_named: u64) -> Result<Option<String>> {
    let mut newer = None;
    let mut highest_file = 0;
    let failed = |e| Error::io("listing", folder, e);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let file = entry.map_err(failed)?.file_name();
        let Some(file) = file.to_str() else { continue };
        if let Some(digits) = file.strip_prefix(PREFIX) {
            if let Some(number) = number(digits.as_bytes())
                && number > number_named
                && bits_apart(file.as_bytes(), name.as_bytes()) == Some(1)
            {
                newer = Some((number, file.to_owned()));
            }
        } else if let Some((stem, "sst" | "ldb" | "log" | "blob")) = file.split_once('.') {
            highest_file = highest_file.max(number(stem.as_bytes()).unwrap_or_default());
        }
    }
    Ok(newer
        .filter(|(number, _)| highest_file > *number)
        .map(|(_, file)| file))
}

fn bits_apart(left: &[u8], right: &[u8]) -> Option<u32> {
    (left.len() == right.len()).then(|| {
        left.iter()
            .zip(right)
            .map(|(left, right)| (left ^ right).count_ones())
            .sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(files: &[(&str, &str)]) -> Result<PathBuf> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        read(folder.path(), &FileOptions::default()).map(|(_, manifest)| manifest)
    }

    #[test]
    fn only_the_exact_name_counts() {
        let manifest = ("MANIFEST-000005", "");
        let sound = read_of(&[manifest, ("CURRENT", "MANIFEST-000005\n")]).unwrap();
        assert!(sound.ends_with("MANIFEST-000005"));
        for wrong in [
            "",
            "\n",
            "MANIFEST-000005",
            "MANIFEST-\n",
            "MANIFEST-000005\n\n",
            "MANIFEST-00000x\n",
            "MANIFEST-+00005\n",
            "../MANIFEST-000005\n",
            "MANIFEST-000004\n",
            "MANIFEST-000000000000000000005\n",
        ] {
            let error = read_of(&[manifest, ("CURRENT", wrong)]).unwrap_err();
            assert_eq!(error.exit_code(), 3, "{wrong:?}: {error}");
        }
    }

    #[test]
    fn no_flipped_bit_is_taken_for_another_name() {
        let sound = b"MANIFEST-000005\n";
        for bit in 0..sound.len() * 8 {
            let mut wrong = sound.to_vec();
            wrong[bit / 8] ^= 1 << (bit % 8);
            // What is no UTF-8 any more can't be right either.
            if let Ok(wrong) = str::from_utf8(&wrong) {
                let files = [("MANIFEST-000005", ""), ("CURRENT", wrong)];
                assert_eq!(read_of(&files).unwrap_err().exit_code(), 3, "{wrong:?}");
            }
        }
    }

    #[test]
    fn a_flipped_digit_does_not_bring_back_an_older_manifest() {
        let current = ("CURRENT", "MANIFEST-000004\n");
        let files = [("MANIFEST-000004", ""), ("MANIFEST-000005", ""), current];
        // A crash between the new MANIFEST and CURRENT leaves this.
        assert!(read_of(&files).is_ok());
        let later = [&files[..], &[("000007.log", "")]].concat();
        assert_eq!(read_of(&later).unwrap_err().exit_code(), 3);
        let unlike = [("MANIFEST-000004", ""), ("MANIFEST-000010", ""), current];
        assert!(read_of(&[&unlike[..], &[("000017.log", "")]].concat()).is_ok());
    }
}
