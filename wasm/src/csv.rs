//! CSV (RFC 4180) → NDJSON with declared types, in streamed chunks and bounded memory.
//!
//! - The first line that is not empty is the header. Empty lines are skipped: they are no rows, but count
//!   as lines. A UTF-8 byte order mark at the very start is skipped; one that begins a row rejects it, or the header:
//!   files were joined, and what follows it is not the text that it seems. Anywhere else, in quotes too, it is text.
//! - A row ends at LF or CR LF outside quotes, or at the end of the input. A CR without LF outside quotes
//!   rejects its row: it is neither text nor a line end.
//! - A quote opens a field only as its first byte; `""` inside is one quote; whatever follows the closing
//!   quote but a comma or the row's end rejects the row. A quoted empty field is an empty text where the column holds
//!   text, and empty where it holds anything else.
//! - A row that is not taken is recorded with number, line, column and reason, and never ends the input.
//!   Numbers count data rows from 1, rejected ones too; lines count from 1, the header's included.
//! - Checks come in one order: length, UTF-8, byte order mark, quotes, CR, number of fields, then the fields by the plan.

pub mod fields;
pub mod header;
pub mod limits;
pub mod plan;
pub mod reasons;
pub mod row;
pub mod write;

use crate::scan::{BLOCK_BYTES, masks};
use crate::transform::{Output, Status, Transform};
use crate::writer::Writer;
use header::Header;
use limits::*;
use plan::Plan;
use reasons::Refusal;
use row::{Quote, Row};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
const HEADER_TOO_LONG: Refusal = Refusal::HeaderInvalid("too long");
/// Bytes of one record of a rejected row: row, line, column, reason.
pub const REJECTED_BYTES: usize = 16;

/// The transform. See the module for what it does, `transform` for how it is driven.
pub struct Csv {
    plan: Option<Plan>,
    header: Option<Header>,
    /// `input[..filled]` is text, `input[..scanned]` was looked at; a block of padding lies behind.
    input: Vec<u8>,
    filled: usize,
    scanned: usize,
    row: Row,
    /// Where each field of the current row ends, relative to the row's start.
    ends: Box<[u32]>,
    begun: bool,
    ended: bool,
    refused: bool,
    rows: u32,
    line: u32,
    bytes: Writer,
    origins: Vec<u8>,
    rejected: Vec<u8>,
    report: Vec<u8>,
}

impl Default for Csv {
    fn default() -> Csv {
        Csv::new()
    }
}

impl Csv {
    /// A transform that waits for its plan.
    pub fn new() -> Csv {
        Csv {
            plan: None,
            header: None,
            input: Vec::new(),
            filled: 0,
            scanned: 0,
            row: Row::at(0),
            ends: vec![0; COLUMNS_MAX].into_boxed_slice(),
            begun: false,
            ended: false,
            refused: false,
            rows: 0,
            line: 1,
            bytes: Writer::default(),
            origins: Vec::new(),
            rejected: Vec::new(),
            report: Vec::new(),
        }
    }

    fn refuse(&mut self, refusal: &Refusal) -> Status {
        self.refused = true;
        self.report = refusal.to_json();
        Status::Refused
    }

    fn clear_output(&mut self) {
        self.bytes.truncate(0);
        self.bytes.shrink(OUTPUT_BYTES_MAX * 2);
        self.origins.clear();
        self.rejected.clear();
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= OUTPUT_BYTES_MAX || self.rejected.len() >= REJECTED_MAX * REJECTED_BYTES
    }

    /// Moves the row that is under way to the front of the buffer. The bytes of a dropped row are given up.
    fn compact(&mut self) {
        let gone = if self.row.dropped { self.scanned } else { self.row.start };
        self.input.copy_within(gone..self.filled, 0);
        self.filled -= gone;
        self.scanned -= gone;
        self.row.start = self.row.start.wrapping_sub(gone);
    }

    /// Whether the first bytes may be judged: a byte order mark can come in three chunks.
    fn begin(&mut self, last: bool) -> bool {
        let text = &self.input[..self.filled];
        if !self.begun && (last || text.len() >= BYTE_ORDER_MARK.len() || !BYTE_ORDER_MARK.starts_with(text)) {
            self.begun = true;
            if text.starts_with(BYTE_ORDER_MARK) {
                self.scanned = BYTE_ORDER_MARK.len();
                self.row = Row::at(self.scanned);
            }
        }
        self.begun
    }

    /// Reads what was not looked at yet, up to a full output.
    fn scan(&mut self) -> Result<Status, Refusal> {
        let mut row = self.row;
        while self.scanned < self.filled {
            let at = self.scanned;
            let block: &[u8; BLOCK_BYTES] = self.input[at..].first_chunk().expect("a block behind the text");
            let masks = masks(block);
            let valid = if self.filled - at < BLOCK_BYTES { (1 << (self.filled - at)) - 1 } else { !0 };
            let mut structure = masks.structure & valid;
            // The bits of this block that belong to the current row.
            let mut own: u64 = valid;
            while structure != 0 {
                let bit = structure.trailing_zeros();
                structure &= structure - 1;
                let position = at + bit as usize;
                let relative = position.wrapping_sub(row.start);
                match self.input[position] {
                    b',' if row.quote != Quote::Quoted => row.field(relative, &mut self.ends),
                    b',' => {}
                    b'"' => row.quote(relative),
                    b'\r' if row.quote == Quote::Quoted => row.escapes = true,
                    b'\r' => row.returns += 1,
                    _ if row.quote == Quote::Quoted => {
                        row.escapes = true;
                        row.lines += 1;
                    }
                    _ => {
                        let own_here = own & ((1 << bit) - 1);
                        row.escapes |= masks.escape & own_here != 0;
                        row.high |= masks.high & own_here != 0;
                        self.scanned = position + 1;
                        self.end_row(&mut row, relative, true)?;
                        row = Row::at(position + 1);
                        own = valid & (!1 << bit);
                        if self.is_full() {
                            self.row = row;
                            return Ok(Status::More);
                        }
                    }
                }
            }
            row.escapes |= masks.escape & own != 0;
            row.high |= masks.high & own != 0;
            self.scanned = (at + BLOCK_BYTES).min(self.filled);
        }
        row.dropped |= self.filled.wrapping_sub(row.start) > self.row_bytes_max();
        self.row = row;
        // Nobody waits for the end of a header that is too long.
        if row.dropped && self.header.is_none() { Err(HEADER_TOO_LONG) } else { Ok(Status::Ready) }
    }

    /// Reads the rest and ends a last row that has no line end.
    fn end(&mut self) -> Result<Status, Refusal> {
        if self.scan()? == Status::More {
            return Ok(Status::More);
        }
        let mut row = self.row;
        let len = self.filled.wrapping_sub(row.start);
        row.finish();
        self.end_row(&mut row, len, false)?;
        self.ended = true;
        if self.header.is_none() {
            return Err(Refusal::HeaderAbsent);
        }
        Ok(Status::Done)
    }

    /// The row ends `len` bytes behind its start, by a line end (`line`) or by the end of the input.
    fn end_row(&mut self, row: &mut Row, len: usize, line: bool) -> Result<(), Refusal> {
        row.dropped |= len > self.row_bytes_max();
        let returned = line && !row.dropped && row.returns > 0 && self.input[row.start.wrapping_add(len) - 1] == b'\r';
        row.returns -= u32::from(returned);
        let len = len - usize::from(returned);
        if row.dropped || len > 0 {
            row.field(len, &mut self.ends);
            match self.header {
                Some(_) => self.end_data_row(row, len)?,
                None => self.end_header(row, len)?,
            }
        }
        let lines = row.lines.checked_add(u32::from(line));
        self.line = lines.and_then(|lines| self.line.checked_add(lines)).ok_or(Refusal::LinesTooMany)?;
        Ok(())
    }

    fn row_bytes_max(&self) -> usize {
        if self.header.is_some() { ROW_BYTES_MAX } else { HEADER_BYTES_MAX }
    }

    fn end_header(&mut self, row: &Row, len: usize) -> Result<(), Refusal> {
        if row.dropped {
            return Err(HEADER_TOO_LONG);
        }
        let plan = self.plan.as_ref().ok_or(Refusal::PlanInvalid)?;
        let text = &self.input[row.start..row.start + len];
        self.header = Some(Header::meet(plan, text, row, &self.ends)?);
        Ok(())
    }

    fn end_data_row(&mut self, row: &Row, len: usize) -> Result<(), Refusal> {
        self.rows = self.rows.checked_add(1).ok_or(Refusal::LinesTooMany)?;
        let start = self.bytes.len();
        let header = self.header.as_ref().expect("rows come after the header");
        let text = write::Text { input: &self.input, ends: &self.ends };
        match write::row(&mut self.bytes, header, text, row, len) {
            Ok(()) => self.origins.extend_from_slice(&self.rows.to_le_bytes()),
            Err((column, reason)) => {
                self.bytes.truncate(start);
                for word in [self.rows, self.line, column, reason as u32] {
                    self.rejected.extend_from_slice(&word.to_le_bytes());
                }
            }
        }
        Ok(())
    }
}

impl Transform for Csv {
    fn configure(&mut self, len: usize) -> Status {
        if self.plan.is_some() || self.refused || len > self.input.len() {
            return Status::Misuse;
        }
        match Plan::parse(&self.input[..len]) {
            Ok(plan) => self.plan = Some(plan),
            Err(refusal) => return self.refuse(&refusal),
        }
        Status::Ready
    }

    fn room(&mut self, len: usize) -> Option<&mut [u8]> {
        let bound = if self.plan.is_some() { CHUNK_BYTES_MAX } else { PLAN_BYTES_MAX };
        let drained = !self.begun || self.scanned == self.filled;
        if len > bound || !drained || self.ended || self.refused {
            return None;
        }
        self.compact();
        let need = self.filled + len + BLOCK_BYTES;
        if self.input.len() < need {
            self.input.resize(need, 0);
        }
        Some(&mut self.input[self.filled..self.filled + len])
    }

    fn push(&mut self, len: usize) -> Status {
        if self.plan.is_none() || self.ended || self.refused || self.filled + len + BLOCK_BYTES > self.input.len() {
            return Status::Misuse;
        }
        self.clear_output();
        self.filled += len;
        if !self.begin(false) {
            return Status::Ready;
        }
        self.scan().unwrap_or_else(|refusal| self.refuse(&refusal))
    }

    fn finish(&mut self) -> Status {
        if self.plan.is_none() || self.ended || self.refused {
            return Status::Misuse;
        }
        self.clear_output();
        self.begin(true);
        self.end().unwrap_or_else(|refusal| self.refuse(&refusal))
    }

    fn output(&self) -> Output<'_> {
        Output { bytes: self.bytes.as_bytes(), origins: &self.origins, rejected: &self.rejected, report: &self.report }
    }
}
