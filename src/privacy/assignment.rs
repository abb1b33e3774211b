//! Secrets that are told by the name they are given: `api_key = "…"`, `"password": "…"`,
//! `Authorization: Basic …`, "my password is …".
//!
//! Students write `password = input()` and `token = tokens[i]` all day, so the value must look like
//! a secret too, the more so the vaguer the name is.

use super::kind::{Finding, Kind};
use super::secret::{credential_end, has_digit, is_stand_in, is_stand_in_password};
use super::text::{Text, is_word};

/// Longest name and value that are looked at.
const MAX_NAME: usize = 64;
const MAX_VALUE: usize = 512;

/// How much a name says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// A machine's secret: eight characters with a digit.
    Key,
    /// A person's secret: six characters, not only letters.
    Password,
    /// As often a word of a program: sixteen characters with letters and digits.
    Vague,
    /// The header, whose value begins with a scheme.
    Authorization,
}

/// Endings of names, without case, hyphens and underscores.
const NAMES: [(&str, Name); 25] = [
    ("apikey", Name::Key),
    ("secretkey", Name::Key),
    ("accesskey", Name::Key),
    ("secretaccesskey", Name::Key),
    ("accountkey", Name::Key),
    ("privatekey", Name::Key),
    ("clientsecret", Name::Key),
    ("accesstoken", Name::Key),
    ("authtoken", Name::Key),
    ("refreshtoken", Name::Key),
    ("apitoken", Name::Key),
    ("bearertoken", Name::Key),
    ("password", Name::Password),
    ("passwd", Name::Password),
    ("passphrase", Name::Password),
    ("passwort", Name::Password),
    ("kennwort", Name::Password),
    ("contrasena", Name::Password),
    ("contraseña", Name::Password),
    ("senha", Name::Password),
    ("pwd", Name::Password),
    ("secret", Name::Vague),
    ("token", Name::Vague),
    ("sessionid", Name::Vague),
    ("authorization", Name::Authorization),
];

/// Words between "password" and the password.
const LINKS: [&str; 7] = ["is", "was", "ist", "es", "est", "é", "eh"];

fn meaning(name: &str) -> Option<Name> {
    let flat: String =
        name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect();
    NAMES.iter().find(|(ending, _)| flat.ends_with(ending)).map(|(_, meaning)| *meaning)
}

/// The kind of secret that a member of this name holds, whatever it looks like.
pub(super) fn names_secret(name: &str) -> Option<Kind> {
    if name.len() > MAX_NAME {
        return None;
    }
    match meaning(name)? {
        Name::Key if name.to_ascii_lowercase().ends_with("token") => Some(Kind::Token),
        Name::Key | Name::Password => Some(Kind::Key),
        Name::Authorization => Some(Kind::Token),
        Name::Vague => None,
    }
}

/// The secret behind the name that begins at `start`.
pub(super) fn find(text: Text, start: usize) -> Option<Finding> {
    let name_end = text.run(start, MAX_NAME, |c| is_word(c) || c == '-');
    let name = text.slice(start, name_end);
    // Most words stand before another one, and need not be compared with every name.
    let next = text.char_at(text.skip_spaces(name_end))?;
    // "--password hunter2secret", as on a command line.
    let option = text.slice(start.saturating_sub(2), start) == "--";
    if !option && next.is_alphanumeric() && !matches!(next.to_ascii_lowercase(), 'i' | 'w' | 'e' | 'é') {
        return None;
    }
    let meaning = meaning(name)?;
    let kind = match meaning {
        Name::Authorization => Kind::Token,
        _ if name.to_ascii_lowercase().ends_with("token") => Kind::Token,
        _ => Kind::Key,
    };
    let found = match assigned(text, name_end) {
        Some(at) if meaning == Name::Authorization => credential(text, at),
        Some(at) => value(text, at, meaning),
        None if option => value(text, text.skip_spaces(name_end), meaning),
        None if meaning == Name::Password => spoken(text, name_end),
        None => None,
    };
    found.map(|(start, end)| Finding::new(start, end, kind))
}

/// Where the value begins, if an assignment follows the name: `=`, `:`, `=>`, `:=`, with the quote
/// that may close the name, but no comparison.
fn assigned(text: Text, name_end: usize) -> Option<usize> {
    let quote = usize::from(matches!(text.byte(name_end), Some(b'"' | b'\'')));
    let sign = text.skip_spaces(name_end.saturating_add(quote));
    let signs_end = text.run(sign, 3, |c| matches!(c, '=' | ':' | '>'));
    matches!(text.slice(sign, signs_end), "=" | ":" | "=>" | ":=").then(|| text.skip_spaces(signs_end))
}

/// A quoted or bare value that looks like a secret of this kind.
fn value(text: Text, at: usize, meaning: Name) -> Option<(usize, usize)> {
    if let Some(quote) = text.char_at(at).filter(|c| closing(*c).is_some()) {
        let start = at.saturating_add(quote.len_utf8());
        let end = text.run(start, MAX_VALUE, |c| Some(c) != closing(quote) && !c.is_whitespace());
        let closed = text.char_at(end).is_some_and(|c| Some(c) == closing(quote));
        return (closed && is_secret(text.slice(start, end), meaning, true)).then_some((start, end));
    }
    let sign = |c| is_word(c) || "-./+=~!@#%^*?$".contains(c);
    let mut end = text.run(at, MAX_VALUE, sign);
    // Hardly a name in a program has these: what follows is no type argument and no block.
    if meaning == Name::Password && text.slice(at, end).contains(['$', '@', '#']) {
        end = text.run(at, MAX_VALUE, |c| sign(c) || matches!(c, '<' | '>' | '{' | '}'));
    }
    let bare = text.slice(at, end).trim_end_matches(['.', '!', '?', ',']);
    let called = matches!(text.byte(end), Some(b'(' | b'[' | b'{' | b'<'));
    let member =
        bare.split('.').count() > 1 && bare.split('.').all(|part| part.starts_with(char::is_alphabetic));
    (!called && !member && is_secret(bare, meaning, false)).then_some((at, at.saturating_add(bare.len())))
}

/// What closes a quotation that `c` opens.
const fn closing(c: char) -> Option<char> {
    match c {
        '"' | '\'' | '`' => Some(c),
        '\u{201c}' => Some('\u{201d}'),
        '\u{2018}' => Some('\u{2019}'),
        _ => None,
    }
}

fn is_secret(value: &str, meaning: Name, quoted: bool) -> bool {
    let letters = value.chars().any(char::is_alphabetic);
    let digits = has_digit(value);
    let signs = value.chars().any(|c| !is_word(c) && !matches!(c, '-' | '.' | '/'));
    let length = value.chars().count();
    let looks_so = match meaning {
        Name::Key | Name::Authorization => length >= 8 && digits && (letters || quoted),
        Name::Password => length >= 6 && (digits || signs) && (letters || quoted),
        Name::Vague => length >= 16 && digits && letters,
    };
    let stands_in = if meaning == Name::Password { is_stand_in_password(value) } else { is_stand_in(value) };
    looks_so && !stands_in
}

/// The credential of an `Authorization` header, after its scheme if it has one.
fn credential(text: Text, at: usize) -> Option<(usize, usize)> {
    let at = at.saturating_add(usize::from(matches!(text.byte(at), Some(b'"' | b'\'' | b'`'))));
    let scheme_end = text.run(at, 16, |c| c.is_ascii_alphabetic());
    let scheme = text.slice(at, scheme_end);
    let known = ["bearer", "basic", "token", "digest", "apikey", "negotiate"];
    let has_scheme = known.iter().any(|known| known.eq_ignore_ascii_case(scheme));
    let start = if has_scheme { text.skip_spaces(scheme_end) } else { at };
    let end = credential_end(text, start);
    let value = text.slice(start, end);
    let long = if has_scheme { value.len() >= 6 } else { value.len() >= 16 && has_digit(value) };
    let called = matches!(text.byte(end), Some(b'(' | b'[' | b'{'));
    (long && !is_stand_in(value) && !called && start >= scheme_end.min(start)).then_some((start, end))
}

/// "my password is hunter2".
fn spoken(text: Text, name_end: usize) -> Option<(usize, usize)> {
    let link = text.skip_spaces(name_end);
    let link_end = text.run(link, 8, char::is_alphabetic);
    let word = text.slice(link, link_end).to_lowercase();
    if link == name_end || !LINKS.contains(&word.as_str()) {
        return None;
    }
    let colon = usize::from(text.byte(link_end) == Some(b':'));
    let start = text.skip_spaces(link_end.saturating_add(colon));
    let end = text.run(start, MAX_VALUE, |c| !c.is_whitespace());
    let spoken = text.slice(start, end);
    let open = spoken.len().saturating_sub(spoken.trim_start_matches(['"', '\'', '`', '(']).len());
    let start = start.saturating_add(open);
    let bare = text.slice(start, end).trim_end_matches(['.', ',', '!', '?', ';', ':', ')', '"', '\'', '`']);
    let letters = bare.chars().any(char::is_alphabetic);
    let placeholder = bare.starts_with('[');
    (letters && !placeholder && is_secret(bare, Name::Password, false))
        .then(|| (start, start.saturating_add(bare.len())))
}
