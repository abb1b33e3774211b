//! National identifiers: of the United States, Spain, Germany, Korea, India, Brazil, Portugal, the
//! United Kingdom, France and Pakistan.
//!
//! Those with check digits must have the right ones. What is left of chance is made up for by
//! punctuation, or by the identifier's name before it (see `context`).

use super::checksum::{all_same, cpf, dni_letter, mod_11_10, nif, value, verhoeff};
use super::context::{Context, Id};
use super::number::Run;
use super::text::Text;

/// Where the identifier that `run` begins with ends.
pub(super) fn find(run: &Run, context: &Context) -> Option<usize> {
    if run.plus || run.parenthesis {
        return None;
    }
    let named = context.id(run.start);
    american(run, named)
        .or_else(|| spanish_dni(run, named))
        .or_else(|| pakistani(run, named))
        .or_else(|| korean(run, named))
        .or_else(|| brazilian(run, named))
        .or_else(|| german(run, named))
        .or_else(|| indian(run, named))
        .or_else(|| portuguese(run, named))
}

/// SSN `AAA-GG-SSSS`; never given: area 000, 666 and 9xx, group 00, serial 0000.
fn american(run: &Run, named: Option<Id>) -> Option<usize> {
    let named = named == Some(Id::Social);
    let end = run.shape(&[3, 2, 4], b"--").or_else(|| {
        let loose = || run.shape(&[3, 2, 4], b"  ").or_else(|| run.shape(&[9], b""));
        named.then(loose).flatten()
    })?;
    let digits = run.digits(run.groups.len());
    let never_given = matches!(
        digits.get(..9)?,
        [9, ..] | [0, 0, 0, ..] | [6, 6, 6, ..] | [_, _, _, 0, 0, ..] | [_, _, _, _, _, 0, 0, 0, 0]
    );
    (!never_given).then_some(end)
}

/// DNI: eight digits and their letter, in upper case unless announced.
fn spanish_dni(run: &Run, named: Option<Id>) -> Option<usize> {
    let group = run.groups.first().filter(|group| group.len() == 8)?;
    let number = value(&run.digits(1))?;
    letter(run.text, group.end, number, matches!(named, Some(Id::Spanish | Id::Portuguese)))
}

/// NIE: X, Y or Z for 0, 1 or 2, seven digits and the letter. `start` is where a word begins.
pub(super) fn spanish_nie(text: Text, start: usize) -> Option<usize> {
    let first = match text.byte(start)? {
        b'X' => 0_u64,
        b'Y' => 1,
        b'Z' => 2,
        _ => return None,
    };
    let digits_start = start.saturating_add(1);
    let end = text.run(digits_start, 8, |c| c.is_ascii_digit());
    let digits = text.slice(digits_start, end);
    if digits.len() != 7 || tied_before(text, start) {
        return None;
    }
    let number = digits.parse::<u64>().ok()?.checked_add(first.checked_mul(10_000_000)?)?;
    letter(text, end, number, false)
}

/// The check letter at `at`, a hyphen before it allowed; the position behind it.
fn letter(text: Text, at: usize, number: u64, any_case: bool) -> Option<usize> {
    let at = at.saturating_add(usize::from(text.byte(at) == Some(b'-')));
    let found = char::from(text.byte(at)?);
    let end = at.saturating_add(1);
    let right = dni_letter(number) == Some(if any_case { found.to_ascii_uppercase() } else { found });
    (right && text.ends_number(end)).then_some(end)
}

/// CNIC `PPPPP-FFFFFFF-G`; the province is 1 to 7.
fn pakistani(run: &Run, named: Option<Id>) -> Option<usize> {
    let plain = (named == Some(Id::Pakistani)).then(|| run.shape(&[13], b"")).flatten();
    let end = run.shape(&[5, 7, 1], b"--").or(plain)?;
    matches!(run.digits(1).first(), Some(1..=7)).then_some(end)
}

/// RRN `YYMMDD-SNNNNNN`: a date, then a digit for century and sex. Since 2020 the rest is random,
/// so there is no check digit to ask for.
fn korean(run: &Run, named: Option<Id>) -> Option<usize> {
    let plain = (named == Some(Id::Korean)).then(|| run.shape(&[13], b"")).flatten();
    let end = run.shape(&[6, 7], b"-").or(plain)?;
    let digits = run.digits(2);
    let (month, day) = (value(digits.get(2..4)?)?, value(digits.get(4..6)?)?);
    let sex = *digits.get(6)?;
    ((1..=12).contains(&month) && (1..=31).contains(&day) && (1..=8).contains(&sex)).then_some(end)
}

/// CPF `NNN.NNN.NNN-CC`.
fn brazilian(run: &Run, named: Option<Id>) -> Option<usize> {
    let plain = (named == Some(Id::Cpf)).then(|| run.shape(&[11], b"")).flatten();
    let (end, count) = run.shape(&[3, 3, 3, 2], b"..-").map(|end| (end, 4)).or(plain.map(|end| (end, 1)))?;
    cpf(&run.digits(count)).then_some(end)
}

/// Tax identification number: eleven digits, of which the first ten repeat exactly one.
fn german(run: &Run, named: Option<Id>) -> Option<usize> {
    let grouped = run.shape(&[2, 3, 3, 3], b"   ").filter(|_| run.alone(4) || named == Some(Id::German));
    let (end, count) = grouped.map(|end| (end, 4)).or(run.shape(&[11], b"").map(|end| (end, 1)))?;
    let digits = run.digits(count);
    let body = digits.get(..10)?;
    let counts: Vec<usize> = (0..10).map(|digit| body.iter().filter(|d| **d == digit).count()).collect();
    let repeated = counts.iter().filter(|count| **count > 1).count();
    let well_formed = body.first() != Some(&0) && repeated == 1 && counts.iter().all(|count| *count <= 3);
    (well_formed && mod_11_10(&digits)).then_some(end)
}

/// Aadhaar `NNNN NNNN NNNN`, the first digit 2 to 9; not three years in a row.
fn indian(run: &Run, named: Option<Id>) -> Option<usize> {
    let named = named == Some(Id::Aadhaar);
    let grouped = run.even_shape(&[4, 4, 4], b" -").filter(|_| named || (run.alone(3) && !are_years(run)));
    let (end, count) =
        grouped.map(|end| (end, 3)).or(named.then(|| run.shape(&[12], b"")).flatten().map(|end| (end, 1)))?;
    let digits = run.digits(count);
    (matches!(digits.first(), Some(2..=9)) && verhoeff(&digits) && !all_same(&digits)).then_some(end)
}

fn are_years(run: &Run) -> bool {
    run.groups.iter().all(|group| {
        let text = run.text.slice(group.start, group.end);
        text.starts_with("19") || text.starts_with("20")
    })
}

/// NIF: only when announced, because one number in ten has the right check digit.
fn portuguese(run: &Run, named: Option<Id>) -> Option<usize> {
    if named != Some(Id::Portuguese) {
        return None;
    }
    let (end, count) =
        run.shape(&[9], b"").map(|end| (end, 1)).or(run.shape(&[3, 3, 3], b"  ").map(|end| (end, 3)))?;
    nif(&run.digits(count)).then_some(end)
}

/// NIR ("numéro INSEE"): sex, year, month, department (2A and 2B in Corsica), commune, order, and
/// the key 97 minus the rest of the number by 97; spaces as people like. `start` is where a number begins.
pub(super) fn french(text: Text, start: usize) -> Option<usize> {
    let (nir, end) = fifteen(text, start)?;
    let number = match nir.get(5..7)? {
        "2A" => nir.get(..13)?.replacen('A', "0", 1).parse::<u64>().ok()?.checked_sub(1_000_000)?,
        "2B" => nir.get(..13)?.replacen('B', "0", 1).parse::<u64>().ok()?.checked_sub(2_000_000)?,
        _ => nir.get(..13)?.parse().ok()?,
    };
    let key: u64 = nir.get(13..)?.parse().ok()?;
    let month: u64 = nir.get(3..5)?.parse().ok()?;
    let person = nir.starts_with(['1', '2']) && matches!(month, 1..=12 | 20..=42 | 50..=99);
    (person && key == 97_u64.checked_sub(number % 97)? && text.ends_number(end)).then_some(end)
}

/// Fifteen digits (or a Corsican A or B as the seventh) with single spaces between them.
fn fifteen(text: Text, start: usize) -> Option<(String, usize)> {
    let (mut found, mut end, mut spaced) = (String::with_capacity(15), start, false);
    for c in text.from(start).chars().take(24) {
        let belongs =
            c.is_ascii_digit() || (found.len() == 6 && matches!(c, 'A' | 'B') && found.ends_with('2'));
        match c {
            _ if belongs => found.push(c),
            ' ' | '\u{a0}' if !spaced => {}
            _ => return None,
        }
        spaced = !belongs;
        end = end.saturating_add(c.len_utf8());
        if found.len() == 15 {
            return Some((found, end));
        }
    }
    None
}

/// NINO: two letters that can be a prefix, six digits (in pairs or not), a letter from A to D.
/// `start` is where a word begins.
pub(super) fn british(text: Text, start: usize) -> Option<usize> {
    let prefix = text.slice(start, start.saturating_add(2));
    let [first, second] = prefix.as_bytes() else {
        return None;
    };
    let allowed = first.is_ascii_uppercase()
        && second.is_ascii_uppercase()
        && !b"DFIQUV".contains(first)
        && !b"DFIOQUV".contains(second)
        && !["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"].contains(&prefix);
    if !allowed || tied_before(text, start) {
        return None;
    }
    let mut at = start.saturating_add(2);
    let spaced = text.byte(at) == Some(b' ');
    for _ in 0..3 {
        at = at.saturating_add(usize::from(spaced && text.byte(at) == Some(b' ')));
        let end = text.run(at, 2, |c| c.is_ascii_digit());
        if end != at.saturating_add(2) {
            return None;
        }
        at = end;
    }
    at = at.saturating_add(usize::from(spaced && text.byte(at) == Some(b' ')));
    let end = at.saturating_add(1);
    (matches!(text.byte(at), Some(b'A'..=b'D')) && text.ends_number(end)).then_some(end)
}

/// Whether a sign ties the word at `start` to something before it: part of a longer code.
fn tied_before(text: Text, start: usize) -> bool {
    matches!(text.two_before(start), (Some('-' | '.' | '/' | '\\'), Some(c)) if super::text::is_word(c))
}
