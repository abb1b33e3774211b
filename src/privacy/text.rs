//! A text read by byte positions, where every position is checked and none can panic.

use crate::intent::boundary::is_dense;

/// A borrowed text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a str);

impl<'a> Text<'a> {
    pub(super) const fn len(self) -> usize {
        self.0.len()
    }

    pub(super) fn byte(self, at: usize) -> Option<u8> {
        self.0.as_bytes().get(at).copied()
    }

    /// From `start` to before `end`; empty when that is no part of the text.
    pub(super) fn slice(self, start: usize, end: usize) -> &'a str {
        self.0.get(start..end).unwrap_or_default()
    }

    pub(super) fn from(self, start: usize) -> &'a str {
        self.0.get(start..).unwrap_or_default()
    }

    /// The character that begins at `at`.
    pub(super) fn char_at(self, at: usize) -> Option<char> {
        self.from(at).chars().next()
    }

    /// The character that ends before `at`.
    pub(super) fn before(self, at: usize) -> Option<char> {
        self.0.get(..at).unwrap_or_default().chars().next_back()
    }

    /// The two characters before `at`, the nearer first.
    pub(super) fn two_before(self, at: usize) -> (Option<char>, Option<char>) {
        let mut chars = self.0.get(..at).unwrap_or_default().chars();
        (chars.next_back(), chars.next_back())
    }

    /// Where the run of characters that `belongs` accepts ends, at most `max` bytes from `start`.
    pub(super) fn run(self, start: usize, max: usize, mut belongs: impl FnMut(char) -> bool) -> usize {
        let mut end = start;
        for c in self.from(start).chars() {
            let next = end.saturating_add(c.len_utf8());
            if !belongs(c) || next.saturating_sub(start) > max {
                break;
            }
            end = next;
        }
        end
    }

    /// Where the word at `start` ends. A number right behind a script without blanks is another word
    /// ("번호는010-1234-5678"), one behind other letters is not ("x86").
    pub(super) fn word_end(self, start: usize) -> usize {
        let mut tied = true;
        self.run(start, usize::MAX, |c| {
            let goes_on = is_word(c) && (tied || !c.is_numeric());
            tied = !is_dense(c);
            goes_on
        })
    }

    /// The position after the spaces and tabs at `start` (eight at most).
    pub(super) fn skip_spaces(self, start: usize) -> usize {
        self.run(start, 8, |c| matches!(c, ' ' | '\t' | '\u{a0}'))
    }

    /// Whether the same word goes on at `at`: a letter, digit or underscore.
    pub(super) fn word_at(self, at: usize) -> bool {
        self.char_at(at).is_some_and(is_word)
    }

    /// Whether something that ends at `end` ends there as a number: no letter or digit follows, and
    /// no sign that ties it to one (`-`, `.`, `/`, `:`, `@`).
    pub(super) fn ends_number(self, end: usize) -> bool {
        let mut rest = self.from(end).chars();
        match (rest.next(), rest.next()) {
            (Some(c), _) if ties(c) || c == '@' => false,
            (Some('-' | '.' | '/' | ':' | ','), Some(next)) => !ties(next),
            _ => true,
        }
    }

    /// Whether a number that begins at `start` begins there: no letter, digit or sign ties it to
    /// what stands before.
    pub(super) fn begins_number(self, start: usize) -> bool {
        match self.two_before(start) {
            (Some(c), _) if ties(c) => false,
            (Some('-' | '.' | '/' | '%' | '@' | '+' | '\\'), Some(before)) => !ties(before),
            (Some(':'), Some(before)) => !before.is_numeric(),
            (Some('.' | '\\' | '%'), None) => false,
            _ => true,
        }
    }
}

/// Whether `c` right beside a number is one word with it. Scripts that write particles without a blank
/// ("010-1234-5678입니다") are not.
pub(super) fn ties(c: char) -> bool {
    is_word(c) && !is_dense(c)
}

pub(super) fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
