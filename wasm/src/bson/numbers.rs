//! Numbers and instants as JavaScript writes them.

use crate::scan::LANE_BYTES;
use crate::writer::Writer;

/// Room that the longest number or instant needs.
pub const NUMBER_BYTES_MAX: usize = 32;
/// Whole numbers up to this are exact in a double.
pub const EXACT_MAX: i64 = 1 << 53;
/// JavaScript's days end here, both ways.
const INSTANT_MS_MAX: i64 = 8_640_000_000_000_000;
const DAY_MS: i64 = 86_400_000;

/// Digits from the back, with a lane behind them.
struct Digits {
    bytes: [u8; NUMBER_BYTES_MAX + LANE_BYTES],
    from: usize,
}

impl Digits {
    #[inline(always)]
    fn new() -> Digits {
        Digits { bytes: [0; NUMBER_BYTES_MAX + LANE_BYTES], from: NUMBER_BYTES_MAX }
    }

    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        self.from -= 1;
        self.bytes[self.from] = byte;
    }

    /// All digits of `number`, and as many zeros before them as make `places`.
    #[inline(always)]
    fn number(&mut self, mut number: u64, places: usize) {
        let until = self.from - places;
        while number > 0 || self.from > until {
            self.byte(b'0' + (number % 10) as u8);
            number /= 10;
        }
    }

    #[inline(always)]
    fn write(&self, out: &mut Writer) {
        out.copy(&self.bytes, self.from, NUMBER_BYTES_MAX);
    }
}

/// Writes a whole number.
#[inline(always)]
pub fn integer(out: &mut Writer, number: i64) {
    let mut digits = Digits::new();
    digits.number(number.unsigned_abs(), 1);
    if number < 0 {
        digits.byte(b'-');
    }
    digits.write(out);
}

/// Writes a whole number without sign.
pub fn unsigned(out: &mut Writer, number: u64) {
    let mut digits = Digits::new();
    digits.number(number, 1);
    digits.write(out);
}

/// Writes the shortest text that gives `number` again, in the form that ECMA-262 (Number::toString) has for it;
/// `null` for what JSON has no number for.
pub fn double(out: &mut Writer, number: f64) {
    if !number.is_finite() {
        out.text(b"null");
    } else if number.trunc() == number && number.abs() < EXACT_MAX as f64 {
        integer(out, number as i64);
    } else if !short(out, number) {
        out.text(ryu_js::Buffer::new().format_finite(number).as_bytes());
    }
}

/// Numbers of a few decimal places, as most are. Up to 15 digits the whole number of units is the only one that
/// gives `number` again, and the first count of places that has one is the least. Five times as fast as the other way.
fn short(out: &mut Writer, number: f64) -> bool {
    const UNITS: [f64; 6] = [1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
    const EXACT_DIGITS_MAX: f64 = 1e15;
    for (places, unit) in (1..).zip(UNITS) {
        let scaled = (number.abs() * unit).round_ties_even();
        if scaled < EXACT_DIGITS_MAX && scaled / unit == number.abs() {
            let (units, unit) = (scaled as u64, unit as u64);
            let mut digits = Digits::new();
            digits.number(units % unit, places);
            digits.byte(b'.');
            digits.number(units / unit, 1);
            if number < 0.0 {
                digits.byte(b'-');
            }
            digits.write(out);
            return true;
        }
    }
    false
}

/// Writes `"2024-02-29T12:00:00.000Z"`, or `null` where JavaScript has no date.
pub fn instant(out: &mut Writer, ms: i64) {
    if !(-INSTANT_MS_MAX..=INSTANT_MS_MAX).contains(&ms) {
        return out.text(b"null");
    }
    let (year, month, day) = date(ms.div_euclid(DAY_MS));
    let rest = ms.rem_euclid(DAY_MS) as u64;
    let mut digits = Digits::new();
    digits.byte(b'"');
    digits.byte(b'Z');
    digits.number(rest % 1000, 3);
    for (mark, number) in
        [(b'.', rest / 1000 % 60), (b':', rest / 60_000 % 60), (b':', rest / 3_600_000), (b'T', day), (b'-', month)]
    {
        digits.byte(mark);
        digits.number(number, 2);
    }
    digits.byte(b'-');
    match year {
        0..=9999 => digits.number(year.unsigned_abs(), 4),
        _ => {
            digits.number(year.unsigned_abs(), 6);
            digits.byte(if year < 0 { b'-' } else { b'+' });
        }
    }
    digits.byte(b'"');
    digits.write(out);
}

/// The proleptic Gregorian date of a day counted from 1970-01-01. Years begin in March here, so that the leap day
/// is their last; 400 of them are 146 097 days.
fn date(day: i64) -> (i64, u64, u64) {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month as u64, of_month as u64)
}
