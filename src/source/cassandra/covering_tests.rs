//! The deletions over keys against a naive model: the last ones among all rows before the key. On every fixture.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;
use crate::file::input::FileOptions;
use crate::source::cassandra::CassandraTable;
use crate::source::cassandra::cells::{Rules, Ties};
use crate::source::cassandra::counter::Holders;
use crate::source::cassandra::data::Sstable;
use crate::source::cassandra::descriptor::Descriptor;
use crate::source::cassandra::testing::sstables;
use crate::source::cassandra::view::{Lens, View};

/// The tables of all folders whose files can be read.
fn tables() -> Vec<CassandraTable> {
    let mut folders: BTreeMap<PathBuf, Vec<Descriptor>> = BTreeMap::new();
    for descriptor in sstables() {
        let folder = descriptor.folder.clone();
        folders.entry(folder).or_default().push(descriptor);
    }
    let now = 1_795_311_000;
    let lens = Lens {
        view: View::Cells,
        now,
        gc_before: i64::MIN,
    };
    let rules = Rules {
        ties: Ties::V4,
        now,
        holders: Holders::OneNode,
    };
    let open = |(folder, descriptors): (PathBuf, Vec<Descriptor>)| {
        let open = |d| Sstable::open(d, &FileOptions::default());
        let sstables = descriptors.into_iter().map(open).collect::<Result<_>>();
        CassandraTable::new("t".into(), &folder, sstables.ok()?, None, lens, rules).ok()
    };
    folders.into_iter().filter_map(open).collect()
}

#[test]
fn are_those_of_the_rows_before_the_key() {
    let (mut asked, mut covered) = (0, 0);
    for table in tables() {
        let mut all: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut scan = table.scan(&KeyRange::all()).unwrap();
        let read = scan.for_each(&mut |row| {
            all.push((row.key.to_vec(), row.value.to_vec()));
            Ok(())
        });
        if read.is_err() || !table.layout().keys_are_in_order() {
            continue;
        }
        let Schema::Cql(schema) = table.schema() else {
            panic!("a table of CQL")
        };
        let naive = |key: &[u8]| {
            let partition = schema.partition_of(key).unwrap();
            let (mut of_partition, mut of_range) = (Deletion::LIVE, Deletion::LIVE);
            for (at, value) in all.iter().take_while(|(at, _)| at.as_slice() < key) {
                let Some(rest) = at.strip_prefix(partition.as_slice()) else {
                    continue;
                };
                if key::is_deletion(rest) {
                    let deletion = value::decode(value).unwrap().deletion;
                    match rest {
                        [key::PARTITION_DELETION] => of_partition = deletion,
                        _ => of_range = deletion,
                    }
                }
            }
            match key[partition.len()] {
                key::CLUSTERED => of_partition.max(of_range),
                key::STATIC => of_partition,
                _ => Deletion::LIVE,
            }
        };
        let step = all.len() / 200 + 1;
        // Keys of rows, and the same changed at the end, most of which are none's.
        let mut keys: Vec<Vec<u8>> = all
            .iter()
            .step_by(step)
            .map(|(key, _)| key.clone())
            .collect();
        let changed = |key: &Vec<u8>| [key, [0x81].as_slice()].concat();
        keys.extend(keys.clone().iter().map(changed));
        keys.sort();
        let expected: Vec<Deletion> = keys.iter().map(|key| naive(key)).collect();
        for far_rows in [0, 1, 5, FAR_ROWS] {
            let mut covering = Covering::new(&table).unwrap();
            covering.far_rows = far_rows;
            for (key, expected) in keys.iter().zip(&expected) {
                let found = covering.at(key).unwrap();
                let folder = table.folder().display();
                assert_eq!(found, *expected, "{folder} {far_rows} {key:02x?}");
            }
        }
        asked += keys.len();
        covered += expected.iter().filter(|d| !d.is_live()).count();
    }
    println!("{asked} keys, {covered} covered");
    assert!(covered > 20, "{covered}");
}
