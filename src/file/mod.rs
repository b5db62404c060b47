//! Bytes in and out: the only room that opens files, and the only one with `unsafe`.

pub mod cursor; // checked reads over a slice
pub mod frames; // byte strings, written once and read again
mod guard; // the SIGBUS handler
mod identity; // whether a file changed
pub mod inflate; // block codecs
pub mod input; // one file, for reading
pub mod lock; // who holds a file
mod map; // its bytes, mapped or read
pub mod private; // copies for a library that opens files itself
pub mod process; // settings of the process
pub mod replace; // atomic output
pub mod spill; // a buffer that outgrows memory
pub mod spool; // temporary files without a name
pub mod structure; // where delimiters stand in text, by wide registers
pub mod unpack; // files compressed as a whole
