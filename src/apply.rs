//! Snapshot and patch: the patched snapshot.
//!
//! Three passes, each on what the one before has proven: the base's rows must add up to what the patch was made for, before a
//! byte is written; every operation must meet the row it names; and the result, read back, must have the target's root.

use std::io::Write;
use std::path::Path;

use crate::build::{BuildOptions, build_table, chosen_tables};
use crate::error::{Error, ErrorKind, Result};
use crate::file::input::Input;
use crate::file::replace::{AtomicFile, refuse_same_file};
use crate::fingerprint::{Hash, Summary};
use crate::mtree::node::Digest;
use crate::patch::write::PatchCounts;
use crate::patch::{Op, PatchReader, PatchSide, PatchTable, Record};
use crate::progress::Progress;
use crate::range::{Coverage, KeyRange};
use crate::row::{Row, check_same_schema};
use crate::source::{self, RowWriter, Snapshot, SourceOptions, Table};

/// How a patch is applied.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// The hash of the patch, with its key where it has one.
    pub hash: Hash,
    /// Replace the output, if it is there.
    pub overwrite: bool,
    /// Read past what can't be read in the base: the patch, made so too, brings those rows back.
    pub keep_going: bool,
}

/// What was done, and proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Operations applied.
    pub counts: PatchCounts,
    /// Rows of the result.
    pub rows: u64,
    /// Root of the result in the coverage of the patch, equal to the target's.
    pub root: Digest,
}

/// Applies `patch` to `base`; with `out`, writes the result there in the base's format.
///
/// # Errors
///
/// WrongBase, where the base is not the patch's; Usage, where the base's format can't be written or `out` is one of the
/// inputs; Damaged; I/O errors. Whatever the error, `out` is as it was.
pub fn apply(
    base: &dyn Snapshot,
    base_path: &Path,
    patch: &Input,
    out: Option<&Path>,
    source_options: &SourceOptions,
    options: &ApplyOptions,
    progress: &Progress,
) -> Result<Applied> {
    if let Some(out) = out {
        refuse_same_file(base_path, out)?;
        refuse_same_file(patch.path(), out)?;
    }
    let reader = PatchReader::new(patch)?;
    reader.header().hash.check_same(&options.hash.id())?;
    let [patch_table] = reader.header().tables.as_slice() else {
        return Err(Error::usage(
            format!("the patch is for {} tables", reader.header().tables.len()),
            "files of several tables can't be written; show its operations with: mdiff cat PATCH",
        ));
    };
    let patch_table = patch_table.clone();
    let names = [patch_table.name.clone()];
    let table = *chosen_tables(base, &names)?
        .first()
        .ok_or_else(|| Error::usage("the base has no table", ""))?;
    check_same_schema(table.schema(), &patch_table.schema)?;
    let job = Job {
        base,
        base_path,
        table,
        patch,
        patch_table: &patch_table,
        options,
    };
    job.check_base(progress)?;

    let Some(out) = out else {
        let mut sum = SumWriter {
            hash: &options.hash,
            coverage: &patch_table.coverage,
            summary: Summary::default(),
            rows: 0,
        };
        let counts = job.merge(&mut sum)?;
        base.check_unchanged()?;
        job.check_summary(&sum.summary)?;
        return Ok(Applied {
            counts,
            rows: sum.rows,
            root: patch_table.target.root,
        });
    };
    let mut file = AtomicFile::create(out, options.overwrite)?;
    let counts = {
        let mut writer = base.writer(Box::new(&mut file))?;
        let counts = job.merge(writer.as_mut())?;
        writer.finish()?;
        counts
    };
    base.check_unchanged()?;
    file.flush().map_err(|e| Error::io("writing", out, e))?;
    let (rows, root) = job.check_result(file.path(), source_options)?;
    file.commit()?;
    Ok(Applied { counts, rows, root })
}

struct Job<'a> {
    base: &'a dyn Snapshot,
    base_path: &'a Path,
    table: &'a dyn Table,
    patch: &'a Input,
    patch_table: &'a PatchTable,
    options: &'a ApplyOptions,
}

impl Job<'_> {
    fn build(
        &self,
        table: &dyn Table,
        side: &PatchSide,
        keep_going: bool,
        progress: &Progress,
    ) -> Result<(Summary, Digest)> {
        let options = BuildOptions {
            leaf_bits: Some(side.leaf_bits),
            hash: self.options.hash.clone(),
            coverage: self.patch_table.coverage.clone(),
            keep_going,
            ..BuildOptions::default()
        };
        let tree = build_table(table, &options, progress)?;
        Ok((tree.header().summary, tree.header().root))
    }

    /// Adds up the base's rows before anything is written.
    fn check_base(&self, progress: &Progress) -> Result<()> {
        let expected = &self.patch_table.base;
        let (summary, root) =
            self.build(self.table, expected, self.options.keep_going, progress)?;
        self.base.check_unchanged()?;
        if summary == expected.summary && (expected.root == [0; 32] || root == expected.root) {
            return Ok(());
        }
        let target = &self.patch_table.target.summary;
        if summary == *target {
            return self.wrong_base(
                "it holds the patch's target already; the patch was applied before".into(),
            );
        }
        let place = match self.first_wrong_range()? {
            Some(range) => format!(
                "the first divergent range that does not fit starts at \"{}\"",
                self.patch_table.schema.show_key(&range.from)
            ),
            None => "the ranges that the patch changes fit, but rows outside of them are not those it was made for".into(),
        };
        self.wrong_base(format!(
            "it is not the base of this patch: it holds {} rows, the patch was made for {} rows or others; {place}",
            summary.rows, expected.summary.rows
        ))
    }

    fn wrong_base<T>(&self, what: String) -> Result<T> {
        Err(ErrorKind::WrongBase {
            path: self.base_path.to_owned(),
            what,
        }
        .into())
    }

    fn first_wrong_range(&self) -> Result<Option<KeyRange>> {
        let mut reader = PatchReader::new(self.patch)?;
        while let Some(record) = reader.next_record()? {
            let Record::Range { range, base, .. } = record else {
                continue;
            };
            let mut sum = SumWriter {
                hash: &self.options.hash,
                coverage: &range.clone().into(),
                summary: Summary::default(),
                rows: 0,
            };
            let mut stream = self.table.scan(&range)?;
            if stream.for_each(&mut |row| sum.put(row)).is_ok()
                && sum.summary
                    != (Summary {
                        unreadable_leaves: 0,
                        ..base
                    })
            {
                return Ok(Some(range));
            }
        }
        Ok(None)
    }

    /// Streams the base's rows and the operations into one.
    fn merge(&self, out: &mut dyn RowWriter) -> Result<PatchCounts> {
        let mut ops = Ops {
            reader: PatchReader::new(self.patch)?,
            next: None,
        };
        ops.advance()?;
        let mut stream = self.table.scan(&KeyRange::all())?;
        loop {
            let result = stream.for_each(&mut |row| {
                while let Some(op) = ops.next.take_if(|op| op.key.as_slice() < row.key) {
                    self.insert(op, out)?;
                    ops.advance()?;
                }
                let Some(op) = ops.next.take_if(|op| op.key == row.key) else {
                    return out.put(row);
                };
                if op.replaces != Some(self.options.hash.fingerprint(row)) {
                    return self.misses(&op.key, "the base has another row with this key");
                }
                if let Some(value) = &op.value {
                    out.put(Row {
                        key: row.key,
                        value,
                    })?;
                }
                ops.advance()
            });
            match result {
                Ok(()) => break,
                Err(error) if self.options.keep_going && error.unreadable_keys().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        while let Some(op) = ops.next.take() {
            self.insert(op, out)?;
            ops.advance()?;
        }
        Ok(ops.reader.counts())
    }

    fn insert(&self, op: Op, out: &mut dyn RowWriter) -> Result<()> {
        match (op.replaces, &op.value) {
            (None, Some(value)) => out.put(Row {
                key: &op.key,
                value,
            }),
            _ => self.misses(&op.key, "the base has no row with this key"),
        }
    }

    fn misses(&self, key: &[u8], what: &str) -> Result<()> {
        self.wrong_base(format!(
            "operation on key \"{}\" does not fit: {what}",
            self.patch_table.schema.show_key(key)
        ))
    }

    fn check_summary(&self, summary: &Summary) -> Result<()> {
        if *summary == self.patch_table.target.summary {
            return Ok(());
        }
        Err(Error::damaged(
            self.patch.path(),
            0,
            "the operations of the patch do not lead to its target",
        ))
    }

    /// Reads the result back and proves it.
    fn check_result(&self, path: &Path, source_options: &SourceOptions) -> Result<(u64, Digest)> {
        let mut source_options = source_options.clone();
        source_options.format = Some(self.base.written_format().to_owned());
        let result = source::open(path, &source_options)?;
        let table = *result
            .tables()
            .first()
            .ok_or_else(|| Error::damaged(path, 0, "what was written holds no table"))?;
        let target = &self.patch_table.target;
        let progress = Progress::default();
        let (summary, root) = self.build(table, target, false, &progress)?;
        self.check_summary(&summary)?;
        if target.root != [0; 32] && root != target.root {
            return Err(Error::damaged(
                path,
                0,
                "what was written does not have the target's root",
            ));
        }
        let rows = if self.patch_table.coverage == Coverage::all() {
            summary.rows
        } else {
            let all = BuildOptions {
                leaf_bits: Some(target.leaf_bits),
                ..BuildOptions::default()
            };
            build_table(table, &all, &progress)?.header().summary.rows
        };
        result.check_unchanged()?;
        Ok((rows, root))
    }
}

/// The operations of a patch, one ahead.
struct Ops<'a> {
    reader: PatchReader<'a>,
    next: Option<Op>,
}

impl Ops<'_> {
    fn advance(&mut self) -> Result<()> {
        loop {
            match self.reader.next_record()? {
                None => {
                    self.next = None;
                    return Ok(());
                }
                Some(Record::Op(op)) => {
                    self.next = Some(op);
                    return Ok(());
                }
                Some(_) => {}
            }
        }
    }
}

/// Adds up rows instead of writing them.
struct SumWriter<'a> {
    hash: &'a Hash,
    coverage: &'a Coverage,
    summary: Summary,
    rows: u64,
}

impl RowWriter for SumWriter<'_> {
    fn put(&mut self, row: Row<'_>) -> Result<()> {
        self.rows += 1;
        if self.coverage.contains(row.key) {
            self.summary.add_row(row, self.hash.fingerprint(row));
        }
        Ok(())
    }

    fn delete(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
