//! Checks a token against keys, a policy and a time.

use super::claims::Unverified;
use super::header::Header;
use super::{Claims, KeySet, Refusal, TokenPolicy, segment};
use crate::ports::UnixMillis;

/// Bytes of a token. Looked at before anything else: what follows costs time in proportion.
pub const MAX_TOKEN: usize = 8 * 1024;

/// Who `token` speaks for at `now`, or why it is refused. The same arguments give the same answer;
/// no clock is read.
pub fn verify(token: &str, keys: &KeySet, policy: &TokenPolicy, now: UnixMillis) -> Result<Claims, Refusal> {
    if token.is_empty() {
        return Err(Refusal::Missing);
    }
    if token.len() > MAX_TOKEN {
        return Err(Refusal::TooLarge);
    }
    let mut segments = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return Err(Refusal::Malformed);
    };
    let header = Header::parse(header)?;
    let candidates = keys.candidates(header.kid.as_deref(), header.algorithm)?;
    let claims = Unverified::parse(claims)?;
    segment::bytes(signature)?;
    if !candidates.iter().any(|key| key.signed(token)) {
        // Keys without an identifier were tried for an identifier that no key has: the one it
        // means may be new.
        let unknown = header.kid.is_some_and(|kid| !keys.has_kid(&kid));
        return Err(if unknown { Refusal::NoKey } else { Refusal::BadSignature });
    }
    claims.judge(policy, now)
}
