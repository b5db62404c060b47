//! Exports as they lie in a bucket: their rows, and everything that may be wrong with them.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use md5::{Digest, Md5};

use super::*;
use crate::range::KeyRange;
use crate::row::Row;
use crate::source::open as open_snapshot;

fn options() -> SourceOptions {
    SourceOptions {
        text: TextOptions {
            key: vec!["pk".into(), "sk".into()],
            ..TextOptions::default()
        },
        ..SourceOptions::default()
    }
}

fn read(path: &Path) -> Result<Vec<(String, String)>> {
    let snapshot = open_snapshot(path, &options())?;
    let table = snapshot.tables()[0];
    let mut rows = Vec::new();
    table
        .scan(&KeyRange::all())?
        .for_each(&mut |Row { key, value }| {
            let schema = table.schema();
            rows.push((schema.show_key(key), schema.show_value(value)));
            Ok(())
        })?;
    snapshot.check_unchanged()?;
    Ok(rows)
}

fn error(path: &Path) -> (String, String, u8) {
    let error = read(path).unwrap_err();
    (
        error.to_string(),
        error.hint().unwrap_or_default(),
        error.exit_code(),
    )
}

/// A small export: two data files, of which one is empty.
struct Bucket(tempfile::TempDir);

const LINES: &str = "{\"Item\":{\"pk\":{\"S\":\"b\"},\"sk\":{\"N\":\"2.0\"},\"v\":{\"SS\":[\"y\",\"x\"]}}}\n{\"Item\":{\"sk\":{\"N\":\"1\"},\"pk\":{\"S\":\"a\"}}}\n";

impl Bucket {
    fn new() -> Bucket {
        let bucket = Bucket(tempfile::tempdir().unwrap());
        fs::create_dir_all(bucket.export().join("data")).unwrap();
        bucket.data("one.json.gz", LINES, 2);
        bucket.data("none.json.gz", "", 0);
        bucket.manifests("FULL_EXPORT", 2, &[("one.json.gz", 2), ("none.json.gz", 0)]);
        bucket
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn export(&self) -> PathBuf {
        self.path().join("prefix/AWSDynamoDB/0123-abcd")
    }

    /// Writes a data file, in several members.
    fn data(&self, name: &str, text: &str, members: usize) {
        let mut bytes = Vec::new();
        for part in text.as_bytes().chunks(text.len() / members.max(1) + 1) {
            let mut gzip = flate2::write::GzEncoder::new(&mut bytes, flate2::Compression::fast());
            gzip.write_all(part).unwrap();
            gzip.finish().unwrap();
        }
        fs::write(self.export().join("data").join(name), bytes).unwrap();
    }

    fn manifests(&self, kind: &str, items: u64, files: &[(&str, u64)]) {
        let mut lines = String::new();
        for (name, items) in files {
            let bytes = fs::read(self.export().join("data").join(name)).unwrap_or_default();
            let md5 = manifest::base64(&Md5::digest(bytes));
            lines += &format!(
                "{{\"itemCount\":{items},\"md5Checksum\":\"{md5}\",\"etag\":\"x-1\",\"dataFileS3Key\":\"prefix/AWSDynamoDB/0123-abcd/data/{name}\"}}\n"
            );
        }
        self.checked("manifest-files", &lines);
        self.checked("manifest-summary", &format!(
            "{{\"exportType\":\"{kind}\",\"outputFormat\":\"DYNAMODB_JSON\",\"itemCount\":{items},\"tableArn\":\"arn:aws:dynamodb:r:1:table/T\"}}"
        ));
    }

    fn checked(&self, name: &str, text: &str) {
        let path = self.export().join(name);
        fs::write(path.with_extension("json"), text).unwrap();
        let md5 = manifest::base64(&Md5::digest(text));
        fs::write(path.with_extension("checksum"), md5 + "\n").unwrap();
    }

    /// Replaces a text in a manifest, and its checksum.
    fn edit(&self, name: &str, from: &str, to: &str) {
        let path = self.export().join(name).with_extension("json");
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from));
        self.checked(name, &text.replace(from, to));
    }

    #[track_caller]
    fn refuses(&self, code: u8, what: &str) {
        let (message, hint, found) = error(self.path());
        let all = format!("{message}; {hint}");
        assert!(all.contains(what), "{all}");
        assert_eq!(found, code, "{all}");
    }
}

#[test]
fn an_export_is_read_from_wherever_it_is_named() {
    let bucket = Bucket::new();
    let want = [
        ("a,1".to_owned(), String::new()),
        ("b,2".to_owned(), "v={\"SS\":[\"x\",\"y\"]}".to_owned()),
    ];
    let export = bucket.export();
    for path in [
        bucket.path(),
        &bucket.path().join("prefix"),
        export.parent().unwrap(),
        &export,
        &export.join("data"),
        &export.join("data/one.json.gz"),
    ] {
        assert_eq!(read(path).unwrap(), want, "{}", path.display());
    }
    // Copied out of the bucket, under another name.
    let moved = bucket.path().join("moved");
    fs::rename(&export, &moved).unwrap();
    assert_eq!(read(&moved).unwrap(), want);
    for file in ["one.json.gz", "none.json.gz"] {
        fs::rename(moved.join("data").join(file), moved.join(file)).unwrap();
    }
    assert_eq!(read(&moved).unwrap(), want);
    // Loose files, with the manifests gone.
    for name in ["manifest-summary.json", "manifest-files.json"] {
        fs::remove_file(moved.join(name)).unwrap();
    }
    assert_eq!(read(&moved).unwrap(), want);
}

#[test]
fn what_does_not_add_up_is_refused() {
    let bucket = Bucket::new();
    bucket.edit("manifest-files", "\"itemCount\":2", "\"itemCount\":3");
    bucket.refuses(3, "the files hold 3 items, the summary says 2");
    bucket.edit("manifest-summary", "\"itemCount\":2", "\"itemCount\":3");
    bucket.refuses(3, "it holds 2 items, the manifest says 3");

    let bucket = Bucket::new();
    bucket.data("one.json.gz", LINES, 1);
    bucket.refuses(3, "does not have the MD5 that the manifest says");

    for name in ["manifest-summary", "manifest-files"] {
        let bucket = Bucket::new();
        let path = bucket.export().join(name).with_extension("json");
        let mut text = fs::read(&path).unwrap();
        text.push(b' ');
        fs::write(&path, text).unwrap();
        bucket.refuses(3, "does not have the MD5 that");
        // The other name of the same file.
        let sum = path.with_extension("checksum");
        fs::rename(&sum, path.with_extension("md5")).unwrap();
        bucket.refuses(3, "does not have the MD5 that");
        fs::remove_file(path.with_extension("md5")).unwrap();
        assert_eq!(read(bucket.path()).unwrap().len(), 2);
    }

    let bucket = Bucket::new();
    fs::remove_file(bucket.export().join("data/one.json.gz")).unwrap();
    bucket.refuses(3, "is missing");

    let bucket = Bucket::new();
    bucket.edit("manifest-files", "none.json.gz", "one.json.gz");
    bucket.refuses(3, "is named twice");

    let bucket = Bucket::new();
    bucket.edit("manifest-files", "\"md5Checksum\"", "\"md5\"");
    bucket.refuses(3, "names no data file at offset 0");

    let bucket = Bucket::new();
    fs::remove_file(bucket.export().join("manifest-files.json")).unwrap();
    bucket.refuses(2, "manifest-files.json");
}

#[test]
fn every_truncation_of_a_manifest_is_refused() {
    let options = FileOptions::default();
    for name in ["manifest-summary", "manifest-files"] {
        let bucket = Bucket::new();
        let path = bucket.export().join(name).with_extension("json");
        let text = fs::read_to_string(path).unwrap();
        for end in 0..text.len() - 2 {
            bucket.checked(name, &text[..end]);
            let read = manifest::read(&bucket.export(), &options);
            // The second line says that its file is empty, so without it nothing is missing.
            let first = text.lines().next().unwrap_or_default();
            let lost_nothing = text[..end].trim_end() == first && text != first;
            assert!(read.is_err() || lost_nothing, "{}", &text[..end]);
        }
    }
}

#[test]
fn nothing_outside_of_the_export_is_opened() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("one.json.gz");
    for name in [
        "../../../../one.json.gz",
        "/etc/passwd",
        "data/../../../../x",
        "..",
        "",
        "/",
        "data/",
        ".",
        "data/\\u0000.json.gz",
    ] {
        let bucket = Bucket::new();
        let key = "prefix/AWSDynamoDB/0123-abcd/data/one.json.gz";
        fs::copy(bucket.export().join("data/one.json.gz"), &secret).unwrap();
        bucket.edit("manifest-files", key, name);
        let (message, _, code) = error(bucket.path());
        assert_eq!(code, 3, "{name}: {message}");
        let bucket = Bucket::new();
        bucket.edit("manifest-files", key, &format!("prefix/AWSDynamoDB/{name}"));
        let (message, _, code) = error(bucket.path());
        assert_eq!(code, 3, "{name}: {message}");
    }
    let bucket = Bucket::new();
    let data = bucket.export().join("data/one.json.gz");
    fs::remove_file(&data).unwrap();
    std::os::unix::fs::symlink(&secret, &data).unwrap();
    bucket.refuses(3, "leads out of the export");
}

#[test]
fn other_exports_are_refused_by_name() {
    let bucket = Bucket::new();
    bucket.edit("manifest-summary", "DYNAMODB_JSON", "ION");
    bucket.refuses(3, "Amazon Ion");
    bucket.edit("manifest-summary", "\"ION\"", "\"CSV\"");
    bucket.refuses(3, "\"CSV\"");
    bucket.edit("manifest-summary", "\"CSV\"", "\"DYNAMODB_JSON\"");
    bucket.edit("manifest-summary", "FULL_EXPORT", "NEW_EXPORT");
    bucket.refuses(3, "\"NEW_EXPORT\"");
    bucket.edit("manifest-summary", "NEW_EXPORT", "INCREMENTAL_EXPORT");
    bucket.refuses(2, "mdiff convert EXPORT --base FULL");

    let loose = tempfile::tempdir().unwrap();
    fs::write(loose.path().join("x.ion.gz"), "x").unwrap();
    assert!(error(loose.path()).0.contains("Amazon Ion"));

    let two = Bucket::new();
    let sibling = two.path().join("other/AWSDynamoDB/1-x");
    fs::create_dir_all(&sibling).unwrap();
    fs::write(sibling.join("manifest-summary.json"), "{}").unwrap();
    two.refuses(2, "other/AWSDynamoDB/1-x, ");
    assert_eq!(read(&two.export()).unwrap().len(), 2);

    let empty = tempfile::tempdir().unwrap();
    assert_eq!(error(empty.path()).2, 3);
}

#[test]
fn lines_that_are_no_items_are_named_with_their_place() {
    let item = |attributes: &str| format!("{{\"Item\":{{{attributes}}}}}\n");
    let good = item("\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"}");
    for (line, what) in [
        ("{\"Items\":{}}".to_owned(), "without a member \"Items\""),
        ("{}".to_owned(), "a line holds one Item"),
        ("[]".to_owned(), "an object"),
        (item("\"pk\":{\"S\":\"b\"}"), "\"sk\" of the key is missing"),
        (
            item("\"pk\":{\"SS\":[\"b\"]},\"sk\":{\"N\":\"1\"}"),
            "no S, N or B",
        ),
        (
            item("\"pk\":{\"NULL\":true},\"sk\":{\"N\":\"1\"}"),
            "no S, N or B",
        ),
        (
            item("\"pk\":{\"S\":\"b\"},\"sk\":{\"N\":\"1\"},\"sk\":{\"N\":\"1\"}"),
            "\"sk\" stands twice",
        ),
        (
            item("\"pk\":{\"S\":\"b\"},\"sk\":{\"N\":\"one\"}"),
            "no number",
        ),
        (
            "{\"Keys\":{\"pk\":{\"S\":\"b\"},\"sk\":{\"N\":\"1\"}}}".to_owned(),
            "without a member \"Keys\"",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        fs::write(&path, format!("{good}{line}")).unwrap();
        let (message, _, code) = error(&path);
        assert!(
            message.contains("line 2: ") && message.contains(what),
            "{message}"
        );
        assert_eq!(code, 3);
    }
    let bucket = Bucket::new();
    bucket.data(
        "none.json.gz",
        &item("\"pk\":{\"S\":\"b\"},\"sk\":{\"N\":\"2\"}"),
        1,
    );
    bucket.manifests("FULL_EXPORT", 3, &[("one.json.gz", 2), ("none.json.gz", 1)]);
    let (message, _, _) = error(bucket.path());
    let two = [
        "one.json.gz, offset 0 of its text",
        "none.json.gz, offset 0 of its text",
    ];
    assert!(
        message.contains("b,2") || message.contains("stands twice"),
        "{message}"
    );
    assert!(two.iter().all(|place| message.contains(place)), "{message}");
}

#[test]
fn the_key_is_asked_for_with_what_it_could_be() {
    let bucket = Bucket::new();
    for path in [bucket.path(), &bucket.export().join("data/one.json.gz")] {
        let asked = open_snapshot(path, &SourceOptions::default());
        let Err(error) = asked else {
            panic!("opened without a key");
        };
        assert!(
            error.to_string().ends_with("it could be of: pk, sk"),
            "{error}"
        );
        assert_eq!(error.exit_code(), 2);
    }
    let mut nested = options();
    nested.text.key = vec!["/pk/S".into()];
    assert!(open_snapshot(bucket.path(), &nested).is_err());
}
