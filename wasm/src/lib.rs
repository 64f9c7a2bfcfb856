//! The border of the module: numbers in, numbers out, no imports, no generated glue.
//!
//! A handle names a context that owns its buffers. The host asks for room (`input`), writes its bytes
//! there, and calls `configure`, `push` or `finish`; `output` gives the address of a frame with the
//! address and length of each part. Every address is good until the next call on any handle, because
//! memory may grow and buffers may move.
//!
//! There is no general `alloc`/`free`: a buffer belongs to a context, has its bound, and goes with it. So
//! no call takes an address from the host, and no `unsafe` is needed here. A panic is a trap; the host
//! throws the instance away then.

pub mod bson;
pub mod csv;
pub mod scan;
pub mod transform;
pub mod writer;

use std::cell::RefCell;
use transform::{Output, Status, Transform};

/// Raised by every change that an older host would misread.
pub const ABI_VERSION: u32 = 1;
/// Contexts alive at once in one instance: a host that leaks handles is told so early.
pub const CONTEXTS_MAX: usize = 16;
/// Words of the output frame: address and length of each part of [`Output`].
const FRAME_WORDS: usize = 8;

struct Context {
    transform: Box<dyn Transform>,
    /// Bytes that the host may have written since it last asked for room.
    room: usize,
    frame: [u32; FRAME_WORDS],
}

thread_local! {
    static CONTEXTS: RefCell<[Option<Context>; CONTEXTS_MAX]> = const { RefCell::new([const { None }; CONTEXTS_MAX]) };
}

/// The version that a host compares with its own before anything else.
#[unsafe(no_mangle)]
pub extern "C" fn abi_version() -> u32 {
    ABI_VERSION
}

/// A context for CSV → NDJSON; 0 when all contexts are taken.
#[unsafe(no_mangle)]
pub extern "C" fn csv_open() -> u32 {
    open(|| Box::new(csv::Csv::new()))
}

/// A context for BSON → NDJSON; 0 when all contexts are taken.
#[unsafe(no_mangle)]
pub extern "C" fn bson_open() -> u32 {
    open(|| Box::new(bson::Bson::new()))
}

/// The address of room for `len` bytes of input, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn input(handle: u32, len: u32) -> u32 {
    with(handle, |context| {
        let room = context.transform.room(len as usize);
        context.room = room.as_ref().map_or(0, |room| room.len());
        room.map_or(0, |room| address(room))
    })
    .unwrap_or(0)
}

/// Takes the plan that the host wrote into the room.
#[unsafe(no_mangle)]
pub extern "C" fn configure(handle: u32, len: u32) -> u32 {
    take(handle, len, |transform, len| transform.configure(len))
}

/// Reads the bytes that the host wrote into the room.
#[unsafe(no_mangle)]
pub extern "C" fn push(handle: u32, len: u32) -> u32 {
    take(handle, len, |transform, len| transform.push(len))
}

/// Says that no more input comes.
#[unsafe(no_mangle)]
pub extern "C" fn finish(handle: u32) -> u32 {
    take(handle, 0, |transform, _| transform.finish())
}

/// The address of the frame that describes the output of the last call, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn output(handle: u32) -> u32 {
    with(handle, |context| {
        let Output { bytes, origins, rejected, report } = context.transform.output();
        let parts = [bytes, origins, rejected, report];
        for (words, part) in context.frame.chunks_exact_mut(2).zip(parts) {
            words.copy_from_slice(&[address(part), part.len() as u32]);
        }
        context.frame.as_ptr() as usize as u32
    })
    .unwrap_or(0)
}

/// Frees the context and all that it owns. A handle that is not open is left alone.
#[unsafe(no_mangle)]
pub extern "C" fn close(handle: u32) {
    CONTEXTS.with_borrow_mut(|contexts| {
        if let Some(slot) = slot(handle).and_then(|slot| contexts.get_mut(slot)) {
            *slot = None;
        }
    });
}

fn open(make: impl FnOnce() -> Box<dyn Transform>) -> u32 {
    CONTEXTS.with_borrow_mut(|contexts| {
        let Some(free) = contexts.iter().position(Option::is_none) else { return 0 };
        contexts[free] = Some(Context { transform: make(), room: 0, frame: [0; FRAME_WORDS] });
        free as u32 + 1
    })
}

fn take(handle: u32, len: u32, call: impl FnOnce(&mut dyn Transform, usize) -> Status) -> u32 {
    let status = with(handle, |context| {
        if len as usize > context.room {
            return Status::Misuse;
        }
        context.room = 0;
        call(context.transform.as_mut(), len as usize)
    });
    status.unwrap_or(Status::Misuse) as u32
}

fn with<T>(handle: u32, call: impl FnOnce(&mut Context) -> T) -> Option<T> {
    CONTEXTS.with_borrow_mut(|contexts| contexts.get_mut(slot(handle)?)?.as_mut().map(call))
}

fn slot(handle: u32) -> Option<usize> {
    (handle as usize).checked_sub(1)
}

fn address(bytes: &[u8]) -> u32 {
    bytes.as_ptr() as usize as u32
}
