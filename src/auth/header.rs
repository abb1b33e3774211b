//! The header of a token: which key it claims, and nothing it could smuggle in.
//!
//! `alg` and `kid` choose among the keys that are configured. `jku`, `x5u`, `x5c` and the
//! thumbprints are never followed; a `jwk` is refused outright, because nobody needs it and
//! jwt-simple, which reads the header again, would stumble over it.

use serde_json::{Map, Value};

use super::{Algorithm, Refusal, segment};

/// What the header asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
}

/// Members that RFC 7515 §4.1 defines as strings, and that are looked at no further.
const UNUSED: [&str; 5] = ["cty", "jku", "x5u", "x5t", "x5t#S256"];
/// RFC 7519 §5.1 and RFC 9068 §2.1, compared without case. `application/jwt` would be one too, but
/// jwt-simple refuses it, and no issuer is known to write it.
const TYPES: [&str; 3] = ["jwt", "at+jwt", "application/at+jwt"];

impl Header {
    /// Reads the first segment.
    pub(super) fn parse(segment: &str) -> Result<Self, Refusal> {
        let members = segment::object(segment)?;
        let algorithm = members
            .get("alg")
            .and_then(Value::as_str)
            .and_then(Algorithm::parse)
            .ok_or(Refusal::UnknownAlgorithm)?;
        if members.contains_key("crit") {
            return Err(Refusal::CriticalExtension);
        }
        if members.contains_key("jwk") || members.contains_key("salt") {
            return Err(Refusal::EmbeddedKey);
        }
        let is_jwt = |name: &str| TYPES.iter().any(|known| known.eq_ignore_ascii_case(name));
        if !text(&members, "typ")?.is_none_or(is_jwt) {
            return Err(Refusal::WrongType);
        }
        for name in UNUSED {
            text(&members, name)?;
        }
        chain(&members)?;
        Ok(Self { algorithm, kid: text(&members, "kid")?.map(str::to_owned) })
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::Malformed),
    }
}

/// `x5c` is an array of strings; what they say does not matter.
fn chain(members: &Map<String, Value>) -> Result<(), Refusal> {
    match members.get("x5c") {
        None => Ok(()),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => Ok(()),
        Some(_) => Err(Refusal::Malformed),
    }
}
