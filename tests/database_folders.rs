//! Whole folders of RocksDB and LevelDB: real ones with known rows, random ones made by the real software, damaged ones; and
//! patches that heal real databases.
//!
//! `MDIFF_SHARED=DIR` names the larger set of fixtures; `MDIFF_ROUNDS=N` makes so many random pairs, `MDIFF_SEED=N` those
//! from this seed on; `MDIFF_ALL_BITS=1` flips every bit of every small folder.

mod common;
#[path = "database_folders/damage.rs"]
mod damage;
#[path = "database_folders/fixtures.rs"]
mod fixtures;
#[path = "database_folders/folders.rs"]
mod folders;
#[path = "database_folders/log_tail.rs"]
mod log_tail;
#[path = "database_folders/logs.rs"]
mod logs;
#[path = "database_folders/manners.rs"]
mod manners;
#[path = "database_folders/pieces.rs"]
mod pieces;
#[path = "database_folders/random.rs"]
mod random;
