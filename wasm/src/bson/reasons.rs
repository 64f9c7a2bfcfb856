//! Why a document, or the whole input, is not taken.

/// Why one document was rejected; the numbers are the wire form of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Reason {
    /// The document is past `DOCUMENT_BYTES_MAX`.
    DocumentTooLong = 0,
    /// Its line is past `LINE_BYTES_MAX`.
    LineTooLong = 1,
    /// Its levels are past `LEVELS_MAX`.
    TooDeep = 2,
    /// It has lengths, ends or types that are not BSON.
    Corrupt = 3,
    /// It has text or a name that is not UTF-8.
    Utf8Invalid = 4,
    /// `_id` is not the first field, as it is in every document that MongoDB stores.
    IdNotFirst = 5,
    /// Two fields of one object share a name (or, once in 2^64, seem to).
    NameRepeated = 6,
    /// A name begins with `$`: a reference (DBRef), whose form the whole object decides.
    NameReserved = 7,
    /// It has code with scope, a pointer, a regular expression's unknown option, or a decimal of more than 34 digits.
    Unserved = 8,
    /// Its names are past `NAMES_MAX`.
    FieldsTooMany = 9,
}

/// Why the whole input is refused: where the next document begins is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The plan is not empty.
    PlanInvalid,
    /// A document's length is below 5 or past `LENGTH_MAX`.
    LengthInvalid,
    /// The input ends inside a document.
    Truncated,
}

impl Refusal {
    /// The report that the host reads, as JSON. Documents are counted from 1.
    pub fn to_json(self, document: u32) -> Vec<u8> {
        let reason = match self {
            Refusal::PlanInvalid => "plan_invalid",
            Refusal::LengthInvalid => "length_invalid",
            Refusal::Truncated => "truncated",
        };
        format!("{{\"reason\":\"{reason}\",\"document\":{document}}}").into_bytes()
    }
}
