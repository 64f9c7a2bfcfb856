//! Names and strings of a document on their way into its line.

use super::limits::LINE_BYTES_MAX;
use super::reasons::Reason;
use super::values::VALUE_BYTES_MAX;
use crate::scan::{LANE_BYTES, escapes, highs};
use crate::writer::{ESCAPED_BYTES_MAX, Writer};

/// Bytes of a string for which room is asked at once: a long one seldom grows as it could.
const PIECE_BYTES: usize = 4096;

/// The line that is written, and the bytes that it is written from, with a lane behind them.
pub struct Line<'a> {
    /// The output that it is written to.
    pub out: &'a mut Writer,
    /// The bytes that it is read from.
    pub input: &'a [u8],
    start: usize,
}

/// A name, found by its end.
#[derive(Clone, Copy)]
pub struct Name {
    /// Its first byte.
    pub at: usize,
    /// Its bytes.
    pub len: usize,
    /// Whether it is up to 16 bytes of ASCII without an escape.
    is_plain: bool,
}

impl<'a> Line<'a> {
    /// A line that begins where the output ends.
    pub fn new(out: &'a mut Writer, input: &'a [u8]) -> Line<'a> {
        let start = out.len();
        Line { out, input, start }
    }

    /// What was written is within its bound.
    pub fn check(&self) -> Result<(), Reason> {
        if self.out.len() - self.start > LINE_BYTES_MAX { Err(Reason::LineTooLong) } else { Ok(()) }
    }

    /// The name at `at`, which ends before `end`.
    #[inline(always)]
    pub fn name(&self, at: usize, end: usize) -> Result<Name, Reason> {
        let lane: &[u8; LANE_BYTES] = self.input[at..].first_chunk().expect("a lane behind the input");
        let len = escapes(lane).trailing_zeros() as usize;
        if len < LANE_BYTES && lane[len] == 0 && at + len < end {
            return Ok(Name { at, len, is_plain: highs(lane) & ((1 << len) - 1) == 0 });
        }
        let rest = self.input.get(at..end).ok_or(Reason::Corrupt)?;
        let len = rest.iter().position(|byte| *byte == 0).ok_or(Reason::Corrupt)?;
        Ok(Name { at, len, is_plain: false })
    }

    /// The name's first 16 bytes as a number, zeros behind a shorter one, and the others.
    #[inline(always)]
    pub fn head(&self, Name { at, len, .. }: Name) -> (u128, &[u8]) {
        let lane = self.input[at..].first_chunk().expect("a lane behind the input");
        let head = u128::from_le_bytes(*lane);
        if len < LANE_BYTES {
            (head & ((1 << (8 * len)) - 1), &[])
        } else {
            (head, &self.input[at + LANE_BYTES..at + len])
        }
    }

    /// Writes `"name":`; room for a value is there behind it.
    #[inline(always)]
    pub fn key(&mut self, name: Name) -> Result<(), Reason> {
        if name.is_plain {
            self.out.byte(b'"');
            self.out.copy(self.input, name.at, name.at + name.len);
            self.out.byte(b'"');
        } else {
            self.string(name.at, name.at + name.len)?;
            self.out.reserve(VALUE_BYTES_MAX);
        }
        self.out.byte(b':');
        Ok(())
    }

    /// Writes the bytes between as a JSON string.
    pub fn string(&mut self, from: usize, to: usize) -> Result<(), Reason> {
        let mut is_high = false;
        self.out.byte(b'"');
        for at in (from..to).step_by(PIECE_BYTES) {
            let end = to.min(at + PIECE_BYTES);
            self.out.reserve((end - at) * ESCAPED_BYTES_MAX + LANE_BYTES);
            is_high |= self.out.string(self.input, at, end);
            self.check()?;
        }
        self.out.byte(b'"');
        if is_high && str::from_utf8(&self.input[from..to]).is_err() { Err(Reason::Utf8Invalid) } else { Ok(()) }
    }
}
