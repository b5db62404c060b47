#![doc = include_str!("FORMAT.md")]

pub mod header;
pub mod node;
pub mod read;
pub mod write;

pub use header::{Header, TableHeader};
pub use node::{Digest, Entry};
pub use read::{TableView, Tree};
pub use write::{TableTree, TableWriter};
