//! A row of digit groups, read once and then compared with what it could be.

use super::text::Text;

/// Groups in one row; more belong to a table.
const MAX_GROUPS: usize = 8;
/// Digits in one group; a longer one is no number that people are given.
const MAX_GROUP: usize = 19;

/// Bytes of a digit in full width.
const MAX_DIGIT: usize = 3;

/// Stands for a hyphen between blanks.
pub(super) const SPACED: u8 = b'~';

/// Digits without anything between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    digits: usize,
    /// What stands before it: one of ` -./()`, [`SPACED`], or 0 before the first.
    pub(super) separator: u8,
}

impl Group {
    pub(super) const fn len(self) -> usize {
        self.digits
    }
}

/// Groups of digits with one separator between each two of them.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) text: Text<'a>,
    /// Where the row starts, a `+` or `(` included.
    pub(super) start: usize,
    pub(super) plus: bool,
    pub(super) parenthesis: bool,
    pub(super) groups: Vec<Group>,
}

impl<'a> Run<'a> {
    /// Reads the row that begins at `start`, if it has seven digits at least.
    pub(super) fn read(text: Text<'a>, start: usize) -> Option<Self> {
        Self::read_by(between, text, start)
    }

    /// As [`Self::read`], with hyphens between blanks: `555 - 123 - 4567`, or a subtraction.
    pub(super) fn read_spaced(text: Text<'a>, start: usize) -> Option<Self> {
        Self::read_by(spaced, text, start).filter(|run| !run.plus && !run.parenthesis)
    }

    fn read_by(
        between: fn(Text, usize) -> Option<(u8, usize)>,
        text: Text<'a>,
        start: usize,
    ) -> Option<Self> {
        let lead = text.byte(start)?;
        let plus = lead == b'+';
        let after_plus = start.saturating_add(usize::from(plus));
        let parenthesis = text.byte(after_plus) == Some(b'(');
        let mut run = Self { text, start, plus, parenthesis, groups: Vec::new() };
        let mut at = after_plus.saturating_add(usize::from(parenthesis));
        let mut separator = 0;
        while run.groups.len() < MAX_GROUPS {
            let most = MAX_GROUP.saturating_add(1).saturating_mul(MAX_DIGIT);
            let end = text.run(at, most, |c| plain(c).is_ascii_digit());
            let group = Group { start: at, end, digits: text.slice(at, end).chars().count(), separator };
            if group.len() == 0 || group.len() > MAX_GROUP {
                break;
            }
            run.groups.push(group);
            let Some((found, next)) = between(text, end) else { break };
            (separator, at) = (found, next);
        }
        (run.total(run.groups.len()) >= 7).then_some(run)
    }

    /// How many digits the first `count` groups have.
    pub(super) fn total(&self, count: usize) -> usize {
        self.groups.iter().take(count).map(|group| group.len()).sum()
    }

    /// The digits of the first `count` groups as values.
    pub(super) fn digits(&self, count: usize) -> Vec<u8> {
        let groups = self.groups.iter().take(count);
        let digits = groups.flat_map(|g| self.text.slice(g.start, g.end).chars());
        digits.filter_map(|c| u8::try_from(plain(c).to_digit(10)?).ok()).collect()
    }

    /// Where the first `count` groups end, if a number can end there.
    pub(super) fn end(&self, count: usize) -> Option<usize> {
        let end = self.groups.get(count.checked_sub(1)?)?.end;
        self.text.ends_number(end).then_some(end)
    }

    /// Where the row ends if it begins with groups of these lengths, separated by these signs.
    pub(super) fn shape(&self, lengths: &[usize], separators: &[u8]) -> Option<usize> {
        let groups = self.groups.get(..lengths.len())?;
        let fits = groups.iter().zip(lengths).all(|(group, length)| group.len() == *length)
            && groups.iter().skip(1).zip(separators).all(|(group, separator)| group.separator == *separator);
        if fits { self.end(lengths.len()) } else { None }
    }

    /// As [`Self::shape`], with the same sign, one of `separators`, between all groups.
    pub(super) fn even_shape(&self, lengths: &[usize], separators: &[u8]) -> Option<usize> {
        let separator = self.groups.get(1)?.separator;
        if !separators.contains(&separator) {
            return None;
        }
        self.shape(lengths, &vec![separator; lengths.len().saturating_sub(1)])
    }

    /// Whether nothing but the first `count` groups stands here: no further number before or behind
    /// it in the same row, as in a table.
    pub(super) fn alone(&self, count: usize) -> bool {
        let (nearer, further) = self.text.two_before(self.start);
        let before = matches!((nearer, further), (Some(' ' | '\t' | ','), Some(c)) if c.is_ascii_digit());
        self.groups.len() == count && !before
    }
}

/// The separator at `at` and where the digits after it begin.
fn between(text: Text, at: usize) -> Option<(u8, usize)> {
    let mut chars = text.from(at).char_indices().map(|(offset, c)| (at.saturating_add(offset), plain(c)));
    let (_, first) = chars.next()?;
    let (second_at, second) = chars.next()?;
    let third_at = chars.next();
    match (first, second, third_at) {
        (' ' | '-' | '.' | '/' | ')', d, _) if d.is_ascii_digit() => {
            Some((u8::try_from(first).ok()?, second_at))
        }
        (')', ' ' | '-', Some((third_at, d))) if d.is_ascii_digit() => Some((b')', third_at)),
        (' ', '(', Some((third_at, d))) if d.is_ascii_digit() => Some((b'(', third_at)),
        // "+49(0)151": the zero is for callers inside the country.
        ('(', '0', Some((_, ')'))) => Some((b'(', second_at)),
        _ => None,
    }
}

fn spaced(text: Text, at: usize) -> Option<(u8, usize)> {
    let next = at.saturating_add(3);
    let fits = text.slice(at, next) == " - " && text.char_at(next)?.is_ascii_digit();
    fits.then_some((SPACED, next))
}

/// Spaces and hyphens of typesetters, and what is written in full width, as the plain ones.
pub(super) fn plain(c: char) -> char {
    match c {
        '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{3000}' => ' ',
        '\u{2010}' | '\u{2011}' | '\u{2013}' | '\u{2212}' | '\u{ff0d}' => '-',
        '\u{ff10}'..='\u{ff19}' => {
            u32::from(c).checked_sub(0xff10).and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(text: &str) -> Option<Vec<usize>> {
        Run::read(Text(text), 0).map(|run| run.groups.iter().map(|group| group.len()).collect())
    }

    #[test]
    fn groups_are_read_with_one_separator_between_them() {
        for (text, expected) in [
            ("555-123-4567", vec![3, 3, 4]),
            ("+1 (555) 123-4567 rest", vec![1, 3, 3, 4]),
            ("(555)123-4567", vec![3, 3, 4]),
            ("(555)-123-4567", vec![3, 3, 4]),
            ("4111\u{a0}1111\u{202f}1111 1111", vec![4, 4, 4, 4]),
            ("555\u{2011}123\u{2013}4567", vec![3, 3, 4]),
            ("5551234  4567", vec![7]),
            ("5551234 - 4567", vec![7]),
            ("5551234.", vec![7]),
            ("1 2 3 4 5 6 7 8 9 10", vec![1; 8]),
        ] {
            assert_eq!(lengths(text), Some(expected), "{text}");
        }
        for text in ["", "+", "(", "123456", "12 34", "+(", "12345678901234567890", "ünï"] {
            assert_eq!(lengths(text), None, "{text}");
        }
    }

    #[test]
    fn a_row_knows_its_neighbours() {
        let alone = |text: &str, at: usize| Run::read(Text(text), at).unwrap().alone(3);
        assert!(alone("123 456 789", 0));
        assert!(!alone("123 456 789 012", 0));
        assert!(!alone("012 123 456 789", 4));
        assert!(!alone("1, 123 456 789", 3) || alone("x 123 456 789", 2));
    }
}
