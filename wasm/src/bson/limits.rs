//! The bounds of the BSON transform. Together they bound its memory, whatever the input holds.

/// Longest document in bytes: a longer one is rejected and skipped without being kept. MongoDB's own bound is
/// four times this; what Tombolo writes stays under it, since a body has 1 MiB.
pub const DOCUMENT_BYTES_MAX: usize = 4 << 20;
/// A length past this is no document of MongoDB (16 MiB and its own 16 KiB on top): the input has lost its frame.
pub const LENGTH_MAX: usize = (16 << 20) + (16 << 10);
/// Longest line in bytes. Text that is all control characters grows six times; real documents shrink.
pub const LINE_BYTES_MAX: usize = 12 << 20;
/// Objects and arrays inside one another; MongoDB stores 100 at most.
pub const LEVELS_MAX: usize = 128;
/// Fields of all objects open at once: their names are remembered, eight bytes each.
pub const NAMES_MAX: usize = 1 << 18;
/// Most bytes given in one push: with a document's remainder this is the whole input buffer.
pub const CHUNK_BYTES_MAX: usize = 1 << 20;
/// Output bytes after which a call stops and says `More`: a document that has begun is still written whole.
pub const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// Rejected documents after which a call stops and says `More`.
pub const REJECTED_MAX: usize = 4096;
