//! stub
use crate::error::Result;
use std::path::Path;
/// s
pub struct TableSchema { /// s
pub gc_grace_seconds: Option<i64> }
impl TableSchema { /// s
pub fn parse_cql(_: &Path, _: &str, _: Option<&str>) -> Result<Option<TableSchema>> { Ok(None) } }
impl super::layout::Known { /// s
pub fn of(_: &TableSchema) -> Self { Self::default() } }
