//! mdiff finds and repairs silent divergence between replicas of a database, offline, from their snapshot files.

#![deny(missing_docs)]

pub mod apply;
pub mod build;
#[doc(hidden)]
pub mod cli;
pub mod compare;
pub mod diff;
pub mod error;
pub mod file;
pub mod fingerprint;
pub mod limits;
pub mod mtree;
pub mod patch;
pub mod progress;
pub mod range;
pub mod row;
pub mod source;
pub mod tree;

pub use error::{Error, ErrorKind, Result};
