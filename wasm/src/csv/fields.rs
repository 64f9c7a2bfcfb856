//! Checks of single fields. Every function says whether the bytes of a field, without quotes, are of a
//! kind; none of them changes a byte.

use super::reasons::Reason;
use crate::scan::{LANE_BYTES, digits};

/// 2⁵³ − 1: the largest integer that a JSON reader with doubles keeps apart from its neighbours.
const INTEGER_MAX: &[u8; 16] = b"9007199254740991";
/// The leading digits of the largest double, and its power of ten. The last digit is not rounded up, so
/// that what passes is finite; what is refused beside it is a sliver below 1.7976931348623159e308.
const NUMBER_MAX: ([u8; 17], i64) = (*b"17976931348623157", 308);
/// Bytes of a number without exponent that cannot reach past [`NUMBER_MAX`].
const NUMBER_BYTES_SAFE: usize = 300;
/// Where counting a power of ten stops: past what the digits of the longest field could make up for.
const POWER_MAX: i64 = 100_000_000;

/// RFC 8259's number grammar, and within a double's range: `source[from..to]`, a lane readable behind it.
#[inline(always)]
pub fn number(source: &[u8], from: usize, to: usize) -> Result<(), Reason> {
    if plain_decimal(source, from, to) { Ok(()) } else { number_slow(&source[from..to]) }
}

/// The common case in one look: up to 16 bytes of `-?digits(.digits)?` without a leading zero.
#[inline(always)]
fn plain_decimal(source: &[u8], from: usize, to: usize) -> bool {
    let (from, len) = if source[from] == b'-' { (from + 1, to - from - 1) } else { (from, to - from) };
    let Some((lane, _)) = source[from..].split_first_chunk::<LANE_BYTES>() else { return false };
    if len > LANE_BYTES {
        return false;
    }
    let digits = u32::from(digits(lane)) & ((1 << len) - 1);
    let whole = digits.trailing_ones() as usize;
    if whole == 0 || (whole > 1 && lane[0] == b'0') {
        return false;
    }
    if whole == len {
        return true;
    }
    let fraction = (digits >> (whole + 1)).trailing_ones() as usize;
    lane[whole] == b'.' && fraction > 0 && whole + 1 + fraction == len
}

fn number_slow(text: &[u8]) -> Result<(), Reason> {
    let rest = strip_whole(text).ok_or(Reason::NumberInvalid)?;
    let rest = match rest.split_first() {
        Some((b'.', fraction)) => strip_digits(fraction).ok_or(Reason::NumberInvalid)?,
        _ => rest,
    };
    let power = match rest.split_first() {
        None => 0,
        Some((b'e' | b'E', [b'-', digits @ ..])) => -power(digits)?,
        Some((b'e' | b'E', [b'+', digits @ ..] | digits)) => power(digits)?,
        Some(_) => return Err(Reason::NumberInvalid),
    };
    let mantissa = &text[..text.len() - rest.len()];
    if (rest.is_empty() && text.len() <= NUMBER_BYTES_SAFE) || is_in_range(mantissa, power) {
        return Ok(());
    }
    Err(Reason::NumberOutOfRange)
}

fn power(digits: &[u8]) -> Result<i64, Reason> {
    if strip_digits(digits) != Some(&[]) {
        return Err(Reason::NumberInvalid);
    }
    Ok(digits.iter().fold(0, |power, digit| (power * 10 + i64::from(digit - b'0')).min(POWER_MAX)))
}

/// Whether `mantissa` × 10^`power` is at most [`NUMBER_MAX`], by its first digit's place and its first digits.
fn is_in_range(mantissa: &[u8], power: i64) -> bool {
    let whole = mantissa.iter().filter(|byte| **byte != b'-').take_while(|byte| **byte != b'.').count();
    let digits = || mantissa.iter().copied().filter(u8::is_ascii_digit);
    let Some(first) = digits().position(|digit| digit != b'0') else { return true };
    let mut leading = [b'0'; 17];
    for (slot, digit) in leading.iter_mut().zip(digits().skip(first)) {
        *slot = digit;
    }
    let (leading_max, place_max) = NUMBER_MAX;
    let place = whole as i64 - 1 - first as i64 + power;
    place < place_max || (place == place_max && leading <= leading_max)
}

/// An integer at most [`INTEGER_MAX`] away from 0 → the bytes of its sign and digits. A fraction of zeros says
/// nothing and is left out; `1e3` is not an integer here.
#[inline(always)]
pub fn integer(text: &[u8]) -> Result<usize, Reason> {
    let rest = strip_whole(text).ok_or(Reason::IntegerInvalid)?;
    if !rest.is_empty() && !is_zero_fraction(rest) {
        return Err(Reason::IntegerInvalid);
    }
    let whole = &text[..text.len() - rest.len()];
    let digits = whole.strip_prefix(b"-").unwrap_or(whole);
    let is_safe = digits.len() < INTEGER_MAX.len() || (digits.len() == INTEGER_MAX.len() && digits <= INTEGER_MAX);
    if is_safe { Ok(whole.len()) } else { Err(Reason::IntegerUnsafe) }
}

/// `.0`, `.00` and so on, as spreadsheets and data frames write whole numbers.
fn is_zero_fraction(text: &[u8]) -> bool {
    matches!(text, [b'.', b'0', zeros @ ..] if zeros.iter().all(|digit| *digit == b'0'))
}

/// The value of a boolean's text.
pub fn boolean(text: &[u8]) -> Result<bool, Reason> {
    match text {
        b"true" | b"TRUE" => Ok(true),
        b"false" | b"FALSE" => Ok(false),
        _ => Err(Reason::BooleanInvalid),
    }
}

/// RFC 3339, section 5.6, with a real day of the month. Capital `T` and `Z` only, and no leap seconds:
/// what JavaScript's `Date` and the schema's check of date-times read too.
pub fn date_time(text: &[u8]) -> Result<(), Reason> {
    if is_date_time(text).is_some() { Ok(()) } else { Err(Reason::DateTimeInvalid) }
}

fn is_date_time(text: &[u8]) -> Option<()> {
    let (stamp, rest) = text.split_first_chunk::<19>()?;
    let [y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1, b'T', h0, h1, b':', mi0, mi1, b':', s0, s1] = *stamp else {
        return None;
    };
    let year = two(y0, y1)? * 100 + two(y2, y3)?;
    let days = days_of(year, two(mo0, mo1)?)?;
    let day = two(d0, d1)?;
    let clock = two(h0, h1)? < 24 && two(mi0, mi1)? < 60 && two(s0, s1)? < 60;
    let zone = match rest.split_first() {
        Some((b'.', fraction)) => strip_digits(fraction)?,
        _ => rest,
    };
    let zoned = match *zone {
        [b'Z'] => true,
        [b'+' | b'-', h0, h1, b':', m0, m1] => two(h0, h1)? < 24 && two(m0, m1)? < 60,
        _ => false,
    };
    (clock && zoned && (1..=days).contains(&day)).then_some(())
}

fn days_of(year: u32, month: u32) -> Option<u32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        1..=12 => Some(31),
        _ => None,
    }
}

fn two(tens: u8, ones: u8) -> Option<u32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

/// What follows `-?(0|[1-9][0-9]*)`.
fn strip_whole(text: &[u8]) -> Option<&[u8]> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    match unsigned {
        [b'0', b'0'..=b'9', ..] => None,
        _ => strip_digits(unsigned),
    }
}

/// What follows one or more digits.
fn strip_digits(text: &[u8]) -> Option<&[u8]> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then(|| &text[count..])
}
