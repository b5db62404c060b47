//! mdiff finds and repairs silent divergence between replicas of a database, offline, from their snapshot files.
//!
//! ```text
//! snapshot source -> row stream -> range split -> fingerprint -> leaf sums -> tree -> .mtree file
//!                          .mtree + .mtree -> compare -> divergent ranges -> row diff -> patch -> apply
//! ```
//!
//! One module a room, in this order; a room uses only rooms before it. A new snapshot format is one file or folder in
//! [`source`] and one line in its table of formats.
//!
//! # Example
//!
//! Two replicas, one missed write: build both trees, find the divergent range, read the row that differs.
//!
//! ```
//! use std::path::Path;
//!
//! use mdiff::build::{BuildOptions, build_in_memory};
//! use mdiff::compare::compare;
//! use mdiff::progress::Progress;
//! use mdiff::range::KeyRange;
//! use mdiff::source::Snapshot;
//! use mdiff::source::memory::MemorySnapshot;
//!
//! # fn main() -> mdiff::Result<()> {
//! let row = |n: u32| (format!("user/{n:04}").into_bytes(), b"active".to_vec());
//! let left = MemorySnapshot::new((0..1000).map(row));
//! let right = MemorySnapshot::new((0..1000).filter(|n| *n != 42).map(row));
//!
//! let options = BuildOptions::default();
//! let progress = Progress::default();
//! let left_tree = build_in_memory(&left, Path::new("left"), &options, &progress)?;
//! let right_tree = build_in_memory(&right, Path::new("right"), &options, &progress)?;
//!
//! let mut divergent: Vec<KeyRange> = Vec::new();
//! let tables: Vec<_> = left_tree.tables().chain(right_tree.tables()).collect();
//! compare(&tables, &mut |divergence| {
//!     divergent.push(divergence.range.clone());
//!     Ok(())
//! })?;
//! assert_eq!(divergent.len(), 1);
//! assert!(divergent[0].contains(b"user/0042"));
//!
//! let mut rows = left.tables()[0].scan(&divergent[0])?;
//! let mut read = 0;
//! while let Some(row) = rows.next()? {
//!     assert!(divergent[0].contains(row.key));
//!     read += 1;
//! }
//! assert!(read < 200, "only the divergent range is read");
//! # Ok(())
//! # }
//! ```

#![deny(missing_docs)]
#![deny(unsafe_code)] // but in `file`

pub mod error; // what can go wrong, and its exit code

pub mod limits; // every cap on what an input may claim

#[allow(unsafe_code)]
pub mod file; // bytes in and out

pub mod row; // rows, streams, schemas, how rows are shown

pub mod range; // key ranges and ranks

pub mod source; // snapshot -> tables -> row streams, a file or folder a format

pub mod fingerprint; // one row -> 128 bits; sums

pub mod progress; // counters

pub mod tree; // leaves, added up on all cores

pub mod mtree; // the tree and its file

pub mod build; // table -> tree

pub mod compare; // trees -> divergent ranges

pub mod diff; // divergent ranges -> rows that differ

pub mod patch; // the patch file

pub mod reconcile; // several replicas -> the patch of each

pub mod apply; // snapshot + patch -> snapshot

#[doc(hidden)]
pub mod cli; // arguments, text, exit code

pub use error::{Error, ErrorKind, Result};
