//! Numbers and texts as SSTables have them.

/// Appends an unsigned vint.
pub fn push_uvint(out: &mut Vec<u8>, value: u64) {
    let bits = 64 - (value | 1).leading_zeros();
    let extra = if bits > 56 { 8 } else { (bits - 1) / 7 };
    let bytes = value.to_be_bytes();
    if extra == 8 {
        out.push(0xff);
        out.extend_from_slice(&bytes);
        return;
    }
    let used = &bytes[7 - extra as usize..];
    let ones = !(0xffu32 >> extra) as u8;
    out.push(used[0] | ones);
    out.extend_from_slice(&used[1..]);
}

/// Appends a signed vint.
pub fn push_svint(out: &mut Vec<u8>, value: i64) {
    push_uvint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Appends a vint length and bytes.
pub fn push_text(out: &mut Vec<u8>, bytes: &[u8]) {
    push_uvint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a length of two bytes, and bytes.
pub fn push_bytes16(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    out.extend_from_slice(bytes);
}
