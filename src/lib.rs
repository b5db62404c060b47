//! mdiff finds and repairs silent divergence between replicas of a database, offline, from their snapshot files.

#![deny(missing_docs)]

pub mod error;
pub mod limits;
pub mod file;
pub mod source;
pub mod row;
pub mod range;
pub mod fingerprint;
pub mod progress;
pub mod tree;
pub mod mtree;
pub mod build;
pub mod compare;
pub mod diff;
pub mod patch;
pub mod apply;
#[doc(hidden)]
pub mod cli;

pub use error::{Error, ErrorKind, Result};
