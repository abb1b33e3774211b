//! Timestamps between Unix milliseconds and RFC 3339 text.

use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use crate::ports::UnixMillis;

/// RFC 3339 in UTC with milliseconds, `2026-01-31T12:00:00.000Z`.
pub fn format(at: UnixMillis) -> String {
    let nanos = i128::from(at).saturating_mul(1_000_000);
    OffsetDateTime::from_unix_timestamp_nanos(nanos).map_or_else(
        |_| "1970-01-01T00:00:00.000Z".to_owned(),
        |t| {
            let (date, clock) = (t.date(), t.time());
            let (hour, minute, second) = clock.as_hms();
            format!("{date}T{hour:02}:{minute:02}:{second:02}.{:03}Z", clock.millisecond())
        },
    )
}

/// RFC 3339 with any offset; `None` when it is not, or lies before 1970.
pub fn parse(text: &str) -> Option<UnixMillis> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    UnixMillis::try_from(at.unix_timestamp_nanos().checked_div(1_000_000)?).ok()
}

/// An HTTP date in its preferred form (RFC 9110 §5.6.7), `Thu, 01 Jan 2026 00:00:05 GMT`.
pub fn parse_http_date(text: &str) -> Option<UnixMillis> {
    let numeric = text.strip_suffix("GMT").map(|date| format!("{date}+0000"))?;
    let at = OffsetDateTime::parse(&numeric, &Rfc2822).ok()?;
    UnixMillis::try_from(at.unix_timestamp()).ok()?.checked_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_milliseconds_agree() {
        assert_eq!(format(1_767_225_600_123), "2026-01-01T00:00:00.123Z");
        assert_eq!(parse("2026-01-01T00:00:00.123Z"), Some(1_767_225_600_123));
        assert_eq!(parse("2026-01-01T05:30:00+05:30"), Some(1_767_225_600_000));
        assert_eq!(format(u64::MAX), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn what_is_not_rfc_3339_is_refused() {
        for bad in [
            "",
            "now",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-13-01T00:00:00Z",
            "1767225600",
            "1960-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
