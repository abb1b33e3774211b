//! The one clock of an application: what guests see, what records are stamped with, what tests move.
//!
//! Under virtual time everything follows tokio's paused clock, which moves on by itself only when
//! nothing is left to do. The wall clock is then `base + elapsed + offset`, so a guest that sleeps
//! 30 s sees 30 s pass on both of its clocks. Elapsed time is read from tokio in either mode, because
//! the guest's timers (WASI 0.2 pollables, WASI 0.3 `wait-for`) are tokio timers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// Wall clock at the start of virtual time unless a test says otherwise: 2026-01-15 12:00:00 UTC.
pub const VIRTUAL_START: Duration = Duration::from_secs(1_768_478_400);

/// Monotonic clocks start here rather than at 0, so that a guest may subtract from "now".
const MONOTONIC_START: Duration = Duration::from_secs(3600);

/// A shared clock; clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Instant,
    /// Wall clock at `start`; `None`: the machine's wall clock.
    base: Option<Duration>,
    offset_ns: AtomicI64,
}

impl Clock {
    /// The machine's clocks.
    #[must_use]
    pub fn real() -> Self {
        Self::new(None)
    }

    /// Tokio's paused clock, with the wall clock at `base` (since the Unix epoch) now.
    #[must_use]
    pub fn virtual_from(base: Duration) -> Self {
        Self::new(Some(base))
    }

    fn new(base: Option<Duration>) -> Self {
        let inner = Inner { start: Instant::now(), base, offset_ns: AtomicI64::new(0) };
        Self(Arc::new(inner))
    }

    /// Whether time is virtual.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        self.0.base.is_some()
    }

    /// Time since the application started.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.start.elapsed()
    }

    /// What guests see as the wall clock, since the Unix epoch.
    #[must_use]
    pub fn wall(&self) -> Duration {
        let unmoved = match self.0.base {
            Some(base) => base.saturating_add(self.elapsed()),
            None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        };
        let offset = self.0.offset_ns.load(Ordering::Relaxed);
        let size = Duration::from_nanos(offset.unsigned_abs());
        if offset < 0 { unmoved.saturating_sub(size) } else { unmoved.saturating_add(size) }
    }

    /// Lets `time` pass: every timer that falls due fires, in order. Under virtual time this
    /// returns at once in real time.
    pub async fn advance(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Sets how far the guests' wall clock is off, in seconds; only the wall clock jumps, no timer
    /// fires. 0 sets it right again.
    pub fn set_offset(&self, seconds: i64) {
        self.0.offset_ns.store(seconds.saturating_mul(1_000_000_000), Ordering::Relaxed);
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.wall()
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        let now = MONOTONIC_START.saturating_add(self.elapsed());
        u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn both_clocks_follow_virtual_time_and_only_the_wall_clock_jumps() {
        let clock = Clock::virtual_from(VIRTUAL_START);
        clock.advance(Duration::from_secs(30)).await;
        assert_eq!(clock.wall(), VIRTUAL_START + Duration::from_secs(30));
        assert_eq!(HostMonotonicClock::now(&clock), 3_630_000_000_000);
        clock.set_offset(-60);
        assert_eq!(clock.wall(), VIRTUAL_START - Duration::from_secs(30));
        assert_eq!(HostMonotonicClock::now(&clock), 3_630_000_000_000);
    }
}
