//! One segment of a token: canonical base64url without padding, and a JSON object in it.

use ct_codecs::{Base64UrlSafeNoPadding, Decoder};
use serde_json::{Map, Value};

use super::Refusal;
use crate::json;

/// The bytes of `segment`. There is one encoding only for each value: padding, white space, other
/// alphabets and stray bits at the end are refused, or one token would have many spellings.
pub(super) fn bytes(segment: &str) -> Result<Vec<u8>, Refusal> {
    match Base64UrlSafeNoPadding::decode_to_vec(segment, None) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(Refusal::Malformed),
    }
}

/// The JSON object in `segment`, its member names unique at every depth.
pub(super) fn object(segment: &str) -> Result<Map<String, Value>, Refusal> {
    match json::parse(&bytes(segment)?) {
        Ok(Value::Object(members)) => Ok(members),
        Err(fault) if fault.starts_with("member name stands twice") => Err(Refusal::DuplicateMember),
        _ => Err(Refusal::Malformed),
    }
}
