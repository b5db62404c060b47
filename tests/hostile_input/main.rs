//! No input, however hostile, crashes, hangs or takes unbounded memory.
//!
//! Each parser is given seeded mutations of sound files, with the checksums made right again so that they go deep, and
//! files crafted by hand: bombs, cycles, extreme lengths. A harness watches every input: no panic, at most a second, no
//! single allocation over 4 x the file + 1 MiB, no peak over 64 MiB + 2 x the file. Canaries prove that it would notice.

#[path = "../common/mod.rs"]
mod common;

mod bombs;
mod cassandra;
mod craft;
mod dumps;
mod extremes;
mod folders;
mod harness;
mod json;
mod mutations;
mod parsers;
mod stores;

#[global_allocator]
static ALLOCATOR: harness::Counting = harness::Counting;
