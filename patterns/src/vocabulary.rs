//! Mines the strings worth a row of their own: words, runs of up to four words, pieces of scripts
//! without blanks.
//!
//! Worth it is what occurs often enough and tells something about the label: a run that stands with
//! all labels alike is as frequent as a telling one and only makes the component larger.

use std::collections::HashMap;
use triage::intent::boundary::{Boundary, is_dense, is_word};
use triage::intent::network::LABELS;

/// What a string must fulfil to become a pattern.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// So many messages hold it.
    pub messages: u32,
    /// How much its labels differ from all messages' labels: the log-likelihood ratio G² (Dunning,
    /// "Accurate Methods for the Statistics of Surprise and Coincidence", 1993).
    pub telling: f64,
}

/// The limits by kind of string.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For single words.
    pub words: Limit,
    /// For runs of two words.
    pub pairs: Limit,
    /// For runs of three and four words.
    pub runs: Limit,
    /// For words and pieces in scripts without blanks.
    pub dense: Limit,
}

impl Limits {
    fn of(&self, text: &str) -> &Limit {
        if text.chars().all(is_dense) {
            return &self.dense;
        }
        match tokens(text).len() {
            0 | 1 => &self.words,
            2 => &self.pairs,
            _ => &self.runs,
        }
    }
}

/// Messages by label.
type Counts = [u32; LABELS];

/// A run of characters of one kind in a normal form.
struct Token {
    start: usize,
    end: usize,
    word: bool,
    dense: bool,
}

/// The patterns of `texts` (normal forms, each with its label's number) that keep to `limits`, sorted.
#[must_use]
pub fn mine(texts: &[(String, usize)], limits: &Limits) -> Vec<(String, Boundary)> {
    let mut all = Counts::default();
    let mut counts: HashMap<(String, Boundary), (Counts, u32)> = HashMap::new();
    for (n, (text, label)) in texts.iter().enumerate() {
        let stamp = n as u32 + 1;
        all[*label] += 1;
        each_candidate(text, |candidate, boundary| {
            let entry = counts.entry((candidate.replace('\n', " "), boundary)).or_default();
            if entry.1 != stamp {
                entry.0[*label] += 1;
                entry.1 = stamp;
            }
        });
    }
    let mut kept: Vec<(String, Boundary)> = counts
        .into_iter()
        .filter(|((text, _), (found, _))| {
            let limit = limits.of(text);
            found.iter().sum::<u32>() >= limit.messages && telling(found, &all) >= limit.telling
        })
        .map(|(key, _)| key)
        .collect();
    kept.sort();
    kept
}

/// G² of the labels of the messages with a string against those of all messages.
fn telling(found: &Counts, all: &Counts) -> f64 {
    let share = f64::from(found.iter().sum::<u32>()) / f64::from(all.iter().sum::<u32>());
    let term = |(found, all): (&u32, &u32)| match *found {
        0 => 0.0,
        n => f64::from(n) * libm::log(f64::from(n) / (f64::from(*all) * share)),
    };
    2.0 * found.iter().zip(all).map(term).sum::<f64>()
}

fn each_candidate<F: FnMut(&str, Boundary)>(text: &str, mut found: F) {
    let tokens = tokens(text);
    for (i, first) in tokens.iter().enumerate() {
        for (n, last) in tokens[i..].iter().take(4).enumerate() {
            let run = &text[first.start..last.end];
            if run.len() > 48 || (n > 0 && !joined(text, &tokens[i..=i + n])) {
                break;
            }
            found(run, Boundary::Word);
        }
        if first.dense {
            pieces(&text[first.start..first.end], &mut found);
        }
    }
}

/// Whether tokens stand next to each other, with one blank or nothing between.
fn joined(text: &str, tokens: &[Token]) -> bool {
    tokens.windows(2).all(|w| matches!(&text[w[0].end..w[1].start], "" | " " | "\n"))
}

fn pieces<F: FnMut(&str, Boundary)>(word: &str, found: &mut F) {
    let cuts: Vec<usize> = word.char_indices().map(|(i, _)| i).chain([word.len()]).collect();
    for size in 1..=4 {
        for piece in cuts.windows(size + 1) {
            found(&word[piece[0]..piece[size]], Boundary::Inside);
        }
    }
}

/// Words and symbols of a normal form.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c == ' ' || c == '\n' {
            before = c;
            continue;
        }
        let (word, dense) = (is_word(c), is_dense(c));
        let goes_on = before != ' '
            && before != '\n'
            && tokens.last().is_some_and(|t| t.word == word && t.dense == dense && (word || before == c));
        let end = at + c.len_utf8();
        match tokens.last_mut() {
            Some(last) if goes_on => last.end = end,
            _ => tokens.push(Token { start: at, end, word, dense }),
        }
        before = c;
    }
    tokens
}
