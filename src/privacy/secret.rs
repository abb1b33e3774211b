//! Secrets that are told by how they look: keys with their vendor's prefix, JSON web tokens, bearer
//! credentials, private keys in PEM, passwords inside addresses.

use super::kind::{Finding, Kind};
use super::text::{Text, is_word};

/// How a vendor's key goes on after its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// So many capitals and digits, exactly.
    Upper(usize),
    /// At least so many letters, digits, `_` and `-`, a digit among them.
    Mixed(usize),
    /// As `Mixed`, with dots.
    Dotted(usize),
}

use Rest::{Dotted, Mixed, Upper};

/// Prefixes that vendors chose so that their keys can be found.
const PREFIXES: [(&str, Rest); 44] = [
    ("sk-", Mixed(20)),
    ("sk_live_", Mixed(16)),
    ("sk_test_", Mixed(16)),
    ("rk_live_", Mixed(16)),
    ("rk_test_", Mixed(16)),
    ("pk_live_", Mixed(16)),
    ("pk_test_", Mixed(16)),
    ("whsec_", Mixed(16)),
    ("ghp_", Mixed(20)),
    ("gho_", Mixed(20)),
    ("ghu_", Mixed(20)),
    ("ghs_", Mixed(20)),
    ("ghr_", Mixed(20)),
    ("github_pat_", Mixed(20)),
    ("glpat-", Mixed(16)),
    ("gldt-", Mixed(16)),
    ("AKIA", Upper(16)),
    ("ASIA", Upper(16)),
    ("AIza", Mixed(30)),
    ("xoxb-", Mixed(10)),
    ("xoxp-", Mixed(10)),
    ("xoxa-", Mixed(10)),
    ("xoxr-", Mixed(10)),
    ("xoxs-", Mixed(10)),
    ("xoxe-", Mixed(10)),
    ("xapp-", Mixed(10)),
    ("ya29.", Dotted(20)),
    ("hf_", Mixed(20)),
    ("npm_", Mixed(30)),
    ("pypi-", Mixed(40)),
    ("dop_v1_", Mixed(32)),
    ("gsk_", Mixed(20)),
    ("xai-", Mixed(20)),
    ("r8_", Mixed(20)),
    ("nvapi-", Mixed(20)),
    ("tvly-", Mixed(16)),
    ("SG.", Dotted(30)),
    ("shpat_", Mixed(20)),
    ("glsa_", Mixed(20)),
    ("sq0atp-", Mixed(16)),
    ("sq0csp-", Mixed(16)),
    ("dapi", Mixed(32)),
    ("hvs.", Mixed(20)),
    ("lin_api_", Mixed(20)),
];

/// Longest vendor's key, and longest credential and private key: what a failed look may cost.
const MAX_KEY: usize = 512;
const MAX_CREDENTIAL: usize = 8 * 1024;

/// A secret that begins with the word at `start`.
pub(super) fn find(text: Text, start: usize) -> Option<Finding> {
    vendor_key(text, start).or_else(|| json_web_token(text, start)).or_else(|| bearer(text, start))
}

fn vendor_key(text: Text, start: usize) -> Option<Finding> {
    let rest = text.from(start);
    let (prefix, shape) = PREFIXES.iter().find(|(prefix, _)| rest.starts_with(prefix))?;
    let body = start.saturating_add(prefix.len());
    let dash = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let (end, least) = match *shape {
        Upper(count) => {
            let end = text.run(body, MAX_KEY, |c| c.is_ascii_uppercase() || c.is_ascii_digit());
            return (end.saturating_sub(body) == count && !text.word_at(end)).then(|| key(start, end));
        }
        Mixed(least) => (text.run(body, MAX_KEY, dash), least),
        Dotted(least) => (text.run(body, MAX_KEY, |c| dash(c) || c == '.'), least),
    };
    let found = text.slice(body, end).trim_end_matches(['.', '-', '_']);
    (found.len() >= least && has_digit(found)).then(|| key(start, body.saturating_add(found.len())))
}

const fn key(start: usize, end: usize) -> Finding {
    Finding::new(start, end, Kind::Key)
}

/// Two or more segments of base64url, the first of which is a JSON object.
fn json_web_token(text: Text, start: usize) -> Option<Finding> {
    if !text.from(start).starts_with("eyJ") {
        return None;
    }
    let part = |from| text.run(from, MAX_CREDENTIAL, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let mut end = part(start);
    if end.saturating_sub(start) < 10 {
        return None;
    }
    // A signed token has three segments, an encrypted one five; a cut one at least two.
    for segment in 0..4 {
        let from = end.saturating_add(1);
        let next = part(from);
        let least = if segment == 0 { 4 } else { 0 };
        if text.byte(end) != Some(b'.') || next.saturating_sub(from) < least {
            return (segment > 0).then(|| Finding::new(start, end, Kind::Token));
        }
        end = if next > from || text.byte(next) == Some(b'.') { next } else { end };
    }
    Some(Finding::new(start, end, Kind::Token))
}

/// The credential after the word `Bearer`.
fn bearer(text: Text, start: usize) -> Option<Finding> {
    let word = text.slice(start, start.saturating_add(6));
    let after = start.saturating_add(6);
    if !word.eq_ignore_ascii_case("bearer") || text.word_at(after) {
        return None;
    }
    let value = text.skip_spaces(after);
    if value == after {
        return None;
    }
    let end = credential_end(text, value);
    let credential = text.slice(value, end);
    (credential.len() >= 16 && has_digit(credential) && !is_stand_in(credential))
        .then(|| Finding::new(value, end, Kind::Token))
}

/// Where the RFC 6750 token at `start` ends; a full stop behind it belongs to the sentence.
pub(super) fn credential_end(text: Text, start: usize) -> usize {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '+' | '/' | '=');
    let end = text.run(start, MAX_CREDENTIAL, legal);
    start.saturating_add(text.slice(start, end).trim_end_matches('.').len())
}

/// Whether a value only stands where a secret would: `YOUR_TOKEN_1`, `xxxx`, `${TOKEN}`.
pub(super) fn is_stand_in(value: &str) -> bool {
    value.contains(['<', '{', '$']) || says_so(value)
}

/// As [`is_stand_in`] for what people make up: `pa$$w0rd` is no stand-in; `$PASSWORD`, `pass${i}`,
/// `pass$name`, R's `input$password` and patterns are.
pub(super) fn is_stand_in_password(value: &str) -> bool {
    let name = |part: &str| part.starts_with(char::is_alphabetic) && !has_digit(part);
    value.starts_with(['<', '{', '$'])
        || ["${", "#{", "{{", "{}", "{0}", "$("].iter().any(|mark| value.contains(mark))
        || (value.contains('$') && value.split('$').all(name))
        || (value.starts_with('^') && value.ends_with('$'))
        || says_so(value)
}

fn says_so(value: &str) -> bool {
    let lower = value.to_lowercase();
    ["your", "xxx", "...", "***", "example", "placeholder"].iter().any(|mark| lower.contains(mark))
}

pub(super) fn has_digit(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit())
}

/// A private key in PEM, from its first dash at `start` to the end of its last line.
pub(super) fn private_key(text: Text, start: usize) -> Option<Finding> {
    let rest = text.from(start);
    if !rest.starts_with("-----BEGIN ") {
        return None;
    }
    let label_end = text.run(start.saturating_add(11), 40, |c| c == ' ' || c.is_ascii_uppercase());
    let label = text.slice(start.saturating_add(11), label_end);
    if !label.ends_with("PRIVATE KEY") || !text.from(label_end).starts_with("-----") {
        return None;
    }
    let footer = "-----END ";
    let within = text.run(label_end, MAX_CREDENTIAL, |c| c.is_ascii());
    let end = match text.slice(label_end, within).find(footer) {
        Some(offset) => {
            let footer_start = label_end.saturating_add(offset).saturating_add(footer.len());
            let label_end = text.run(footer_start, 40, |c| c == ' ' || c.is_ascii_uppercase());
            text.run(label_end, 5, |c| c == '-')
        }
        // Cut off: what is left of it is secret all the same.
        None => text.run(label_end, MAX_CREDENTIAL, |c| {
            c.is_ascii_alphanumeric() || c.is_whitespace() || "+/=-\\".contains(c)
        }),
    };
    Some(key(start, end))
}

/// User and password inside an address, from the `:` of its `://` at `at`.
pub(super) fn address_password(text: Text, at: usize) -> Option<Finding> {
    if !text.from(at).starts_with("://") || !text.before(at).is_some_and(is_word) {
        return None;
    }
    let start = at.saturating_add(3);
    let end = text.run(start, 256, |c| !c.is_whitespace() && !"/\"'<>`?#[".contains(c));
    let (user, _) = text.slice(start, end).rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    (!password.is_empty()).then(|| key(start, start.saturating_add(user.len())))
}
