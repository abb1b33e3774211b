//! What the model sees of a message: numbered rows, each in some places of it.
//!
//! A learned pattern has a row of its own. A hand-written phrase has the row of its group, so that
//! a rare phrase profits from its common neighbours. Shapes have rows too. The trainer and the
//! component both read messages through this module, so what was learned is what is used.

use super::automaton::{Automaton, Match};
use super::sentence::{self, Sentence};
use super::shape::{self, SHAPES};

/// Places over which rows are pooled: everywhere, first sentence, last sentence, code, questions,
/// openings of sentences.
pub const PLACES: usize = 6;
/// The place every row is in.
pub const EVERYWHERE: u8 = 1;
/// Code, which has no opening.
const CODE: u8 = 1 << 3;
/// Patterns that start where a sentence starts, or a word or two later.
const OPENING: u8 = 1 << 5;
/// How far into its sentence such a pattern may start, in bytes of the normal form: what a request
/// is shows in its first words ("how do i", "what does", "give me").
const OPENING_BYTES: usize = 14;

/// The patterns and how they are numbered: hand-written phrases first, learned ones after.
#[derive(Debug, Clone, Copy)]
pub struct Lexicon<'a> {
    /// Finds all of them.
    pub automaton: Automaton<'a>,
    /// Per phrase: label, group, and weight in hundredths.
    pub hand: &'a [[u8; 4]],
    /// How many learned patterns follow the phrases.
    pub learned: u32,
}

/// A row excited by a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its number: learned patterns, then shapes, then groups.
    pub number: u32,
    /// The places it is in, as bits.
    pub places: u8,
    /// What excited it; empty for shapes.
    pub start: u32,
    /// One past the last byte of that.
    pub end: u32,
}

/// Everything found in a message.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The rows.
    pub rows: Vec<Row>,
    /// The hand-written phrases.
    pub phrases: Vec<Match>,
}

impl Lexicon<'_> {
    /// Reads `text`, a normal form.
    #[must_use]
    pub fn read(&self, text: &str) -> Reading {
        let sentences = sentence::split(text);
        let places = places(&sentences);
        let mut reading = Reading { rows: Vec::with_capacity(text.len() / 2), phrases: Vec::new() };
        let mut current: usize = 0;
        let mut begin: usize = 0;
        let mut end = sentences.first().map_or(usize::MAX, |s| s.end);
        self.automaton.scan(text, |m| {
            while m.end > end {
                current = current.saturating_add(1);
                begin = end;
                end = sentences.get(current).map_or(usize::MAX, |s| s.end);
            }
            let mut places = places.get(current).copied().unwrap_or(EVERYWHERE);
            if places & CODE == 0 && m.start <= begin.saturating_add(OPENING_BYTES) {
                places |= OPENING;
            }
            let number = self.row_of(m.pattern);
            if (m.pattern as usize) < self.hand.len() {
                reading.phrases.push(m);
            }
            let (start, end) = (as_u32(m.start), as_u32(m.end));
            reading.rows.push(Row { number, places, start, end });
        });
        shape::each(text, &sentences, |shape| {
            let number = self.learned.saturating_add(shape);
            reading.rows.push(Row { number, places: EVERYWHERE, start: 0, end: 0 });
        });
        reading
    }

    /// The row of a pattern: its own, or its group's.
    fn row_of(&self, pattern: u32) -> u32 {
        match self.hand.get(pattern as usize) {
            Some(&[_, group, _, _]) => self.learned.saturating_add(SHAPES).saturating_add(u32::from(group)),
            None => pattern.saturating_sub(as_u32(self.hand.len())),
        }
    }
}

/// The places of each sentence. First and last are sentences of prose, if there are any.
fn places(sentences: &[Sentence]) -> Vec<u8> {
    let last = sentences.len().saturating_sub(1);
    let first_prose = sentences.iter().position(|s| !s.code).unwrap_or(0);
    let last_prose = sentences.iter().rposition(|s| !s.code).unwrap_or(last);
    let place = |(i, s): (usize, &Sentence)| {
        EVERYWHERE
            | u8::from(i == first_prose) << 1
            | u8::from(i == last_prose) << 2
            | if s.code { CODE } else { 0 }
            | u8::from(s.question) << 4
    };
    sentences.iter().enumerate().map(place).collect()
}

fn as_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
