//! The one form in which questions and phrases meet.
//!
//! Messages and patterns both pass through here, so a phrase that matches in a test matches in
//! service. The steps, each undoing a difference that carries no meaning for the intent:
//!
//! 1. NFKC (UAX #15), so that full-width letters, ligatures and split accents become one form;
//! 2. case folding: Unicode lower case, plus the two folds it leaves out (`ß`, `ς`);
//! 3. typographic quotes, dashes and the ellipsis become their ASCII forms;
//! 4. invisible characters (zero width, soft hyphen, variation selectors) vanish;
//! 5. white space and control characters collapse into one blank, or into one line feed where
//!    the run holds a line break; the ends are trimmed.
//!
//! Composition works on segments that start where nothing can combine backwards, so every output
//! character knows the source bytes it came from, and the cost stays linear.

use unicode_normalization::char::{canonical_combining_class, decompose_compatible};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A message in normal form, with the way back to the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    /// The normal form.
    pub text: String,
    /// For every byte of `text`, the source byte range it came from.
    origin: Vec<(u32, u32)>,
}

impl Normalized {
    /// Normalises `source` and keeps the map back to it.
    #[must_use]
    pub fn with_map(source: &str) -> Self {
        let mut text = String::with_capacity(source.len());
        let mut origin = Vec::with_capacity(source.len());
        fold(source, |c, start, end| {
            text.push(c);
            let span = (as_u32(start), as_u32(end));
            origin.extend(std::iter::repeat_n(span, c.len_utf8()));
        });
        Self { text, origin }
    }

    /// The source byte range behind the bytes `start..end` of the normal form.
    #[must_use]
    pub fn source_span(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let (first, _) = self.origin.get(start)?;
        let (_, last) = self.origin.get(end.checked_sub(1)?)?;
        Some((usize::try_from(*first).ok()?, usize::try_from(*last).ok()?))
    }
}

/// The normal form of `source`.
#[must_use]
pub fn normalize(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    fold(source, |c, _, _| text.push(c));
    text
}

/// Calls `emit(character, start, end)` for every character of the normal form of `source`, with
/// the source bytes it stands for.
fn fold<F: FnMut(char, usize, usize)>(source: &str, emit: F) {
    let mut out = Collapse { emit, blank: None, started: false };
    let mut chars = source.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let next = chars.peek().copied();
        let mut end = start.saturating_add(c.len_utf8());
        if is_plain(c) && next.is_none_or(|(_, n)| is_plain(n)) {
            out.push(c.to_ascii_lowercase(), start, end);
            continue;
        }
        while let Some((at, n)) = chars.next_if(|&(_, n)| !starts_segment(n)) {
            end = at.saturating_add(n.len_utf8());
        }
        if let Some(segment) = source.get(start..end) {
            out.segment(segment, start, end);
        }
    }
}

/// Characters that are their own composition and their own lower case (or ASCII), and combine with
/// nothing: a short cut, for speed only.
fn is_plain(c: char) -> bool {
    c.is_ascii()
        || matches!(u32::from(c),
            0x0430..=0x044f | 0x3041..=0x3096 | 0x30a1..=0x30fa | 0x4e00..=0x9fff
            | 0xac00..=0xd7a3 | 0x1_f300..=0x1_faff)
}

/// Whether `c` can never combine with what stands before it.
fn starts_segment(c: char) -> bool {
    if c.is_ascii() {
        return true;
    }
    let mut first = None;
    decompose_compatible(c, |d| {
        first.get_or_insert(d);
    });
    let first = first.unwrap_or(c);
    canonical_combining_class(first) == 0
        && is_nfc_quick(std::iter::once(first)) != IsNormalized::Maybe
        && is_nfc_quick(std::iter::once(c)) != IsNormalized::Maybe
}

/// Folds characters and joins runs of white space on their way out.
struct Collapse<F> {
    emit: F,
    /// A run of white space not yet written: its character and source range.
    blank: Option<(char, usize, usize)>,
    started: bool,
}

impl<F: FnMut(char, usize, usize)> Collapse<F> {
    fn segment(&mut self, segment: &str, start: usize, end: usize) {
        let lower = segment.chars().map(fold_accent).nfkc().flat_map(char::to_lowercase).map(fold_final);
        for c in lower.nfkc() {
            match c {
                'ß' => {
                    self.push('s', start, end);
                    self.push('s', start, end);
                }
                // A full stop of a script that puts no blank behind it.
                '\u{3002}' | '\u{964}' => {
                    self.push('.', start, end);
                    self.push(' ', start, end);
                }
                _ => self.push(c, start, end),
            }
        }
    }

    fn push(&mut self, c: char, start: usize, end: usize) {
        if c.is_ascii_graphic() && self.blank.is_none() {
            self.started = true;
            (self.emit)(c, start, end);
            return;
        }
        let Some(c) = plain(c) else { return };
        if c == ' ' || c == '\n' {
            self.blank = Some(match self.blank {
                Some(('\n', from, _)) => ('\n', from, end),
                Some((_, from, _)) => (c, from, end),
                None => (c, start, end),
            });
            return;
        }
        if let (Some((blank, from, to)), true) = (self.blank.take(), self.started) {
            (self.emit)(blank, from, to);
        }
        self.started = true;
        (self.emit)(c, start, end);
    }
}

/// The acute accent, which stands for an apostrophe on its own, and which NFKC would take apart.
fn fold_accent(c: char) -> char {
    if c == '\u{b4}' { '\'' } else { c }
}

/// The fold of the final sigma, which lower-casing leaves apart.
fn fold_final(c: char) -> char {
    if c == 'ς' { 'σ' } else { c }
}

/// The ASCII form of typographic characters; `None` for what is invisible.
fn plain(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(match c {
            '\n' | '\r' => '\n',
            '`' | '!'..='~' => c,
            _ => ' ',
        });
    }
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2bc}' | '\u{2032}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{300c}' | '\u{300d}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{61f}' => '?',
        '\u{3001}' => ',',
        '\u{2028}' | '\u{2029}' | '\u{85}' => '\n',
        '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => return None,
        '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => return None,
        _ if c.is_whitespace() || c.is_control() => ' ',
        _ => c,
    })
}

fn as_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
