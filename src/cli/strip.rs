//! The key space as one line: cells of equally many rows, each as high as the share of its rows that lie in divergent ranges.

/// Cells of the line.
const CELLS: usize = 64;

/// From the smallest share above none to all.
const HEIGHTS: [char; 8] = [
    '\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}',
];

/// What is marked so far.
pub struct Strip {
    rows: u64,
    cells: [u64; CELLS],
}

impl Strip {
    /// A strip of a table of so many rows.
    pub fn new(rows: u64) -> Strip {
        Strip {
            rows,
            cells: [0; CELLS],
        }
    }

    /// Marks `rows` rows that have `before` rows before them; a place without rows is marked too.
    pub fn mark(&mut self, before: u64, rows: u64) {
        if self.rows == 0 {
            return;
        }
        let (mut at, end) = (before.min(self.rows - 1), before + rows.max(1));
        let end = end.min(self.rows).max(at + 1);
        while at < end {
            let cell = self.cell_of(at);
            let next = self.start_of(cell + 1).clamp(at + 1, end);
            self.cells[cell] += next - at;
            at = next;
        }
    }

    fn cell_of(&self, row: u64) -> usize {
        ((u128::from(row) * CELLS as u128 / u128::from(self.rows)) as usize).min(CELLS - 1)
    }

    /// First row of a cell.
    fn start_of(&self, cell: usize) -> u64 {
        (cell as u128 * u128::from(self.rows)).div_ceil(CELLS as u128) as u64
    }

    /// The line; `None` for a table too small for it to say anything.
    pub fn text(&self) -> Option<String> {
        if self.rows < CELLS as u64 {
            return None;
        }
        let mut out = String::from("first key [");
        for (cell, marked) in self.cells.iter().enumerate() {
            let size = (self.start_of(cell + 1) - self.start_of(cell)).max(1);
            let height = (marked * HEIGHTS.len() as u64)
                .div_ceil(size)
                .min(HEIGHTS.len() as u64);
            out.push(match height {
                0 => '\u{b7}',
                height => HEIGHTS[height as usize - 1],
            });
        }
        out.push_str("] last key");
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_fall_into_the_cells_of_their_rows() {
        let mut strip = Strip::new(6400);
        strip.mark(0, 1);
        strip.mark(100, 100);
        strip.mark(6399, 0);
        let text = strip.text().unwrap();
        let cells: Vec<char> = text.chars().skip("first key [".len()).take(CELLS).collect();
        assert_eq!(cells[0], '\u{2581}');
        assert_eq!(cells[1], '\u{2588}');
        assert_eq!(cells[2], '\u{b7}');
        assert_eq!(cells[63], '\u{2581}');
    }

    #[test]
    fn odd_sizes_never_leave_the_strip() {
        for rows in [0, 1, 63, 64, 65, 1000, u64::MAX / 2] {
            let mut strip = Strip::new(rows);
            strip.mark(0, rows);
            strip.mark(rows, 5);
            assert_eq!(strip.text().is_some(), rows >= 64);
        }
    }
}
