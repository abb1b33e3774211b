//! The claims of a token (RFC 7519 §4), in two steps: their form before the signature is checked,
//! because jwt-simple reads them again and must not stumble; what they say after it.

use serde_json::{Map, Value};

use super::{Refusal, Role, Subject, segment};
use crate::ports::UnixMillis;

/// What a token must say.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenPolicy {
    /// The only `iss`.
    pub issuer: String,
    /// Must be `aud`, or one of them.
    pub audience: String,
    /// Seconds by which the issuer's clock and ours may differ.
    pub leeway_s: u64,
}

impl TokenPolicy {
    /// The leeway in milliseconds.
    pub(super) const fn leeway(&self) -> u64 {
        self.leeway_s.saturating_mul(1_000)
    }
}

/// Who a verified token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `sub`.
    pub subject: Subject,
    /// `role`.
    pub role: Role,
    /// `exp`; the leeway comes on top.
    pub expires_at: UnixMillis,
}

/// The last second of the year 9999: later times are a mistake or an attempt at an overflow.
const LAST_SECOND: u64 = 253_402_300_799;

/// Claims of the right form that nobody has vouched for yet.
#[derive(Debug)]
pub(super) struct Unverified {
    members: Map<String, Value>,
    expires_at: UnixMillis,
    not_before: UnixMillis,
    issued_at: UnixMillis,
}

impl Unverified {
    /// Reads the second segment.
    pub(super) fn parse(segment: &str) -> Result<Self, Refusal> {
        let members = segment::object(segment)?;
        let expires_at = time(&members, "exp")?.ok_or(Refusal::MissingExp)?;
        let not_before = time(&members, "nbf")?.unwrap_or(0);
        let issued_at = time(&members, "iat")?.unwrap_or(0);
        for (name, refusal) in [
            ("iss", Refusal::WrongIssuer),
            ("sub", Refusal::BadSubject),
            ("jti", Refusal::BadClaim),
            ("nonce", Refusal::BadClaim),
        ] {
            if !members.get(name).is_none_or(Value::is_string) {
                return Err(refusal);
            }
        }
        match members.get("aud") {
            None | Some(Value::String(_)) => {}
            Some(Value::Array(items)) if items.iter().all(Value::is_string) => {}
            Some(_) => return Err(Refusal::WrongAudience),
        }
        Ok(Self { members, expires_at, not_before, issued_at })
    }

    /// What the claims say, given that their signature is good. The role is judged last: its
    /// refusal is a 403, which only somebody with a valid token may learn.
    pub(super) fn judge(&self, policy: &TokenPolicy, now: UnixMillis) -> Result<Claims, Refusal> {
        let (latest, earliest) = (now.saturating_add(policy.leeway()), now.saturating_sub(policy.leeway()));
        // RFC 7519 §4.1.4: on or after `exp` it must not be accepted.
        if earliest >= self.expires_at {
            return Err(Refusal::Expired);
        }
        if latest < self.not_before {
            return Err(Refusal::NotYetValid);
        }
        if latest < self.issued_at {
            return Err(Refusal::IssuedInFuture);
        }
        if self.text("iss") != Some(&policy.issuer) {
            return Err(Refusal::WrongIssuer);
        }
        if !self.is_for(&policy.audience) {
            return Err(Refusal::WrongAudience);
        }
        let subject = self.text("sub").and_then(Subject::parse).ok_or(Refusal::BadSubject)?;
        let role = self.text("role").and_then(Role::parse).ok_or(Refusal::BadRole)?;
        if !subject.fits(role) {
            return Err(Refusal::SubjectRoleMismatch);
        }
        Ok(Claims { subject, role, expires_at: self.expires_at })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    fn is_for(&self, audience: &str) -> bool {
        match self.members.get("aud") {
            Some(Value::Array(items)) => items.iter().any(|item| item == audience),
            item => item.is_some_and(|item| item == audience),
        }
    }
}

/// A NumericDate (RFC 7519 §2) in milliseconds: seconds, a fraction allowed.
fn time(members: &Map<String, Value>, name: &str) -> Result<Option<UnixMillis>, Refusal> {
    let Some(value) = members.get(name) else {
        return Ok(None);
    };
    let whole =
        value.as_u64().filter(|seconds| *seconds <= LAST_SECOND).map(|seconds| seconds.saturating_mul(1_000));
    let milliseconds = whole.or_else(|| {
        // The range also holds back NaN and infinities; below it the cast is exact.
        let seconds = value.as_f64().filter(|s| s.is_sign_positive() && *s <= LAST_SECOND as f64)?;
        Some((seconds * 1_000.0).floor() as UnixMillis)
    });
    milliseconds.map(Some).ok_or(Refusal::BadTime)
}
