//! Snapshots of Cassandra: every component mutated, cut off, taken away, and set to extremes.
//!
//! What no checksum covers can't be noticed where it still makes sense: CompressionInfo.db, the indexes and CRC.db have none
//! in any version, Statistics.db has them since na. A flip there must give an error or rows; only of what is covered must it be
//! an error or the very same rows.

use std::sync::Arc;

use mdiff::ErrorKind;

use crate::common::{Random, rounds};
use crate::folders::*;
use crate::harness::{Allowed, Harness};
use crate::mutations::{EXTREMES, mangle, overwrite};
use crate::parsers::walk_snapshot;

fn read(folder: &std::path::Path, mmap: bool) {
    let mut options = options();
    options.file.mmap = mmap;
    if let Ok(snapshot) = mdiff::source::open(folder, &options) {
        walk_snapshot(snapshot.as_ref());
    }
}

/// Small snapshots of every kind of component, and the same with plain data, so that decoders are reached.
fn cases() -> Vec<Files> {
    let mut cases = vec![sstables("nb-comp_lz4"), sstables("nb-comp_none")];
    for (case, names) in [
        ("me-tombstones", ["me-1-big", "me-3-big"]),
        ("nb-collections", ["nb-1-big", "nb-2-big"]),
        ("oa-far_expiry", ["oa-1-big", "oa-2-big"]),
        ("da-static_cols", ["da-1-bti", "da-2-bti"]),
    ] {
        let files = sstables(case);
        let both = names
            .iter()
            .fold(files.clone(), |files, name| plain(&files, name));
        cases.push(files);
        cases.push(both);
    }
    cases.push(sstables("mixed_formats"));
    for files in &mut cases {
        let names: Vec<String> = files
            .keys()
            .filter(|name| name.ends_with("-Data.db"))
            .cloned()
            .collect();
        let manifest =
            serde_json::json!({ "files": names, "created_at": "2026-11-21T20:19:13.231Z" });
        files.insert("manifest.json".into(), manifest.to_string().into_bytes());
    }
    cases
}

/// Makes the checksums of what was changed right again.
fn seal(files: &Files, name: &str, bytes: &mut [u8]) -> Vec<(String, Option<Vec<u8>>)> {
    let Some((sstable, component)) = name.rsplit_once('-') else {
        return Vec::new();
    };
    let other = |component: &str| format!("{sstable}-{component}");
    match component {
        "Statistics.db" if sstable > "na" || sstable.starts_with("da") => seal_statistics(bytes),
        "Data.db" => match files.get(&other("CompressionInfo.db")) {
            Some(info) => seal_chunks(bytes, info),
            None => return vec![(other("CRC.db"), Some(sums(bytes)))],
        },
        _ => {}
    }
    Vec::new()
}

#[test]
fn mutated_sstables() {
    let cases = Arc::new(cases().into_iter().map(Folder::new).collect::<Vec<_>>());
    let mut harness = Harness::new();
    for folder in cases.iter() {
        assert!(
            read_rows(&folder.path(), &options()).is_ok(),
            "sound before it is changed"
        );
    }
    let mut found = 0;
    for seed in 0..rounds(150, 20_000) {
        let mut random = Random(seed);
        let which = random.below(cases.len() as u64) as usize;
        let files = cases[which].files();
        let names: Vec<&String> = files.keys().collect();
        let name = names[random.below(names.len() as u64) as usize].clone();
        let mut bytes = files[&name].clone();
        match random.below(3) {
            0 => mangle(&mut random, &mut bytes),
            _ if bytes.is_empty() => bytes.push(0),
            _ => {
                let all = 0..bytes.len();
                overwrite(&mut random, &mut bytes, &all);
            }
        }
        let mut changes = match random.below(4) {
            0 => Vec::new(),
            _ => seal(files, &name, &mut bytes),
        };
        // A digest that does not match would say nothing of the decoders.
        let digest = name.replace("-Data.db", "-Digest.crc32");
        if digest != name {
            changes.push((digest, None));
        }
        changes.push((name.clone(), Some(bytes)));
        let len: usize = files.values().map(Vec::len).sum();
        let cases = Arc::clone(&cases);
        let result = harness.check(Allowed::for_file(len), move || {
            let changes: Vec<_> = changes
                .iter()
                .map(|(n, b)| (n.as_str(), b.clone()))
                .collect();
            cases[which].with(&changes, |folder| read(folder, seed % 2 == 0));
        });
        if let Err(error) = result {
            eprintln!("seed {seed}, case {which}, {name}: {error}");
            found += 1;
            assert!(found < 20, "too many");
        }
    }
    harness.report("SSTables");
    assert_eq!(found, 0, "inputs that it should have borne");
}

/// Small SSTables, one of each version.
const SMALL: [(&str, &str); 4] = [
    ("nb-ties", "nb-2-big"),
    ("me-tombstones", "me-2-big"),
    ("oa-neg_part_delete", "oa-1-big"),
    ("da-static_cols", "da-2-bti"),
];

#[test]
fn every_flipped_bit_is_an_error_or_nothing() {
    for (case, name) in SMALL {
        let folder = Folder::new(one_sstable(case, name));
        let sound = read_rows(&folder.path(), &options()).unwrap();
        assert!(!sound.is_empty());
        let is_of_4 = name.starts_with("nb") || name.starts_with("oa") || name.starts_with("da");
        for (component, is_covered) in [
            ("Data.db", true),
            ("Digest.crc32", true),
            ("Statistics.db", is_of_4),
            ("CompressionInfo.db", false),
        ] {
            let file = format!("{name}-{component}");
            let bytes = &folder.files()[&file];
            let step = match component {
                "Statistics.db" => rounds(211, 1),
                "Data.db" => rounds(13, 1),
                _ => rounds(5, 1),
            };
            let (mut errors, mut same, mut other) = (0, 0, 0);
            for bit in (0..bytes.len() * 8).step_by(step as usize) {
                let mut bytes = bytes.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let read = folder.with(&[(&file, Some(bytes))], |path| read_rows(path, &options()));
                match read {
                    Err(error) => {
                        assert!(matches!(error.exit_code(), 3), "{file}, bit {bit}: {error}");
                        errors += 1;
                    }
                    Ok(found) if found == sound => same += 1,
                    Ok(_) => {
                        assert!(!is_covered, "{file}, bit {bit}: other rows");
                        other += 1;
                    }
                }
            }
            println!("{file}: {errors} errors, {same} the same, {other} other rows");
            assert!(errors > 0 && errors + same > other, "{file}");
            // Not a bit of the data may be flipped unnoticed.
            assert!(
                component != "Data.db" || same == 0,
                "{file}: {same} unnoticed"
            );
        }
    }
}

#[test]
fn whatever_is_cut_off_is_missed() {
    for (case, name) in SMALL {
        let folder = Folder::new(one_sstable(case, name));
        let sound = read_rows(&folder.path(), &options()).unwrap();
        for component in [
            "Data.db",
            "Digest.crc32",
            "Statistics.db",
            "CompressionInfo.db",
        ] {
            let file = format!("{name}-{component}");
            let bytes = &folder.files()[&file];
            let step = if bytes.len() > 1000 {
                rounds(97, 1)
            } else {
                rounds(3, 1)
            };
            for len in (0..bytes.len()).step_by(step as usize) {
                let cut = Some(bytes[..len].to_vec());
                let read = folder.with(&[(&file, cut)], |path| read_rows(path, &options()));
                match read {
                    Err(error) => assert!(matches!(error.exit_code(), 3), "{file}, {len}: {error}"),
                    // Behind the header, or of a newline.
                    Ok(found) => {
                        assert!(component != "Data.db", "{file}, {len} bytes");
                        assert_eq!(found, sound, "{file}, {len} bytes");
                    }
                }
            }
        }
        // Indexes are for speed alone.
        for component in ["Index.db", "Partitions.db", "Rows.db"] {
            let file = format!("{name}-{component}");
            let Some(bytes) = folder.files().get(&file) else {
                continue;
            };
            for len in (0..bytes.len()).step_by(rounds(31, 1) as usize) {
                let cut = Some(bytes[..len].to_vec());
                folder.with(&[(&file, cut)], |path| {
                    read(path, true);
                    assert_eq!(
                        read_rows(path, &options()).unwrap(),
                        sound,
                        "{file}, {len} bytes"
                    );
                });
            }
        }
    }
}

/// Every field, wherever it is: a number of each width at every place.
#[test]
fn extreme_numbers_at_every_place() {
    let mut harness = Harness::new();
    let folders: Vec<Folder> = SMALL
        .iter()
        .flat_map(|(case, name)| {
            let files = one_sstable(case, name);
            [plain(&files, name), files]
        })
        .map(Folder::new)
        .collect();
    let folders = Arc::new(folders);
    for which in 0..folders.len() {
        let names: Vec<String> = folders[which].files().keys().cloned().collect();
        for name in names.into_iter().filter(|name| name.ends_with(".db")) {
            let len = folders[which].files()[&name].len() as u64;
            let is_large = name.ends_with("Statistics.db") || name.ends_with("Data.db");
            let step = rounds(
                if is_large { 301 } else { 53 },
                if is_large { 7 } else { 1 },
            );
            let total: usize = folders[which].files().values().map(Vec::len).sum();
            let folders = Arc::clone(&folders);
            let (file, inner) = (name.clone(), Arc::clone(&folders));
            // Many a run, as each is short; the harness would take longer than they do.
            for at in (0..len as usize).step_by(step as usize) {
                let (file, inner) = (file.clone(), Arc::clone(&inner));
                let mut allowed = Allowed::for_file(total);
                allowed.time *= 10;
                let result = harness.check(allowed, move || {
                    for number in EXTREMES.into_iter().chain([len - 1, len, len + 1]) {
                        for width in [1, 2, 4, 8] {
                            let folder = &inner[which];
                            let mut bytes = folder.files()[&file].clone();
                            let field = &number.to_be_bytes()[8 - width..];
                            let room = width.min(bytes.len() - at);
                            bytes[at..at + room].copy_from_slice(&field[..room]);
                            let sealed = seal(folder.files(), &file, &mut bytes);
                            let mut changes: Vec<_> = sealed
                                .iter()
                                .map(|(n, b)| (n.as_str(), b.clone()))
                                .collect();
                            changes.push((&file, Some(bytes)));
                            folder.with(&changes, |path| drop(read_rows(path, &options())));
                        }
                    }
                });
                assert_eq!(result, Ok(()), "{file} at {at}", file = name);
            }
        }
    }
    harness.report("extremes of SSTables");
}

#[test]
fn what_is_missing_is_told() {
    let folder = Folder::new(sstables("nb-collections"));
    let fails = |changes: &[(&str, Option<Vec<u8>>)], what: &str| {
        let error = folder.with(changes, |path| read_rows(path, &options()).unwrap_err());
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(error.exit_code(), 3, "{error}");
    };
    fails(&[("nb-2-big-Data.db", None)], "nb-2-big-Data.db");
    fails(&[("nb-2-big-Statistics.db", None)], "Statistics.db");
    fails(
        &[("nb-2-big-CompressionInfo.db", None)],
        "CompressionInfo.db",
    );
    let manifest = |text: &str| ("manifest.json", Some(text.as_bytes().to_vec()));
    fails(
        &[manifest("{\"files\":[\"nb-9-big-Data.db\"]}")],
        "nb-9-big-Data.db",
    );
    fails(&[manifest("{")], "no manifest");
    // All components of an SSTable are gone: only the manifest knows.
    let listed = "{\"files\":[\"nb-1-big-Data.db\",\"nb-2-big-Data.db\",\"nb-3-big-Data.db\"]}";
    let names: Vec<String> = folder
        .files()
        .keys()
        .filter(|name| name.starts_with("nb-3-"))
        .cloned()
        .collect();
    let mut changes: Vec<_> = names.iter().map(|name| (name.as_str(), None)).collect();
    changes.push(manifest(listed));
    fails(&changes, "nb-3-big-Data.db");
    folder.with(&[manifest(listed)], |path| {
        read_rows(path, &options()).unwrap()
    });
    // What a row needs is there: indexes and lists of components are not.
    for component in ["Index.db", "TOC.txt", "Digest.crc32"] {
        let file = format!("nb-1-big-{component}");
        folder.with(&[(&file, None)], |path| {
            read_rows(path, &options()).unwrap()
        });
    }
}

/// Names in files that lead out of the folder: nothing is opened there, for nothing is opened by such a name.
#[test]
fn names_that_lead_elsewhere_are_not_followed() {
    let folder = Folder::new(sstables("nb-ties"));
    let sound = read_rows(&folder.path(), &options()).unwrap();
    // A FIFO: whoever opened it would wait for ever.
    let outside = tempfile::tempdir().unwrap();
    let trap = outside.path().join("nb-9-big-Data.db");
    let made = std::process::Command::new("mkfifo").arg(&trap).status();
    assert!(made.is_ok_and(|status| status.success()));
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(outside.path(), &link).unwrap();
    let relative = format!(
        "../{}/nb-9-big-Data.db",
        outside.path().file_name().unwrap().to_str().unwrap()
    );
    for name in [
        trap.to_str().unwrap(),
        relative.as_str(),
        "link/nb-9-big-Data.db",
        "./nb-1-big-Data.db",
        "../../../../../../etc/passwd",
        "/etc/passwd",
        "C:\\nb-9-big-Data.db",
        "\\\\host\\share",
        "",
        "..",
        "CompressionInfo.db/../x",
        "nb-1-big-Data.db\0",
    ] {
        let toc = format!("Data.db\n{name}\nnb-1-big-{name}\n").into_bytes();
        let manifest = serde_json::json!({ "files": ["nb-1-big-Data.db", name] });
        let found = folder.with(&[("nb-1-big-TOC.txt", Some(toc))], |path| {
            read_rows(path, &options())
        });
        assert_eq!(found.unwrap(), sound, "{name:?}");
        let manifest = ("manifest.json", Some(manifest.to_string().into_bytes()));
        match folder.with(&[manifest], |path| read_rows(path, &options())) {
            Ok(found) => assert_eq!(found, sound, "{name:?}"),
            Err(error) => assert!(matches!(error.kind(), ErrorKind::Damaged { .. }), "{error}"),
        }
    }
}

#[test]
fn other_formats_are_refused_by_name() {
    for (name, what) in [
        ("ks-table-jb-1-Data.db", "jb"),
        ("ks-table-ka-1-Data.db", "ka"),
        ("la-1-big-Data.db", "before Cassandra 3.0"),
        ("aa-1-bti-Data.db", "DSE"),
        ("bb-1-bti-Data.db", "DSE"),
        ("ob-1-big-Data.db", "ob"),
    ] {
        let folder = Folder::new(Files::from([(name.to_owned(), b"x".to_vec())]));
        let error = read_rows(&folder.path(), &options()).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Unsupported { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(what), "{error}");
        assert!(error.hint().unwrap().contains("upgradesstables"), "{error}");
    }
}
