//! Why a row, or the whole input, is not taken.

/// Why one row was rejected; the numbers are the wire form of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[expect(missing_docs, reason = "the names are the documentation that the vectors and the host share")]
pub enum Reason {
    RowTooLong = 0,
    Utf8Invalid = 1,
    QuoteStray = 2,
    QuoteUnclosed = 3,
    CarriageReturnLone = 4,
    FieldsMissing = 5,
    FieldsExtra = 6,
    FieldTooLong = 7,
    FieldEmpty = 8,
    NumberInvalid = 9,
    NumberOutOfRange = 10,
    IntegerInvalid = 11,
    IntegerUnsafe = 12,
    BooleanInvalid = 13,
    DateTimeInvalid = 14,
    ByteOrderMark = 15,
}

/// Why the whole input is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The plan's bytes do not say a plan, or it names a source or key twice.
    PlanInvalid,
    /// The input holds no header row.
    HeaderAbsent,
    /// The header row breaks RFC 4180, is not UTF-8, or is past its bounds.
    HeaderInvalid(&'static str),
    /// The header's names do not meet the plan.
    HeaderColumns {
        /// Names in the header, not in the plan.
        unknown: Vec<String>,
        /// Names required by the plan, not in the header.
        missing: Vec<String>,
        /// Names more than once in the header.
        duplicate: Vec<String>,
    },
    /// More lines than a row number can count.
    LinesTooMany,
}

impl Refusal {
    /// The report that the host reads, as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let [mut unknown, mut missing, mut duplicate] = [const { Vec::new() }; 3];
        let (reason, detail) = match self {
            Refusal::PlanInvalid => ("plan_invalid", ""),
            Refusal::HeaderAbsent => ("header_absent", ""),
            Refusal::HeaderInvalid(detail) => ("header_invalid", *detail),
            Refusal::HeaderColumns { unknown: u, missing: m, duplicate: d } => {
                (unknown, missing, duplicate) = (names(u), names(m), names(d));
                ("header_columns", "")
            }
            Refusal::LinesTooMany => ("lines_too_many", ""),
        };
        let head = format!("{{\"reason\":\"{reason}\",\"detail\":\"{detail}\"");
        let lists = [(",\"unknown\":[", unknown), (",\"missing\":[", missing), (",\"duplicate\":[", duplicate)];
        let mut json = head.into_bytes();
        for (name, list) in lists {
            json.extend_from_slice(name.as_bytes());
            json.extend_from_slice(&list);
            json.push(b']');
        }
        json.push(b'}');
        json
    }
}

fn names(names: &[String]) -> Vec<u8> {
    names.iter().map(|name| crate::writer::quoted(name)).collect::<Vec<_>>().join(&b","[..])
}
