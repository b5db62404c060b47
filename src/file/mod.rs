//! Bytes in and out: the only room that opens files, and the only one with `unsafe`.

pub mod cursor;
pub mod inflate;
pub mod input;
pub mod process;
pub mod replace;
