//! Meets the header row with the plan: which field of a row feeds which target column.

use super::BYTE_ORDER_MARK;
use super::limits::COLUMNS_MAX;
use super::plan::{Column, Kind, Plan};
use super::reasons::Refusal;
use super::row::Row;
use crate::scan::LANE_BYTES;
use crate::writer::quoted;

/// A target column that the header has.
pub struct Target {
    /// Which field of a row.
    pub field: usize,
    /// Which column of the plan, for reports.
    pub column: u32,
    /// What the field must be.
    pub kind: Kind,
    /// Whether an empty field is a value or a fault instead of being left out.
    pub required: bool,
    /// `,"key":` and, for kinds that are JSON strings, the opening quote; a lane of padding behind.
    pub prefix: Vec<u8>,
    /// Bytes of `prefix` without the padding.
    pub prefix_len: usize,
}

impl Target {
    fn new(field: usize, index: usize, column: &Column) -> Target {
        let mut prefix = [b",", quoted(&column.key).as_slice(), b":"].concat();
        if matches!(column.kind, Kind::String | Kind::DateTime) {
            prefix.push(b'"');
        }
        let prefix_len = prefix.len();
        prefix.resize(prefix_len + LANE_BYTES, 0);
        Target { field, column: index as u32, kind: column.kind, required: column.required, prefix, prefix_len }
    }
}

/// A header that meets its plan.
pub struct Header {
    /// Fields that every row must have.
    pub fields: usize,
    /// What is written, in the order of the plan.
    pub targets: Vec<Target>,
    /// Output bytes that a row costs before its fields' text.
    pub prefix_bytes: usize,
}

impl Header {
    /// Reads the names in `text`, the header row without its line end, and meets them with the plan.
    pub fn meet(plan: &Plan, text: &[u8], row: &Row, ends: &[u32]) -> Result<Header, Refusal> {
        let names = names(text, row, ends)?;
        check(plan, &names)?;
        let targets: Vec<Target> = (plan.columns.iter().enumerate())
            .filter_map(|(index, column)| Some(Target::new(place(&names, &column.source)?, index, column)))
            .collect();
        let prefix_bytes = targets.iter().map(|target| target.prefix_len + 1).sum();
        Ok(Header { fields: names.len(), targets, prefix_bytes })
    }
}

/// Lists are searched, not hashed: both are short, are met once, and are as long as `COLUMNS_MAX` at worst.
fn check(plan: &Plan, names: &[String]) -> Result<(), Refusal> {
    let times = |name: &String, before: usize| names[..before].iter().filter(|other| *other == name).count();
    let is_known = |name: &String| plan.columns.iter().any(|column| column.source == *name);
    let picked = |is: &dyn Fn(usize, &String) -> bool| -> Vec<String> {
        names.iter().enumerate().filter(|(at, name)| is(*at, name)).map(|(_, name)| name.clone()).collect()
    };
    let unknown = picked(&|at, name| plan.refuse_unknown && times(name, at) == 0 && !is_known(name));
    let duplicate = picked(&|at, name| times(name, at) == 1);
    let missing: Vec<String> = (plan.columns.iter())
        .filter(|column| column.required && place(names, &column.source).is_none())
        .map(|column| column.source.clone())
        .collect();
    if unknown.is_empty() && missing.is_empty() && duplicate.is_empty() {
        return Ok(());
    }
    Err(Refusal::HeaderColumns { unknown, missing, duplicate })
}

fn place(names: &[String], source: &str) -> Option<usize> {
    names.iter().position(|name| name == source)
}

fn names(text: &[u8], row: &Row, ends: &[u32]) -> Result<Vec<String>, Refusal> {
    let broken = [
        (row.fault.is_some(), "a quote out of place"),
        (row.returns > 0, "a carriage return without a line feed"),
        (row.fields > COLUMNS_MAX, "too many columns"),
        (text.starts_with(BYTE_ORDER_MARK), "a byte order mark inside"),
    ];
    if let Some((_, detail)) = broken.iter().find(|(is, _)| *is) {
        return Err(Refusal::HeaderInvalid(detail));
    }
    let text = str::from_utf8(text).map_err(|_| Refusal::HeaderInvalid("not UTF-8"))?;
    let mut start = 0;
    let fields = ends.iter().take(row.fields).map(|end| {
        let field = &text[start..*end as usize];
        start = *end as usize + 1;
        match field.strip_prefix('"').and_then(|field| field.strip_suffix('"')) {
            Some(inside) => inside.replace("\"\"", "\""),
            None => field.to_owned(),
        }
    });
    Ok(fields.collect())
}
