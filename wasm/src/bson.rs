//! BSON documents, one behind the other → NDJSON as Tombolo's wire has it, in streamed chunks and bounded memory.
//!
//! - A document gives one line. `_id` becomes `id`; a field that is named `id` stands behind it and is left out.
//!   Fields keep the order that they have in the database, also those named like numbers.
//! - The table of types is `values.rs`; the driver's objects give the same through `bson-values.ts` of the origin.
//! - A document that cannot be told so is recorded with number and reason and never ends the input: whoever has
//!   the bytes may read it in another way. Numbers count documents from 1, rejected ones too, and begin again after 2^32.
//! - A length that is none ends the input, because nobody knows then where the next document begins.

pub mod decimal;
pub mod limits;
pub mod names;
pub mod numbers;
pub mod reasons;
pub mod text;
pub mod values;
pub mod walk;

use crate::scan::LANE_BYTES;
use crate::transform::{Output, Status, Transform};
use crate::writer::Writer;
use limits::*;
use reasons::{Reason, Refusal};
use walk::Walker;

/// Bytes of one record of a rejected document: number, reason.
pub const REJECTED_BYTES: usize = 8;
/// An empty document: its length and its end.
const LENGTH_MIN: usize = 5;

/// The transform. See the module for what it does, `transform` for how it is driven.
#[derive(Default)]
pub struct Bson {
    state: State,
    /// `input[..filled]` came, `input[..read]` was read; a lane of padding lies behind.
    input: Vec<u8>,
    filled: usize,
    read: usize,
    /// Bytes still to come of a document that is too long.
    skipped: usize,
    documents: u32,
    walker: Walker,
    bytes: Writer,
    rejected: Vec<u8>,
    report: Vec<u8>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Opened,
    Ready,
    /// Output is to be taken before more input comes.
    More,
    Ended,
}

impl Bson {
    /// A transform that waits for its plan.
    pub fn new() -> Bson {
        Bson::default()
    }

    fn refuse(&mut self, refusal: Refusal) -> Status {
        self.state = State::Ended;
        self.report = refusal.to_json(self.documents.wrapping_add(1));
        Status::Refused
    }

    fn clear_output(&mut self) {
        self.bytes.truncate(0);
        self.bytes.shrink(OUTPUT_BYTES_MAX * 2);
        self.rejected.clear();
    }

    /// Reads whole documents, up to a full output.
    fn scan(&mut self) -> Result<Status, Refusal> {
        loop {
            let skipped = self.skipped.min(self.filled - self.read);
            self.skipped -= skipped;
            self.read += skipped;
            let Some(head) = self.input[self.read..self.filled].first_chunk() else { return Ok(Status::Ready) };
            let length = u32::from_le_bytes(*head) as usize;
            if !(LENGTH_MIN..=LENGTH_MAX).contains(&length) {
                return Err(Refusal::LengthInvalid);
            }
            if length > DOCUMENT_BYTES_MAX {
                self.skipped = length;
                self.count(Err(Reason::DocumentTooLong));
            } else if length <= self.filled - self.read {
                let line = self.walker.line(&mut self.bytes, &self.input, self.read..self.read + length);
                self.read += length;
                self.count(line);
            } else {
                return Ok(Status::Ready);
            }
            if self.bytes.len() >= OUTPUT_BYTES_MAX || self.rejected.len() >= REJECTED_MAX * REJECTED_BYTES {
                return Ok(Status::More);
            }
        }
    }

    fn count(&mut self, line: Result<(), Reason>) {
        self.documents = self.documents.wrapping_add(1);
        if let Err(reason) = line {
            self.rejected.extend_from_slice(&self.documents.to_le_bytes());
            self.rejected.extend_from_slice(&(reason as u32).to_le_bytes());
        }
    }

    fn step(&mut self) -> Status {
        self.clear_output();
        match self.scan() {
            Ok(status) => {
                self.state = if status == Status::More { State::More } else { State::Ready };
                status
            }
            Err(refusal) => self.refuse(refusal),
        }
    }
}

impl Transform for Bson {
    fn configure(&mut self, len: usize) -> Status {
        if self.state != State::Opened {
            return Status::Misuse;
        }
        self.state = State::Ready;
        if len == 0 { Status::Ready } else { self.refuse(Refusal::PlanInvalid) }
    }

    fn room(&mut self, len: usize) -> Option<&mut [u8]> {
        if len > CHUNK_BYTES_MAX || matches!(self.state, State::More | State::Ended) {
            return None;
        }
        self.input.copy_within(self.read..self.filled, 0);
        self.filled -= self.read;
        self.read = 0;
        let need = self.filled + len + LANE_BYTES;
        if self.input.len() < need {
            self.input.resize(need, 0);
        }
        Some(&mut self.input[self.filled..self.filled + len])
    }

    fn push(&mut self, len: usize) -> Status {
        if !matches!(self.state, State::Ready | State::More)
            || self.filled + len + LANE_BYTES > self.input.len().max(LANE_BYTES)
        {
            return Status::Misuse;
        }
        self.filled += len;
        self.step()
    }

    fn finish(&mut self) -> Status {
        if !matches!(self.state, State::Ready | State::More) {
            return Status::Misuse;
        }
        match self.step() {
            Status::Ready if self.read < self.filled || self.skipped > 0 => self.refuse(Refusal::Truncated),
            Status::Ready => {
                self.state = State::Ended;
                Status::Done
            }
            status => status,
        }
    }

    fn output(&self) -> Output<'_> {
        Output { bytes: self.bytes.as_bytes(), origins: &[], rejected: &self.rejected, report: &self.report }
    }
}
