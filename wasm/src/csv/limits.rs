//! The bounds of the CSV transform. Together they bound its memory, whatever the input holds.

/// Longest row in bytes, without its line end, with its quotes: a longer one is rejected and skipped
/// without being kept. Above any document worth importing from a table.
pub const ROW_BYTES_MAX: usize = 1 << 20;
/// Longest field in bytes, with its quotes: a quarter of a row, so that the reason names the column.
pub const FIELD_BYTES_MAX: usize = 1 << 18;
/// Longest header row in bytes: it is kept and quoted in reports.
pub const HEADER_BYTES_MAX: usize = 1 << 16;
/// Most columns in a header: sheets end at 16 384, tables that a resource describes far earlier.
pub const COLUMNS_MAX: usize = 1024;
/// Longest plan in bytes.
pub const PLAN_BYTES_MAX: usize = 1 << 16;
/// Most bytes given in one push: with a row's remainder this is the whole input buffer.
pub const CHUNK_BYTES_MAX: usize = 1 << 20;
/// Output bytes after which a call stops and says `More`: a row that has begun is still written whole.
pub const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// Rejected rows after which a call stops and says `More`.
pub const REJECTED_MAX: usize = 4096;
