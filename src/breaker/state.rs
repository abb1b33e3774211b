//! Decides whether an agent may be called. A breaker is a value: the functions take the time and
//! return what to do, or the next value; storing it is the caller's business.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ports::UnixMillis;

/// What stands in the store for one agent. Closed in generation 0 when nothing does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// Grows with every transition.
    #[serde(rename = "g")]
    pub generation: u64,
    /// When it opened; `None` while closed.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<UnixMillis>,
}

/// The numbers of design section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Consecutive failures that trip.
    pub failures: u32,
    /// How long an open breaker refuses every call.
    pub open: Duration,
    /// How long one probe may keep others out; after it the next one may try, because the first
    /// may have died with its instance.
    pub probe_lease: Duration,
}

/// The three states by their standard names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Calls pass.
    Closed,
    /// Calls are refused.
    Open,
    /// One probe at a time passes.
    HalfOpen,
}

impl Phase {
    /// The name in answers and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

/// What an admitted call was admitted under; its outcome is reported with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    /// Generation at admission.
    pub generation: u64,
    /// Whether it is the probe of a half-open breaker.
    pub probe: bool,
}

/// The answer of [`admit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Call.
    Go(Permit),
    /// Call only if you are the first to take the probe lease of this generation and slot.
    ProbeIf {
        /// Generation of the lease.
        generation: u64,
        /// Slot of the lease; slots follow each other, one lease long each.
        slot: u64,
        /// When the lease ends.
        until: UnixMillis,
    },
    /// Do not call before this time.
    Refuse {
        /// When a probe will be let through.
        retry_at: UnixMillis,
    },
}

impl Breaker {
    /// The state at `now`.
    ///
    /// A breaker that seems to have opened in the future was written by a clock that is ahead, or
    /// ours was set back: nobody can say how long it has been open, so it is treated as half-open
    /// (one probe finds out) rather than refusing for as long as the clocks differ.
    pub fn phase(&self, policy: &Policy, now: UnixMillis) -> Phase {
        match self.opened_at {
            None => Phase::Closed,
            Some(opened) => match now.checked_sub(opened) {
                Some(age) if age < millis(policy.open) => Phase::Open,
                None if opened.saturating_sub(now) < CLOCK_SKEW_MS => Phase::Open,
                _ => Phase::HalfOpen,
            },
        }
    }

    /// When an open breaker lets a probe through.
    pub fn retry_at(&self, policy: &Policy, now: UnixMillis) -> Option<UnixMillis> {
        match self.phase(policy, now) {
            Phase::Open => self.opened_at.map(|opened| opened.saturating_add(millis(policy.open))),
            _ => None,
        }
    }

    /// The same agent in the next generation, closed or open since `opened_at`.
    fn next(self, opened_at: Option<UnixMillis>) -> Self {
        Self { generation: self.generation.saturating_add(1), opened_at }
    }
}

/// How far the clocks of two instances may differ without it meaning anything, in milliseconds.
const CLOCK_SKEW_MS: u64 = 5_000;

/// Whether a call may be made at `now`.
pub fn admit(breaker: Breaker, policy: &Policy, now: UnixMillis) -> Admission {
    let generation = breaker.generation;
    match breaker.phase(policy, now) {
        Phase::Closed => Admission::Go(Permit { generation, probe: false }),
        Phase::Open => Admission::Refuse { retry_at: breaker.retry_at(policy, now).unwrap_or(now) },
        Phase::HalfOpen => {
            let lease = millis(policy.probe_lease).max(1);
            let opens = breaker.opened_at.unwrap_or(now).saturating_add(millis(policy.open));
            // With the clock set back there is no time since it opened; leases then follow the
            // epoch, so that they end all the same.
            let opens = if opens <= now { opens } else { 0 };
            let slot = now.saturating_sub(opens).checked_div(lease).unwrap_or(0);
            let until =
                opens.saturating_add(slot.saturating_add(1).saturating_mul(lease)).max(now.saturating_add(1));
            Admission::ProbeIf { generation, slot, until }
        }
    }
}

/// The next record after a failure under `permit`, `failures` being the count of its generation;
/// `None` when nothing changes.
pub fn after_failure(
    current: Breaker,
    permit: Permit,
    failures: i64,
    policy: &Policy,
    now: UnixMillis,
) -> Option<Breaker> {
    let counts = current.generation == permit.generation;
    let enough = failures >= i64::from(policy.failures);
    let trips = current.opened_at.is_none() && enough;
    (counts && (permit.probe || trips)).then(|| current.next(Some(now)))
}

/// The next record after a successful probe; `None` when it was no probe, or a late one.
pub fn after_probe(current: Breaker, permit: Permit) -> Option<Breaker> {
    (permit.probe && current.generation == permit.generation).then(|| current.next(None))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy =
        Policy { failures: 5, open: Duration::from_secs(30), probe_lease: Duration::from_secs(10) };
    const T: UnixMillis = 1_000_000;

    fn open_since(opened_at: UnixMillis) -> Breaker {
        Breaker { generation: 7, opened_at: Some(opened_at) }
    }

    #[test]
    fn a_closed_breaker_admits_under_its_generation() {
        let breaker = Breaker { generation: 3, opened_at: None };
        assert_eq!(admit(breaker, &POLICY, T), Admission::Go(Permit { generation: 3, probe: false }));
    }

    #[test]
    fn an_open_breaker_refuses_until_its_time_is_over() {
        let breaker = open_since(T);
        for now in [T, T + 1, T + 29_999] {
            assert_eq!(admit(breaker, &POLICY, now), Admission::Refuse { retry_at: T + 30_000 });
        }
    }

    #[test]
    fn then_one_probe_per_lease_may_pass() {
        let breaker = open_since(T);
        for (now, slot, until) in
            [(30_000, 0, 40_000), (39_999, 0, 40_000), (40_000, 1, 50_000), (65_000, 3, 70_000)]
        {
            assert_eq!(
                admit(breaker, &POLICY, T + now),
                Admission::ProbeIf { generation: 7, slot, until: T + until }
            );
        }
    }

    #[test]
    fn the_threshold_trips_and_one_less_does_not() {
        let closed = Breaker { generation: 2, opened_at: None };
        let permit = Permit { generation: 2, probe: false };
        assert_eq!(after_failure(closed, permit, 4, &POLICY, T), None);
        let tripped = Breaker { generation: 3, opened_at: Some(T) };
        assert_eq!(after_failure(closed, permit, 5, &POLICY, T), Some(tripped));
        assert_eq!(after_failure(closed, permit, 6, &POLICY, T), Some(tripped), "a lost trip is made good");
    }

    #[test]
    fn a_failure_of_an_older_generation_changes_nothing() {
        let permit = Permit { generation: 2, probe: false };
        assert_eq!(after_failure(open_since(T), permit, 9, &POLICY, T), None);
        let closed_again = Breaker { generation: 8, opened_at: None };
        assert_eq!(after_failure(closed_again, permit, 9, &POLICY, T), None);
    }

    #[test]
    fn a_failed_probe_opens_again_and_a_good_one_closes() {
        let permit = Permit { generation: 7, probe: true };
        assert_eq!(
            after_failure(open_since(T), permit, 1, &POLICY, T + 31_000),
            Some(Breaker { generation: 8, opened_at: Some(T + 31_000) })
        );
        assert_eq!(after_probe(open_since(T), permit), Some(Breaker { generation: 8, opened_at: None }));
    }

    #[test]
    fn a_success_admitted_before_the_trip_does_not_close_it() {
        assert_eq!(after_probe(open_since(T), Permit { generation: 6, probe: false }), None);
        assert_eq!(after_probe(open_since(T), Permit { generation: 6, probe: true }), None);
        assert_eq!(after_probe(open_since(T), Permit { generation: 7, probe: false }), None);
    }

    #[test]
    fn a_clock_set_back_leads_to_a_probe_not_to_an_endless_refusal() {
        let breaker = open_since(T + 3_600_000);
        assert!(matches!(admit(breaker, &POLICY, T), Admission::ProbeIf { .. }));
        assert!(matches!(admit(open_since(T + 1_000), &POLICY, T), Admission::Refuse { .. }), "mere skew");
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        for opened in [0, u64::MAX] {
            for now in [0, u64::MAX] {
                let _ = admit(open_since(opened), &POLICY, now);
            }
        }
    }
}
