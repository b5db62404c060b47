//! Replays of written and of real folders.

use std::collections::BTreeMap;

use super::*;
use crate::source::block_table::key;
use crate::source::lsm::testing::databases;

/// What the log alone says of a key: a value, its absence, or something that needs more to resolve.
#[derive(Debug, Clone, PartialEq)]
enum Said {
    Put(Vec<u8>),
    Gone,
    Other,
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn expected(case: &Path, family: &str) -> Option<BTreeMap<Vec<u8>, Vec<u8>>> {
    let name = match family {
        "default" => "expected.jsonl".to_owned(),
        other => format!("expected.{other}.jsonl"),
    };
    let text = std::fs::read_to_string(case.join(name)).ok()?;
    Some(
        text.lines()
            .map(|line| {
                let row: serde_json::Value = serde_json::from_str(line).unwrap();
                (
                    unhex(row["k"].as_str().unwrap()),
                    unhex(row["v"].as_str().unwrap()),
                )
            })
            .collect(),
    )
}

type SaidOf = BTreeMap<u32, BTreeMap<Vec<u8>, Said>>;

fn said(folder: &Path, manifest: &Manifest) -> Result<(SaidOf, Replayed)> {
    let mut said: SaidOf = BTreeMap::new();
    let mut last = 0;
    let done = replay(
        folder,
        manifest,
        &FileOptions::default(),
        &mut |family, entry| {
            assert!(entry.sequence > last || last == 0);
            last = entry.sequence;
            let keys = said.entry(family).or_default();
            if entry.kind == key::RANGE_DELETE {
                for (key, said) in keys.iter_mut() {
                    if key.as_slice() >= entry.key && key.as_slice() < entry.value {
                        *said = Said::Gone;
                    }
                }
                return Ok(());
            }
            let said = match entry.kind {
                key::PUT => Said::Put(entry.value.to_vec()),
                key::DELETE | key::SINGLE_DELETE => Said::Gone,
                _ => Said::Other,
            };
            keys.insert(entry.key.to_vec(), said);
            Ok(())
        },
    )?;
    Ok((said, done))
}

#[test]
fn real_logs_say_of_their_keys_what_is_true() {
    let mut compared = 0;
    for folder in databases() {
        let manifest = Manifest::read(&folder, &FileOptions::default()).unwrap();
        let (said, done) = said(&folder, &manifest).unwrap();
        done.check_unchanged().unwrap();
        println!(
            "{}: {} entries {:?}",
            folder.display(),
            done.entries,
            done.notes
        );
        let is_torn = folder.to_str().unwrap().contains("torn");
        assert_eq!(done.notes.len(), usize::from(is_torn));
        let case = folder.parent().unwrap();
        for family in &manifest.families {
            let Some(expected) = expected(case, &family.name) else {
                continue;
            };
            let nothing = BTreeMap::new();
            let keys = said.get(&family.id).unwrap_or(&nothing);
            for (key, said) in keys {
                let truth = expected.get(key);
                match said {
                    Said::Put(value) => assert_eq!(truth, Some(value), "{key:?}"),
                    Said::Gone => assert_eq!(truth, None, "{key:?}"),
                    Said::Other => continue,
                }
                compared += 1;
            }
            if family.files.is_empty() {
                let here = keys.values().filter(|said| **said != Said::Gone);
                assert_eq!(here.count(), expected.len(), "{}", family.name);
            }
        }
    }
    assert!(compared > 0);
}
