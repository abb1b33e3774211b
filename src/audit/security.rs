//! Refused requests as security events, at a bounded rate.
//!
//! A flood of refusals must not become a flood of events: per reason, an instance reports the 1st,
//! 10th, 100th, … refusal at once and otherwise at most every ten seconds, with the count since the
//! last report.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::Record;
use crate::config::DaprConfig;
use crate::dapr::CloudEvent;
use crate::ports::UnixMillis;
use crate::timestamp;

const KIND: &str = "learnflow.triage.security.v1";
const EVERY: Duration = Duration::from_secs(10);

/// What an instance remembers of refusals.
#[derive(Debug, Default)]
pub struct Refusals {
    tallies: RefCell<BTreeMap<&'static str, Tally>>,
    reporting: Cell<bool>,
}

#[derive(Debug, Default)]
struct Tally {
    total: u64,
    unreported: u64,
    reported_at: Option<Duration>,
}

/// The one report under way; over when dropped.
pub struct Reporting<'a>(&'a Cell<bool>);

impl Drop for Reporting<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Refusals {
    /// Begins a report, unless one is under way: refusals must not take the places of decisions.
    pub fn report(&self) -> Option<Reporting<'_>> {
        (!self.reporting.replace(true)).then(|| Reporting(&self.reporting))
    }

    /// Puts a count back that could not be reported.
    pub fn put_back(&self, reason: &'static str, count: u64) {
        if let Some(tally) = self.tallies.borrow_mut().get_mut(reason) {
            tally.unreported = tally.unreported.saturating_add(count);
        }
    }

    /// Counts a refusal; the count to report, when it is time to.
    pub fn note(&self, reason: &'static str, now: Duration) -> Option<u64> {
        let mut tallies = self.tallies.borrow_mut();
        let tally = tallies.entry(reason).or_default();
        tally.total = tally.total.saturating_add(1);
        tally.unreported = tally.unreported.saturating_add(1);
        let due = tally.reported_at.is_none_or(|at| now.saturating_sub(at) >= EVERY)
            || is_power_of_ten(tally.total);
        due.then(|| {
            tally.reported_at = Some(now);
            std::mem::take(&mut tally.unreported)
        })
    }
}

fn is_power_of_ten(n: u64) -> bool {
    n.checked_ilog10().and_then(|digits| 10_u64.checked_pow(digits)) == Some(n)
}

/// The event of `count` refusals for `reason`. It names nobody: who was refused is not known.
pub fn security_event(
    dapr: &DaprConfig,
    id: &str,
    reason: &'static str,
    status: u16,
    count: u64,
    now: UnixMillis,
) -> Record {
    let time = timestamp::format(now);
    let data = json!({ "reason": reason, "status": status, "count": count, "timestamp": time });
    let event = CloudEvent::new("security", KIND, id, time, data);
    Record::new(dapr.security_topic.clone(), reason.to_owned(), event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_reported_in_a_handful_of_events_and_nothing_is_missed() {
        let refusals = Refusals::default();
        let reports: Vec<u64> = (0..5_000).filter_map(|_| refusals.note("expired", Duration::ZERO)).collect();
        assert_eq!(reports, [1, 9, 90, 900]);
        assert_eq!(refusals.note("expired", EVERY), Some(4_001));
        assert_eq!(refusals.note("bad_signature", EVERY), Some(1));
    }
}
