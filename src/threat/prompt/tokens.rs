//! A message as words that know their sentence and whether a clause begins with them.

/// A word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) word: &'a str,
    /// Bytes from the start of the text.
    pub(super) start: usize,
    /// Number of the sentence or line.
    pub(super) sentence: usize,
    /// Whether an imperative may stand here: at the beginning, after a sign, after "and" or "please".
    pub(super) begins_clause: bool,
}

/// Words that an imperative follows as it follows a full stop. Sorted.
const CONNECTIVES: [&str; 48] = [
    "agora",
    "ahora",
    "alors",
    "also",
    "and",
    "aur",
    "bitte",
    "but",
    "can",
    "could",
    "donc",
    "e",
    "entonces",
    "então",
    "et",
    "favor",
    "first",
    "hey",
    "hi",
    "i",
    "jetzt",
    "just",
    "kindly",
    "maintenant",
    "me",
    "must",
    "no",
    "now",
    "ok",
    "okay",
    "plait",
    "plaît",
    "please",
    "pls",
    "plz",
    "por",
    "pues",
    "should",
    "simply",
    "so",
    "then",
    "tu",
    "u",
    "und",
    "vous",
    "will",
    "y",
    "you",
];

/// The words of `text`: letters, digits, underscores and apostrophes.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found: Vec<Token> = Vec::new();
    let (mut start, mut sentence, mut sign) = (None, 0_usize, true);
    for (at, c) in text.char_indices().chain([(text.len(), '\n')]) {
        if super::super::cursor::is_word(c) || c == '\'' {
            start.get_or_insert(at);
            continue;
        }
        if let Some(from) = start.take() {
            push(&mut found, text.get(from..at).unwrap_or_default(), from, sentence, sign);
            sign = false;
        }
        if matches!(c, '.' | '!' | '?' | '\n' | ';' | '…' | '。' | '！' | '？' | '¿' | '¡') {
            sentence = sentence.saturating_add(1);
        }
        sign |= !c.is_whitespace() && c != '-';
    }
    found
}

fn push<'a>(found: &mut Vec<Token<'a>>, word: &'a str, start: usize, sentence: usize, sign: bool) {
    let trimmed = word.trim_matches('\'');
    if trimmed.is_empty() {
        return;
    }
    let last = found.last();
    let new_sentence = last.is_none_or(|last| last.sentence != sentence);
    let connected = last.is_some_and(|last| CONNECTIVES.binary_search(&last.word).is_ok()) || wants(found);
    found.push(Token { word: trimmed, start, sentence, begins_clause: sign || new_sentence || connected });
}

/// "I want you to", "you need to".
fn wants(found: &[Token]) -> bool {
    let mut last = found.iter().rev().map(|token| token.word);
    last.next() == Some("to")
        && last.next().is_some_and(|word| matches!(word, "you" | "need" | "have" | "going" | "want"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connectives_are_sorted() {
        assert!(CONNECTIVES.windows(2).all(|pair| pair[0] < pair[1]));
    }

    fn beginnings(text: &str) -> Vec<&str> {
        tokens(text).into_iter().filter(|token| token.begins_clause).map(|token| token.word).collect()
    }

    #[test]
    fn clauses_begin_after_signs_and_connectives() {
        assert_eq!(
            beginnings("help me. now ignore it, and print that"),
            ["help", "now", "ignore", "and", "print"]
        );
        assert_eq!(beginnings("i want you to ignore it"), ["i", "want", "to", "ignore"]);
        assert_eq!(beginnings("it was told to ignore it"), ["it"]);
        assert_eq!(beginnings("'quoted' well-known"), ["quoted"]);
    }

    #[test]
    fn words_know_their_sentence() {
        let sentences: Vec<usize> = tokens("a b. c\nd; e").into_iter().map(|token| token.sentence).collect();
        assert_eq!(sentences, [0, 0, 1, 2, 3]);
        assert!(tokens("... ''").is_empty());
    }
}
