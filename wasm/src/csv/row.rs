//! The state of the row that is being read: a small machine fed with the structural bytes only.
//!
//! ```text
//!               '"' at the field's start            '"'
//!   Unquoted ───────────────────────────► Quoted ─────────► Closed
//!      ▲ ▲                                  ▲                │ │
//!      │ └── ',' ── any state but Quoted ───┼────────────────┘ │
//!      │                                    └── '"' right after the closing one: an escaped quote
//!      └─ any other quote, or text after a closing one: a fault, the row goes on to its end
//! ```
//!
//! Positions are relative to the row's first byte, so that moving the buffer changes nothing here.
//! Arithmetic wraps: a row past its bound is followed to its end without being kept.

use super::reasons::Reason;

/// Where the machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// Outside quotes.
    Unquoted,
    /// Inside quotes: commas and line ends are text.
    Quoted,
    /// Right behind a quote that closes the field, unless another one follows.
    Closed,
}

/// What is known of the current row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Index of the row's first byte in the input buffer.
    pub start: usize,
    /// Fields ended so far.
    pub fields: usize,
    /// Where the machine stands.
    pub quote: Quote,
    /// The first quote that breaks RFC 4180.
    pub fault: Option<Reason>,
    /// Some byte needs more than copying: an escaped quote, a line end in quotes, a backslash, a control.
    pub escapes: bool,
    /// Some byte is not ASCII.
    pub high: bool,
    /// The row has passed its bound, and its bytes are gone.
    pub dropped: bool,
    /// CRs outside quotes.
    pub returns: u32,
    /// LFs inside quotes.
    pub lines: u32,
    field_start: usize,
    closed_at: usize,
}

impl Row {
    /// A row that begins at `start`.
    pub fn at(start: usize) -> Row {
        Row {
            start,
            fields: 0,
            quote: Quote::Unquoted,
            fault: None,
            escapes: false,
            high: false,
            dropped: false,
            returns: 0,
            lines: 0,
            field_start: 0,
            closed_at: 0,
        }
    }

    /// A quote at `at`.
    #[inline(always)]
    pub fn quote(&mut self, at: usize) {
        match self.quote {
            Quote::Unquoted if at == self.field_start => self.quote = Quote::Quoted,
            Quote::Unquoted => self.blame(Reason::QuoteStray),
            Quote::Quoted => {
                self.quote = Quote::Closed;
                self.closed_at = at;
            }
            Quote::Closed if at == self.closed_at.wrapping_add(1) => {
                self.quote = Quote::Quoted;
                self.escapes = true;
            }
            Quote::Closed => self.blame(Reason::QuoteStray),
        }
    }

    /// The end of a field at `at`, by a comma or by the row's end.
    #[inline(always)]
    pub fn field(&mut self, at: usize, ends: &mut [u32]) {
        if self.quote == Quote::Closed && at != self.closed_at.wrapping_add(1) {
            self.blame(Reason::QuoteStray);
        }
        if let Some(end) = ends.get_mut(self.fields) {
            *end = at as u32;
        }
        self.fields += 1;
        self.field_start = at.wrapping_add(1);
        self.quote = Quote::Unquoted;
    }

    /// The input ends here: a quote that is still open is a fault.
    pub fn finish(&mut self) {
        if self.quote == Quote::Quoted {
            self.blame(Reason::QuoteUnclosed);
        }
    }

    fn blame(&mut self, reason: Reason) {
        self.fault = self.fault.or(Some(reason));
    }
}
