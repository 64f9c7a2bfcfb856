//! The table of types: what each value of BSON is in JSON. Objects and arrays are the walker's.
//!
//! | BSON | JSON |
//! |---|---|
//! | double, int32 | number; NaN and the infinities null |
//! | int64 | number, past 2^53 its digits as a string |
//! | string, symbol | string |
//! | ObjectId | string of 24 hex digits |
//! | date | string, RFC 3339 in UTC with milliseconds; null where JavaScript has no date |
//! | Decimal128 | string; NaN and the infinities null |
//! | binary | string, base64url without padding |
//! | timestamp | string, its 64 bits as a number |
//! | boolean, null, undefined | boolean, null, null |
//! | regular expression, code, min key, max key | as in MongoDB's extended JSON |

use super::decimal::decimal;
use super::numbers::{EXACT_MAX, double, instant, integer, unsigned};
use super::reasons::Reason;
use super::text::Line;

/// Room that is there before a value is written; what may need more asks for it.
pub const VALUE_BYTES_MAX: usize = 128;

impl Line<'_> {
    /// Writes the value of type `kind` at `at`, none of whose bytes lie at or behind `end` → what comes behind it.
    #[inline(always)]
    pub fn value(&mut self, kind: u8, at: usize, end: usize) -> Result<usize, Reason> {
        match kind {
            0x01 => double(self.out, f64::from_le_bytes(self.take(at, end)?)),
            0x02 | 0x0E => return self.measured(at, end),
            0x05 => return self.binary(at, end),
            0x06 | 0x0A => {
                self.out.text(b"null");
                return Ok(at);
            }
            0x07 => self.object_id(self.take(at, end)?),
            0x08 => {
                self.boolean(self.take(at, end)?)?;
                return Ok(at + 1);
            }
            0x09 => instant(self.out, i64::from_le_bytes(self.take(at, end)?)),
            0x10 => integer(self.out, i32::from_le_bytes(self.take(at, end)?).into()),
            0x12 => self.long(i64::from_le_bytes(self.take(at, end)?)),
            kind => return self.rare(kind, at, end),
        }
        Ok(at
            + match kind {
                0x07 => 12,
                0x10 => 4,
                _ => 8,
            })
    }

    fn rare(&mut self, kind: u8, at: usize, end: usize) -> Result<usize, Reason> {
        match kind {
            0x0B => return self.regular_expression(at, end),
            0x0D => {
                self.out.text(b"{\"$code\":");
                let behind = self.measured(at, end)?;
                self.out.byte(b'}');
                return Ok(behind);
            }
            0x0C | 0x0F => return Err(Reason::Unserved),
            0x11 => {
                let number = u64::from_le_bytes(self.take(at, end)?);
                self.quoted(|line| unsigned(line.out, number));
                return Ok(at + 8);
            }
            0x13 => {
                decimal(self.out, u128::from_le_bytes(self.take(at, end)?))?;
                return Ok(at + 16);
            }
            0x7F => self.out.text(b"{\"$maxKey\":1}"),
            0xFF => self.out.text(b"{\"$minKey\":1}"),
            _ => return Err(Reason::Corrupt),
        }
        Ok(at)
    }

    /// The bytes at `at`, before `end`.
    #[inline(always)]
    pub fn take<const N: usize>(&self, at: usize, end: usize) -> Result<[u8; N], Reason> {
        self.input[at..end].first_chunk().copied().ok_or(Reason::Corrupt)
    }

    /// The length at `at` of what begins `ahead` bytes behind it.
    fn length(&self, at: usize, end: usize, ahead: usize) -> Result<usize, Reason> {
        let length = u32::from_le_bytes(self.take(at, end)?) as usize;
        let room = (end - at).checked_sub(ahead).ok_or(Reason::Corrupt)?;
        if length <= room { Ok(length) } else { Err(Reason::Corrupt) }
    }

    /// A string with its length, which counts the NUL behind it.
    #[inline(always)]
    fn measured(&mut self, at: usize, end: usize) -> Result<usize, Reason> {
        let from = at + 4;
        let behind = from + self.length(at, end, 4)?;
        if behind == from || self.input[behind - 1] != 0 {
            return Err(Reason::Corrupt);
        }
        self.string(from, behind - 1)?;
        Ok(behind)
    }

    fn quoted(&mut self, write: impl FnOnce(&mut Self)) {
        self.out.byte(b'"');
        write(self);
        self.out.byte(b'"');
    }

    fn object_id(&mut self, id: [u8; 12]) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        self.quoted(|line| {
            for byte in id {
                line.out.byte(HEX[usize::from(byte >> 4)]);
                line.out.byte(HEX[usize::from(byte & 15)]);
            }
        });
    }

    fn boolean(&mut self, [byte]: [u8; 1]) -> Result<(), Reason> {
        match byte {
            0 => self.out.text(b"false"),
            1 => self.out.text(b"true"),
            _ => return Err(Reason::Corrupt),
        }
        Ok(())
    }

    fn long(&mut self, number: i64) {
        if number.unsigned_abs() <= EXACT_MAX.unsigned_abs() {
            integer(self.out, number);
        } else {
            self.quoted(|line| integer(line.out, number));
        }
    }

    /// Length, subtype, bytes; subtype 2 has the length once more, before the bytes.
    fn binary(&mut self, at: usize, end: usize) -> Result<usize, Reason> {
        const OLD: u8 = 2;
        let length = self.length(at, end, 5)?;
        let (mut from, behind) = (at + 5, at + 5 + length);
        if self.input[at + 4] == OLD {
            if self.length(from, behind, 4)? != length - 4 {
                return Err(Reason::Corrupt);
            }
            from += 4;
        }
        self.out.reserve((behind - from).div_ceil(3) * 4 + 2);
        self.base64url(from, behind);
        self.check()?;
        Ok(behind)
    }

    fn base64url(&mut self, from: usize, to: usize) {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let input = self.input;
        self.quoted(|line| {
            for group in input[from..to].chunks(3) {
                let word = group.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
                for digit in 0..=group.len() {
                    line.out.byte(DIGITS[(word >> (18 - 6 * digit) & 63) as usize]);
                }
            }
        });
    }

    /// Pattern and options, which stand in order of the alphabet.
    fn regular_expression(&mut self, at: usize, end: usize) -> Result<usize, Reason> {
        let pattern = self.name(at, end)?;
        let options = self.name(at + pattern.len + 1, end)?;
        let letters = &self.input[options.at..options.at + options.len];
        if !letters.is_sorted() || !letters.iter().all(|letter| b"ilmsux".contains(letter)) {
            return Err(Reason::Unserved);
        }
        self.out.text(b"{\"$regularExpression\":{\"pattern\":");
        self.string(pattern.at, pattern.at + pattern.len)?;
        self.out.reserve(VALUE_BYTES_MAX + options.len);
        self.out.text(b",\"options\":");
        self.string(options.at, options.at + options.len)?;
        self.out.text(b"}}");
        Ok(options.at + options.len + 1)
    }
}
