//! Mines the strings worth a row of their own: words, runs of up to four words, pieces of words.

use std::collections::HashMap;
use triage::intent::boundary::{Boundary, is_dense, is_word};

/// How often a string must occur, in messages, to become a pattern.
pub struct Limits {
    /// For single words.
    pub words: u32,
    /// For runs of two words.
    pub pairs: u32,
    /// For runs of three and four words.
    pub runs: u32,
    /// For pieces of words.
    pub pieces: u32,
    /// For pieces in scripts without blanks.
    pub dense: u32,
}

/// A run of characters of one kind in a normal form.
struct Token {
    start: usize,
    end: usize,
    word: bool,
    dense: bool,
}

/// The patterns that occur often enough in `texts` (normal forms), sorted.
#[must_use]
pub fn mine(texts: &[String], limits: &Limits) -> Vec<(String, Boundary)> {
    let mut counts: HashMap<(String, Boundary), (u32, u32)> = HashMap::new();
    for (n, text) in texts.iter().enumerate() {
        let stamp = n as u32 + 1;
        each_candidate(text, |candidate, boundary, _| {
            let key = (candidate.replace('\n', " "), boundary);
            let entry = counts.entry(key).or_default();
            if entry.1 != stamp {
                *entry = (entry.0 + 1, stamp);
            }
        });
    }
    let mut kept: Vec<(String, Boundary)> = counts
        .into_iter()
        .filter(|((text, boundary), (count, _))| *count >= limit(text, *boundary, limits))
        .map(|(key, _)| key)
        .collect();
    kept.sort();
    kept
}

fn limit(text: &str, boundary: Boundary, limits: &Limits) -> u32 {
    if text.chars().all(is_dense) {
        return limits.dense;
    }
    if boundary != Boundary::Word {
        return limits.pieces;
    }
    match tokens(text).len() {
        0 | 1 => limits.words,
        2 => limits.pairs,
        _ => limits.runs,
    }
}

fn each_candidate<F: FnMut(&str, Boundary, usize)>(text: &str, mut found: F) {
    let tokens = tokens(text);
    for (i, first) in tokens.iter().enumerate() {
        for (n, last) in tokens[i..].iter().take(4).enumerate() {
            let run = &text[first.start..last.end];
            if run.len() > 48 || (n > 0 && !joined(text, &tokens[i..=i + n])) {
                break;
            }
            found(run, Boundary::Word, n + 1);
        }
        pieces(text, first, &mut found);
    }
}

/// Whether tokens stand next to each other, with one blank or nothing between.
fn joined(text: &str, tokens: &[Token]) -> bool {
    tokens.windows(2).all(|w| matches!(&text[w[0].end..w[1].start], "" | " " | "\n"))
}

fn pieces<F: FnMut(&str, Boundary, usize)>(text: &str, token: &Token, found: &mut F) {
    if !token.word {
        return;
    }
    let word = &text[token.start..token.end];
    let cuts: Vec<usize> = word.char_indices().map(|(i, _)| i).chain([word.len()]).collect();
    let letters = cuts.len() - 1;
    let sizes = if token.dense { 1..=4 } else { 3..=6 };
    for size in sizes.filter(|s| *s <= letters) {
        for at in 0..=letters - size {
            let piece = &word[cuts[at]..cuts[at + size]];
            if token.dense {
                found(piece, Boundary::Inside, 0);
            } else if size < letters {
                match at {
                    0 => found(piece, Boundary::Start, 0),
                    _ if at + size == letters => found(piece, Boundary::End, 0),
                    _ if size <= 4 => found(piece, Boundary::Inside, 0),
                    _ => {}
                }
            }
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
