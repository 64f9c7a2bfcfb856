//! The columns plan: which header name becomes which key, of which type.
//!
//! Its wire form, all little-endian: `u8` refuse unknown columns (1) or ignore them (0), `u16` columns,
//! then for each: `u8` kind, `u8` required, `u16` length and bytes of the source, the same of the key.

use super::limits::COLUMNS_MAX;
use super::reasons::Refusal;

/// The type of a column; the numbers are the wire form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text, as it is: `00501` stays `"00501"`.
    String,
    /// JSON's number grammar, within a double's range; the digits are passed through.
    Number,
    /// A JSON integer that a double holds exactly: at most 2⁵³ − 1 away from 0.
    Integer,
    /// `true` or `false`, also in capitals, as spreadsheets write them.
    Boolean,
    /// RFC 3339 with a zone, a real day, no leap second; passed through.
    DateTime,
}

/// One target column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The header's name.
    pub source: String,
    /// The key in the output.
    pub key: String,
    /// What the field must be.
    pub kind: Kind,
    /// Whether the header must have it, and whether an empty field is a value (a string) or a fault
    /// (any other kind) instead of being left out.
    pub required: bool,
}

/// The whole plan; output keys come in the order of `columns`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whether a header name outside the plan refuses the input.
    pub refuse_unknown: bool,
    /// The target columns.
    pub columns: Vec<Column>,
}

impl Plan {
    /// Reads the wire form.
    pub fn parse(bytes: &[u8]) -> Result<Plan, Refusal> {
        let mut reader = Reader(bytes);
        let plan = reader.plan().filter(|_| reader.0.is_empty()).ok_or(Refusal::PlanInvalid)?;
        let columns = &plan.columns;
        let is_twice = |at: usize| {
            let column = &columns[at];
            columns[..at].iter().any(|other| other.source == column.source || other.key == column.key)
        };
        let is_whole = (1..=COLUMNS_MAX).contains(&columns.len()) && !(0..columns.len()).any(is_twice);
        if is_whole { Ok(plan) } else { Err(Refusal::PlanInvalid) }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn plan(&mut self) -> Option<Plan> {
        let refuse_unknown = self.flag()?;
        let columns = (0..self.u16()?).map(|_| self.column()).collect::<Option<_>>()?;
        Some(Plan { refuse_unknown, columns })
    }

    fn column(&mut self) -> Option<Column> {
        let kind = match self.u8()? {
            0 => Kind::String,
            1 => Kind::Number,
            2 => Kind::Integer,
            3 => Kind::Boolean,
            4 => Kind::DateTime,
            _ => return None,
        };
        let required = self.flag()?;
        Some(Column { source: self.text()?, key: self.text()?, kind, required })
    }

    fn text(&mut self) -> Option<String> {
        let len = self.u16()?;
        let (text, rest) = self.0.split_at_checked(usize::from(len))?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    fn flag(&mut self) -> Option<bool> {
        self.u8().filter(|byte| *byte < 2).map(|byte| byte == 1)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.u8()?, self.u8()?]))
    }

    fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
}
