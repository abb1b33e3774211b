//! A message in the form in which payloads are looked for, and what in it is code.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

/// A text in lower case, compatibility forms and typographic quotes made plain, invisible
/// characters dropped: what a reader, human or model, makes of it.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) text: String,
    /// Inside backticks or fences, the marks not included.
    code: Vec<Range<usize>>,
    /// Inside double quotes that stand around words, the marks not included.
    quotes: Vec<Range<usize>>,
}

impl Message {
    pub(super) fn read(text: &str) -> Self {
        let text = normalise(text);
        let code = code_spans(&text);
        let quotes = quoted_spans(&text);
        Self { text, code, quotes }
    }

    /// Whether `range` stands in a code span, with words around that span.
    pub(super) fn in_code(&self, range: &Range<usize>) -> bool {
        self.inside(&self.code, range, 3)
    }

    /// Whether `range` stands between quotation marks, with words around them.
    pub(super) fn in_quotes(&self, range: &Range<usize>) -> bool {
        self.inside(&self.quotes, range, 4)
    }

    fn inside(&self, spans: &[Range<usize>], range: &Range<usize>, words_around: usize) -> bool {
        let around = |span: &Range<usize>| {
            let before = self.text.get(..span.start).unwrap_or_default();
            let after = self.text.get(span.end..).unwrap_or_default();
            before.split_whitespace().chain(after.split_whitespace()).filter(|word| is_prose(word)).count()
        };
        spans.iter().any(|s| s.start <= range.start && range.end <= s.end && around(s) >= words_around)
    }
}

fn normalise(text: &str) -> String {
    if text.is_ascii() && !text.contains('\0') {
        return text.to_ascii_lowercase();
    }
    let visible = text.chars().filter(|c| !is_invisible(*c));
    visible.nfkc().flat_map(char::to_lowercase).map(plain).collect()
}

/// A word as sentences have it: letters, with punctuation around them.
fn is_prose(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
    !word.starts_with('-') && !bare.is_empty() && bare.chars().all(|c| c.is_alphabetic() || c == '\'')
}

const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\0')
}

const fn plain(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => '"',
        '\u{300c}' | '\u{300d}' | '\u{300e}' | '\u{300f}' => '"',
        other => other,
    }
}

/// Between fences of three backticks, and between single backticks on one line.
fn code_spans(text: &str) -> Vec<Range<usize>> {
    let (mut spans, mut at) = (Vec::new(), 0);
    while let Some(open) = find(text, "`", at) {
        let mark = if text.get(open..).is_some_and(|rest| rest.starts_with("```")) { "```" } else { "`" };
        let start = open.saturating_add(mark.len());
        match find(text, mark, start) {
            Some(end) if mark == "```" || !text.get(start..end).unwrap_or_default().contains('\n') => {
                spans.push(start..end);
                at = end.saturating_add(mark.len());
            }
            _ => at = start,
        }
    }
    spans
}

/// Between double quotes of which the first opens (white space before it) and the last closes.
fn quoted_spans(text: &str) -> Vec<Range<usize>> {
    let (mut spans, mut at) = (Vec::new(), 0);
    while let Some(open) = find(text, "\"", at) {
        let start = open.saturating_add(1);
        let before = text.get(..open).and_then(|t| t.chars().next_back());
        let opens = before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ':' | ','));
        let Some(end) = find(text, "\"", start) else { break };
        if opens {
            spans.push(start..end);
            at = end.saturating_add(1);
        } else {
            at = start;
        }
    }
    spans
}

fn find(text: &str, needle: &str, from: usize) -> Option<usize> {
    text.get(from..)?.find(needle)?.checked_add(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_that_read_the_same_become_the_same() {
        assert_eq!(
            Message::read("Ｉｇｎｏｒｅ\u{200b} “ALL” rules’ ﬁle\0").text,
            "ignore \"all\" rules' file"
        );
    }

    #[test]
    fn code_and_quotations_need_words_around_them() {
        let message = Message::read("what does `a b` do and \"c d\" mean?\n```\ne f\n``` ok `open");
        let at = |needle: &str| {
            let start = message.text.find(needle).unwrap();
            start..start + needle.len()
        };
        assert!(message.in_code(&at("a b")) && message.in_code(&at("e f")));
        assert!(message.in_quotes(&at("c d")) && !message.in_code(&at("c d")));
        assert!(!message.in_code(&at("open")) && !message.in_code(&at("mean")));
        let bare = Message::read("`a b`");
        assert!(!bare.in_code(&(1..4)));
        assert!(quoted_spans("print\"a\" \"open").is_empty());
    }
}
