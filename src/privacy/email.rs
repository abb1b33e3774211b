//! E-mail addresses, found by their `@`.
//!
//! An address has a local part and a domain with a dot and a top level of letters. So decorators
//! (`@app.route`), prompts (`user@host:~$`), package versions (`left-pad@1.3.0`) and handles stay;
//! so do matrix products (`x@self.weight`, `a@b.dot(c)`) and remotes (`git@host.example:repo`).

use super::text::{Text, is_word};

/// RFC 5321 §4.5.3.1.1.
const MAX_LOCAL: usize = 64;
/// RFC 5321 §4.5.3.1.2.
const MAX_DOMAIN: usize = 255;

/// Start and end of the address around the `@` at `at`. What stands before `from` has been
/// replaced already.
pub(super) fn find(text: Text, at: usize, from: usize) -> Option<(usize, usize)> {
    let sign = text.char_at(at)?.len_utf8();
    let start = local_start(text, at, from)?;
    let domain_start = at.saturating_add(sign);
    let end = domain_end(text, domain_start)?;
    let domain = text.slice(domain_start, end);
    let local = text.slice(start, at);
    (!is_code(text, domain, end) && !is_remote(text, local, end)).then_some((start, end))
}

/// Where the local part begins: letters of any script, digits and `._%+'-`, not beginning with a sign.
fn local_start(text: Text, at: usize, from: usize) -> Option<usize> {
    let before = text.slice(from, at);
    let mut start = at;
    for (offset, c) in before.char_indices().rev() {
        let position = from.saturating_add(offset);
        if !is_local(c) || at.saturating_sub(position) > MAX_LOCAL {
            break;
        }
        start = position;
    }
    let local = text.slice(start, at);
    let signs = local.len().saturating_sub(local.trim_start_matches(|c: char| !is_word(c)).len());
    let start = start.saturating_add(signs);
    (start < at).then_some(start)
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '\'' | '-' | '&' | '=')
}

/// Where the domain ends: labels with dots between them, the last one of at least two letters.
fn domain_end(text: Text, start: usize) -> Option<usize> {
    let limit = text.run(start, MAX_DOMAIN, |c| c.is_alphanumeric() || matches!(c, '.' | '-'));
    // "ana@example.com...thanks"
    let domain = text.slice(start, limit).split("..").next()?.trim_end_matches(['.', '-']);
    let (labels, top) = domain.rsplit_once('.')?;
    let top = top_level(top);
    let fits = top.chars().count() >= 2
        && !labels.is_empty()
        && labels
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
    let length = labels.len().checked_add(1)?.checked_add(top.len())?;
    fits.then_some(start.saturating_add(length))
}

/// The top level that `text` begins with. A particle in another script belongs to the sentence
/// (`kr입니다`).
fn top_level(text: &str) -> &str {
    let length = match text.chars().next() {
        _ if text.starts_with("xn--") => return text,
        Some(first) => text
            .chars()
            .take_while(|c| c.is_alphabetic() && c.is_ascii() == first.is_ascii())
            .map(char::len_utf8)
            .sum(),
        None => 0,
    };
    text.get(..length).unwrap_or_default()
}

/// Top levels that no method is called like, so that "ana@example.com(work)" is no call.
const TOP_LEVELS: [&str; 12] = ["com", "org", "net", "edu", "gov", "de", "es", "fr", "kr", "uk", "br", "pt"];

/// A matrix product or a method call.
fn is_code(text: Text, domain: &str, end: usize) -> bool {
    let object = domain.split('.').next().unwrap_or_default();
    let called = matches!(text.byte(end), Some(b'(' | b'['));
    let top = domain.rsplit('.').next().unwrap_or_default();
    matches!(object, "self" | "cls" | "this" | "np" | "torch" | "tf") || called && !TOP_LEVELS.contains(&top)
}

/// A shell's prompt, a remote or a path on one: a `:` with a path behind it.
fn is_remote(text: Text, local: &str, end: usize) -> bool {
    let next = end.saturating_add(1);
    text.byte(end) == Some(b':')
        && (local == "git" || matches!(text.byte(next), Some(b'~' | b'/' | b'$' | b'#')))
}
