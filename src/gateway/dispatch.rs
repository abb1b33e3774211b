//! What every call of an agent shares: the courier it goes out with, and the problem it comes back
//! as.

use std::time::Duration;

use super::exchange::Exchange;
use crate::breaker::Phase;
use crate::config::{Config, Flag};
use crate::delivery::{Cause, Courier, RetryPolicy, Undelivered};
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;

/// A courier for this request. Its deadline runs from the moment the request was complete: a slow
/// upload has its own limit and is not the agent's fault.
pub fn courier<'a, P: Platform, B: Incoming>(
    exchange: &'a Exchange<P, B>,
    config: &'a Config,
) -> Courier<'a, P> {
    Courier {
        platform: exchange.platform(),
        dapr: &config.dapr,
        flags: config.flags,
        breakers: exchange.instance.breakers(config),
        retry: RetryPolicy::new(if config.flags.on(Flag::RetryPolicy) {
            config.resilience.attempts
        } else {
            1
        }),
        started: exchange.started,
        deadline: exchange.complete_at.get().saturating_add(config.resilience.deadline),
        whole: config.resilience.deadline,
    }
}

/// What the caller is told when nothing came back.
pub fn problem(undelivered: Undelivered, phase: Phase, config: &Config, dead_lettered: bool) -> Problem {
    let unavailable = |wait: Duration| Problem::AgentUnavailable {
        circuit_breaker: phase.as_str(),
        retry_after: wait.as_secs_f64().ceil().max(1.0) as u64,
        dead_lettered,
    };
    match undelivered {
        Undelivered::Rejected(_) => Problem::AgentRejected,
        Undelivered::Deadline => Problem::DeadlineExceeded { dead_lettered },
        Undelivered::Failed { cause: Cause::InvalidReply | Cause::ReplyTooLarge, .. } => {
            Problem::AgentInvalidReply { dead_lettered }
        }
        Undelivered::Refused { retry_after_ms } => unavailable(Duration::from_millis(retry_after_ms)),
        Undelivered::Failed { retry_after, .. } => {
            let open = if phase == Phase::Open { config.resilience.breaker_open } else { Duration::ZERO };
            unavailable(retry_after.unwrap_or_default().max(open))
        }
    }
}
