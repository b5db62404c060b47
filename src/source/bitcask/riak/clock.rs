//! What two vector clocks say of each other: whether one object has seen all that the other has.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::row::Schema;
use crate::row::columns::decode_value;
use crate::source::{Judge, Verdict};

/// Judges two objects of one key by the column that holds their clocks.
pub struct Clocks {
    column: usize,
    columns: usize,
}

impl Clocks {
    /// For rows of this schema; `None` where the clocks are left out.
    pub fn of(schema: &Schema) -> Option<Clocks> {
        let Schema::Columns { value, .. } = schema else {
            return None;
        };
        Some(Clocks {
            column: value.iter().position(|name| name == super::CLOCK)?,
            columns: value.len(),
        })
    }

    /// The counter of each actor; `None` where the row is no object.
    fn read(&self, value: &[u8]) -> Option<BTreeMap<String, u64>> {
        let fields = decode_value(value, self.columns)?;
        let text = (*fields.get(self.column)?)?;
        let Ok(Value::Array(ticks)) = serde_json::from_slice(text) else {
            return None;
        };
        ticks
            .iter()
            .map(|tick| Some((tick.get(0)?.to_string(), tick.get(1)?.as_u64()?)))
            .collect()
    }
}

impl Judge for Clocks {
    fn judge(&self, left: Option<&[u8]>, right: Option<&[u8]>) -> Option<Verdict> {
        let (left, right) = (self.read(left?)?, self.read(right?)?);
        let descends = |one: &BTreeMap<String, u64>, other: &BTreeMap<String, u64>| {
            other
                .iter()
                .all(|(actor, counter)| one.get(actor).is_some_and(|own| own >= counter))
        };
        Some(match (descends(&left, &right), descends(&right, &left)) {
            (true, true) => Verdict {
                is: "same_vclock",
                words: "one vclock, but not one content",
            },
            (true, false) => Verdict {
                is: "newer_left",
                words: "newer left: its vclock descends from the right's",
            },
            (false, true) => Verdict {
                is: "newer_right",
                words: "newer right: its vclock descends from the left's",
            },
            (false, false) => Verdict {
                is: "concurrent",
                words: "concurrent: neither vclock descends from the other",
            },
        })
    }
}
