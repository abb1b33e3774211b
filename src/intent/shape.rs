//! Features beyond words: the outline of a message, as rows beside the patterns' rows.

use super::boundary::is_dense;
use super::sentence::Sentence;

/// How many shapes there are.
pub const SHAPES: u32 = 32;

/// Calls `found` with the number of every shape that `text` has.
pub fn each<F: FnMut(u32)>(text: &str, sentences: &[Sentence], mut found: F) {
    let words: usize = sentences.iter().map(|s| s.words).sum();
    found(scale(words, &[2, 4, 8, 15, 30, 60, 120])); // 0 to 7
    found(8u32.saturating_add(scale(sentences.len(), &[1, 2, 4, 8]))); // 8 to 12
    let questions = sentences.iter().filter(|s| s.question).count();
    found(13u32.saturating_add(scale(questions, &[0, 1]))); // 13 to 15
    let code = sentences.iter().filter(|s| s.code).count();
    found(16u32.saturating_add(scale(code, &[0, 1, 4]))); // 16 to 19
    let flags = [
        (20, sentences.last().is_some_and(|s| s.question)),
        (21, sentences.first().is_some_and(|s| s.question)),
        (22, sentences.last().is_some_and(|s| s.code)),
        (23, text.ends_with('!')),
        (24, text.contains("```")),
        (25, text.contains("traceback")),
        (26, text.bytes().any(|b| b.is_ascii_digit())),
        (27, text.bytes().any(|b| b == b'(')),
        (28, text.bytes().any(|b| b == b'"')),
    ];
    flags.iter().filter(|(_, set)| *set).for_each(|(shape, _)| found(*shape));
    found(29u32.saturating_add(script(text))); // 29 to 31
}

/// Which of the bands between `limits` holds `n`.
fn scale(n: usize, limits: &[usize]) -> u32 {
    let band = limits.iter().take_while(|limit| n > **limit).count();
    u32::try_from(band).unwrap_or(0)
}

/// ASCII only, another alphabet, or a script without blanks.
fn script(text: &str) -> u32 {
    if text.is_ascii() {
        0
    } else if text.chars().any(is_dense) {
        2
    } else {
        1
    }
}
