//! mdiff finds and repairs silent divergence between replicas of a database, offline, from their snapshot files.

#![deny(missing_docs)]

pub mod error;
/// Bytes in and out.
pub mod file;
pub mod limits;
pub mod range;
pub mod row;
pub mod source;

pub use error::{Error, ErrorKind, Result};
