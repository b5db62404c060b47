//! Goal: what is read from an SSTable is what Cassandra's own sstabledump prints of it. Method: both are turned into lines of
//! text, one a partition, row, cell or bound, and compared line by line; values only of types that print simply.

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::source::cassandra::checksum::crc32;
use crate::source::cassandra::header::Column;
use crate::source::cassandra::model::{Cell, NO_DELETION_TIME, Seconds, Side};
use crate::source::cassandra::testing::{dump_of, sstables, testdata};

fn open(descriptor: &Descriptor) -> Result<Sstable> {
    Sstable::open(descriptor.clone(), &FileOptions::default())
}

/// The one SSTable of a folder of testdata with this name.
fn open_case(case: &str, name: &str) -> Sstable {
    let path = testdata(case).join(format!("{name}-Data.db"));
    open(&Descriptor::of_path(&path).unwrap().unwrap()).unwrap()
}

/// Reads everything; returns counts of partitions, rows and cells.
fn read_all(sstable: &Sstable) -> Result<(u64, u64, u64)> {
    let mut reader = sstable.read(0, sstable.data_len());
    let (mut counts, mut row) = ((0, 0, 0), Row::default());
    while reader.next_partition()?.is_some() {
        counts.0 += 1;
        loop {
            match reader.next_unfiltered(&mut row)? {
                Unfiltered::Row => {
                    counts.1 += 1;
                    counts.2 += row.cells.len() as u64;
                }
                Unfiltered::Marker(_) => {}
                Unfiltered::End => break,
            }
        }
    }
    Ok(counts)
}

/// How a value prints in a dump, for types that print simply; else a question mark.
fn shown(java_type: &str, value: &[u8]) -> String {
    let inner = java_type.strip_prefix("org.apache.cassandra.db.marshal.ReversedType(");
    let name = inner.map_or(java_type, |inner| inner.trim_end_matches(')'));
    if value.is_empty() {
        return "?".into();
    }
    match name.rsplit('.').next().unwrap() {
        "UTF8Type" | "AsciiType" => String::from_utf8(value.to_vec()).unwrap(),
        "Int32Type" => i32::from_be_bytes(value.try_into().unwrap()).to_string(),
        "LongType" => i64::from_be_bytes(value.try_into().unwrap()).to_string(),
        "BytesType" => value.iter().fold("0x".to_owned(), |mut text, byte| {
            text.push_str(&format!("{byte:02x}"));
            text
        }),
        _ => "?".into(),
    }
}

fn shown_in_dump(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn time(seconds: Seconds) -> String {
    match seconds {
        NO_DELETION_TIME => "none".into(),
        other => other.to_string(),
    }
}

fn deletion(deletion: &Deletion) -> String {
    format!("{} at {}", deletion.timestamp, time(deletion.local_time))
}

fn deletion_in_dump(info: &Value) -> String {
    let text = |name: &str| info[name].as_str().unwrap().to_owned();
    format!(
        "{} at {}",
        text("marked_deleted"),
        text("local_delete_time")
    )
}

/// The type of a column's values in a dump: of collections that of the elements, where it is easy to see.
fn value_type(column: &Column) -> &str {
    match column.is_complex {
        false => &column.type_name,
        true => match column.type_name.split_once('(') {
            Some((class, inner)) if !class.ends_with("UserType") && !inner.contains('(') => {
                inner.rsplit(',').next().unwrap().trim_end_matches(')')
            }
            _ => "?",
        },
    }
}

fn cell_line(row: &Row, column: &Column, cell: &Cell) -> String {
    let name = String::from_utf8_lossy(&column.name);
    let path = if column.is_complex { " path" } else { "" };
    let ttl = match cell.ttl {
        0 => String::new(),
        ttl => format!(" ttl {ttl} until {}", time(cell.local_time)),
    };
    let is_dead = cell.ttl == 0 && cell.local_time != NO_DELETION_TIME;
    assert_eq!(is_dead, cell.is_deleted);
    let value = match is_dead {
        true => format!("deleted at {}", time(cell.local_time)),
        false => shown(value_type(column), row.at(&cell.value)),
    };
    format!("  {name}{path} {}{ttl} {value}", cell.timestamp)
}

/// What is read, as lines; empty static rows are left out, as the dump leaves them out.
fn lines(sstable: &Sstable) -> Vec<String> {
    let header = sstable.header();
    let mut reader = sstable.read(0, sstable.data_len());
    let (mut lines, mut row) = (Vec::new(), Row::default());
    while let Some(head) = reader.next_partition().unwrap() {
        let dead = match head.deletion.is_live() {
            true => String::new(),
            false => deletion(&head.deletion),
        };
        let key = shown(&header.key_type, &head.key);
        lines.push(format!("partition {} {key} {dead}", head.offset));
        loop {
            let offset = reader.offset();
            match reader.next_unfiltered(&mut row).unwrap() {
                Unfiltered::End => break,
                Unfiltered::Row if row.is_static && row.columns.is_empty() => {}
                Unfiltered::Row => row_lines(header, offset, &row, &mut lines),
                Unfiltered::Marker(marker) => {
                    let side = match marker.side {
                        Side::Before => "before",
                        Side::Behind => "behind",
                    };
                    let values: Vec<String> = marker
                        .clustering
                        .iter()
                        .zip(&header.clustering_types)
                        .map(|(value, name)| shown(name, value.as_deref().unwrap_or_default()))
                        .collect();
                    let show = |d: Option<Deletion>| d.map_or("-".into(), |d| deletion(&d));
                    let (closes, opens) = (show(marker.closes), show(marker.opens));
                    lines.push(format!(" bound {side} {values:?} {closes}, {opens}"));
                }
            }
        }
    }
    lines
}

fn row_lines(header: &Header, offset: u64, row: &Row, lines: &mut Vec<String>) {
    let columns = match row.is_static {
        true => &header.statics,
        false => &header.regulars,
    };
    let mut line = match row.is_static {
        true => " static".to_owned(),
        false => {
            let values: Vec<String> = row
                .clustering
                .iter()
                .zip(&header.clustering_types)
                .map(|(place, name)| {
                    let value = place.as_ref().map(|place| row.at(place));
                    shown(name, value.unwrap_or_default())
                })
                .collect();
            assert_eq!(row.clustering.len(), header.clustering_types.len());
            format!(" row {offset} {values:?}")
        }
    };
    if let Some(liveness) = &row.liveness {
        line += &format!(" live {}", liveness.timestamp.unwrap());
        if liveness.ttl != 0 {
            line += &format!(" ttl {} until {}", liveness.ttl, time(liveness.expires));
        }
    }
    if let Some(dead) = &row.deletion {
        line += &format!(" dead {} {}", row.is_shadowable, deletion(dead));
    }
    assert_eq!(row.shadowable, None);
    lines.push(line);
    for cells in &row.columns {
        let column = &columns[cells.column];
        if !cells.deletion.is_live() {
            let name = String::from_utf8_lossy(&column.name);
            lines.push(format!("  {name} all {}", deletion(&cells.deletion)));
        }
        for cell in &row.cells[cells.cells.clone()] {
            lines.push(cell_line(row, column, cell));
        }
    }
}

fn read_dump(path: &Path) -> Value {
    let mut bytes = std::fs::read(path).unwrap();
    if path.extension().is_some_and(|ending| ending == "gz") {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_end(&mut text)
            .unwrap();
        bytes = text;
    }
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The dump as the same lines. What it leaves out because the row says it is filled in.
fn lines_of_dump(dump: &Value) -> Vec<String> {
    let none = Vec::new();
    let list = |value: &Value| value.as_array().unwrap_or(&none).clone();
    let mut lines = Vec::new();
    for partition in dump.as_array().unwrap() {
        let info = &partition["partition"];
        let dead = match info.get("deletion_info") {
            Some(dead) => deletion_in_dump(dead),
            None => String::new(),
        };
        let key = list(&info["key"]);
        let key: Vec<String> = key.iter().map(shown_in_dump).collect();
        let offset = &info["position"];
        lines.push(format!("partition {offset} {} {dead}", key.join(":")));
        for row in list(&partition["rows"]) {
            let kind = row["type"].as_str().unwrap();
            if kind.starts_with("range_tombstone") {
                lines.push(bound_in_dump(&row));
                continue;
            }
            let mut line = match kind {
                "static_block" => " static".to_owned(),
                _ => {
                    let values = list(&row["clustering"]);
                    let values: Vec<String> = values.iter().map(shown_in_dump).collect();
                    format!(" row {} {values:?}", row["position"])
                }
            };
            let live = &row["liveness_info"];
            let live_timestamp = live["tstamp"].as_str();
            if let Some(timestamp) = live_timestamp {
                line += &format!(" live {timestamp}");
                if let Some(ttl) = live["ttl"].as_i64() {
                    line += &format!(" ttl {ttl} until {}", live["expires_at"].as_str().unwrap());
                }
            }
            if let Some(dead) = row.get("deletion_info") {
                line += &format!(" dead false {}", deletion_in_dump(dead));
            }
            if let Some(dead) = row.get("scylla_shadowable_deletion_info") {
                line += &format!(" dead true {}", deletion_in_dump(dead));
            }
            lines.push(line);
            for cell in list(&row["cells"]) {
                lines.push(cell_in_dump(&cell, live));
            }
        }
    }
    lines
}

fn cell_in_dump(cell: &Value, live: &Value) -> String {
    let name = cell["name"].as_str().unwrap();
    let dead = cell.get("deletion_info");
    if let Some(dead) = dead
        && dead.get("marked_deleted").is_some()
    {
        return format!("  {name} all {}", deletion_in_dump(dead));
    }
    let path = if cell.get("path").is_some() {
        " path"
    } else {
        ""
    };
    let timestamp = cell["tstamp"].as_str().or(live["tstamp"].as_str()).unwrap();
    let ttl_of = |value: &Value| match value["ttl"].as_i64() {
        Some(ttl) => format!(" ttl {ttl} until {}", value["expires_at"].as_str().unwrap()),
        None => String::new(),
    };
    let ttl = match cell.get("ttl") {
        Some(_) => ttl_of(cell),
        // The dump leaves it out where it is that of the row, and where there is none.
        None => ttl_of(live).replace(" ttl", " ~ttl"),
    };
    match dead {
        Some(dead) => {
            let at = dead["local_delete_time"].as_str().unwrap();
            format!("  {name}{path} {timestamp} deleted at {at}")
        }
        None => {
            let value = shown_in_dump(&cell["value"]);
            format!("  {name}{path} {timestamp}{ttl} {value}")
        }
    }
}

fn bound_in_dump(bound: &Value) -> String {
    let (start, end) = (bound.get("start"), bound.get("end"));
    let show = |side: Option<&Value>| {
        side.map_or("-".into(), |side| deletion_in_dump(&side["deletion_info"]))
    };
    let inclusive = |side: &Value| side["type"] == "inclusive";
    let side = match (start, end) {
        (Some(start), _) if inclusive(start) => "before",
        (None, Some(end)) if !inclusive(end) => "before",
        _ => "behind",
    };
    let values = start.or(end).and_then(|side| side["clustering"].as_array());
    let values: Vec<String> = values
        .map(|values| values.iter().filter(|v| *v != "*"))
        .into_iter()
        .flatten()
        .map(shown_in_dump)
        .collect();
    format!(" bound {side} {values:?} {}, {}", show(end), show(start))
}

/// Whether two lines say the same: a question mark stands for any word, and what was printed of it otherwise.
fn same(ours: &str, dump: &str, is_of_5: bool) -> bool {
    if ours == dump {
        return true;
    }
    if let Some((before, behind)) = dump.split_once(" ~ttl") {
        let value = behind.splitn(5, ' ').nth(4).unwrap_or_default();
        return same(ours, &format!("{before} {value}"), is_of_5)
            || same(ours, &format!("{before} ttl{behind}"), is_of_5);
    }
    // 5.0 prints negative local deletion times of older files so.
    if is_of_5 && dump.contains("4294967294") {
        let words = |line: &str| line.split(' ').filter(|w| !w.starts_with('-')).count();
        return words(ours) == words(&dump.replace("4294967294", "-1"));
    }
    let mut rest = dump;
    let mut pieces = ours.split('?');
    let first = pieces.next().unwrap_or_default();
    let Some(behind) = rest.strip_prefix(first) else {
        return false;
    };
    rest = behind;
    let pieces: Vec<&str> = pieces.collect();
    for piece in &pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.is_empty() || pieces.last().is_some_and(|piece| piece.is_empty())
}

#[test]
fn every_sstable_reads_as_the_server_dumps_it() {
    let (mut compared, mut read_only, mut all_lines) = (0, 0, 0);
    for descriptor in sstables() {
        let Some(path) = dump_of(&descriptor) else {
            read_only += 1;
            continue;
        };
        let dump = read_dump(&path);
        let is_of_5 = dump[0].get("table kind").is_some();
        let theirs = lines_of_dump(&dump);
        let ours = lines(&open(&descriptor).unwrap_or_else(|e| panic!("{e}")));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!(
                same(ours, theirs, is_of_5),
                "{}\n{ours}\n{theirs}",
                path.display()
            );
        }
        assert_eq!(ours.len(), theirs.len(), "{}", path.display());
        compared += 1;
        all_lines += ours.len();
    }
    println!("{compared} SSTables compared in {all_lines} lines, {read_only} have no dump");
    assert!(compared >= 10);
}

#[test]
fn ranges_begin_and_end_at_partitions() {
    let sstable = open_case("me-tombstones", "me-1-big");
    let (mut starts, mut reader) = (Vec::new(), sstable.read(0, sstable.data_len()));
    while let Some(head) = reader.next_partition().unwrap() {
        starts.push(head.offset);
    }
    assert!(starts.len() > 2);
    starts.push(sstable.data_len());
    for pair in starts.windows(2) {
        let mut reader = sstable.read(pair[0], pair[1]);
        assert!(reader.next_partition().unwrap().is_some());
        assert!(reader.next_partition().unwrap().is_none());
        assert!(reader.next_partition().unwrap().is_none());
    }
    let mut reader = sstable.read(0, starts[1] - 1);
    reader.next_partition().unwrap();
    let error = reader.next_partition().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Damaged { .. }), "{error}");
}

#[test]
fn a_negative_partition_deletion_is_taken_as_it_stands() {
    let sstable = open_case("oa-neg_part_delete", "oa-1-big");
    let (mut found, mut reader) = (Vec::new(), sstable.read(0, sstable.data_len()));
    while let Some(head) = reader.next_partition().unwrap() {
        found.push(head.deletion.timestamp);
    }
    assert!(found.contains(&-5), "{found:?}");
}

#[test]
fn a_flipped_bit_is_damage_that_names_the_file() {
    for (case, name) in [
        ("nb-collections", "nb-3-big"),
        ("me-tombstones", "me-3-big"),
        ("mixed_formats", "da-3-bti"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let components = [
            "Data.db",
            "CompressionInfo.db",
            "Statistics.db",
            "Digest.crc32",
        ];
        for component in components {
            let file = format!("{name}-{component}");
            std::fs::copy(testdata(case).join(&file), folder.path().join(&file)).unwrap();
        }
        let path = folder.path().join(format!("{name}-Data.db"));
        let descriptor = Descriptor::of_path(&path).unwrap().unwrap();
        assert!(open(&descriptor).unwrap().check_digest().unwrap());
        let (sound, counts) = (
            std::fs::read(&path).unwrap(),
            read_all(&open(&descriptor).unwrap()).unwrap(),
        );
        for at in (0..sound.len()).step_by(1 + sound.len() / 100) {
            let mut bytes = sound.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            let sstable = open(&descriptor).unwrap();
            let error = read_all(&sstable).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Damaged { .. }), "{error}");
            assert_eq!(error.path(), Some(path.as_path()));
            // The whole is one chunk: where its checksum is that of what it became, only the digest tells.
            let mut mended = bytes.clone();
            let (stored, sum) = mended.split_last_chunk_mut::<4>().unwrap();
            *sum = crc32(stored).to_be_bytes();
            std::fs::write(&path, &mended).unwrap();
            assert!(mended == sound || open(&descriptor).unwrap().check_digest().is_err());
        }
        std::fs::write(&path, &sound[..sound.len() - 9]).unwrap();
        assert!(open(&descriptor).and_then(|s| read_all(&s)).is_err());
        std::fs::write(&path, &sound).unwrap();
        // Of versions below na, Statistics.db and CompressionInfo.db have no checksums: then nothing may panic.
        for component in ["Statistics.db", "CompressionInfo.db"] {
            let path = descriptor.component(component);
            let sound = std::fs::read(&path).unwrap();
            for at in (0..sound.len()).step_by(1 + sound.len() / 300) {
                let mut bytes = sound.clone();
                bytes[at] ^= 0x10;
                std::fs::write(&path, &bytes).unwrap();
                let _ = open(&descriptor).and_then(|s| read_all(&s));
                std::fs::write(&path, &sound[..at]).unwrap();
                let _ = open(&descriptor).and_then(|s| read_all(&s));
            }
            std::fs::write(&path, &sound).unwrap();
        }
        assert_eq!(read_all(&open(&descriptor).unwrap()).unwrap(), counts);
    }
}

#[test]
fn bytes_without_checksums_never_panic() {
    // Plain data, without CRC.db: every flip reaches the decoder.
    for (case, name) in [
        ("nb-collections", "nb-1-big"),
        ("me-tombstones", "me-1-big"),
        ("da-static_cols", "da-1-bti"),
        ("oa-neg_part_delete", "oa-1-big"),
    ] {
        let sstable = open_case(case, name);
        let mut plain = Vec::new();
        let mut window = Window::new(&sstable.chunks, 0);
        while window.load().unwrap() {}
        plain.extend_from_slice(window.loaded());
        let folder = tempfile::tempdir().unwrap();
        let statistics = format!("{name}-Statistics.db");
        let to = folder.path().join(&statistics);
        std::fs::copy(testdata(case).join(&statistics), to).unwrap();
        let path = folder.path().join(format!("{name}-Data.db"));
        let descriptor = Descriptor::of_path(&path).unwrap().unwrap();
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read_all(&open(&descriptor).unwrap())
        };
        assert_eq!(read(&plain).unwrap(), read_all(&sstable).unwrap());
        for at in (0..plain.len()).step_by(1 + plain.len() / 500) {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = plain.clone();
                bytes[at] ^= flip;
                let _ = read(&bytes);
            }
            assert!(at == 0 || read(&plain[..at]).is_err() || is_boundary(&sstable, at));
        }
    }
}

/// Whether a partition begins at this offset: data that end there are sound as far as can be seen.
fn is_boundary(sstable: &Sstable, offset: usize) -> bool {
    let marks = sstable.walked_marks(usize::MAX).unwrap();
    marks
        .iter()
        .any(|mark| mark.start.offset() == offset as u64)
}

#[test]
fn limits_come_before_memory() {
    let path = testdata("nb-collections").join("nb-1-big-Data.db");
    let descriptor = Descriptor::of_path(&path).unwrap().unwrap();
    for (name, max) in [("value-bytes", 8), ("block-bytes", 1000)] {
        let mut options = FileOptions::default();
        assert!(options.limits.set(name, max));
        let error = Sstable::open(descriptor.clone(), &options)
            .and_then(|sstable| read_all(&sstable))
            .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
    }
}

#[test]
fn sets_with_wrong_checksums_are_refused() {
    let mut refused = 0;
    for descriptor in sstables() {
        let sstable = open(&descriptor).unwrap();
        let folder = descriptor.folder.to_string_lossy().into_owned();
        let result = read_all(&sstable);
        if folder.contains("invalid_checksums") {
            assert!(matches!(
                result.unwrap_err().kind(),
                ErrorKind::Damaged { .. }
            ));
            refused += 1;
        } else {
            result.unwrap_or_else(|e| panic!("{e}"));
            if let Err(error) = sstable.check_digest() {
                println!("{error}");
                assert!(folder.contains("-scylla-"), "{error}");
            }
        }
    }
    println!("{refused} sets refused");
}
