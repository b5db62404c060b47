//! x
pub(super) fn unescape(_: &mut Vec<u8>, _: &[u8], _: Option<u8>) {}
