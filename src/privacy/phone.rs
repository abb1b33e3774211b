//! Phone numbers. Three things make one:
//!
//! 1. a `+` and a country code (E.164);
//! 2. a shape that one country writes and nothing else has: `(NXX) NXX-XXXX` and `NXX-NXX-XXXX`
//!    with an area code and exchange that can exist, `010-XXXX-XXXX`, `(XX) 9XXXX-XXXX`,
//!    `090-XXXX-XXXX`, `03XX-XXXXXXX`, `07XXX XXXXXX`, `0XXX/XXXXXXX`, `06 XX XX XX XX` when it is
//!    no sequence, `XXX-XXX-XXXX` with an extension (`x12`), and what follows `wa.me/`;
//! 3. a word before it (see `context`) and seven digits, nine after a weak word.
//!
//! So `123-456-7890` in a program's output stays, `415-867-5309` does not, and after "call me at"
//! neither stays. Dates, addresses of computers, fractions and round numbers never count.

use super::context::{Announced, Context, is_individual};
use super::number::{Run, SPACED};
use super::text::{Text, ties};

/// Where the phone number that `run` begins with ends.
pub(super) fn find(run: &Run, context: &Context) -> Option<usize> {
    if run.plus {
        return international(run);
    }
    american(run).or_else(|| national(run)).or_else(|| announced(run, context.phone(run.start)?))
}

/// Where the number in a link to somebody's `WhatsApp` ends: `wa.me/4915123456789`.
pub(super) fn linked(text: Text, start: usize) -> Option<usize> {
    let end = text.run(start, 16, |c| c.is_ascii_digit());
    let fits = text.slice(start.saturating_sub(6), start).eq_ignore_ascii_case("wa.me/")
        && (8..=15).contains(&end.saturating_sub(start));
    (fits && text.ends_number(end)).then_some(end)
}

/// E.164: country code and number, 8 to 15 digits in all.
fn international(run: &Run) -> Option<usize> {
    let before = run.text.before(run.start);
    if run.parenthesis || before.is_some_and(|c| ties(c) || matches!(c, ')' | ']' | '+')) {
        return None;
    }
    let all = run.digits(run.groups.len());
    // "+49 (0)151" has a digit that is not dialled.
    let trunk = run.groups.get(1).is_some_and(|g| g.separator == b'(' && g.len() == 1);
    match all.as_slice() {
        [1, 2..=9, ..] => exactly(run, 11),
        [7, ..] => exactly(run, 11),
        [2..=9, ..] => longest(run, 8, if trunk { 14 } else { 13 }),
        _ => None,
    }
    .filter(|_| !could_be_sum(run))
}

/// `total +12345678`: a sum, unless it is too long for one.
fn could_be_sum(run: &Run) -> bool {
    let operand = match run.text.two_before(run.start) {
        (Some(' '), Some(c)) => super::text::is_word(c) || matches!(c, ')' | ']'),
        _ => false,
    };
    operand && run.groups.len() == 1 && run.total(1) < 11
}

/// The groups that have `wanted` digits together.
fn exactly(run: &Run, wanted: usize) -> Option<usize> {
    longest(run, wanted, wanted)
}

/// The most groups with `least` to `most` digits that a number can end after.
fn longest(run: &Run, least: usize, most: usize) -> Option<usize> {
    (1..=run.groups.len())
        .rev()
        .filter(|count| (least..=most).contains(&run.total(*count)) && is_individual(&run.digits(*count)))
        .find_map(|count| run.end(count))
}

/// North America: area code and exchange begin with 2 to 9, a leading 1 may come first.
fn american(run: &Run) -> Option<usize> {
    let shapes: [(&[usize], &[u8]); 8] = [
        (&[3, 3, 4], b"--"),
        (&[3, 3, 4], b".."),
        (&[3, 3, 4], b")-"),
        (&[3, 3, 4], b") "),
        (&[3, 3, 4], b")."),
        (&[1, 3, 3, 4], b"---"),
        (&[1, 3, 3, 4], b"..."),
        (&[1, 3, 3, 4], b"()-"),
    ];
    let parenthesised = |separators: &[u8]| separators.first() == Some(&b')');
    let fits = |lengths: &[usize], separators: &[u8]| {
        if run.parenthesis == parenthesised(separators) { run.shape(lengths, separators) } else { None }
    };
    let end = shapes.iter().find_map(|(lengths, separators)| fits(lengths, separators))?;
    let digits = run.digits(run.groups.len());
    let national = match digits.as_slice() {
        [1, rest @ ..] if run.groups.first()?.len() == 1 => rest,
        all => all,
    };
    let (area, exchange) = (*national.first()?, *national.get(3)?);
    let exists = area >= 2 && exchange >= 2 || has_extension(run.text, end);
    (exists && run.text.before(run.start) != Some('(') && !glued(run)).then_some(end)
}

/// Whether ` x12` or ` ext. 12` follows: only phone numbers have extensions.
fn has_extension(text: Text, end: usize) -> bool {
    let rest = text.slice(end, text.run(end, 8, |c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.')));
    let short = rest.strip_prefix(" x");
    let digits = short.or_else(|| Some(rest.strip_prefix(" ext")?.trim_start_matches(['.', ' '])));
    digits.is_some_and(|digits| digits.starts_with(|c: char| c.is_ascii_digit()))
}

/// A `(` right behind a name is a call: `f(555) 123-4567`.
fn glued(run: &Run) -> bool {
    run.parenthesis && run.text.before(run.start).is_some_and(|c| ties(c) || matches!(c, ')' | ']'))
}

/// Shapes of other countries that are told by their first digits.
fn national(run: &Run) -> Option<usize> {
    let digits = run.digits(run.groups.len());
    let end = match digits.as_slice() {
        [0, 1, ..] if run.groups.first()?.len() == 3 => {
            run.even_shape(&[3, 4, 4], b"-. ").or_else(|| run.even_shape(&[3, 3, 4], b"-."))
        }
        [0, 7..=9, 0, ..] if run.groups.first()?.len() == 3 => run.even_shape(&[3, 4, 4], b"-"),
        [0, 3, ..] => run.shape(&[4, 7], b"-"),
        [0, 7, ..] => run.shape(&[5, 6], b" ").or_else(|| run.shape(&[5, 3, 3], b"  ")),
        _ if run.parenthesis && !glued(run) => {
            run.shape(&[2, 5, 4], b")-").or_else(|| run.shape(&[2, 4, 4], b")-"))
        }
        _ => None,
    };
    end.or_else(|| slashed(run)).or_else(|| french(run, &digits)).filter(|_| is_individual(&digits))
}

/// German: `0171/1234567`.
fn slashed(run: &Run) -> Option<usize> {
    let [area, number, ..] = run.groups.as_slice() else {
        return None;
    };
    let fits = (3..=5).contains(&area.len()) && (6..=8).contains(&number.len()) && number.separator == b'/';
    let trunk = run.text.slice(area.start, area.end);
    if fits && trunk.starts_with('0') && !trunk.starts_with("00") { run.end(2) } else { None }
}

/// French mobile: five pairs from 06 or 07, unless they count up (`06 07 08 09 10`).
fn french(run: &Run, digits: &[u8]) -> Option<usize> {
    let [0, 6 | 7, ..] = digits else {
        return None;
    };
    let end = run.even_shape(&[2; 5], b" .-").filter(|_| run.alone(5))?;
    let pairs: Vec<i16> = digits.chunks(2).map(pair).collect();
    let steps: Vec<i16> = pairs.windows(2).map(|w| step(w.first(), w.last())).collect();
    steps.windows(2).any(|w| w.first() != w.last()).then_some(end)
}

fn pair(digits: &[u8]) -> i16 {
    digits.iter().fold(0, |value: i16, digit| value.saturating_mul(10).saturating_add(i16::from(*digit)))
}

fn step(from: Option<&i16>, to: Option<&i16>) -> i16 {
    to.copied().unwrap_or_default().saturating_sub(from.copied().unwrap_or_default())
}

/// Any row of digits that a word announces.
fn announced(run: &Run, how: Announced) -> Option<usize> {
    if glued(run) || is_date(run) || is_dotted(run) || is_timestamp(run) {
        return None;
    }
    if run.groups.get(1).is_some_and(|group| group.separator == SPACED) {
        return run.even_shape(&[3, 3, 4], &[SPACED]).or_else(|| run.even_shape(&[3, 4, 4], &[SPACED]));
    }
    longest(run, if how == Announced::Strongly { 7 } else { 9 }, 13)
}

/// `2026-03-14`, `14.03.2026`, `3/14/2026`.
fn is_date(run: &Run) -> bool {
    let [first, second, third, ..] = run.groups.as_slice() else {
        return false;
    };
    second.separator == third.separator
        && second.separator != b' '
        && matches!((first.len(), second.len(), third.len()), (4, 1..=2, 1..=2) | (1..=2, 1..=2, 4))
}

/// An IPv4 address, a version or a fraction.
fn is_dotted(run: &Run) -> bool {
    let dotted = run.groups.iter().skip(1).take_while(|group| group.separator == b'.').count();
    dotted == 3 && run.groups.iter().take(4).all(|group| group.len() <= 3) || dotted == 1
}

/// Unix time in seconds or milliseconds.
fn is_timestamp(run: &Run) -> bool {
    run.groups.len() == 1 && matches!(run.total(1), 10 | 13) && run.digits(1).first() == Some(&1)
}
