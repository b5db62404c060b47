//! Physical records of a log or a MANIFEST, for tests that damage them: where each starts, and which damage can't be told from
//! a write that a crash cut short.

/// Blocks of a log.
const BLOCK: usize = 32 << 10;

/// A physical record: where its header starts, and where its payload ends.
#[derive(Debug, Clone, Copy)]
pub struct Physical {
    pub start: usize,
    pub end: usize,
    /// Bytes of its header: 7, or 11 with the log's number.
    pub header: usize,
}

/// The records of a sound log, up to its zero-filled tail.
pub fn records(bytes: &[u8]) -> Vec<Physical> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + 7 <= bytes.len() {
        let left = BLOCK - at % BLOCK;
        if left < 7 {
            at += left;
            continue;
        }
        let kind = bytes[at + 6];
        let len = usize::from(u16::from_le_bytes([bytes[at + 4], bytes[at + 5]]));
        if kind == 0 && len == 0 {
            break;
        }
        let header = match kind {
            5..=8 | 11 => 11,
            _ => 7,
        };
        let end = at + header + len;
        if end > bytes.len() {
            break;
        }
        found.push(Physical {
            start: at,
            end,
            header,
        });
        at = end;
    }
    found
}

/// The record that byte `at` makes look cut short, if it does: a length that reaches behind the end of the file.
pub fn looks_torn(sound: &[u8], damaged: &[u8], at: usize) -> Option<Physical> {
    let record = records(sound)
        .into_iter()
        .find(|record| (record.start..record.end).contains(&at))?;
    let is_length = (4..6).contains(&(at - record.start));
    let len = u16::from_le_bytes([
        *damaged.get(record.start + 4)?,
        *damaged.get(record.start + 5)?,
    ]);
    let end = record.start + record.header + usize::from(len);
    (is_length && end > sound.len()).then_some(record)
}

#[test]
fn records_of_a_log_are_found() {
    let mut log = Vec::new();
    for len in [3u16, 0, 300] {
        log.extend([1, 2, 3, 4]);
        log.extend(len.to_le_bytes());
        log.push(1);
        log.extend(vec![7; usize::from(len)]);
    }
    let found = records(&log);
    assert_eq!(found.len(), 3);
    assert_eq!((found[2].start, found[2].end), (17, log.len()));
    let mut damaged = log.clone();
    damaged[17 + 5] ^= 2;
    assert_eq!(looks_torn(&log, &damaged, 17 + 5).unwrap().start, 17);
    let mut shorter = log.clone();
    shorter[17 + 5] ^= 1;
    assert!(looks_torn(&log, &shorter, 17 + 5).is_none());
}
