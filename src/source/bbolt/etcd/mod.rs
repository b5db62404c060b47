//! etcd's keys: what a client sees at the head, or at an older revision that is still there.
//!
//! **Rows.** The bucket `key` holds every revision that is kept, under the revision (`revision`), as a protobuf message
//! (`key_value`). Of each user key the last one counts, and a tombstone removes it. The one table, `default`, has the
//! user's key as its key, and these columns:
//!
//! | column | what |
//! |---|---|
//! | create_revision | revision of its creation; decimal digits, as the next three |
//! | lease | its lease; 0 is none |
//! | mod_revision | revision of its last write |
//! | value | its bytes |
//! | version | writes since its creation |
//!
//! `--columns` and `--ignore-columns` choose among them. Members of one cluster agree on all. After a restore revisions may
//! differ where keys and values do not, and so they do between a cluster and its mirror: `--columns value` compares those.
//!
//! **How far a member is.** Members apply the same log, and one may lag: `info` tells the consistent index (of the log's last applied
//! entry) and the head revision of each, and compare, diff and patch warn where the sides' differ. `--rev N` then shows both at a
//! revision that both have; from the compacted one on, older ones are gone.
//!
//! **Order.** Revisions are sorted by key when rows are first asked for, in the memory of `--sort-memory` and temporary files. A page
//! that can't be read hides revisions, not a range of keys, so `--keep-going` does not go on behind one.
//!
//! **Not in a row:** what etcd keeps in its other buckets (leases, users and roles, members, alarms). `--format bbolt` shows these, as
//! raw bytes.

use std::io::Write;
use std::sync::Arc;

use super::buckets::{self, Bucket};
use super::cursor::{Scan, last_key};
use super::file::BoltFile;
use super::plain;
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::Row;
use crate::source::chosen::Chosen;
use crate::source::sort::{SortOptions, Sorter, Twice};
use crate::source::sorted_table::{SortedTable, Unsorted};
use crate::source::{Counter, Estimate, Position, RowWriter, Snapshot, SourceOptions, Table};

mod key_value;
mod revision;

use key_value::KeyValue;
use revision::Revision;

/// The bucket of all revisions.
const KEYS: &str = "key";
/// The bucket of what etcd keeps of itself.
const META: &str = "meta";
/// The columns beside the key, ascending.
const COLUMNS: [&str; 5] = [
    "create_revision",
    "lease",
    "mod_revision",
    "value",
    "version",
];
/// A guess at the bytes that a revision takes, before any is read.
const REVISION_BYTES: u64 = 256;

/// Whether a bbolt file has the buckets of etcd.
///
/// # Errors
///
/// Damaged, Limit, I/O errors.
pub fn has_buckets(file: &BoltFile) -> Result<bool> {
    let buckets = buckets::top(file).map_err(|e| file.input.explain(e))?;
    let has = |name: &str| buckets.iter().any(|bucket| bucket.name == name);
    Ok(has(KEYS) && has(META))
}

/// An open file of etcd.
pub struct EtcdSnapshot {
    file: Arc<BoltFile>,
    table: SortedTable<Revisions>,
    facts: Facts,
    buckets: Vec<String>,
    at: Option<u64>,
}

/// What the file says of how far its member is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Facts {
    /// Index of the last entry of the cluster's log that was applied.
    consistent_index: Option<u64>,
    /// Term of that entry; from etcd 3.5 on.
    term: Option<u64>,
    /// The newest revision.
    head: u64,
    /// Revisions before this one are gone.
    compacted: u64,
}

impl EtcdSnapshot {
    /// Opens a file; its rows are read when they are first asked for.
    ///
    /// # Errors
    ///
    /// Damaged; Unsupported where it has not etcd's buckets; Usage for columns that it has not, or a revision that is not there.
    pub fn open(file: BoltFile, options: &SourceOptions) -> Result<EtcdSnapshot> {
        let opened = EtcdSnapshot::look(&file, options).map_err(|e| file.input.explain(e));
        let (buckets, keys, facts) = opened?;
        let path = file.input.path().to_owned();
        let chosen = Chosen::new(&path, &["key"], &COLUMNS, &options.text)?;
        let file = Arc::new(file);
        let sort = SortOptions {
            temp_dir: options.file.temp_dir.clone(),
            memory_bytes: options.sort_memory_bytes,
            path,
        };
        let schema = chosen.schema();
        let revisions = Revisions {
            file: Arc::clone(&file),
            keys,
            chosen,
            at: options.etcd.revision,
        };
        Ok(EtcdSnapshot {
            file,
            table: SortedTable::new("default".into(), schema, sort, revisions),
            facts,
            buckets: buckets.into_iter().map(|bucket| bucket.name).collect(),
            at: options.etcd.revision,
        })
    }

    fn look(file: &BoltFile, options: &SourceOptions) -> Result<(Vec<Bucket>, Bucket, Facts)> {
        let buckets = buckets::top(file)?;
        let find = |name: &str| buckets.iter().find(|bucket| bucket.name == name);
        let (Some(keys), Some(meta)) = (find(KEYS), find(META)) else {
            return Err(Error::unsupported(
                file.input.path(),
                "a bbolt file, but not etcd's: it has no buckets key and meta",
                "leave --format out, or say --format bbolt",
            ));
        };
        let keys = keys.clone();
        let facts = Facts::read(file, &keys, meta)?;
        if let Some(at) = options.etcd.revision
            && !(facts.compacted..=facts.head).contains(&at)
        {
            let why = match at > facts.head {
                true => "is not there yet",
                false => "was compacted away",
            };
            return Err(Error::usage(
                format!("{}: revision {at} {why}", file.input.path().display()),
                format!("it has the revisions {} to {}", facts.compacted, facts.head),
            ));
        }
        Ok((buckets, keys, facts))
    }
}

impl Facts {
    fn read(file: &BoltFile, keys: &Bucket, meta: &Bucket) -> Result<Facts> {
        let path = file.input.path();
        let mut facts = Facts::default();
        let mut scan = Scan::new(file, meta.root, &KeyRange::all()).of_other_keys();
        while let Some(element) = scan.next_element()? {
            let number = || {
                let bytes = <[u8; 8]>::try_from(element.value).ok();
                bytes.map(u64::from_be_bytes).ok_or_else(|| {
                    let name = String::from_utf8_lossy(element.key);
                    let what = format!("meta: {name} is not of 8 bytes");
                    Error::damaged(path, element.value_offset, what)
                })
            };
            match element.key {
                b"consistent_index" => facts.consistent_index = Some(number()?),
                b"term" => facts.term = Some(number()?),
                // A compaction that was begun is finished when the member starts again.
                b"scheduledCompactRev" | b"finishedCompactRev" => {
                    let revision = Revision::parse(element.value).ok_or_else(|| {
                        let what = "meta: the compacted revision is no revision";
                        Error::damaged(path, element.value_offset, what)
                    })?;
                    facts.compacted = facts.compacted.max(revision.main);
                }
                _ => {}
            }
        }
        let last = match last_key(file, keys.root)? {
            None => 0,
            Some(key) => {
                let last = Revision::parse(&key);
                last.ok_or_else(|| not_a_revision(file, &key, 0))?.main
            }
        };
        // An empty store is at revision 1, and all keys may have been deleted and compacted.
        facts.compacted = facts.compacted.max(1);
        facts.head = last.max(facts.compacted);
        Ok(facts)
    }
}

fn not_a_revision(file: &BoltFile, key: &[u8], offset: u64) -> Error {
    let what = format!(
        "{} in the bucket key is no revision",
        crate::row::escape(key)
    );
    Error::damaged(file.input.path(), offset, what)
}

/// The bucket of all revisions as a log of writes.
struct Revisions {
    file: Arc<BoltFile>,
    keys: Bucket,
    chosen: Chosen,
    at: Option<u64>,
}

impl Revisions {
    /// The revisions that count.
    fn range(&self) -> KeyRange {
        KeyRange {
            from: Vec::new(),
            to: self
                .at
                .and_then(|at| at.checked_add(1))
                .map(|end| end.to_be_bytes().to_vec()),
        }
    }

    fn push_revisions(&self, sorter: &mut Sorter<'_>) -> Result<()> {
        let file = &self.file;
        let path = file.input.path();
        let mut scan = Scan::new(file, self.keys.root, &self.range()).of_other_keys();
        let mut value = Vec::new();
        let mut place = 0;
        while let Some(element) = scan.next_element()? {
            let offset = element.value_offset;
            let revision = Revision::parse(element.key)
                .ok_or_else(|| not_a_revision(file, element.key, offset))?;
            let damaged = |what: &str| {
                let what = format!("revision {}: {what}", revision.main);
                Error::damaged(path, offset, what)
            };
            if element.is_bucket {
                return Err(damaged("a bucket among the revisions"));
            }
            let write = KeyValue::parse(element.value).map_err(|wrong| match wrong {
                key_value::Wrong::Damaged(what) => damaged(what),
                key_value::Wrong::UnknownField(field) => Error::unsupported(
                    path,
                    format!(
                        "revision {} has a field {field} that mdiff does not know, of a newer etcd",
                        revision.main
                    ),
                    "export the keys with etcdctl get --prefix \"\" -w json",
                ),
            })?;
            place += 1;
            if revision.is_tombstone {
                sorter.push_deletion(write.key, place)?;
                continue;
            }
            if write.mod_revision != revision.main {
                return Err(damaged("its key says that it was written at another one"));
            }
            value.clear();
            let lease = write.lease.to_string();
            let [created, modified, version] =
                [write.create_revision, write.mod_revision, write.version].map(|n| n.to_string());
            let fields = [
                created.as_bytes(),
                lease.as_bytes(),
                modified.as_bytes(),
                write.value,
                version.as_bytes(),
            ];
            self.chosen.push_value(&mut value, fields.map(Some));
            let row = Row {
                key: write.key,
                value: &value,
            };
            sorter.push(row, place)?;
        }
        Ok(())
    }
}

impl Unsorted for Revisions {
    fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()> {
        sorter.push_beside(|sorter| self.push_revisions(sorter))
    }

    fn show_place(&self, place: u64) -> String {
        format!("write {place} of the bucket key")
    }

    fn estimate(&self) -> Estimate {
        let bytes = self.file.input.len();
        Estimate {
            rows: bytes / REVISION_BYTES,
            bytes,
            file_bytes: bytes,
        }
    }

    fn twice(&self) -> Twice {
        Twice::LaterWins
    }
}

impl Snapshot for EtcdSnapshot {
    fn format(&self) -> &'static str {
        super::ETCD.name
    }

    fn tables(&self) -> Vec<&dyn Table> {
        vec![&self.table]
    }

    fn check_unchanged(&self) -> Result<()> {
        self.file.input.check_unchanged()
    }

    fn notes(&self) -> Vec<String> {
        self.file.notes.clone()
    }

    fn position(&self) -> Option<Position> {
        // Two sides at one revision are equally far.
        if self.at.is_some() {
            return None;
        }
        let index = self.facts.consistent_index.map(|value| Counter {
            name: "consistent index",
            value,
        });
        let head = Counter {
            name: "revision",
            value: self.facts.head,
        };
        Some(Position {
            counters: index.into_iter().chain([head]).collect(),
            advice: "if they are members of one cluster, show both at the lower revision with --rev",
        })
    }

    fn describe(&self) -> Vec<(String, String)> {
        let mut facts = plain::describe(&self.file);
        let number = |value: Option<u64>| value.map_or_else(|| "none".into(), |n| n.to_string());
        let of_etcd = [
            ("consistent index", number(self.facts.consistent_index)),
            ("head revision", self.facts.head.to_string()),
            ("compacted revision", self.facts.compacted.to_string()),
            ("buckets", self.buckets.join(", ")),
        ];
        facts.extend(of_etcd.map(|(name, value)| (name.to_owned(), value)));
        if let Some(term) = self.facts.term {
            facts.push(("term".into(), term.to_string()));
        }
        if let Some(at) = self.at {
            facts.push(("shown at revision".into(), at.to_string()));
        }
        facts
    }

    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(plain::no_writer())
    }
}
