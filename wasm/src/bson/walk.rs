//! One document, from its first byte to its last, as one line. Nothing is taken on trust: a length is compared
//! with what holds it before anything behind it is read.

use super::limits::{LEVELS_MAX, NAMES_MAX};
use super::names::Names;
use super::reasons::Reason;
use super::text::{Line, Name};
use super::values::VALUE_BYTES_MAX;
use crate::scan::LANE_BYTES;
use crate::writer::Writer;
use core::ops::Range;

const OBJECT: u8 = 0x03;
const ARRAY: u8 = 0x04;
/// Nothing that was written is to be forgotten.
const KEPT: usize = usize::MAX;

/// An open object or array.
#[derive(Clone, Copy)]
struct Frame {
    /// Where its end byte has to be.
    end: usize,
    is_array: bool,
    is_empty: bool,
    /// Its names begin here.
    names: usize,
    /// The output ends here again once it is closed; `KEPT` but for a shadowed `id`.
    forget: usize,
}

/// Memory for the walk, kept from one document to the next.
#[derive(Default)]
pub struct Walker {
    /// What is open around the current frame.
    outer: Vec<Frame>,
    names: Names,
}

impl Walker {
    /// Writes the document that `input[span]` is, or nothing and why not. A lane lies behind the document.
    pub fn line(&mut self, out: &mut Writer, input: &[u8], span: Range<usize>) -> Result<(), Reason> {
        let start = out.len();
        self.outer.clear();
        self.names.clear();
        let written = self.walk(&mut Line::new(out, input), span);
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    fn walk(&mut self, line: &mut Line<'_>, span: Range<usize>) -> Result<(), Reason> {
        let mut frame = self.open(line, OBJECT, span.end - 1, KEPT);
        let mut at = span.start + 4;
        loop {
            let kind = line.input[at];
            at += 1;
            if kind == 0 {
                self.close(line, frame, at)?;
                let Some(outer) = self.outer.pop() else { return Ok(()) };
                frame = outer;
                continue;
            }
            line.out.reserve(VALUE_BYTES_MAX);
            let name = line.name(at, frame.end)?;
            let forget = self.key(line, &frame, name)?;
            frame.is_empty = false;
            at = name.at + name.len + 1;
            if kind == OBJECT || kind == ARRAY {
                let end = end_of(line, at, frame.end)?;
                self.outer.push(frame);
                frame = self.open(line, kind, end, forget);
                at += 4;
                if self.outer.len() > LEVELS_MAX {
                    return Err(Reason::TooDeep);
                }
            } else {
                at = line.value(kind, at, frame.end)?;
                line.out.truncate(forget);
            }
            line.check()?;
        }
    }

    fn open(&mut self, line: &mut Line<'_>, kind: u8, end: usize, forget: usize) -> Frame {
        let is_array = kind == ARRAY;
        line.out.reserve(LANE_BYTES);
        line.out.byte(if is_array { b'[' } else { b'{' });
        Frame { end, is_array, is_empty: true, names: self.names.mark(), forget }
    }

    /// The frame ends before `behind`.
    fn close(&mut self, line: &mut Line<'_>, frame: Frame, behind: usize) -> Result<(), Reason> {
        if behind != frame.end + 1 {
            return Err(Reason::Corrupt);
        }
        if self.outer.is_empty() && frame.is_empty {
            return Err(Reason::IdNotFirst);
        }
        line.out.reserve(LANE_BYTES);
        line.out.byte(if frame.is_array { b']' } else { b'}' });
        line.out.truncate(frame.forget);
        if self.outer.is_empty() {
            line.out.byte(b'\n');
        }
        if self.names.close(frame.names) { Ok(()) } else { Err(Reason::NameRepeated) }
    }

    /// Writes what stands before a value → where the output ends again once the value was read.
    #[inline(always)]
    fn key(&mut self, line: &mut Line<'_>, frame: &Frame, name: Name) -> Result<usize, Reason> {
        let before = line.out.len();
        if !frame.is_empty {
            line.out.byte(b',');
        }
        if frame.is_array {
            return Ok(KEPT);
        }
        let (head, tail) = line.head(name);
        self.names.add(head, tail);
        if self.names.mark() > NAMES_MAX {
            return Err(Reason::FieldsTooMany);
        }
        if head as u8 == b'$' {
            return Err(Reason::NameReserved);
        }
        if self.outer.is_empty() && frame.is_empty {
            line.out.text(b"\"id\":");
            return if head == ID { Ok(KEPT) } else { Err(Reason::IdNotFirst) };
        }
        line.key(name)?;
        Ok(if self.outer.is_empty() && head == SHADOWED { before } else { KEPT })
    }
}

const ID: u128 = u32::from_le_bytes(*b"_id\0") as u128;
const SHADOWED: u128 = u16::from_le_bytes(*b"id") as u128;

/// Where the object or array at `at` has its end byte.
fn end_of(line: &Line<'_>, at: usize, end: usize) -> Result<usize, Reason> {
    const LENGTH_MIN: usize = 5;
    let length = u32::from_le_bytes(line.take(at, end)?) as usize;
    if (LENGTH_MIN..=end - at).contains(&length) { Ok(at + length - 1) } else { Err(Reason::Corrupt) }
}
