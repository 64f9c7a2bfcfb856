//! Checks one row and writes it as one line of NDJSON.

use super::BYTE_ORDER_MARK;
use super::fields;
use super::header::{Header, Target};
use super::limits::FIELD_BYTES_MAX;
use super::plan::Kind;
use super::reasons::Reason;
use super::row::Row;
use crate::writer::{ESCAPED_BYTES_MAX, Writer};
use core::ops::Range;

/// The column's index in a record of a rejected row where the whole row is at fault.
pub const NO_COLUMN: u32 = u32::MAX;

/// A row that is not taken: the column of the plan at fault, if one is, and why.
pub type Fault = (u32, Reason);

/// Where the fields of a row are: the input, and where each ends relative to the row's start.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    /// All input, with a lane of padding behind the row.
    pub input: &'a [u8],
    /// The end of each field, without its comma.
    pub ends: &'a [u32],
}

impl Text<'_> {
    #[inline(always)]
    fn span(&self, row: &Row, field: usize) -> Range<usize> {
        let from = if field == 0 { 0 } else { self.ends[field - 1] as usize + 1 };
        row.start + from..row.start + self.ends[field] as usize
    }
}

/// Writes the row of `len` bytes, or says why not; what was written by then is for the caller to take back.
#[inline(always)]
pub fn row(out: &mut Writer, header: &Header, text: Text<'_>, row: &Row, len: usize) -> Result<(), Fault> {
    check(row, text.input, len, header.fields).map_err(|reason| (NO_COLUMN, reason))?;
    out.reserve(header.prefix_bytes + len * ESCAPED_BYTES_MAX + 2);
    let start = out.len();
    for target in &header.targets {
        let span = text.span(row, target.field);
        field(out, text.input, span, target, row.escapes).map_err(|reason| (target.column, reason))?;
    }
    if out.len() == start {
        out.byte(b'{');
    }
    // Every prefix begins with a comma; the first one becomes the object's brace.
    out.patch(start, b'{');
    out.byte(b'}');
    out.byte(b'\n');
    Ok(())
}

fn check(row: &Row, input: &[u8], len: usize, fields: usize) -> Result<(), Reason> {
    let reason = if row.dropped {
        Reason::RowTooLong
    } else if let Some(fault) = row.high.then(|| high(&input[row.start..row.start + len])).flatten() {
        fault
    } else if let Some(fault) = row.fault {
        fault
    } else if row.returns > 0 {
        Reason::CarriageReturnLone
    } else if row.fields < fields {
        Reason::FieldsMissing
    } else if row.fields > fields {
        Reason::FieldsExtra
    } else {
        return Ok(());
    };
    Err(reason)
}

/// What is wrong with text that is not all ASCII.
fn high(text: &[u8]) -> Option<Reason> {
    if str::from_utf8(text).is_err() {
        return Some(Reason::Utf8Invalid);
    }
    text.starts_with(BYTE_ORDER_MARK).then_some(Reason::ByteOrderMark)
}

/// Writes one field with its key, or nothing where an optional field is empty. Quotes around nothing are a text.
#[inline(always)]
fn field(out: &mut Writer, input: &[u8], span: Range<usize>, target: &Target, escapes: bool) -> Result<(), Reason> {
    let (mut from, mut to) = (span.start, span.end);
    if to - from > FIELD_BYTES_MAX {
        return Err(Reason::FieldTooLong);
    }
    let is_quoted = from < to && input[from] == b'"';
    if is_quoted {
        from += 1;
        to -= 1;
    }
    if from == to && !target.required && !(is_quoted && target.kind == Kind::String) {
        return Ok(());
    }
    if from == to && target.kind != Kind::String {
        return Err(Reason::FieldEmpty);
    }
    out.copy(&target.prefix, 0, target.prefix_len);
    match target.kind {
        Kind::String if escapes => out.escaped(input, from, to, is_quoted),
        Kind::String => out.copy(input, from, to),
        Kind::Number => {
            fields::number(input, from, to)?;
            out.copy(input, from, to);
        }
        Kind::Integer => {
            let digits = fields::integer(&input[from..to])?;
            out.copy(input, from, from + digits);
        }
        Kind::Boolean if fields::boolean(&input[from..to])? => out.copy(&TRUE, 0, 4),
        Kind::Boolean => out.copy(&FALSE, 0, 5),
        Kind::DateTime => {
            fields::date_time(&input[from..to])?;
            out.copy(input, from, to);
        }
    }
    if matches!(target.kind, Kind::String | Kind::DateTime) {
        out.byte(b'"');
    }
    Ok(())
}

const TRUE: [u8; 20] = *b"true                ";
const FALSE: [u8; 21] = *b"false                ";
