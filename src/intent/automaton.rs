//! Finds every occurrence of every pattern in one pass over the text.
//!
//! An Aho-Corasick automaton as a double array, read in place: the tables are written by
//! `build.rs`, so a fresh instance pays nothing for them. A state is an index; its child on byte
//! class `c` stands at `base + c` if the slot there carries the label `c`. Bases are unique among
//! states, which is why a one-byte label suffices as the check. Without a child, the failure link
//! leads to the longest proper suffix that is a state too.
//!
//! Patterns of one state form a list that continues with the list of its longest suffix that has
//! one, so overlapping matches are all reported, longest first. A differential test holds this
//! reader against the `aho-corasick` crate, whose automaton the tables are written from.

use super::boundary::{self, Boundary};

/// The state every search starts in.
const ROOT: u32 = 0;
const LOW_24: u32 = 0x00ff_ffff;
/// Marks a state that ends a pattern or has a suffix that does.
const ACCEPTS: u32 = 1 << 24;
/// Marks a state of whose patterns one may end inside a word.
const ENDS_INSIDE: u32 = 1 << 25;

/// Tables of an automaton, in the layout `build.rs` writes; all numbers little-endian.
#[derive(Debug, Clone, Copy)]
pub struct Automaton<'a> {
    /// Byte to class; class 0 occurs in no pattern.
    pub classes: &'a [u8],
    /// Per slot: label (top 8 bits) and base (low 24), then flags (top 8) and failure state.
    pub slots: &'a [[u8; 8]],
    /// Per 64 slots: which accept (8 bytes), and how many accepted before (4 bytes).
    pub ranks: &'a [[u8; 12]],
    /// Per accepting slot, in order of slots: its first pattern.
    pub heads: &'a [[u8; 4]],
    /// Per pattern: boundary class (top 4 bits) and next pattern of the list plus one (low 28).
    pub links: &'a [[u8; 4]],
    /// Per pattern: its length in bytes.
    pub lengths: &'a [u8],
}

/// One occurrence of a pattern in the normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// The pattern's number.
    pub pattern: u32,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Automaton<'_> {
    /// Calls `found` for every occurrence whose edges its boundary class admits, by end position,
    /// longest first.
    pub fn scan<F: FnMut(Match)>(&self, text: &str, mut found: F) {
        let mut state = ROOT;
        for (at, &byte) in text.as_bytes().iter().enumerate() {
            let class = self.classes.get(usize::from(byte)).copied().unwrap_or(0);
            let (next, flags) = self.step(state, class);
            state = next;
            if flags & ACCEPTS != 0 {
                let end = at.saturating_add(1);
                // most short words are found inside longer ones: one look settles all of them
                if flags & ENDS_INSIDE != 0 || boundary::closes(text, end) {
                    self.report(state, text, end, &mut found);
                }
            }
        }
    }

    /// The state after `class`, and its flags.
    fn step(&self, mut state: u32, class: u8) -> (u32, u32) {
        if class == 0 {
            return (ROOT, 0);
        }
        loop {
            let (head, tail) = self.slot(state);
            let child = (head & LOW_24).wrapping_add(u32::from(class));
            let (child_head, child_tail) = self.slot(child);
            if child_head >> 24 == u32::from(class) {
                return (child, child_tail);
            }
            if state == ROOT {
                return (ROOT, 0);
            }
            state = tail & LOW_24;
        }
    }

    fn slot(&self, at: u32) -> (u32, u32) {
        let slot = self.slots.get(at as usize).copied().unwrap_or_default();
        let [a, b, c, d, e, f, g, h] = slot;
        (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
    }

    fn report<F: FnMut(Match)>(&self, state: u32, text: &str, end: usize, found: &mut F) {
        let mut next = self.head(state);
        while let Some(pattern) = next {
            let at = pattern as usize;
            let link = self.links.get(at).map_or(0, |l| u32::from_le_bytes(*l));
            let length = self.lengths.get(at).copied().map_or(0, usize::from);
            let boundary = Boundary::from_bits(u8::try_from(link >> 28).unwrap_or(u8::MAX));
            let start = end.saturating_sub(length);
            if boundary.admits(text, start, end) {
                found(Match { pattern, start, end });
            }
            next = (link & 0x0fff_ffff).checked_sub(1);
        }
    }

    /// The first pattern of an accepting state: its rank among the accepting slots leads there.
    fn head(&self, state: u32) -> Option<u32> {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *self.ranks.get((state / 64) as usize)?;
        let bits = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let before = u32::from_le_bytes([i, j, k, l]);
        let below = bits & (1_u64 << (state % 64)).wrapping_sub(1);
        let rank = before.saturating_add(below.count_ones());
        self.heads.get(rank as usize).map(|p| u32::from_le_bytes(*p))
    }
}
