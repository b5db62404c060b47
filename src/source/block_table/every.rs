//! The entries of a table that is ordered backwards: one after the other, not searched.

use std::sync::Arc;

use super::block::Entries;
use super::blocks::BlockBuffer;
use super::key;
use super::table::TableFile;
use super::walk::BlockWalk;
use crate::error::Result;
use crate::file::inflate::Inflater;

/// What takes an entry: user key, sequence number and type, value.
pub type Visit<'v> = dyn FnMut(&[u8], u64, &[u8]) -> Result<()> + 'v;

/// Hands `visit` every entry, in the table's own order, which is checked.
///
/// # Errors
///
/// Damaged, Limit, I/O errors; those of `visit`.
pub fn visit_all(file: &Arc<TableFile>, visit: &mut Visit<'_>) -> Result<()> {
    let blocks = &file.blocks;
    let limit = blocks.input.limits().key_bytes_max;
    let shape = file.meta.index.shape();
    let mut walk = BlockWalk::new(Arc::clone(file), &[])?;
    let mut inflater = Inflater::new(blocks.dictionary.as_deref());
    let mut buffer = BlockBuffer::default();
    let mut last: Option<(Vec<u8>, u64)> = None;
    while let Some(handle) = walk.next()? {
        blocks.load(handle, &mut inflater, &mut buffer)?;
        let damaged = |what: &str| blocks.damaged(handle, what);
        let mut entries = Entries::new(buffer.bytes(&blocks.input), limit).map_err(damaged)?;
        while let Some(value) = entries.next().map_err(damaged)? {
            let (user_key, trailer) = key::split(entries.key())
                .ok_or_else(|| damaged("a key without its sequence number"))?;
            if let Some((last_key, last_trailer)) = &last {
                let is_behind = shape.is_before(last_key, user_key)
                    || last_key == user_key && trailer < *last_trailer;
                if !is_behind {
                    return Err(damaged("keys are not in the order of the comparator"));
                }
            }
            if value.len() as u64 > blocks.input.limits().value_bytes_max {
                return Err(damaged("a value over the limit 'value bytes'"));
            }
            visit(user_key, trailer, value)?;
            let last = last.get_or_insert_default();
            last.0.clear();
            last.0.extend_from_slice(user_key);
            last.1 = trailer;
        }
        if let Some((last_key, _)) = &last
            && shape.is_before(walk.separator(), last_key)
        {
            return Err(damaged("a key behind the separator of its block"));
        }
    }
    Ok(())
}
