//! What several test files share.
#![allow(dead_code, unused_imports)] // each test file uses a part of it

mod files;
mod rows;
mod run;
mod strace;

pub use files::*;
pub use rows::*;
pub use run::*;
pub use strace::*;
