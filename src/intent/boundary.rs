//! Where a pattern may begin and end.
//!
//! Aho-Corasick finds substrings; whether a substring is the word that was meant is decided here,
//! on the characters around it. `error` is not in "terrorism", `c++` is not in `c+++`, and
//! `python` is in "python을", because a script written without blanks separates by itself.

/// Which edges of a match must be word edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Boundary {
    /// Anywhere, also inside a word.
    Inside = 0,
    /// The match begins a word: stems.
    Start = 1,
    /// The match ends a word: endings.
    End = 2,
    /// Whole words.
    Word = 3,
}

impl Boundary {
    /// The class of a number written by the pattern compiler; unknown numbers mean whole words.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        match bits {
            0 => Self::Inside,
            1 => Self::Start,
            2 => Self::End,
            _ => Self::Word,
        }
    }

    /// The class named in a pattern file.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "inside" => Self::Inside,
            "start" => Self::Start,
            "end" => Self::End,
            "word" => Self::Word,
            _ => return None,
        })
    }

    /// Whether the bytes `start..end` of the normal form `text` lie as this class demands.
    #[must_use]
    pub fn admits(self, text: &str, start: usize, end: usize) -> bool {
        let bits = self as u8;
        (bits & 1 == 0 || opens(text, start)) && (bits & 2 == 0 || closes(text, end))
    }
}

/// Whether a word may begin at byte `at`.
#[must_use]
pub fn opens(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let before = at.checked_sub(1).and_then(|i| bytes.get(i));
    let (Some(&before), Some(&edge)) = (before, bytes.get(at)) else {
        return true;
    };
    if before.is_ascii() && edge.is_ascii() {
        return separate_ascii(before, edge);
    }
    let before = text.get(..at).and_then(|t| t.chars().next_back());
    let edge = text.get(at..).and_then(|t| t.chars().next());
    pair_separate(before, edge)
}

/// Whether a word may end before byte `at`. A pair of neighbours separates or it does not, so the
/// rule is that of [`opens`].
#[must_use]
pub fn closes(text: &str, at: usize) -> bool {
    opens(text, at)
}

/// The rule for two ASCII bytes, by far the most frequent case.
fn separate_ascii(a: u8, b: u8) -> bool {
    let letter = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    match (letter(a), letter(b)) {
        (true, true) => false,
        (false, false) => a != b,
        _ => true,
    }
}

fn pair_separate(before: Option<char>, after: Option<char>) -> bool {
    match (before, after) {
        (Some(a), Some(b)) => separate(a, b),
        _ => true,
    }
}

/// Whether a word edge runs between two neighbouring characters.
fn separate(a: char, b: char) -> bool {
    match (Kind::of(a), Kind::of(b)) {
        (Kind::Letter, Kind::Letter) => false,
        // a run of one symbol is one token: `==` is not in `===`
        (Kind::Symbol, Kind::Symbol) => a != b,
        _ => true,
    }
}

/// What a character is to a word edge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Part of a word that blanks delimit.
    Letter,
    /// Part of a word in a script that does not rely on blanks.
    Dense,
    /// Anything else.
    Symbol,
}

impl Kind {
    fn of(c: char) -> Self {
        if c.is_ascii() {
            if c.is_ascii_alphanumeric() || c == '_' { Self::Letter } else { Self::Symbol }
        } else if is_dense(c) {
            Self::Dense
        } else if c.is_alphanumeric() || is_mark(c) {
            Self::Letter
        } else {
            Self::Symbol
        }
    }
}

/// Scripts whose words stand together or carry particles without a blank: Han, kana, Hangul,
/// Thai, Lao, Khmer, Burmese.
#[must_use]
pub fn is_dense(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1100..=0x11ff | 0x1780..=0x17ff
        | 0x3040..=0x30ff | 0x3130..=0x318f | 0x31f0..=0x31ff | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

/// Combining marks of scripts that NFKC leaves decomposed, such as Devanagari vowel signs.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036f | 0x0900..=0x0dff)
}

/// Whether `c` can be part of a word.
#[must_use]
pub fn is_word(c: char) -> bool {
    Kind::of(c) != Kind::Symbol
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_looks_at_its_own_edges() {
        for (text, part, inside, start, end, word) in [
            ("terrorism", "error", true, false, false, false),
            ("errors", "error", true, true, false, false),
            ("TypeError", "Error", true, false, true, false),
            ("an error.", "error", true, true, true, true),
            ("error", "error", true, true, true, true),
            ("c+++", "c++", true, true, false, false),
            ("c++,", "c++", true, true, true, true),
            ("i++", "++", true, true, true, true),
            ("a===b", "==", true, true, false, false),
            ("snake_case", "case", true, false, true, false),
            ("x1", "x", true, true, false, false),
            ("에러가", "에러", true, true, true, true),
            ("python을", "python", true, true, true, true),
            ("é", "é", true, true, true, true),
            ("café", "caf", true, true, false, false),
        ] {
            let at = text.find(part).unwrap();
            let admits = |class: Boundary| class.admits(text, at, at + part.len());
            let all = [Boundary::Inside, Boundary::Start, Boundary::End, Boundary::Word].map(admits);
            assert_eq!(all, [inside, start, end, word], "{part} in {text}");
        }
    }
}
