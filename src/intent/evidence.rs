//! What the hand-written phrases say about a message.
//!
//! Each phrase found speaks for its label with its weight. Three rules keep words from counting
//! for more than they mean: a phrase inside a longer one of the same label is part of it; a phrase
//! right behind a negation ("don't give me", "no exercises") speaks against its label; and what
//! stands in the last clause, where the request usually is, counts half as much again.

use super::automaton::Match;
use super::features::Row;
use super::label::Intent;

/// One phrase found, with what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The label it speaks for.
    pub label: Intent,
    /// Hundredths of a log-odd, negative when it speaks against the label.
    pub weight: i32,
    /// First byte in the normal form.
    pub start: usize,
    /// One past the last byte in the normal form.
    pub end: usize,
}

/// Log-odds of the labels before any phrase, in hundredths: silence means none.
const PRIOR: [i32; 5] = [0, 0, -20, -20, 60];
/// Words that turn a phrase around when they stand right before it.
const NEGATIONS: [&str; 14] = [
    "no ",
    "not ",
    "don't ",
    "dont ",
    "do not ",
    "without ",
    "never ",
    "instead of ",
    "nicht ",
    "keine ",
    "sin ",
    "pas de ",
    "sem ",
    "nahi ",
];
/// What ends a clause.
const CLAUSE_ENDS: [char; 7] = ['.', '?', '!', ';', '\n', ':', ','];

/// Collects what the phrases in `text`, a normal form, say.
#[must_use]
pub fn collect(text: &str, phrases: &[Match], hand: &[[u8; 4]]) -> Vec<Evidence> {
    let last = last_clause(text);
    let mut found: Vec<Evidence> = Vec::new();
    for m in phrases {
        let Some(&[label, _, low, high]) = hand.get(m.pattern as usize) else {
            continue;
        };
        let label = Intent::from_number(label);
        let mut weight = i32::from(i16::from_le_bytes([low, high]));
        if m.start >= last {
            weight = weight.saturating_mul(3) / 2;
        }
        if negated(text, m.start) {
            weight = weight.saturating_neg() / 2;
        }
        add(&mut found, Evidence { label, weight, start: m.start, end: m.end });
    }
    found
}

/// What the rows of the learned model say about `label`; shapes have no place in the text.
#[must_use]
pub fn learned(rows: &[Row], weights: &[f32], label: Intent) -> Vec<Evidence> {
    let mut found: Vec<Evidence> = Vec::new();
    for (row, weight) in rows.iter().zip(weights).filter(|(row, _)| row.end > row.start) {
        #[allow(clippy::cast_possible_truncation, reason = "saturates, which is as good")]
        let weight = (weight * 100.0) as i32;
        let (start, end) = (row.start as usize, row.end as usize);
        // a phrase and a learned pattern over the same words are one piece of evidence
        match found.iter_mut().rev().take(3).find(|e| (e.start, e.end) == (start, end)) {
            Some(same) => same.weight = same.weight.saturating_add(weight),
            None => found.push(Evidence { label, weight, start, end }),
        }
    }
    found.retain(|e| e.weight != 0);
    found
}

/// Adds `new` unless it is part of the phrase before it; takes out phrases that are part of it.
/// Matches come by their end, longest first, so only the tail has to be looked at.
fn add(found: &mut Vec<Evidence>, new: Evidence) {
    let tail = found.iter().rev().take(4);
    if tail.clone().any(|e| e.label == new.label && e.start <= new.start && e.end >= new.end) {
        return;
    }
    while found.last().is_some_and(|e| e.label == new.label && e.start >= new.start) {
        found.pop();
    }
    found.push(new);
}

fn negated(text: &str, start: usize) -> bool {
    text.get(..start).is_some_and(|before| NEGATIONS.iter().any(|n| ends_with_word(before, n)))
}

fn ends_with_word(text: &str, ending: &str) -> bool {
    text.strip_suffix(ending).is_some_and(|rest| super::boundary::closes(text, rest.len()))
}

/// Characters of a clause that are looked at.
const NEAR: usize = 64;

/// Where the last clause of at least two words begins.
fn last_clause(text: &str) -> usize {
    let body = text.trim_end_matches(|c: char| CLAUSE_ENDS.contains(&c) || c == ' ');
    let mut end = body.len();
    while let Some(at) = body.get(..end).and_then(|t| t.rfind(CLAUSE_ENDS)) {
        if has_words(body.get(at..).unwrap_or_default()) {
            return at;
        }
        end = at;
    }
    0
}

/// Whether three words begin within the first [`NEAR`] characters: a look of fixed length at each
/// mark keeps the time linear.
fn has_words(clause: &str) -> bool {
    let end = clause.char_indices().nth(NEAR).map_or(clause.len(), |(at, _)| at);
    clause.get(..end).is_some_and(|near| near.split_whitespace().nth(2).is_some())
}

/// The log-odds of all labels.
#[must_use]
pub fn logits(evidence: &[Evidence], text: &str) -> [f64; 5] {
    let mut sums = PRIOR;
    for e in evidence {
        if let Some(sum) = sums.get_mut(e.label.index()) {
            *sum = sum.saturating_add(e.weight).clamp(-600, 600);
        }
    }
    let code = text.contains("```") || text.contains("file \"");
    if let (true, Some(first)) = (code, sums.first_mut()) {
        *first = first.saturating_add(80);
    }
    sums.map(|s| f64::from(s) / 100.0)
}
