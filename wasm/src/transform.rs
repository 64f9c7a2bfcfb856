//! What every transform is to the border: bytes in by chunks, a bounded output to be taken after each call.
//!
//! ```text
//!            configure          push* ──► Ready (give the next chunk)
//!   opened ────────────► ready ───────┬─► More  (take the output, push 0 bytes)
//!      │                   │          └─► Refused
//!      └─► Refused         └─ finish* ──► More (take the output, finish again) | Done | Refused
//! ```
//!
//! `Refused` and `Done` are final. The output of a call stands until the next call.

/// What a call came to; the numbers are the wire form of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// All input was read; the next chunk is welcome.
    Ready = 0,
    /// The output is full: take it, then call again without new input.
    More = 1,
    /// Everything was written.
    Done = 2,
    /// The input cannot be transformed; the report says why.
    Refused = 3,
    /// The caller broke the protocol: no such handle, more bytes than were asked for, a call after the end.
    Misuse = 4,
}

/// Parts of an output, in the order of the ABI's frame.
pub struct Output<'a> {
    /// The result itself.
    pub bytes: &'a [u8],
    /// One little-endian `u32` for each result line: where it came from.
    pub origins: &'a [u8],
    /// Records of what was left out.
    pub rejected: &'a [u8],
    /// JSON: why the whole input is refused. Empty otherwise.
    pub report: &'a [u8],
}

/// One streaming transform. It owns its input buffer, so that bytes are copied in once and rows that lie
/// across two chunks are still one slice.
pub trait Transform {
    /// Takes the plan from the first `len` bytes of the room given last.
    fn configure(&mut self, len: usize) -> Status;
    /// Room for `len` bytes of input, or none when that is more than the transform's bound, or when
    /// output waits to be taken.
    fn room(&mut self, len: usize) -> Option<&mut [u8]>;
    /// Reads the first `len` bytes of the room given last.
    fn push(&mut self, len: usize) -> Status;
    /// Says that no more input comes.
    fn finish(&mut self) -> Status;
    /// What the last call produced.
    fn output(&self) -> Output<'_>;
}
