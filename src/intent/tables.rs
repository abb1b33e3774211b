//! The compiled patterns, embedded in place: nothing is parsed, copied or built at start-up.

use super::automaton::Automaton;

/// Keeps a table on a boundary of 16 bytes, so that no slot straddles two cache lines.
#[repr(C, align(16))]
struct Aligned<const N: usize>([u8; N]);

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// The automaton over all patterns.
#[must_use]
pub fn automaton() -> Automaton<'static> {
    Automaton {
        classes: &CLASSES.0,
        slots: SLOTS.0.as_chunks().0,
        ranks: RANKS.0.as_chunks().0,
        heads: HEADS.0.as_chunks().0,
        links: LINKS.0.as_chunks().0,
        lengths: &LENGTHS.0,
    }
}

/// Per hand-written pattern: label, a spare byte, and the weight in hundredths.
#[must_use]
pub fn hand() -> &'static [[u8; 4]] {
    HAND.0.as_chunks().0
}
