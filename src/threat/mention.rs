//! Used or mentioned: whether a payload stands in a message as something that the message is about.
//!
//! It is mentioned when it stands in a code span or in quotation marks among words, when the message
//! speaks of security or of a course, when something is asked after it, or when a question leads up
//! to it ("what does rm -rf / …", "why: …"). A question about something else before it ("what is
//! recursion? '; drop …") does not count.

use std::ops::Range;

use super::cursor::is_word;
use super::message::Message;

/// Words of people who learn or teach about attacks. Sorted.
const TOPIC: [&str; 86] = [
    "angreifer",
    "angriff",
    "article",
    "artikel",
    "assignment",
    "ataque",
    "attack",
    "attacker",
    "attacks",
    "attaque",
    "aula",
    "book",
    "colleague",
    "comic",
    "cours",
    "course",
    "cross",
    "curso",
    "dangerous",
    "defend",
    "escape",
    "escaped",
    "escapes",
    "escaping",
    "essay",
    "evito",
    "exploit",
    "exploits",
    "folie",
    "friend",
    "gefährlich",
    "hacked",
    "hacker",
    "hackers",
    "hausaufgabe",
    "homework",
    "injection",
    "injections",
    "injeção",
    "instructor",
    "inyección",
    "joke",
    "kurs",
    "lab",
    "lecture",
    "lehrer",
    "linter",
    "malicious",
    "meme",
    "owasp",
    "parameterized",
    "payload",
    "peligroso",
    "prepared",
    "prevent",
    "prof",
    "profe",
    "profesor",
    "profesora",
    "professeur",
    "professor",
    "protect",
    "quiz",
    "safe",
    "sanitise",
    "sanitize",
    "security",
    "segurança",
    "seguridad",
    "seminar",
    "sicherheit",
    "slide",
    "slides",
    "sqli",
    "sécurité",
    "teacher",
    "textbook",
    "traversal",
    "tutor",
    "tutorial",
    "unsafe",
    "verhindere",
    "verhindern",
    "vorlesung",
    "vulnerable",
    "xss",
];

/// Beginnings of such words where endings are written onto them.
const TOPIC_BEGINNINGS: [&str; 10] =
    ["vulnerab", "공격", "보안", "취약", "수업", "교수", "선생", "과제", "강의", "주입"];

/// Words of questions and complaints. Sorted.
const ASK: [&str; 62] = [
    "bedeutet",
    "blank",
    "broken",
    "comment",
    "como",
    "complains",
    "correct",
    "crash",
    "crashes",
    "cómo",
    "denied",
    "difference",
    "different",
    "do",
    "does",
    "doesn't",
    "empty",
    "error",
    "explain",
    "explains",
    "explique",
    "expliques",
    "fail",
    "fails",
    "fehler",
    "fixed",
    "funciona",
    "got",
    "happen",
    "happened",
    "happens",
    "how",
    "instead",
    "kaise",
    "kya",
    "kyu",
    "kyun",
    "macht",
    "matlab",
    "mean",
    "meaning",
    "means",
    "nothing",
    "output",
    "por",
    "porque",
    "pourquoi",
    "prints",
    "qué",
    "returns",
    "shows",
    "significa",
    "understand",
    "warum",
    "what",
    "whats",
    "when",
    "why",
    "wie",
    "wieso",
    "work",
    "works",
];

/// Words that lead from a question to what it is about. Sorted.
const LEADS: [&str; 60] = [
    "about",
    "against",
    "an",
    "are",
    "as",
    "because",
    "bedeutet",
    "by",
    "can",
    "command",
    "como",
    "did",
    "do",
    "does",
    "enter",
    "entering",
    "fait",
    "faz",
    "for",
    "from",
    "got",
    "hace",
    "had",
    "heißt",
    "hier",
    "in",
    "is",
    "it",
    "like",
    "line",
    "macht",
    "means",
    "of",
    "on",
    "or",
    "para",
    "put",
    "run",
    "running",
    "said",
    "say",
    "says",
    "schreibt",
    "see",
    "significa",
    "that",
    "the",
    "this",
    "tried",
    "try",
    "type",
    "typed",
    "types",
    "typing",
    "use",
    "using",
    "was",
    "where",
    "with",
    "write",
];

/// Payloads that are looked at. A message with more repeats itself.
const MAX_PAYLOADS: usize = 16;

/// Whether one of the payloads is used.
pub(super) fn any_used(message: &Message, payloads: Vec<Range<usize>>) -> bool {
    payloads.iter().take(MAX_PAYLOADS).any(|range| !mentioned(message, range))
}

/// Whether what stands at `range` is only mentioned.
pub(super) fn mentioned(message: &Message, range: &Range<usize>) -> bool {
    let before = message.text.get(..range.start).unwrap_or_default();
    let after = message.text.get(range.end..).unwrap_or_default();
    message.in_code(range)
        || message.in_quotes(range)
        || is_about_security(before)
        || is_about_security(after)
        || asks(after)
        || leads_up(before)
}

/// Whether `text` speaks of security, or of where people learn.
pub(super) fn is_about_security(text: &str) -> bool {
    words(text).any(|word| known(&TOPIC, word) || TOPIC_BEGINNINGS.iter().any(|b| word.starts_with(b)))
}

/// Whether something is asked in `text`, or a fault described.
pub(super) fn asks(text: &str) -> bool {
    words(text).any(|word| known(&ASK, word)) || has_question_mark(text)
}

/// Whether a question mark ends a word, rather than begin the query of an address.
pub(super) fn has_question_mark(text: &str) -> bool {
    text.match_indices(['?', '？', '¿']).any(|(at, mark)| {
        let next = text.get(at.saturating_add(mark.len())..).and_then(|rest| rest.chars().next());
        mark != "?" || next.is_none_or(|c| c.is_whitespace() || matches!(c, '"' | '\'' | ')' | '?' | '!'))
    })
}

/// Whether the sentence that ends with `before` asks, and goes straight on to what follows.
fn leads_up(before: &str) -> bool {
    let sentence = last_sentence(before);
    if !words(sentence).any(|word| known(&ASK, word)) {
        return false;
    }
    let trimmed =
        sentence.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | '<'));
    let spaced = trimmed.len() < sentence.len();
    let last = words(trimmed).last().unwrap_or_default();
    spaced
        && (trimmed.ends_with([':', '—', '-', '=', ','])
            || (trimmed.ends_with(is_word) && known(&LEADS, last)))
}

/// What follows the last full stop, question or exclamation mark or line end in `text`.
fn last_sentence(text: &str) -> &str {
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends = match c {
            '\n' => true,
            '.' | '?' | '!' => chars.peek().is_some_and(|(_, next)| next.is_whitespace()),
            _ => false,
        };
        if ends {
            start = at.saturating_add(1);
        }
    }
    text.get(start..).unwrap_or_default()
}

/// The words of `text`, apostrophes inside them kept.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_word(c) && c != '\'')
        .map(|word| word.trim_matches('\''))
        .filter(|word| !word.is_empty())
}

fn known(sorted: &[&str], word: &str) -> bool {
    sorted.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_in_lower_case() {
        for list in [TOPIC.as_slice(), ASK.as_slice(), LEADS.as_slice()] {
            for pair in list.windows(2) {
                assert!(pair[0] < pair[1], "{} before {}", pair[0], pair[1]);
            }
            assert!(list.iter().all(|word| *word == word.to_lowercase()));
        }
    }

    #[test]
    fn a_question_must_lead_up_to_it() {
        for (before, leads) in [
            ("what does ", true),
            ("why: ", true),
            ("how do i sort ", false),
            ("what is recursion? ", false),
            ("please ", false),
            ("what does", false),
            ("", false),
        ] {
            assert_eq!(leads_up(before), leads, "{before:?}");
        }
    }

    #[test]
    fn question_marks_in_addresses_ask_nothing() {
        assert!(has_question_mark("is it ok?") && has_question_mark("¿qué"));
        assert!(!has_question_mark("http://x.example/?c="));
    }
}
