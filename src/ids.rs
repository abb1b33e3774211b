//! Identifiers: ours (UUID version 7) and the callers' (correlation ids, trace context).

use crate::ports::UnixMillis;

/// A fresh UUID version 7 (RFC 9562): sortable by time, unpredictable in its last 74 bits.
pub fn uuid_v7(now: UnixMillis, random: [u8; 16]) -> String {
    let [a, b, c, d, e, f, g, h, i, j, ..] = random;
    uuid::Builder::from_unix_timestamp_millis(now, &[a, b, c, d, e, f, g, h, i, j])
        .into_uuid()
        .hyphenated()
        .to_string()
}

/// A caller's `x-request-id`, if it is fit to be repeated in headers, logs and events: 1 to 128
/// characters out of letters, digits and `-_.:/+=@`.
pub fn correlation_id(header: Option<&str>) -> Option<String> {
    let text = header?;
    let legal = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&b));
    (legal && (1..=128).contains(&text.len())).then(|| text.to_owned())
}

/// W3C trace context (Recommendation of 23 November 2021), level 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// 32 lower-case hexadecimal digits, not all zero.
    pub trace_id: String,
    /// Our own span: 16 lower-case hexadecimal digits.
    pub span_id: String,
    /// The caller's span, if there was one.
    pub parent_id: Option<String>,
    /// Trace flags, two hexadecimal digits.
    pub flags: String,
    /// The vendors' part, passed on as it came.
    pub state: Option<String>,
}

impl TraceContext {
    /// Continues the caller's trace, or starts one when there is none or it is malformed (the
    /// specification: then `tracestate` is dropped too).
    pub fn continue_from(traceparent: Option<&str>, tracestate: Option<&str>, random: [u8; 16]) -> Self {
        let (high, low) = (u128::from_be_bytes(random), random);
        let span_id = hex_u64(&low);
        match traceparent.and_then(parse_traceparent) {
            Some((trace_id, parent_id, flags)) => Self {
                trace_id,
                span_id,
                parent_id: Some(parent_id),
                flags,
                state: tracestate.filter(|s| s.len() <= 512 && s.is_ascii()).map(str::to_owned),
            },
            None => Self {
                trace_id: format!("{:032x}", high | 1),
                span_id,
                parent_id: None,
                flags: "01".into(),
                state: None,
            },
        }
    }

    /// The header value for calls we make and answers we give.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{}", self.trace_id, self.span_id, self.flags)
    }
}

fn hex_u64(random: &[u8; 16]) -> String {
    let [.., a, b, c, d, e, f, g, h] = *random;
    // A span id of zero would be invalid.
    format!("{:016x}", u64::from_be_bytes([a, b, c, d, e, f, g, h]).rotate_left(17) | 1)
}

fn parse_traceparent(text: &str) -> Option<(String, String, String)> {
    let mut parts = text.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |s: &str, n: usize| {
        s.len() == n && s.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let valid = hex(version, 2)
        && version != "ff"
        && hex(trace, 32)
        && hex(parent, 16)
        && hex(flags, 2)
        && trace.bytes().any(|b| b != b'0')
        && parent.bytes().any(|b| b != b'0')
        && (version != "00" || parts.next().is_none());
    // Of the flags this version knows `sampled` only, and sets the others to zero.
    let sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1);
    valid.then(|| (trace.to_owned(), parent.to_owned(), format!("{:02x}", u8::from(sampled))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_and_sort_by_time() {
        let early = uuid_v7(1_700_000_000_000, [0xff; 16]);
        let late = uuid_v7(1_700_000_000_001, [0; 16]);
        assert!(early < late);
        assert_eq!(uuid::Uuid::parse_str(&early).unwrap().get_version_num(), 7);
    }

    #[test]
    fn a_correlation_id_is_kept_only_when_it_is_harmless() {
        assert_eq!(correlation_id(Some("abc-1.2:3")), Some("abc-1.2:3".into()));
        for bad in ["", "a b", "a\nb", "ünï", &"x".repeat(129), "{}", "<script>"] {
            assert_eq!(correlation_id(Some(bad)), None, "{bad}");
        }
        assert_eq!(correlation_id(None), None);
    }

    #[test]
    fn a_valid_traceparent_is_continued_under_a_span_of_our_own() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = TraceContext::continue_from(Some(parent), Some("vendor=1"), [7; 16]);
        assert_eq!(trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace.parent_id.as_deref(), Some("00f067aa0ba902b7"));
        assert_ne!(trace.span_id, "00f067aa0ba902b7");
        assert_eq!(trace.state.as_deref(), Some("vendor=1"));
        for (given, passed_on) in [("01", "01"), ("00", "00"), ("ff", "01"), ("02", "00")] {
            let parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{given}");
            assert_eq!(TraceContext::continue_from(Some(&parent), None, [7; 16]).flags, passed_on);
        }
    }

    #[test]
    fn a_malformed_traceparent_starts_a_new_trace() {
        for bad in [
            "",
            "00-0-0-0",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
        ] {
            let trace = TraceContext::continue_from(Some(bad), Some("vendor=1"), [7; 16]);
            assert_eq!((trace.parent_id, trace.state), (None, None), "{bad}");
            assert_eq!(trace.trace_id.len(), 32);
        }
    }
}
