//! The border itself: a host that breaks the protocol gets an answer, never another context's bytes.

use tombolo::transform::Status;
use tombolo::{CONTEXTS_MAX, close, configure, csv_open, finish, input, output, push};

#[test]
fn a_handle_that_is_not_open_is_misuse() {
    for handle in [0, 1, CONTEXTS_MAX as u32, u32::MAX] {
        assert_eq!(input(handle, 1), 0);
        assert_eq!(push(handle, 0), Status::Misuse as u32);
        assert_eq!(finish(handle), Status::Misuse as u32);
        assert_eq!(output(handle), 0);
        close(handle);
    }
}

#[test]
fn more_bytes_than_there_was_room_for_are_misuse() {
    let handle = csv_open();
    assert_ne!(input(handle, 4), 0);
    assert_eq!(configure(handle, 5), Status::Misuse as u32);
    assert_eq!(configure(handle, 4), Status::Refused as u32);
    close(handle);
}

#[test]
fn contexts_are_bounded_and_closed_ones_are_free_again() {
    let handles: Vec<u32> = (0..CONTEXTS_MAX).map(|_| csv_open()).collect();
    assert!(handles.iter().all(|handle| *handle > 0));
    assert_eq!(csv_open(), 0);
    close(handles[3]);
    assert_eq!(csv_open(), handles[3]);
}
