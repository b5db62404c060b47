//! mdiff finds and repairs silent divergence between replicas of a database, offline, from their snapshot files.

#![deny(missing_docs)]

#[doc(hidden)]
pub mod cli;
pub mod error;
/// Bytes in and out.
pub mod file;
pub mod limits;
pub mod progress;
pub mod range;
pub mod row;
pub mod source;

pub use error::{Error, ErrorKind, Result};
