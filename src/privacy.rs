//! Takes personal data and secrets out of text before it is stored or published: e-mail addresses,
//! phone numbers, tokens, keys, card numbers and national identifiers become `[email]`, `[phone]`,
//! `[token]`, `[key]`, `[card]` and `[national_id]`. Text on its way to an agent is never touched.
//!
//! Students send code, output and tables of numbers, and a redacted question may be replayed. So a
//! bare row of digits is nothing by itself: it takes a check digit, a shape that nothing else has,
//! or a word before it that says what it is (`phone`, `ssn`, `dni`). What each kind needs is said
//! in its module. Two examples of the line: `123-456-7890` stays, because no such area code exists
//! and no word announces it; `my phone is 123-456-7890` does not stay.
//!
//! One pass over the text with a bounded look around each position, so the time is linear; passes
//! are repeated until nothing changes, so redacting twice is the same as once.

mod assignment;
mod checksum;
mod context;
mod email;
mod kind;
mod national_id;
mod number;
mod phone;
mod scan;
mod secret;
mod text;

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Passes over one text. Replacing something can bring a number within reach of a word; ordinary
/// texts settle after one pass.
const MAX_PASSES: usize = 8;

/// `text` with everything personal replaced by its kind; borrowed when there is nothing.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut redacted = Cow::Borrowed(text);
    for _ in 0..MAX_PASSES {
        match scan::pass(&redacted) {
            Some(next) => redacted = Cow::Owned(next),
            None => break,
        }
    }
    redacted
}

/// Redacts every string and number inside `value` as it reads behind its member's name, and the names.
/// What stands under a name like `password` is replaced whole.
pub fn redact_json(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(redacted) = redact(text) {
                *text = redacted;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact_json),
        Value::Object(members) => redact_members(members),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn redact_members(members: &mut Map<String, Value>) {
    for (name, value) in members.iter_mut() {
        match (assignment::names_secret(name), &mut *value) {
            (Some(kind), Value::String(text)) if !text.is_empty() => kind.placeholder().clone_into(text),
            (Some(kind), Value::Number(_)) => *value = kind.placeholder().into(),
            _ => redact_named(name, value),
        }
    }
    if members.keys().any(|name| matches!(redact(name), Cow::Owned(_))) {
        for (name, value) in std::mem::take(members) {
            members.insert(free_name(members, redact(&name).into_owned()), value);
        }
    }
}

/// Redacts `value` as it reads behind its name, which may say what it is: `"parentPhone": 5551234567`.
fn redact_named(name: &str, value: &mut Value) {
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Array(items) => return items.iter_mut().for_each(|item| redact_named(name, item)),
        Value::Object(_) | Value::Null | Value::Bool(_) => return redact_json(value),
    };
    // `session_id` announces as it stands, `parent_phone` by its words.
    let labels = [format!("{name}: "), format!("{}: ", in_words(name))];
    let redacted = labels.iter().find_map(|label| {
        let read = format!("{label}{text}");
        redact(&read).strip_prefix(label).filter(|redacted| *redacted != text).map(str::to_owned)
    });
    if let Some(redacted) = redacted {
        *value = redacted.into();
    }
}

/// `parentPhone2` and `parent_phone` as `parent Phone 2` and `parent phone`.
fn in_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len());
    for c in name.chars() {
        let begins = words.ends_with(char::is_lowercase) && (c.is_uppercase() || c.is_ascii_digit());
        words.extend(begins.then_some(' '));
        words.push(if matches!(c, '_' | '-' | '.') { ' ' } else { c });
    }
    words
}

/// `name`, or `name#2` and so on when another member has come to the same name.
fn free_name(members: &Map<String, Value>, name: String) -> String {
    if !members.contains_key(&name) {
        return name;
    }
    let numbered =
        (2_usize..).map(|n| format!("{name}#{n}")).find(|numbered| !members.contains_key(numbered));
    numbered.unwrap_or(name)
}

#[cfg(test)]
mod tests;
