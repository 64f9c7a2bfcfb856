//! Whether names repeat, for every open object at once. A name is remembered by 64 bits: equal names always meet,
//! different ones as good as never, and then a document is only read in another way.

/// The most names of which each is compared with each; more are put in order first.
const PAIRS_MAX: usize = 16;

/// The names of all open objects, the innermost last.
#[derive(Default)]
pub struct Names {
    prints: Vec<u64>,
}

impl Names {
    /// Where the names of an object that opens now begin.
    pub fn mark(&self) -> usize {
        self.prints.len()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.prints.clear();
    }

    /// Remembers a name of the innermost object: its first 16 bytes, zeros behind a shorter one, and the others.
    #[inline(always)]
    pub fn add(&mut self, head: u128, tail: &[u8]) {
        let print = (head as u64).wrapping_mul(ODD) ^ mix((head >> 64) as u64);
        self.prints.push(tail.iter().fold(print, |print, byte| mix(print ^ u64::from(*byte)).wrapping_add(ODD)));
    }

    /// The object whose names begin at `mark` ends. Whether they were all different.
    pub fn close(&mut self, mark: usize) -> bool {
        let own = &mut self.prints[mark..];
        let differ = if own.len() <= PAIRS_MAX {
            own.iter().enumerate().all(|(at, print)| !own[at + 1..].contains(print))
        } else {
            own.sort_unstable();
            own.windows(2).all(|pair| pair[0] != pair[1])
        };
        self.prints.truncate(mark);
        differ
    }
}

const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

#[inline(always)]
fn mix(word: u64) -> u64 {
    (word ^ word >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9).rotate_left(31)
}
