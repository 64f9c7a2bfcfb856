//! The shared vectors of the BSON transform, each in every way that its input can be cut, and their bytes broken
//! at random: whatever comes in, the outcome is lines and reasons, never a panic.

mod json;

use json::Json;
use tombolo::bson::Bson;
use tombolo::bson::limits::*;
use tombolo::bson::reasons::Reason;
use tombolo::transform::{Status, Transform};

/// In the order of their numbers, with their names in vectors and in TypeScript.
const REASONS: [(Reason, &str); 10] = [
    (Reason::DocumentTooLong, "document_too_long"),
    (Reason::LineTooLong, "line_too_long"),
    (Reason::TooDeep, "too_deep"),
    (Reason::Corrupt, "corrupt"),
    (Reason::Utf8Invalid, "utf8_invalid"),
    (Reason::IdNotFirst, "id_not_first"),
    (Reason::NameRepeated, "name_repeated"),
    (Reason::NameReserved, "name_reserved"),
    (Reason::Unserved, "unserved"),
    (Reason::FieldsTooMany, "fields_too_many"),
];
/// Broken inputs made of each vector.
const BROKEN: u64 = 300;

#[derive(Default, PartialEq, Debug)]
struct Result {
    ndjson: String,
    rejected: Vec<(u32, &'static str)>,
    refused: Option<String>,
}

#[test]
fn every_vector_gives_the_same_however_its_input_is_cut() {
    for vector in vectors().at("vectors").items() {
        let input = bytes(vector);
        for cuts in ways(input.len()) {
            let result = run(&input, &cuts);
            let name = vector.at("name").text();
            match vector.get("refused") {
                Some(refused) => assert_eq!(result.refused.as_deref(), Some(show(refused).as_str()), "{name}"),
                None => assert_eq!(result, expected(vector, 1), "{name} cut at {cuts:?}"),
            }
        }
    }
}

#[test]
fn documents_behind_one_another_are_told_apart() {
    let file = vectors();
    let vectors: Vec<&Json> = file.at("vectors").items().iter().filter(|each| each.get("refused").is_none()).collect();
    let input: Vec<u8> = vectors.iter().flat_map(|vector| bytes(vector)).collect();
    let mut all = Result::default();
    for (vector, number) in vectors.iter().zip(1..) {
        let one = expected(vector, number);
        all.ndjson.push_str(&one.ndjson);
        all.rejected.extend(one.rejected);
    }
    for seed in 1..40 {
        assert_eq!(run(&input, &random_cuts(seed, input.len())), all);
    }
}

#[test]
fn broken_bytes_give_lines_or_reasons() {
    let mut lines = 0;
    for (vector, seed) in vectors().at("vectors").items().iter().zip(1..) {
        let input = bytes(vector);
        for round in 0..BROKEN {
            let mut random = Random(seed * BROKEN + round + 1);
            let mut broken = input.clone();
            for _ in 0..=random.below(3) {
                // The first length stays, or there would be no document to look into.
                let at = 4 + random.below(broken.len().saturating_sub(4).max(1));
                if let Some(byte) = broken.get_mut(at) {
                    *byte = random.byte();
                }
            }
            lines += run(&broken, &[]).ndjson.lines().count();
        }
    }
    assert!(lines > 5_000, "only {lines} broken documents still give lines: the test breaks too much");
}

#[test]
fn a_document_past_its_bound_is_skipped_whole_and_the_next_is_read() {
    let next = document(&[]);
    for (filler, reason) in [(DOCUMENT_BYTES_MAX - 100, None), (DOCUMENT_BYTES_MAX, Some("document_too_long"))] {
        let long = document(&string(&vec![b'x'; filler]));
        let result = run(&[long, next.clone()].concat(), &[]);
        assert_eq!(result.rejected, reason.map(|reason| (1, reason)).into_iter().collect::<Vec<_>>());
        assert!(result.ndjson.ends_with("{\"id\":null}\n"));
    }
    let skipped = document(&string(&vec![b'x'; DOCUMENT_BYTES_MAX]));
    assert!(run(&skipped[..skipped.len() - 1], &[]).refused.expect("a refusal").contains("truncated"));
}

#[test]
fn a_line_past_its_bound_is_taken_back() {
    let long = document(&string(&vec![1; LINE_BYTES_MAX / 4]));
    assert_eq!(run(&long, &[]), Result { rejected: vec![(1, "line_too_long")], ..Result::default() });
}

#[test]
fn depth_and_open_names_are_bounded() {
    let nested = |levels| {
        document(&(0..levels).fold(vec![], |inner: Vec<u8>, _| [b"\x03v\0", object(&inner).as_slice()].concat()))
    };
    assert_eq!(run(&nested(LEVELS_MAX), &[]).rejected, []);
    assert_eq!(run(&nested(LEVELS_MAX + 1), &[]).rejected, [(1, "too_deep")]);
    let named =
        |count: usize| document(&(0..count).flat_map(|at| format!("\x0A{at:x}\0").into_bytes()).collect::<Vec<_>>());
    assert_eq!(run(&named(NAMES_MAX - 1), &[]).rejected, []);
    assert_eq!(run(&named(NAMES_MAX), &[]).rejected, [(1, "fields_too_many")]);
}

#[test]
fn one_call_stays_near_its_output_bounds() {
    let input = [[5, 0, 0, 0, 0].repeat(REJECTED_MAX + 10), document(&string(&[1; 200])).repeat(2_000)].concat();
    let result = run(&input, &[]);
    assert_eq!((result.rejected.len(), result.ndjson.lines().count()), (REJECTED_MAX + 10, 2_000));
}

#[test]
fn calls_out_of_order_are_misuse() {
    let mut bson = Bson::new();
    assert_eq!(bson.push(0), Status::Misuse);
    assert_eq!(bson.finish(), Status::Misuse);
    assert_eq!(bson.configure(0), Status::Ready);
    assert_eq!(bson.configure(0), Status::Misuse);
    assert!(bson.room(CHUNK_BYTES_MAX + 1).is_none());
    assert_eq!(bson.push(0), Status::Ready);
    assert_eq!(bson.finish(), Status::Done);
    assert_eq!(bson.push(0), Status::Misuse);
    assert!(bson.room(1).is_none());
    let mut planned = Bson::new();
    assert!(planned.room(1).is_some());
    assert_eq!(planned.configure(1), Status::Refused);
}

fn run(input: &[u8], cuts: &[usize]) -> Result {
    let mut bson = Bson::new();
    let mut result = Result::default();
    let mut status = bson.configure(0);
    let mut from = 0;
    for to in cuts.iter().copied().chain([input.len()]) {
        for piece in input[from..to].chunks(CHUNK_BYTES_MAX) {
            if status == Status::Ready {
                bson.room(piece.len()).expect("room").copy_from_slice(piece);
                status = bson.push(piece.len());
                drain(&mut bson, &mut status, &mut result, |bson| bson.push(0));
            }
        }
        from = to;
    }
    if status == Status::Ready {
        status = bson.finish();
        drain(&mut bson, &mut status, &mut result, Bson::finish);
    }
    if status == Status::Refused {
        result.refused = Some(String::from_utf8(bson.output().report.to_vec()).expect("UTF-8"));
    }
    result
}

fn drain(bson: &mut Bson, status: &mut Status, result: &mut Result, again: impl Fn(&mut Bson) -> Status) {
    loop {
        let output = bson.output();
        assert!(output.bytes.len() <= OUTPUT_BYTES_MAX + LINE_BYTES_MAX && output.rejected.len() <= REJECTED_MAX * 8);
        result.ndjson.push_str(str::from_utf8(output.bytes).expect("lines are UTF-8"));
        let words: Vec<u32> = output.rejected.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        result.rejected.extend(words.as_chunks().0.iter().map(|[number, reason]| (*number, name_of(*reason))));
        if *status != Status::More {
            return;
        }
        assert!(bson.room(1).is_none());
        *status = again(bson);
    }
}

fn name_of(number: u32) -> &'static str {
    let (reason, name) = REASONS[number as usize];
    assert_eq!(reason as u32, number);
    name
}

fn vectors() -> Json {
    Json::parse(include_str!("../vectors/bson.json"))
}

fn bytes(vector: &Json) -> Vec<u8> {
    let hex = vector.at("bson").text();
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex")).collect()
}

fn expected(vector: &Json, number: u32) -> Result {
    let rejected = vector.get("rejected").map(|name| {
        let known = REASONS.iter().find(|(_, known)| *known == name.text()).expect("a known reason");
        (number, known.1)
    });
    Result {
        ndjson: vector.get("line").map(|line| format!("{}\n", line.text())).unwrap_or_default(),
        rejected: rejected.into_iter().collect(),
        refused: None,
    }
}

/// A refusal as the module writes it.
fn show(refused: &Json) -> String {
    let field = |(name, value): &(String, Json)| match value {
        Json::Number(_) => format!("\"{name}\":{}", value.number()),
        value => format!("\"{name}\":\"{}\"", value.text()),
    };
    format!("{{{}}}", refused.fields().iter().map(field).collect::<Vec<_>>().join(","))
}

/// A document with a null for its id, and these elements.
fn document(elements: &[u8]) -> Vec<u8> {
    object(&[b"\x0A_id\0", elements].concat())
}

fn object(elements: &[u8]) -> Vec<u8> {
    [&(elements.len() as u32 + 5).to_le_bytes(), elements, b"\0"].concat()
}

fn string(text: &[u8]) -> Vec<u8> {
    [b"\x02v\0".as_slice(), &(text.len() as u32 + 1).to_le_bytes(), text, b"\0"].concat()
}

fn ways(len: usize) -> Vec<Vec<usize>> {
    let mut ways = vec![vec![], (0..len).collect()];
    ways.extend((0..=len).map(|cut| vec![cut]));
    ways
}

fn random_cuts(seed: u64, len: usize) -> Vec<usize> {
    let mut random = Random(seed);
    let mut cuts: Vec<usize> = (0..20).map(|_| random.below(len + 1)).collect();
    cuts.sort_unstable();
    cuts
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Small numbers more often: they are types, ends and lengths.
    fn byte(&mut self) -> u8 {
        let byte = self.next() as u8;
        if self.next().is_multiple_of(2) { byte % 20 } else { byte }
    }
}
