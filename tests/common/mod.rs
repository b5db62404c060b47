//! What several test files share.
#![allow(dead_code, unused_imports)] // each test file uses a part of it

mod rows;
mod run;

pub use rows::*;
pub use run::*;
