//! Damage anywhere in a folder: exit 3 that names the place, or the right rows, and never other rows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mdiff::build::{BuildOptions, build_in_memory};
use mdiff::progress::Progress;
use mdiff::source::{self, SourceOptions};
use mdiff::{Error, ErrorKind};

use crate::common::*;
use crate::folders::*;
use crate::log_tail::{looks_torn, records};

/// What stands for a folder's rows: rows, bytes and the sum of fingerprints of each table.
type Sums = BTreeMap<String, (u64, u64, u128)>;

fn sums(db: &Path) -> Result<Sums, Error> {
    let snapshot = source::open(db, &SourceOptions::default())?;
    let options = BuildOptions::default();
    let tree = build_in_memory(snapshot.as_ref(), db, &options, &Progress::default())?;
    snapshot.check_unchanged()?;
    let of = |table: mdiff::mtree::TableView<'_>| {
        let header = table.header();
        let sums = (
            header.summary.rows,
            header.summary.bytes,
            header.summary.sum,
        );
        (header.name.clone(), sums)
    };
    Ok(tree.tables().map(of).collect())
}

/// A copy of a folder, to be damaged one file at a time.
struct Victim {
    name: String,
    dir: tempfile::TempDir,
    files: Vec<(String, Vec<u8>)>,
    sound: Sums,
}

/// How damages ended.
#[derive(Default, Debug)]
struct Ends {
    tried: u64,
    refused: u64,
    unharmed: u64,
    /// Not to be told from a log that a crash cut short: the rows before.
    torn: u64,
    wrong: Vec<String>,
}

impl Victim {
    fn new(case: &Case) -> Victim {
        let dir = quick_tempdir();
        copy_dir(&case.db, dir.path());
        let files = folder(dir.path()).into_iter().collect();
        let sound = sums(dir.path()).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let known: BTreeMap<String, u64> = case
            .rows
            .iter()
            .map(|(name, rows)| (name.clone(), rows.len() as u64))
            .collect();
        let found = sound.iter().map(|(name, sums)| (name.clone(), sums.0));
        assert_eq!(found.collect::<BTreeMap<_, _>>(), known, "{}", case.name);
        Victim {
            name: case.name.clone(),
            dir,
            files,
            sound,
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// The outcome with `damaged` in the place of a file (`None`: without the file).
    fn with(&self, file: &str, damaged: Option<&[u8]>) -> Result<Sums, Error> {
        match damaged {
            Some(bytes) => fs::write(self.path(file), bytes).unwrap(),
            None => fs::remove_file(self.path(file)).unwrap(),
        }
        let run = std::panic::AssertUnwindSafe(|| sums(self.dir.path()));
        let ended = std::panic::catch_unwind(run);
        let (_, sound) = self.files.iter().find(|(name, _)| name == file).unwrap();
        fs::write(self.path(file), sound).unwrap();
        ended.unwrap_or_else(|_| panic!("{}: {file}: a panic", self.name))
    }

    /// The rows where a log or a MANIFEST ends with the last whole record before `cut`; `None` where they can't be read.
    fn at_last_record(&self, file: &str, sound: &[u8], cut: u64) -> Option<Sums> {
        let whole = records(sound)
            .iter()
            .map(|record| record.end)
            .take_while(|end| *end as u64 <= cut)
            .last()
            .unwrap_or(0);
        self.with(file, Some(&sound[..whole])).ok()
    }

    /// Judges one flipped bit.
    fn flip(&self, file: &str, sound: &[u8], bit: u64, ends: &mut Ends) {
        let at = (bit / 8) as usize;
        let mut damaged = sound.to_vec();
        damaged[at] ^= 1 << (bit % 8);
        let what = format!("{}: {file}, byte {at}, bit {}", self.name, bit % 8);
        ends.tried += 1;
        match self.with(file, Some(&damaged)) {
            Ok(found) if found == self.sound => ends.unharmed += 1,
            Ok(found) => {
                let torn = looks_torn(sound, &damaged, at).filter(|_| file.ends_with(".log"));
                let as_if = torn.map(|record| self.with(file, Some(&sound[..record.start])));
                match as_if {
                    Some(Ok(shorter)) if shorter == found => ends.torn += 1,
                    _ => ends
                        .wrong
                        .push(format!("{what}: other rows {}", self.change(&found))),
                }
            }
            Err(error) => {
                ends.refused += 1;
                if let Some(fault) = bad_message(&error, file) {
                    ends.wrong.push(format!("{what}: {fault}: {error}"));
                }
            }
        }
    }

    fn change(&self, found: &Sums) -> String {
        let rows = |sums: &Sums| -> Vec<String> {
            let each = sums.iter().map(|(name, sums)| format!("{name} {}", sums.0));
            each.collect()
        };
        format!("({:?} instead of {:?})", rows(found), rows(&self.sound))
    }
}

/// What is wrong with an error for a damage to `file`.
fn bad_message(error: &Error, file: &str) -> Option<&'static str> {
    if error.exit_code() != 3 {
        return Some("the exit code is not 3");
    }
    // A damaged CURRENT names another MANIFEST.
    let named = error.to_string();
    if !named.contains(file) && file != "CURRENT" {
        return Some("does not name the file");
    }
    match error.kind() {
        ErrorKind::Damaged { .. } if !named.contains("offset") => Some("does not say where"),
        _ => None,
    }
}

/// What no checksum guards and what no row of these folders depends on: notes of the software for people and for itself.
fn is_live(file: &str) -> bool {
    !(file.starts_with("OPTIONS-")
        || file == "LOCK"
        || file == "IDENTITY"
        || file.ends_with("json"))
}

fn victims() -> Vec<Victim> {
    let small = |case: &Case| {
        let bytes: usize = folder(&case.db).values().map(Vec::len).sum();
        bytes < 1 << 20
    };
    cases(&places())
        .iter()
        .filter(|case| small(case))
        .map(Victim::new)
        .collect()
}

/// Bits to flip in a file: all of them where they are few, else those of its ends and of the headers of its last records,
/// and some of the rest.
fn bits(file: &str, sound: &[u8], some: u64, random: &mut Random) -> Vec<u64> {
    let len = sound.len() as u64;
    if std::env::var_os("MDIFF_ALL_BITS").is_some() || 8 * len <= some {
        return (0..8 * len).collect();
    }
    let ends = 4.min(len / 2);
    let mut chosen: Vec<u64> = (0..8 * ends).chain(8 * (len - ends)..8 * len).collect();
    if file.ends_with(".log") || file.starts_with("MANIFEST") {
        for record in records(sound).iter().rev().take(3) {
            let start = 8 * record.start as u64;
            chosen.extend(start..start + 8 * record.header as u64);
        }
    }
    chosen.extend((0..some.saturating_sub(chosen.len() as u64)).map(|_| random.below(8 * len)));
    chosen
}

fn report(what: &str, ends: &Ends) {
    println!(
        "{what}: {} tried, {} refused, {} unharmed, {} as if cut short",
        ends.tried, ends.refused, ends.unharmed, ends.torn
    );
    let first: Vec<&String> = ends.wrong.iter().take(20).collect();
    assert!(
        ends.wrong.is_empty(),
        "{} of {} wrong: {first:#?}",
        ends.wrong.len(),
        ends.tried
    );
}

#[test]
fn a_flipped_bit_is_an_error_or_harmless() {
    let mut random = Random(5);
    let mut ends = Ends::default();
    for victim in victims() {
        for (file, sound) in &victim.files {
            if !is_live(file) {
                continue;
            }
            for bit in bits(file, sound, rounds(80, 4000), &mut random) {
                victim.flip(file, sound, bit, &mut ends);
            }
        }
    }
    assert!(
        ends.refused > ends.tried / 2,
        "most bits are guarded: {ends:?}"
    );
    report("flipped bits", &ends);
}

/// What is not live may say what it likes.
#[test]
fn notes_of_the_software_decide_no_rows() {
    let mut random = Random(6);
    let mut ends = Ends::default();
    for victim in victims() {
        for (file, sound) in victim.files.iter().filter(|(file, _)| !is_live(file)) {
            // The delimiter of a StringAppendOperator is in OPTIONS alone, and no checksum guards it there.
            if file.starts_with("OPTIONS-") && victim.name.contains("merge") {
                continue;
            }
            for bit in bits(file, sound, rounds(6, 500), &mut random) {
                victim.flip(file, sound, bit, &mut ends);
            }
        }
    }
    report("bits of notes", &ends);
}

#[test]
fn a_file_cut_short_is_an_error_or_a_torn_log() {
    let mut random = Random(7);
    let mut ends = Ends::default();
    for victim in victims() {
        for (file, sound) in victim.files.iter().filter(|(file, _)| is_live(file)) {
            let all = sound.len() as u64;
            let mut cuts: Vec<u64> = (0..rounds(20, 300))
                .map(|_| random.below(all.max(1)))
                .collect();
            cuts.extend([0, all.saturating_sub(1), all / 2]);
            cuts.extend(
                records(sound)
                    .iter()
                    .map(|record| record.start as u64)
                    .take(20),
            );
            cuts.retain(|cut| *cut < all);
            for cut in cuts {
                let what = format!("{}: {file} cut to {cut} of {all} bytes", victim.name);
                ends.tried += 1;
                match victim.with(file, Some(&sound[..cut as usize])) {
                    Ok(found) if found == victim.sound => ends.unharmed += 1,
                    // The rows of a shorter log are proven by the real software, below.
                    Ok(_) if file.ends_with(".log") => ends.torn += 1,
                    // RocksDB and LevelDB take a MANIFEST up to its last whole record.
                    Ok(found)
                        if file.starts_with("MANIFEST")
                            && victim.at_last_record(file, sound, cut) == Some(found.clone()) =>
                    {
                        ends.torn += 1;
                    }
                    Ok(found) => ends
                        .wrong
                        .push(format!("{what}: other rows {}", victim.change(&found))),
                    Err(error) => {
                        ends.refused += 1;
                        // By a shorter MANIFEST, an older file may be missed: that one is named.
                        if let Some(fault) = bad_message(&error, file)
                            && !file.starts_with("MANIFEST")
                        {
                            ends.wrong.push(format!("{what}: {fault}: {error}"));
                        }
                    }
                }
            }
        }
    }
    report("cuts", &ends);
}

#[test]
fn a_missing_live_file_is_named() {
    let mut ends = Ends::default();
    for victim in victims() {
        for (file, _) in &victim.files {
            ends.tried += 1;
            match victim.with(file, None) {
                Ok(found) if found == victim.sound => ends.unharmed += 1,
                // RocksDB keeps no list of its logs unless it is told to, LevelDB never.
                Ok(_) if file.ends_with(".log") => ends.torn += 1,
                Ok(found) => ends.wrong.push(format!(
                    "{} without {file}: {}",
                    victim.name,
                    victim.change(&found)
                )),
                Err(error) => {
                    ends.refused += 1;
                    if error.exit_code() != 3 || !error.to_string().contains(file.as_str()) {
                        ends.wrong
                            .push(format!("{} without {file}: {error}", victim.name));
                    }
                }
            }
        }
    }
    report("missing files", &ends);
}

/// A rotten block: never called equal, and a patch from the healthy replica holds what it lost.
#[test]
fn keep_going_and_a_patch_restore_a_rotten_folder() {
    let case = cases(&[testdata("lsm")])
        .into_iter()
        .find(|case| case.name.ends_with("db-snapshot-held"))
        .unwrap();
    for seed in 0..rounds(3, 30) {
        let dir = tempfile::tempdir().unwrap();
        let (good, bad) = (dir.path().join("good"), dir.path().join("bad"));
        copy_dir(&case.db, &good);
        copy_dir(&case.db, &bad);
        let table = folder(&bad)
            .into_keys()
            .rfind(|name| name.ends_with(".ldb"))
            .unwrap();
        let mut bytes = fs::read(bad.join(&table)).unwrap();
        // Data blocks are most of the file, and all of its first half.
        let at = Random(seed).below(bytes.len() as u64 / 2) as usize;
        bytes[at] ^= 1 << (seed % 8);
        fs::write(bad.join(&table), bytes).unwrap();

        let run = |args: &[&str]| mdiff(args).in_dir(&dir).run();
        let no = run(&["build", "bad", "-o", "bad.mtree"]).exits(3);
        assert!(
            no.stderr.contains(&table) && no.stderr.contains(" at offset "),
            "{no:#?}"
        );
        run(&["build", "bad", "-o", "bad.mtree", "--keep-going"])
            .exits(3)
            .tells("warning: ");
        run(&["build", "good", "-o", "good.mtree"]).exits(0);
        for sides in [
            ["good", "bad.mtree"],
            ["bad.mtree", "good.mtree"],
            ["bad.mtree", "bad.mtree"],
        ] {
            let ran = run(&["compare", sides[0], sides[1], "--exit-zero"]).exits(3);
            assert!(ran.stdout.contains("unreadable"), "{ran:#?}");
        }
        run(&["compare", "good", "bad"]).exits(3);
        run(&[
            "patch",
            "bad",
            "good",
            "-o",
            "fix.mpatch",
            "--keep-going",
            "--no-trees",
        ])
        .exits(3);
        run(&["apply", "bad", "fix.mpatch", "-o", "no.sst"]).exits(3);
        run(&[
            "apply",
            "bad",
            "fix.mpatch",
            "-o",
            "fixed.sst",
            "--keep-going",
        ])
        .exits(0);
        assert_same("restored", &cat(&dir.path().join("fixed.sst")), &case.rows);
        run(&["compare", "good", "fixed.sst"]).exits(0);
    }
}
