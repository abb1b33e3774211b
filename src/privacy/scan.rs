//! One pass over a text: every position is offered to what could begin there.

use super::context::Context;
use super::kind::{Finding, Kind};
use super::number::{Run, plain};
use super::text::{Text, is_word, ties};
use super::{assignment, checksum, email, national_id, phone, secret};

/// `text` with all findings replaced; `None` when there are none.
pub(super) fn pass(text: &str) -> Option<String> {
    let mut scan = Scan { text: Text(text), context: Context::default(), copied: 0, output: None };
    let mut at = 0;
    while let Some(c) = scan.text.char_at(at) {
        at = match scan.step(at, c) {
            Step::Skip(next) => next.max(at.saturating_add(c.len_utf8())),
            Step::Found(finding) => {
                scan.replace(finding);
                finding.end.max(at.saturating_add(c.len_utf8()))
            }
        };
    }
    let rest = scan.text.from(scan.copied);
    scan.output.map(|output| output + rest)
}

enum Step {
    Skip(usize),
    Found(Finding),
}

struct Scan<'a> {
    text: Text<'a>,
    context: Context,
    /// Up to here the text stands in `output`, or is dropped.
    copied: usize,
    output: Option<String>,
}

impl Scan<'_> {
    fn replace(&mut self, finding: Finding) {
        let output = self.output.get_or_insert_with(|| String::with_capacity(self.text.len()));
        output.push_str(self.text.slice(self.copied, finding.start));
        output.push_str(finding.kind.placeholder());
        self.copied = finding.end;
    }

    fn step(&mut self, at: usize, c: char) -> Step {
        let next = at.saturating_add(c.len_utf8());
        let found = match c {
            '[' => return Step::Skip(self.placeholder_end(at).unwrap_or(next)),
            '@' | '\u{ff20}' => email::find(self.text, at, self.copied)
                .map(|(start, end)| Finding::new(start, end, Kind::Email)),
            ':' => {
                let next = self.text.char_at(self.text.skip_spaces(next));
                self.context.colon(at, next.is_some_and(|c| c == '(' || plain(c).is_ascii_digit()));
                secret::address_password(self.text, at)
            }
            '-' => secret::private_key(self.text, at),
            '\n' => {
                self.context.sentence_ends(at, true);
                None
            }
            '.' | '!' | '?' | ';' if self.text.char_at(next).is_none_or(char::is_whitespace) => {
                self.context.sentence_ends(at, false);
                None
            }
            '+' | '(' => self.number(at),
            _ if plain(c).is_ascii_digit() => return self.digits(at),
            _ if is_word(c) => return self.word(at),
            _ => None,
        };
        found.map_or(Step::Skip(next), Step::Found)
    }

    /// A placeholder is no text: the word in `[phone]` announces nothing.
    fn placeholder_end(&self, at: usize) -> Option<usize> {
        let rest = self.text.from(at);
        let known = Kind::ALL.iter().map(|kind| kind.placeholder()).find(|name| rest.starts_with(name))?;
        Some(at.saturating_add(known.len()))
    }

    fn digits(&self, at: usize) -> Step {
        if let Some(finding) = self.text.begins_number(at).then(|| self.number(at)).flatten() {
            return Step::Found(finding);
        }
        if let Some(end) = phone::linked(self.text, at) {
            return Step::Found(Finding::new(at, end, Kind::Phone));
        }
        // A hash or an identifier is skipped whole: what looks like a number inside is none.
        Step::Skip(self.text.run(at, usize::MAX, ties))
    }

    fn number(&self, at: usize) -> Option<Finding> {
        if let Some(finding) = bot_token(self.text, at) {
            return Some(finding);
        }
        let of = |kind| move |end| Finding::new(at, end, kind);
        if let Some(finding) = national_id::french(self.text, at).map(of(Kind::NationalId)) {
            return Some(finding);
        }
        let run = Run::read(self.text, at).or_else(|| Run::read_spaced(self.text, at))?;
        card(&run)
            .map(of(Kind::Card))
            .or_else(|| national_id::find(&run, &self.context).map(of(Kind::NationalId)))
            .or_else(|| phone::find(&run, &self.context).map(of(Kind::Phone)))
    }

    fn word(&mut self, at: usize) -> Step {
        let secret = secret::find(self.text, at).or_else(|| assignment::find(self.text, at));
        let id = || national_id::spanish_nie(self.text, at).or_else(|| national_id::british(self.text, at));
        if let Some(finding) = secret.or_else(|| id().map(|end| Finding::new(at, end, Kind::NationalId))) {
            return Step::Found(finding);
        }
        let end = self.text.word_end(at);
        self.context.word(self.text.slice(at, end), end);
        Step::Skip(end)
    }
}

/// A payment card: an issuer's prefix and length, printed groups or none, and Luhn's check digit.
fn card(run: &Run) -> Option<usize> {
    if run.plus || run.parenthesis {
        return None;
    }
    let grouped: [&[usize]; 4] = [&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];
    let mut found = grouped
        .iter()
        .filter_map(|lengths| Some((run.even_shape(lengths, b" -.")?, lengths.len())))
        .chain(run.end(1).map(|end| (end, 1)));
    // Three digits behind sixteen are the rest of a long number, or a security code.
    let valid = |count| {
        let digits = run.digits(count);
        is_issued(&digits) && checksum::luhn(&digits)
    };
    found.find(|(_, count)| valid(*count)).map(|(end, _)| end)
}

/// Whether an issuer gives out numbers with this beginning and length (ISO/IEC 7812).
fn is_issued(digits: &[u8]) -> bool {
    let prefix = digits.iter().take(4).fold(0_u32, |n, d| n.saturating_mul(10).saturating_add(u32::from(*d)));
    matches!(
        (digits.len(), prefix),
        (13 | 16 | 19, 4000..=4999)
            | (16, 2221..=2720 | 3528..=3589 | 5000..=5899 | 6011 | 6200..=6299 | 6304 | 6440..=6599 | 6759..=6763)
            | (19, 6011 | 6200..=6299 | 6440..=6599)
            | (15, 3400..=3499 | 3700..=3799)
            | (14, 3000..=3059 | 3600..=3699 | 3800..=3999)
    )
}

/// A Telegram bot's token: its number, a colon and 35 characters.
fn bot_token(text: Text, at: usize) -> Option<Finding> {
    let colon = text.run(at, 12, |c| c.is_ascii_digit());
    let start = colon.saturating_add(1);
    let end = text.run(start, 64, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let fits = (8..=10).contains(&colon.saturating_sub(at))
        && text.byte(colon) == Some(b':')
        && end.saturating_sub(start) == 35
        && text.from(start).starts_with("AA");
    fits.then(|| Finding::new(at, end, Kind::Key))
}
