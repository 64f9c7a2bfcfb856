//! Finds the bytes that matter, a block at a time: which bytes of a block are structure, which must be
//! escaped in JSON, which are not ASCII, which are digits. One bit a byte, the lowest bit first.
//!
//! On wasm32 the comparisons are simd128; elsewhere (`cargo test`) the same masks come from a loop that
//! says what they mean. The vectors run on both.

/// Bytes looked at in one step of the row scanner: one bit each in a `u64`.
pub const BLOCK_BYTES: usize = 64;
/// Bytes copied or classified in one step inside a field: one vector register.
pub const LANE_BYTES: usize = 16;

/// What a block of [`BLOCK_BYTES`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Masks {
    /// Comma, quote, CR, LF.
    pub structure: u64,
    /// Backslash and the control characters other than CR and LF.
    pub escape: u64,
    /// Bytes outside ASCII.
    pub high: u64,
}

/// The masks of one block.
#[inline(always)]
pub fn masks(block: &[u8; BLOCK_BYTES]) -> Masks {
    let (lanes, _) = block.as_chunks::<LANE_BYTES>();
    let mut masks = Masks { structure: 0, escape: 0, high: 0 };
    for (index, lane) in lanes.iter().enumerate() {
        let shift = index * LANE_BYTES;
        let [structure, escape, high] = lane::masks(lane);
        masks.structure |= u64::from(structure) << shift;
        masks.escape |= u64::from(escape) << shift;
        masks.high |= u64::from(high) << shift;
    }
    masks.escape &= !masks.structure;
    masks
}

pub use lane::{digits, escapes, highs};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod lane {
    use super::LANE_BYTES;
    use core::arch::wasm32::*;

    #[inline(always)]
    fn load(lane: &[u8; LANE_BYTES]) -> v128 {
        // SAFETY: the reference proves 16 readable, initialised bytes, and `v128_load` asks for no alignment.
        unsafe { v128_load(lane.as_ptr().cast()) }
    }

    #[inline(always)]
    pub fn masks(lane: &[u8; LANE_BYTES]) -> [u16; 3] {
        let bytes = load(lane);
        let is = |byte: u8| u8x16_eq(bytes, u8x16_splat(byte));
        let structure = v128_or(v128_or(is(b','), is(b'"')), v128_or(is(b'\n'), is(b'\r')));
        let escape = v128_or(u8x16_lt(bytes, u8x16_splat(0x20)), is(b'\\'));
        [u8x16_bitmask(structure), u8x16_bitmask(escape), u8x16_bitmask(bytes)]
    }

    /// Which bytes may not stand as they are inside a JSON string: quote, backslash, control characters.
    #[inline(always)]
    pub fn escapes(lane: &[u8; LANE_BYTES]) -> u16 {
        let bytes = load(lane);
        let is = |byte: u8| u8x16_eq(bytes, u8x16_splat(byte));
        u8x16_bitmask(v128_or(u8x16_lt(bytes, u8x16_splat(0x20)), v128_or(is(b'\\'), is(b'"'))))
    }

    /// Which bytes are outside ASCII.
    #[inline(always)]
    pub fn highs(lane: &[u8; LANE_BYTES]) -> u16 {
        u8x16_bitmask(load(lane))
    }

    /// Which bytes are the digits 0 to 9.
    #[inline(always)]
    pub fn digits(lane: &[u8; LANE_BYTES]) -> u16 {
        u8x16_bitmask(u8x16_lt(u8x16_sub(load(lane), u8x16_splat(b'0')), u8x16_splat(10)))
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod lane {
    use super::LANE_BYTES;

    fn mask(lane: &[u8; LANE_BYTES], is: impl Fn(u8) -> bool) -> u16 {
        lane.iter().enumerate().fold(0, |mask, (bit, &byte)| mask | u16::from(is(byte)) << bit)
    }

    pub fn masks(lane: &[u8; LANE_BYTES]) -> [u16; 3] {
        [
            mask(lane, |byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')),
            mask(lane, |byte| byte < 0x20 || byte == b'\\'),
            mask(lane, |byte| !byte.is_ascii()),
        ]
    }

    /// Which bytes may not stand as they are inside a JSON string: quote, backslash, control characters.
    pub fn escapes(lane: &[u8; LANE_BYTES]) -> u16 {
        mask(lane, |byte| byte < 0x20 || matches!(byte, b'\\' | b'"'))
    }

    /// Which bytes are outside ASCII.
    pub fn highs(lane: &[u8; LANE_BYTES]) -> u16 {
        mask(lane, |byte| !byte.is_ascii())
    }

    /// Which bytes are the digits 0 to 9.
    pub fn digits(lane: &[u8; LANE_BYTES]) -> u16 {
        mask(lane, |byte| byte.is_ascii_digit())
    }
}
