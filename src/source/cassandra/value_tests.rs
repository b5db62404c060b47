//! Plain cells that are written in pieces, against their bytes one by one.

use super::*;

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >> 7 > 0 {
        bytes.push((value % 128) as u8 + 128);
        value /= 128;
    }
    bytes.push(value as u8);
    bytes
}

#[test]
fn plain_cells_of_every_length() {
    let timestamp = 0x0102_0304_0506_0708;
    // Behind a value stands what is not of it.
    let behind: Vec<u8> = (0..40_000u32).map(|n| (n * n / 8) as u8).collect();
    let value_lens = (0..300).chain(16_360..16_400);
    for value_len in value_lens {
        for name_len in [0, 1, 29, 30, 31, 32, 33, 126, 127, 128, 200] {
            for view in [View::Live, View::Cells] {
                let name = vec![b'n'; name_len];
                let front = match view {
                    View::Live => vec![3],
                    View::Cells => vec![0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
                };
                let body = [&front, &behind[..value_len]].concat();
                let expected = [varint(name_len), name.clone(), varint(body.len()), body].concat();
                // With more bytes behind the value than a piece has, with fewer, and with none.
                for rest in [100, 3, 0] {
                    let value = &behind[..value_len + rest];
                    let mut out = vec![0xaa; expected.len() + CELL_BYTES];
                    let mut room = Room::new(&mut out);
                    let spelled = Name::new(&name);
                    push_plain_cell(&mut room, view, &spelled, timestamp, value, value_len)
                        .unwrap();
                    assert_eq!(room.left(), CELL_BYTES, "{name_len} {value_len} {rest}");
                    assert!(out.starts_with(&expected), "{name_len} {value_len} {rest}");
                }
            }
        }
    }
}

#[test]
fn a_cell_that_is_not_all_there_is_none() {
    let name = Name::new(b"name");
    for len in [5, 50, 20_000] {
        let value = vec![7; len];
        let mut out = vec![0; len + CELL_BYTES];
        let mut push = |room_len: usize, value_len: usize| {
            let mut room = Room::new(&mut out[..room_len]);
            push_plain_cell(&mut room, View::Cells, &name, 1, &value, value_len)
        };
        assert_eq!(push(len + CELL_BYTES, len + 1), None);
        assert_eq!(push(10, len), None);
        assert_eq!(push(len + CELL_BYTES, len), Some(()));
    }
}
