//! The patterns of a training run, in the very form in which the component reads them.

use crate::double_array::{self, Entry, Tables};
use crate::phrases::{self, Phrase};
use crate::vocabulary::{self, Limits};
use triage::intent::automaton::Automaton;
use triage::intent::boundary::Boundary;
use triage::intent::features::Lexicon;
use triage::intent::normalize::normalize;
use triage::intent::shape::SHAPES;

/// Patterns with their tables.
pub struct Patterns {
    /// Learned patterns, in the order of their rows.
    pub vocabulary: Vec<(String, Boundary)>,
    /// Groups of phrases, in the order of their rows.
    pub groups: Vec<String>,
    hand: Vec<[u8; 4]>,
    tables: Tables,
}

impl Patterns {
    /// Mines `texts` (normal forms, each with its label's number) and compiles what was found together with `phrases`.
    #[must_use]
    pub fn mine(phrases: &[Phrase], texts: &[(String, usize)], limits: &Limits) -> Self {
        let vocabulary = vocabulary::mine(texts, limits);
        let mut groups: Vec<String> = phrases.iter().map(|p| p.group.clone()).collect();
        groups.dedup();
        let mut entries: Vec<Entry> = phrases.iter().map(phrase_entry).collect();
        entries.extend(
            vocabulary.iter().map(|(text, boundary)| Entry { text: text.clone(), boundary: *boundary as u8 }),
        );
        let hand = phrases.iter().map(phrases::hand_row).collect();
        Self { vocabulary, groups, hand, tables: double_array::build(&entries) }
    }

    /// The view the component's code reads messages through.
    #[must_use]
    pub fn lexicon(&self) -> Lexicon<'_> {
        let t = &self.tables;
        let automaton = Automaton {
            classes: &t.classes,
            slots: &t.slots,
            ranks: &t.ranks,
            heads: &t.heads,
            links: &t.links,
            lengths: &t.lengths,
        };
        Lexicon { automaton, hand: &self.hand, learned: self.vocabulary.len() as u32 }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.vocabulary.len() + SHAPES as usize + self.groups.len()
    }

    /// Rows of a normal form with their places.
    #[must_use]
    pub fn rows_of(&self, text: &str) -> Vec<(u32, u8)> {
        self.lexicon().read(text).rows.into_iter().map(|r| (r.number, r.places)).collect()
    }
}

fn phrase_entry(phrase: &Phrase) -> Entry {
    let boundary = Boundary::from_name(&phrase.boundary).unwrap_or(Boundary::Word);
    Entry { text: normalize(&phrase.text), boundary: boundary as u8 }
}
