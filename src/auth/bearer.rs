//! Finds the token in the headers, and asks whether Kong means the same person.
//!
//! Only one `authorization` header counts. A token in the query or the body (RFC 6750 §2.2 and §2.3)
//! is never looked for: it would stand in every access log on the way.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::{Claims, MAX_TOKEN, Refusal, Role, Subject};
use crate::ports::UnixMillis;

/// Set by Kong's authentication plugins.
const CONSUMER: &str = "x-consumer-username";

/// The token of the one `authorization` header. The scheme's name is case-insensitive
/// (RFC 9110 §11.1), the token is RFC 6750's `b64token`.
pub fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Refusal::Missing)?;
    if values.next().is_some() {
        return Err(Refusal::SeveralHeaders);
    }
    if value.len() > MAX_TOKEN.saturating_add(64) {
        return Err(Refusal::TooLarge);
    }
    let text = value.to_str().map_err(|_| Refusal::Malformed)?.trim_matches(is_space);
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(if scheme.is_empty() { Refusal::Missing } else { Refusal::WrongScheme });
    }
    let token = rest.trim_start_matches(' ');
    if token.len() > MAX_TOKEN {
        return Err(Refusal::TooLarge);
    }
    let unpadded = token.trim_end_matches('=');
    let legal = unpadded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b));
    if unpadded.is_empty() || !legal { Err(Refusal::Malformed) } else { Ok(token) }
}

/// Whether Kong, if it says who the caller is, says the same as the token. The header alone never
/// identifies anybody: whoever reaches this service directly can send it.
pub fn kong_agrees(headers: &HeaderMap, subject: &Subject) -> bool {
    let mut values = headers.get_all(CONSUMER).iter();
    match (values.next(), values.next()) {
        (None, _) => true,
        (Some(value), None) => value.as_bytes() == subject.as_str().as_bytes(),
        (Some(_), Some(_)) => false,
    }
}

/// Who Kong says the caller is, for development with `enable_jwt_validation` off: everybody can send
/// this header. Without a token there is no role, so staff are administrators; the claims end `now`.
pub fn trusted_consumer(headers: &HeaderMap, now: UnixMillis) -> Result<Claims, Refusal> {
    let mut values = headers.get_all(CONSUMER).iter();
    let value = values.next().ok_or(Refusal::Missing)?;
    if values.next().is_some() {
        return Err(Refusal::SeveralHeaders);
    }
    let subject = value.to_str().ok().and_then(Subject::parse).ok_or(Refusal::BadSubject)?;
    let role = if subject.is_staff() { Role::Admin } else { Role::Student };
    Ok(Claims { subject, role, expires_at: now })
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(name: &'static str, values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn the_scheme_is_read_in_any_case_and_the_token_as_it_stands() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c", "\tbEaReR a.b.c "] {
            assert_eq!(bearer(&headers("authorization", &[value.as_bytes()])), Ok("a.b.c"), "{value:?}");
        }
        assert_eq!(bearer(&headers("authorization", &[b"Bearer aZ0-._~+/=="])), Ok("aZ0-._~+/=="));
    }

    #[test]
    fn every_other_header_has_its_own_refusal() {
        let huge = format!("Bearer {}", "a".repeat(MAX_TOKEN + 1));
        let padded = format!("Bearer{}a", " ".repeat(MAX_TOKEN + 64));
        let monstrous = "a".repeat(100 * 1024);
        for (values, refusal) in [
            (vec![], Refusal::Missing),
            (vec![""], Refusal::Missing),
            (vec!["  "], Refusal::Missing),
            (vec!["Bearer a.b.c", "Bearer a.b.c"], Refusal::SeveralHeaders),
            (vec!["", "Bearer a.b.c"], Refusal::SeveralHeaders),
            (vec!["Basic dXNlcjpwYXNz"], Refusal::WrongScheme),
            (vec!["a.b.c"], Refusal::WrongScheme),
            (vec!["Bearera.b.c"], Refusal::WrongScheme),
            (vec!["Bearer\ta.b.c"], Refusal::WrongScheme),
            (vec!["Bearer"], Refusal::Malformed),
            (vec!["Bearer "], Refusal::Malformed),
            (vec!["Bearer ="], Refusal::Malformed),
            (vec!["Bearer a.b.c d"], Refusal::Malformed),
            (vec!["Bearer a.b.c, Bearer d.e.f"], Refusal::Malformed),
            (vec!["Bearer \"a.b.c\""], Refusal::Malformed),
            (vec!["Bearer a=b"], Refusal::Malformed),
            (vec!["Bearer ünï"], Refusal::Malformed),
            (vec![huge.as_str()], Refusal::TooLarge),
            (vec![padded.as_str()], Refusal::TooLarge),
            (vec![monstrous.as_str()], Refusal::TooLarge),
        ] {
            let first = values.first().map_or("", |v| v.get(..40).unwrap_or(v)).to_owned();
            let values: Vec<&[u8]> = values.iter().map(|v| v.as_bytes()).collect();
            assert_eq!(bearer(&headers("authorization", &values)).err(), Some(refusal), "{first:?}");
        }
    }

    #[test]
    fn kong_must_mean_the_same_person_when_it_says_one() {
        let text = "student_0190f3a2-7b1c-7def-8a90-0123456789ab";
        let subject = Subject::parse(text).unwrap();
        let other = text.replace('a', "b");
        let shout = text.to_uppercase();
        for (values, agrees) in [
            (vec![], true),
            (vec![text], true),
            (vec![other.as_str()], false),
            (vec![shout.as_str()], false),
            (vec![""], false),
            (vec![text, text], false),
            (vec![text, other.as_str()], false),
            (vec!["student_"], false),
            (vec!["ünï"], false),
        ] {
            let bytes: Vec<&[u8]> = values.iter().map(|v| v.as_bytes()).collect();
            assert_eq!(kong_agrees(&headers("x-consumer-username", &bytes), &subject), agrees, "{values:?}");
        }
    }

    #[test]
    fn without_tokens_kong_is_believed_when_it_names_one_subject() {
        let uuid = "0190f3a2-7b1c-7def-8a90-0123456789ab";
        let (student, staff) = (format!("student_{uuid}"), format!("staff_{uuid}"));
        for (text, role) in [(&student, Role::Student), (&staff, Role::Admin)] {
            let claims = trusted_consumer(&headers("x-consumer-username", &[text.as_bytes()]), 7).unwrap();
            assert_eq!((claims.subject.as_str(), claims.role, claims.expires_at), (text.as_str(), role, 7));
        }
        for (values, refusal) in [
            (vec![], Refusal::Missing),
            (vec![student.as_str(), staff.as_str()], Refusal::SeveralHeaders),
            (vec!["alice"], Refusal::BadSubject),
            (vec!["ünï"], Refusal::BadSubject),
        ] {
            let bytes: Vec<&[u8]> = values.iter().map(|v| v.as_bytes()).collect();
            assert_eq!(trusted_consumer(&headers("x-consumer-username", &bytes), 7), Err(refusal));
        }
    }
}
