//! The header of a `.mtree` file: what it says of the whole tree before a node is read.

use super::node::{Digest, push_summary, read_summary};
use crate::file::cursor::{Cursor, push_length_prefixed, push_varint};
use crate::fingerprint::{HashId, Summary};
use crate::range::{Coverage, KeyRange};
use crate::row::Schema;
use crate::row::cql::{CqlColumn, CqlSchema};
use crate::row::sql::{Dialect, SqlTable};
use crate::source::cassandra::cells::Ties;
use crate::source::cassandra::partitioner::Partitioner;
use crate::source::cassandra::types::CqlType;
use crate::source::cassandra::view::View;
use crate::tree::LEAF_BITS_MAX;

/// First bytes of the file.
pub const MAGIC: [u8; 8] = *b"\x89MTR\r\n\x1a\n";

/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// Bytes before the header's body: magic, version, header_len.
pub(super) const START_BYTES: usize = 16;

/// Bytes of the digest behind the header.
pub(super) const DIGEST_BYTES: usize = 32;

/// Id of the section with the unreadable ranges.
pub(super) const SECTION_UNREADABLE: u64 = 1;

/// What a tree says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Length of the file in bytes.
    pub file_len_bytes: u64,
    /// How rows were fingerprinted.
    pub hash: HashId,
    /// The tables, ascending by name.
    pub tables: Vec<TableHeader>,
    pub(super) sections: Vec<Section>,
}

/// What a tree says of one of its tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableHeader {
    /// Its name.
    pub name: String,
    /// How its keys and values are shown.
    pub schema: Schema,
    /// The keys the tree covers.
    pub coverage: Coverage,
    /// Keys of at least this rank start a leaf.
    pub leaf_bits: u32,
    /// Digest over the extra boundaries; zero where there are none.
    pub splits: Digest,
    /// Number of leaves.
    pub leaves: u64,
    /// All its rows.
    pub summary: Summary,
    /// The digest at the top: equal roots (of equal `leaf_bits` and `splits`) are equal rows.
    pub root: Digest,
    /// Bytes of each level, root level first.
    pub level_lens: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) id: u64,
    pub(super) table: u64,
    pub(super) len: u64,
    pub(super) digest: Digest,
}

impl TableHeader {
    /// Returns the digest of the rows alone: equal for equal rows, whatever the leaf size.
    pub fn content_digest(&self, hash: &HashId) -> Digest {
        content_digest(hash, &self.summary)
    }
}

/// Returns the digest of a set of rows, see "Content digest" in FORMAT.md.
pub fn content_digest(hash: &HashId, summary: &Summary) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"mdiff content 1");
    hasher.update(&[hash.kind as u8]);
    hasher.update(&hash.key_check);
    hasher.update(&summary.rows.to_le_bytes());
    hasher.update(&summary.bytes.to_le_bytes());
    hasher.update(&summary.sum.to_le_bytes());
    *hasher.finalize().as_bytes()
}

/// Returns the digest over the extra boundaries inside `coverage`; zero where there are none.
pub fn splits_digest(splits: &[Vec<u8>], coverage: &KeyRange) -> Digest {
    let mut inside = splits
        .iter()
        .filter(|s| **s > coverage.from && coverage.contains(s))
        .peekable();
    if inside.peek().is_none() {
        return [0; 32];
    }
    let mut bytes = b"mdiff splits 1".to_vec();
    for split in inside {
        push_length_prefixed(&mut bytes, split);
    }
    *blake3::hash(&bytes).as_bytes()
}

impl Header {
    /// Encodes everything in front of the levels. `file_len_bytes` is worked out, given the bytes of levels and sections.
    pub(super) fn encode(&mut self) -> Vec<u8> {
        let behind: u64 = self.tables.iter().flat_map(|t| &t.level_lens).sum::<u64>()
            + self.sections.iter().map(|s| s.len).sum::<u64>();
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&[0; 8]);
        self.hash.push(&mut out);
        push_varint(&mut out, self.tables.len() as u64);
        for table in &self.tables {
            push_table(&mut out, table);
        }
        push_varint(&mut out, self.sections.len() as u64);
        for section in &self.sections {
            push_varint(&mut out, section.id);
            push_varint(&mut out, section.table);
            out.extend_from_slice(&section.len.to_le_bytes());
            out.extend_from_slice(&section.digest);
        }
        let header_len = out.len();
        self.file_len_bytes = (header_len + DIGEST_BYTES) as u64 + behind;
        out[12..16].copy_from_slice(&u32::try_from(header_len).unwrap_or(u32::MAX).to_le_bytes());
        out[16..24].copy_from_slice(&self.file_len_bytes.to_le_bytes());
        let digest = blake3::hash(&out);
        out.extend_from_slice(digest.as_bytes());
        out
    }

    /// Decodes a body whose digest was checked; `None` where it is malformed all the same.
    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Option<Header> {
        let file_len_bytes = cursor.u64()?;
        let hash = HashId::read(cursor)?;
        let mut tables: Vec<TableHeader> = Vec::new();
        for _ in 0..cursor.varint()? {
            let table = read_table(cursor)?;
            if tables.last().is_some_and(|last| last.name >= table.name) {
                return None;
            }
            tables.push(table);
        }
        let mut sections = Vec::new();
        for _ in 0..cursor.varint()? {
            let section = Section {
                id: cursor.varint()?,
                table: cursor.varint()?,
                len: cursor.u64()?,
                digest: cursor.array()?,
            };
            sections.push(section);
        }
        cursor.is_empty().then_some(Header {
            file_len_bytes,
            hash,
            tables,
            sections,
        })
    }
}

fn push_table(out: &mut Vec<u8>, table: &TableHeader) {
    push_length_prefixed(out, table.name.as_bytes());
    push_schema(out, &table.schema);
    push_coverage(out, &table.coverage);
    out.push(table.leaf_bits as u8);
    out.extend_from_slice(&table.splits);
    push_varint(out, table.leaves);
    push_summary(out, &table.summary);
    out.extend_from_slice(&table.root);
    out.push(table.level_lens.len() as u8);
    for len in &table.level_lens {
        out.extend_from_slice(&len.to_le_bytes());
    }
}

fn read_table(cursor: &mut Cursor<'_>) -> Option<TableHeader> {
    let name = read_text(cursor)?;
    let schema = read_schema(cursor)?;
    let coverage = read_coverage(cursor)?;
    let leaf_bits = u32::from(cursor.u8()?);
    let splits = cursor.array()?;
    let leaves = cursor.varint()?;
    let summary = read_summary(cursor)?;
    let root = cursor.array()?;
    let height = cursor.u8()?;
    let level_lens = (0..height)
        .map(|_| cursor.u64())
        .collect::<Option<Vec<_>>>()?;
    let sound = leaf_bits <= LEAF_BITS_MAX && leaves > 0 && height > 0 && !coverage.is_empty();
    sound.then_some(TableHeader {
        name,
        schema,
        coverage,
        leaf_bits,
        splits,
        leaves,
        summary,
        root,
        level_lens,
    })
}

/// Appends a key range as the file formats hold it.
pub(crate) fn push_range(out: &mut Vec<u8>, range: &KeyRange) {
    push_length_prefixed(out, &range.from);
    out.push(u8::from(range.to.is_some()));
    if let Some(to) = &range.to {
        push_length_prefixed(out, to);
    }
}

/// Reads what [`push_range`] wrote.
pub(crate) fn read_range(cursor: &mut Cursor<'_>) -> Option<KeyRange> {
    let from = cursor.length_prefixed()?.to_vec();
    let to = match cursor.u8()? {
        0 => None,
        1 => Some(cursor.length_prefixed()?.to_vec()),
        _ => return None,
    };
    Some(KeyRange { from, to })
}

/// There is an end to the hull, in the byte behind its start.
const HAS_TO: u8 = 1;
/// There are gaps in it.
const HAS_GAPS: u8 = 2;

/// Appends a coverage: its hull, and the gaps in it.
pub(crate) fn push_coverage(out: &mut Vec<u8>, coverage: &Coverage) {
    let (hull, gaps) = (coverage.hull(), coverage.gaps());
    push_length_prefixed(out, &hull.from);
    out.push(u8::from(hull.to.is_some()) * HAS_TO + u8::from(!gaps.is_empty()) * HAS_GAPS);
    if let Some(to) = &hull.to {
        push_length_prefixed(out, to);
    }
    if gaps.is_empty() {
        return;
    }
    push_varint(out, gaps.len() as u64);
    for gap in gaps {
        push_length_prefixed(out, &gap.from);
        push_length_prefixed(out, gap.to.as_deref().unwrap_or_default());
    }
}

/// Reads what [`push_coverage`] wrote.
pub(crate) fn read_coverage(cursor: &mut Cursor<'_>) -> Option<Coverage> {
    let mut from = cursor.length_prefixed()?.to_vec();
    let flags = cursor.u8()?;
    if flags & !(HAS_TO | HAS_GAPS) != 0 {
        return None;
    }
    let to = match flags & HAS_TO {
        0 => None,
        _ => Some(cursor.length_prefixed()?.to_vec()),
    };
    let gaps = match flags & HAS_GAPS {
        0 => 0,
        _ => cursor.varint().filter(|gaps| *gaps > 0)?,
    };
    let mut ranges = Vec::new();
    for _ in 0..gaps {
        let end = cursor.length_prefixed()?.to_vec();
        let next = cursor.length_prefixed()?.to_vec();
        ranges.push(KeyRange {
            from: std::mem::replace(&mut from, next),
            to: Some(end),
        });
    }
    ranges.push(KeyRange { from, to });
    let coverage = Coverage::new(ranges.clone());
    (coverage.ranges() == ranges).then_some(coverage)
}

/// Appends a schema as the file formats hold it.
pub(crate) fn push_schema(out: &mut Vec<u8>, schema: &Schema) {
    match schema {
        Schema::Bytes => out.push(0),
        Schema::Columns { key, value, sql } => {
            out.push(if sql.is_some() { 3 } else { 1 });
            push_names(out, key);
            push_names(out, value);
            if let Some(sql) = sql {
                push_sql(out, sql);
            }
        }
        Schema::Cql(cql) => {
            out.push(2);
            push_length_prefixed(out, cql.partitioner.name().as_bytes());
            for columns in [&cql.key, &cql.clustering, &cql.statics, &cql.regulars] {
                push_varint(out, columns.len() as u64);
                for column in columns {
                    push_length_prefixed(out, column.name.as_bytes());
                    push_length_prefixed(out, column.cql_type.to_java().as_bytes());
                }
            }
            out.push(u8::from(cql.view == View::Cells));
            out.push(u8::from(cql.ties == Ties::V3_11));
            out.extend_from_slice(&cql.now.to_le_bytes());
            out.extend_from_slice(&cql.gc_before.to_le_bytes());
        }
        Schema::Document { key } => {
            out.push(4);
            push_names(out, key);
        }
        Schema::Bag { columns, sql } => {
            out.push(5);
            push_names(out, columns);
            push_sql(out, sql);
        }
    }
}

fn push_sql(out: &mut Vec<u8>, sql: &SqlTable) {
    out.push(sql.dialect as u8);
    for names in [&sql.name, &sql.key_types, &sql.value_types] {
        push_names(out, names);
    }
}

fn push_names(out: &mut Vec<u8>, names: &[String]) {
    push_varint(out, names.len() as u64);
    for name in names {
        push_length_prefixed(out, name.as_bytes());
    }
}

fn read_sql(cursor: &mut Cursor<'_>) -> Option<SqlTable> {
    Some(SqlTable {
        dialect: *Dialect::ALL.get(usize::from(cursor.u8()?))?,
        name: read_names(cursor)?,
        key_types: read_names(cursor)?,
        value_types: read_names(cursor)?,
    })
}

/// Reads what [`push_schema`] wrote.
pub(crate) fn read_schema(cursor: &mut Cursor<'_>) -> Option<Schema> {
    match cursor.u8()? {
        0 => Some(Schema::Bytes),
        kind @ (1 | 3) => Some(Schema::Columns {
            key: read_names(cursor)?,
            value: read_names(cursor)?,
            sql: match kind {
                3 => Some(Box::new(read_sql(cursor)?)),
                _ => None,
            },
        }),
        2 => Some(Schema::Cql(Box::new(read_cql(cursor)?))),
        4 => Some(Schema::Document {
            key: read_names(cursor)?,
        }),
        5 => Some(Schema::Bag {
            columns: read_names(cursor)?,
            sql: Box::new(read_sql(cursor)?),
        }),
        _ => None,
    }
}

fn read_cql(cursor: &mut Cursor<'_>) -> Option<CqlSchema> {
    Some(CqlSchema {
        partitioner: Partitioner::named(&read_text(cursor)?)?,
        key: read_cql_columns(cursor)?,
        clustering: read_cql_columns(cursor)?,
        statics: read_cql_columns(cursor)?,
        regulars: read_cql_columns(cursor)?,
        view: match cursor.u8()? {
            0 => View::Live,
            1 => View::Cells,
            _ => return None,
        },
        ties: match cursor.u8()? {
            0 => Ties::V4,
            1 => Ties::V3_11,
            _ => return None,
        },
        now: cursor.u64()? as i64,
        gc_before: cursor.u64()? as i64,
    })
}

fn read_cql_columns(cursor: &mut Cursor<'_>) -> Option<Vec<CqlColumn>> {
    (0..cursor.varint()?)
        .map(|_| {
            Some(CqlColumn {
                name: read_text(cursor)?,
                cql_type: CqlType::parse_java(&read_text(cursor)?)?,
            })
        })
        .collect()
}

fn read_names(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    (0..cursor.varint()?).map(|_| read_text(cursor)).collect()
}

/// Reads a length and that many bytes of UTF-8.
pub(crate) fn read_text(cursor: &mut Cursor<'_>) -> Option<String> {
    String::from_utf8(cursor.length_prefixed()?.to_vec()).ok()
}
