//! The shared vectors of the CSV transform, each in every way that its input can be cut.

mod json;

use json::Json;
use tombolo::csv::Csv;
use tombolo::csv::limits::CHUNK_BYTES_MAX;
use tombolo::csv::reasons::Reason;
use tombolo::transform::{Status, Transform};

/// Inputs up to this are cut at every position, and at every pair of positions.
const PAIRS_BYTES_MAX: usize = 48;
/// Inputs up to this are cut at every position, and into single bytes.
const CUTS_BYTES_MAX: usize = 1500;
/// Ways in which a longer input is cut.
const RANDOM_CUTS: usize = 8;

const REASONS: [Reason; 16] = [
    Reason::RowTooLong,
    Reason::Utf8Invalid,
    Reason::QuoteStray,
    Reason::QuoteUnclosed,
    Reason::CarriageReturnLone,
    Reason::FieldsMissing,
    Reason::FieldsExtra,
    Reason::FieldTooLong,
    Reason::FieldEmpty,
    Reason::NumberInvalid,
    Reason::NumberOutOfRange,
    Reason::IntegerInvalid,
    Reason::IntegerUnsafe,
    Reason::BooleanInvalid,
    Reason::DateTimeInvalid,
    Reason::ByteOrderMark,
];

#[derive(Default, PartialEq)]
struct Result {
    ndjson: Vec<u8>,
    rows: Vec<u32>,
    rejected: Vec<[u32; 4]>,
    refused: Option<String>,
}

#[test]
fn every_vector_gives_the_same_however_its_input_is_cut() {
    let file = Json::parse(include_str!("../vectors/csv.json"));
    for vector in file.at("vectors").items() {
        let plan = plan_bytes(file.at("plans").at(vector.at("plan").text()));
        let input = bytes(vector.at("input"));
        let expected = expected(vector, file.at("plans").at(vector.at("plan").text()));
        for cuts in ways(input.len()) {
            let result = run(&plan, &input, &cuts);
            assert!(result == expected, "{} cut at {cuts:?}: {}", vector.at("name").text(), show(&result));
        }
    }
}

#[test]
fn one_call_stays_near_its_output_bounds() {
    let file = Json::parse(include_str!("../vectors/csv.json"));
    let plan = plan_bytes(file.at("plans").at("text"));
    let input = [b"a,b\n".as_slice(), &b"\x01\x01\x01\x01,x\n".repeat(100_000), &b"x\n".repeat(100_000)].concat();
    let result = run(&plan, &input, &[]);
    assert_eq!(result.rows.len(), 100_000);
    assert_eq!(result.rejected.len(), 100_000);
    assert!(result.rows.iter().zip(1..).all(|(row, count)| *row == count));
}

#[test]
fn finish_may_come_while_output_waits() {
    let file = Json::parse(include_str!("../vectors/csv.json"));
    let mut csv = Csv::new();
    give(&mut csv, &plan_bytes(file.at("plans").at("text")), Csv::configure);
    let mut status = give(&mut csv, &[b"a,b\n".as_slice(), &b"x\n".repeat(10_000)].concat(), Csv::push);
    assert_eq!(status, Status::More);
    assert!(csv.room(1).is_none());
    let mut result = Result::default();
    drain(&mut csv, &mut status, &mut result, Csv::finish);
    assert_eq!(status, Status::Done);
    assert_eq!(result.rejected.len(), 10_000);
}

#[test]
fn calls_out_of_order_are_misuse() {
    let mut csv = Csv::new();
    assert_eq!(csv.push(0), Status::Misuse);
    assert_eq!(csv.finish(), Status::Misuse);
    let plan = plan_bytes(&Json::parse(
        r#"{"unknown":"refuse","columns":[{"source":"a","key":"a","kind":"string","required":true}]}"#,
    ));
    assert_eq!(give(&mut csv, &plan, Csv::configure), Status::Ready);
    assert_eq!(csv.configure(0), Status::Misuse);
    assert!(csv.room(CHUNK_BYTES_MAX + 1).is_none());
    assert_eq!(give(&mut csv, b"a\n1\n", Csv::push), Status::Ready);
    assert_eq!(csv.finish(), Status::Done);
    assert_eq!(csv.push(0), Status::Misuse);
    assert_eq!(csv.finish(), Status::Misuse);
    assert!(csv.room(1).is_none());
}

fn run(plan: &[u8], input: &[u8], cuts: &[usize]) -> Result {
    let mut csv = Csv::new();
    let mut result = Result::default();
    let mut status = give(&mut csv, plan, Csv::configure);
    let mut from = 0;
    for to in cuts.iter().copied().chain([input.len()]) {
        for piece in input[from..to].chunks(CHUNK_BYTES_MAX) {
            if status == Status::Ready {
                status = give(&mut csv, piece, Csv::push);
                drain(&mut csv, &mut status, &mut result, |csv| csv.push(0));
            }
        }
        from = to;
    }
    if status == Status::Ready {
        status = csv.finish();
        drain(&mut csv, &mut status, &mut result, Csv::finish);
    }
    if status == Status::Refused {
        result.refused = Some(String::from_utf8(csv.output().report.to_vec()).expect("UTF-8"));
    }
    result
}

fn drain(csv: &mut Csv, status: &mut Status, result: &mut Result, again: impl Fn(&mut Csv) -> Status) {
    loop {
        let output = csv.output();
        assert!(output.bytes.len() < 9 << 20 && output.rejected.len() <= 4096 * 16, "an output past its bounds");
        result.ndjson.extend_from_slice(output.bytes);
        result.rows.extend(output.origins.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)));
        let words: Vec<u32> = output.rejected.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        result.rejected.extend_from_slice(words.as_chunks().0);
        if *status != Status::More {
            return;
        }
        *status = again(csv);
    }
}

fn give(csv: &mut Csv, bytes: &[u8], call: impl Fn(&mut Csv, usize) -> Status) -> Status {
    csv.room(bytes.len()).expect("room").copy_from_slice(bytes);
    call(csv, bytes.len())
}

fn ways(len: usize) -> Vec<Vec<usize>> {
    let mut ways = vec![vec![]];
    if len <= CUTS_BYTES_MAX {
        ways.extend((0..=len).map(|cut| vec![cut]));
        ways.push((0..len).collect());
    } else {
        ways.extend((1..=RANDOM_CUTS).map(|seed| random_cuts(seed as u64, len)));
    }
    if len <= PAIRS_BYTES_MAX {
        ways.extend((0..=len).flat_map(|first| (first..=len).map(move |second| vec![first, second])));
    }
    ways
}

fn random_cuts(seed: u64, len: usize) -> Vec<usize> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut cuts: Vec<usize> = (0..20)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % (len as u64 + 1)) as usize
        })
        .collect();
    cuts.sort_unstable();
    cuts
}

fn expected(vector: &Json, plan: &Json) -> Result {
    if let Some(refused) = vector.get("refused") {
        return Result { refused: Some(show_json(refused)), ..Result::default() };
    }
    let sources: Vec<&str> = plan.at("columns").items().iter().map(|column| column.at("source").text()).collect();
    let rejected = vector.at("rejected").items().iter().map(|rejected| {
        let column = rejected.get("column").map(|name| sources.iter().position(|source| *source == name.text()));
        let column = column.map_or(u32::MAX, |index| index.expect("a column of the plan") as u32);
        [rejected.at("row").number(), rejected.at("line").number(), column, code(rejected.at("reason").text())]
    });
    Result {
        ndjson: vector.at("lines").items().iter().flat_map(|line| [bytes(line), vec![b'\n']].concat()).collect(),
        rows: vector.at("rows").items().iter().map(Json::number).collect(),
        rejected: rejected.collect(),
        refused: None,
    }
}

fn code(name: &str) -> u32 {
    let plain = name.replace('_', "");
    let reason = REASONS.iter().find(|reason| format!("{reason:?}").to_lowercase() == plain);
    *reason.unwrap_or_else(|| panic!("no reason {name}")) as u32
}

fn bytes(parts: &Json) -> Vec<u8> {
    let part = |part: &Json| match part {
        Json::String(text) => text.clone().into_bytes(),
        part => match part.get("hex") {
            Some(hex) => (0..hex.text().len() / 2)
                .map(|at| u8::from_str_radix(&hex.text()[2 * at..2 * at + 2], 16).expect("hex"))
                .collect(),
            None => part.at("repeat").text().repeat(part.at("times").number() as usize).into_bytes(),
        },
    };
    parts.items().iter().flat_map(part).collect()
}

fn plan_bytes(plan: &Json) -> Vec<u8> {
    const KINDS: [&str; 5] = ["string", "number", "integer", "boolean", "date-time"];
    let columns = plan.at("columns").items();
    let mut bytes = vec![u8::from(plan.at("unknown").text() == "refuse")];
    bytes.extend_from_slice(&(columns.len() as u16).to_le_bytes());
    for column in columns {
        let kind = KINDS.iter().position(|kind| *kind == column.at("kind").text()).expect("a kind");
        bytes.push(kind as u8);
        bytes.push(u8::from(*column.at("required") == Json::Bool(true)));
        for text in [column.at("source").text(), column.at("key").text()] {
            bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes
}

/// A refusal as the module writes it.
fn show_json(json: &Json) -> String {
    match json {
        Json::String(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        Json::Array(items) => format!("[{}]", items.iter().map(show_json).collect::<Vec<_>>().join(",")),
        json => {
            let field = |(key, value): &(String, Json)| format!("\"{key}\":{}", show_json(value));
            format!("{{{}}}", json.fields().iter().map(field).collect::<Vec<_>>().join(","))
        }
    }
}

fn show(result: &Result) -> String {
    let text = String::from_utf8_lossy(&result.ndjson);
    let head: String = text.chars().take(400).collect();
    format!("{head} rows {:?} rejected {:?} refused {:?}", result.rows, result.rejected, result.refused)
}
