//! An output buffer written 16 bytes at a time: a short copy is one load and one store, where
//! `extend_from_slice` would call `memory.copy`, which costs more than most fields are long.
//!
//! The price: every source has [`LANE_BYTES`] readable bytes behind the text, and room is asked for
//! before it is written. Both are checked as any slice access is.

use crate::scan::{LANE_BYTES, escapes, highs};

/// A growing buffer whose bytes past `len` are scratch.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
    len: usize,
}

impl Writer {
    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What was written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Forgets everything after the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Makes room for `count` more bytes. Growth past `kept` bytes is given back by [`Writer::shrink`].
    pub fn reserve(&mut self, count: usize) {
        let need = self.len + count + LANE_BYTES;
        if self.bytes.len() < need {
            self.bytes.resize(need, 0);
        }
    }

    /// Gives back what one huge row needed, so that the next thousand small ones do not hold it.
    pub fn shrink(&mut self, kept: usize) {
        if self.bytes.len() > kept + LANE_BYTES {
            self.bytes.truncate(kept + LANE_BYTES);
            self.bytes.shrink_to_fit();
        }
    }

    /// Writes one byte.
    #[inline(always)]
    pub fn byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    /// Overwrites a byte that is already there.
    #[inline(always)]
    pub fn patch(&mut self, at: usize, byte: u8) {
        self.bytes[at] = byte;
    }

    /// Writes `source[from..to]` as it is. `source` has [`LANE_BYTES`] more bytes behind `to`.
    #[inline(always)]
    pub fn copy(&mut self, source: &[u8], from: usize, to: usize) {
        let mut done = 0;
        while done < to - from {
            self.lane(source, from + done, done);
            done += LANE_BYTES;
        }
        self.len += to - from;
    }

    /// Writes `source[from..to]` escaped for the inside of a JSON string. With `doubled`, two quotes stand
    /// for one, as they do inside a quoted CSV field.
    pub fn escaped(&mut self, source: &[u8], mut from: usize, to: usize, doubled: bool) {
        while from < to {
            let mask = escapes(self.lane(source, from, 0));
            let clean = (mask.trailing_zeros() as usize).min(LANE_BYTES).min(to - from);
            self.len += clean;
            from += clean;
            if clean == LANE_BYTES || from == to {
                continue;
            }
            self.escape(source[from]);
            from += if doubled && source[from] == b'"' { 2 } else { 1 };
        }
    }

    /// Writes `source[from..to]` escaped as [`Writer::escaped`] does without doubled quotes → whether any byte was
    /// outside ASCII, so that text is looked at once.
    #[inline(always)]
    pub fn string(&mut self, source: &[u8], mut from: usize, to: usize) -> bool {
        let mut is_high = 0;
        while from < to {
            let lane = self.lane(source, from, 0);
            let stop = escapes(lane) | past(to - from);
            let clean = stop.trailing_zeros() as usize;
            is_high |= highs(lane) & !past(to - from);
            self.len += clean;
            from += clean;
            if clean < LANE_BYTES && from < to {
                self.escape(source[from]);
                from += 1;
            }
        }
        is_high != 0
    }

    /// Writes `text`, which has nothing behind it.
    #[inline(always)]
    pub fn text(&mut self, text: &[u8]) {
        self.bytes[self.len..self.len + text.len()].copy_from_slice(text);
        self.len += text.len();
    }

    #[inline(always)]
    fn lane<'a>(&mut self, source: &'a [u8], from: usize, ahead: usize) -> &'a [u8; LANE_BYTES] {
        let (lane, _) = source[from..].split_first_chunk().expect("a lane behind every source");
        let at = self.len + ahead;
        self.bytes[at..at + LANE_BYTES].copy_from_slice(lane);
        lane
    }

    fn escape(&mut self, byte: u8) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x09 => b't',
            0x0a => b'n',
            0x0c => b'f',
            0x0d => b'r',
            _ => b'u',
        };
        self.byte(b'\\');
        self.byte(short);
        if short == b'u' {
            for digit in [b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]] {
                self.byte(digit);
            }
        }
    }
}

/// The bytes of a lane that lie behind the first `len`, where a lane is longer.
#[inline(always)]
fn past(len: usize) -> u16 {
    if len < LANE_BYTES { u16::MAX << len } else { 0 }
}

/// Bytes that one source byte may become: `\u0000` is the longest.
pub const ESCAPED_BYTES_MAX: usize = 6;

/// `text` as a JSON string with its quotes, for what is written once (keys, reports).
pub fn quoted(text: &str) -> Vec<u8> {
    let mut padded = text.as_bytes().to_vec();
    padded.resize(text.len() + LANE_BYTES, 0);
    let mut writer = Writer::default();
    writer.reserve(text.len() * ESCAPED_BYTES_MAX + 2);
    writer.byte(b'"');
    writer.escaped(&padded, 0, text.len(), false);
    writer.byte(b'"');
    writer.as_bytes().to_vec()
}
