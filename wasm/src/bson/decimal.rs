//! Decimal128 (IEEE 754-2008, binary significand) in the string form of its specification.

use super::reasons::Reason;
use crate::writer::Writer;

const BIAS: i32 = 6176;
const DIGITS_MAX: usize = 34;
const SIGNIFICAND_MAX: u128 = 10_u128.pow(DIGITS_MAX as u32) - 1;
const SIGNIFICAND_BITS: u32 = 113;

/// Writes the decimal as a JSON string; NaN and the infinities as `null`. The room is there.
pub fn decimal(out: &mut Writer, bits: u128) -> Result<(), Reason> {
    let is_negative = bits >> 127 == 1;
    match bits >> 122 & 0b11111 {
        0b11110 | 0b11111 => {
            out.text(b"null");
            return Ok(());
        }
        // The form for larger significands: none of them has 34 digits or fewer.
        0b11000.. => return Err(Reason::Unserved),
        _ => {}
    }
    let significand = bits & ((1 << SIGNIFICAND_BITS) - 1);
    if significand > SIGNIFICAND_MAX {
        return Err(Reason::Unserved);
    }
    let exponent = (bits >> SIGNIFICAND_BITS & 0x3fff) as i32 - BIAS;
    out.text(if is_negative { b"\"-" } else { b"\"" });
    let mut bytes = [0; DIGITS_MAX];
    digits(out, to_digits(significand, &mut bytes), exponent);
    out.byte(b'"');
    Ok(())
}

fn to_digits(mut number: u128, bytes: &mut [u8; DIGITS_MAX]) -> &[u8] {
    let mut from = DIGITS_MAX;
    while number > 0 || from == DIGITS_MAX {
        from -= 1;
        bytes[from] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    &bytes[from..]
}

/// Writes `digits` × 10^`exponent`: with an exponent where it is positive, or the first digit stands far behind the point.
fn digits(out: &mut Writer, digits: &[u8], exponent: i32) {
    let scientific = digits.len() as i32 - 1 + exponent;
    let (first, rest) = digits.split_at(1);
    if scientific <= -7 || exponent > 0 {
        out.text(first);
        if !rest.is_empty() {
            out.byte(b'.');
            out.text(rest);
        }
        out.text(if scientific < 0 { b"E-" } else { b"E+" });
        return super::numbers::unsigned(out, u64::from(scientific.unsigned_abs()));
    }
    let places = exponent.unsigned_abs() as usize;
    let whole = digits.len().saturating_sub(places);
    if whole == 0 {
        out.byte(b'0');
    }
    out.text(&digits[..whole]);
    if places > 0 {
        out.byte(b'.');
        (digits.len()..places).for_each(|_| out.byte(b'0'));
        out.text(&digits[whole..]);
    }
}
