//! The courier: asks the breaker, calls, judges, pauses, and comes back with a report.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::outcome::{Cause, Class, classify_status};
use super::reply::{MAX_REPLY, Reply, collect};
use super::retry::{LEAST, RetryPolicy, Verdict as Retry, retry_after};
use crate::agents::Agent;
use crate::breaker::{Breakers, Permit, Phase, Records, Verdict};
use crate::config::{DaprConfig, Flag, Flags};
use crate::dapr::{self, Accept, Call, Invocation, InvokeFault};
use crate::ports::{Platform, TransportFault, TransportLimits, within};

/// One call that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// Milliseconds from the request's arrival to the call.
    pub after_ms: u64,
    /// Milliseconds the call took.
    pub took_ms: u64,
    /// Why it failed; null when it did not.
    pub cause: Option<String>,
}

/// What came back.
pub enum Delivered<B> {
    /// A complete answer.
    Json(Reply),
    /// The head of a stream; its outcome is known at its end and is to be reported under the permit.
    Stream(B, Permit),
}

/// Why nothing came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undelivered {
    /// The breaker refused.
    Refused {
        /// Milliseconds until it may let a call through.
        retry_after_ms: u64,
    },
    /// The agent refused the request itself.
    Rejected(u16),
    /// Every attempt failed.
    Failed {
        /// The last cause.
        cause: Cause,
        /// The peer's own hint.
        retry_after: Option<Duration>,
    },
    /// The overall deadline passed.
    Deadline,
}

/// Everything about one delivery.
pub struct Report<B> {
    /// The calls made, in order.
    pub attempts: Vec<Attempt>,
    /// State of the breaker at the last admission.
    pub phase: Phase,
    /// Under what the last call was admitted.
    pub permit: Option<Permit>,
    /// What came of it.
    pub result: Result<Delivered<B>, Undelivered>,
}

/// Whether what came back has found the agent alive, so that the breaker is to be told. Its own refusal
/// of a request is neutral, but a probe that gets one has.
pub const fn found_alive<B>(permit: Permit, result: &Result<Delivered<B>, Undelivered>) -> bool {
    match result {
        Ok(Delivered::Json(_)) => true,
        Err(Undelivered::Rejected(_)) => permit.probe,
        _ => false,
    }
}

/// Delivers one request.
pub struct Courier<'a, P> {
    /// The outside.
    pub platform: &'a P,
    /// The sidecar.
    pub dapr: &'a DaprConfig,
    /// The switches.
    pub flags: Flags,
    /// Who may be called.
    pub breakers: Breakers<'a, P>,
    /// When to try again.
    pub retry: RetryPolicy,
    /// When the request arrived, by the monotonic clock.
    pub started: Duration,
    /// The overall deadline, by the monotonic clock.
    pub deadline: Duration,
    /// How long it is, from its beginning.
    pub whole: Duration,
}

/// Between two pieces of a body: the host's limit beside the guest's own timers.
const BETWEEN_BYTES: Duration = Duration::from_secs(15);

/// What an attempt may lack of the whole deadline and still count as having had it.
const BARELY: Duration = Duration::from_millis(50);

/// How much of an error body is read to learn whose error it is.
const MAX_ERROR_BODY: usize = 16 * 1024;

/// And for how long.
const ERROR_BODY_TIME: Duration = Duration::from_millis(500);

/// A failed attempt with the peer's hint.
struct Failed {
    cause: Cause,
    hint: Option<Duration>,
    /// Whether the breaker counts it: an attempt that the deadline cut short before the agent had
    /// the time it is granted says nothing about the agent.
    counts: bool,
}

/// What a call is made under while nobody guards it.
const UNGUARDED: Permit = Permit { generation: 0, probe: false };

/// An attempt to make.
#[derive(Clone, Copy)]
struct Try {
    number: u32,
    permit: Permit,
    accept: Accept,
}

enum Tried<B> {
    Done(Delivered<B>),
    Rejected(u16),
    Failed(Failed),
}

impl<B> Tried<B> {
    const fn hides_the_status(&self) -> bool {
        matches!(self, Self::Failed(Failed { cause: Cause::StatusHidden, .. }))
    }
}

impl<P: Platform> Courier<'_, P> {
    /// Calls `agent` until it answers or no further attempt makes sense. `records` are the breakers
    /// as the request's first read found them.
    pub async fn deliver(&self, agent: &Agent, invocation: &Invocation, records: Records) -> Report<P::Body> {
        let mut report = Report {
            attempts: Vec::new(),
            phase: Phase::Closed,
            permit: None,
            result: Err(Undelivered::Deadline),
        };
        let mut records = records;
        let accept = if invocation.stream { Accept::Stream } else { Accept::Json };
        let mut next = Try { number: 0, permit: UNGUARDED, accept };
        while next.number < self.retry.attempts {
            next.number = next.number.saturating_add(1);
            next.permit = match self.admit(&records, agent) {
                Verdict::Admitted(permit, phase) => {
                    report.phase = phase;
                    permit
                }
                Verdict::Refused { phase, retry_after_ms } => {
                    report.phase = phase;
                    if report.attempts.is_empty() {
                        report.result = Err(Undelivered::Refused { retry_after_ms });
                    }
                    return report;
                }
            };
            report.permit = Some(next.permit);
            let failed = match self.admitted(agent, invocation, &mut next, &mut report.attempts).await {
                Tried::Done(delivered) => {
                    report.result = Ok(delivered);
                    return report;
                }
                Tried::Rejected(status) => {
                    report.result = Err(Undelivered::Rejected(status));
                    return report;
                }
                Tried::Failed(failed) => failed,
            };
            report.result = Err(Self::undelivered(&failed));
            if failed.counts && self.note_failure(agent, next.permit).await {
                // It is open now, by our own doing: no further attempt would be admitted.
                report.phase = Phase::Open;
                return report;
            }
            let random = self.random();
            match self.retry.after(next.number, failed.cause, failed.hint, self.remaining(), random) {
                Retry::Stop => return report,
                Retry::RetryAfter(pause) => self.platform.sleep(pause).await,
            }
            // Admission is asked again before each attempt: others may have tripped it meanwhile.
            records = self.breakers.read().await.unwrap_or_default();
            // A slow store may have used up what was left.
            if self.remaining() < LEAST {
                return report;
            }
        }
        report
    }

    /// What is left of the overall deadline.
    fn remaining(&self) -> Duration {
        self.deadline.saturating_sub(self.platform.monotonic())
    }

    fn random(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.platform.random();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    fn admit(&self, records: &Records, agent: &Agent) -> Verdict {
        if self.flags.on(Flag::CircuitBreaker) {
            self.breakers.admit(records, &agent.id)
        } else {
            Verdict::Admitted(UNGUARDED, Phase::Closed)
        }
    }

    /// Counts a failure before anything else happens, so that the next request meets it; true when
    /// it opened the breaker.
    async fn note_failure(&self, agent: &Agent, permit: Permit) -> bool {
        self.flags.on(Flag::CircuitBreaker) && self.breakers.failed(&agent.id, permit).await.unwrap_or(false)
    }

    fn undelivered(failed: &Failed) -> Undelivered {
        if failed.cause == Cause::Deadline {
            return Undelivered::Deadline;
        }
        Undelivered::Failed { cause: failed.cause, retry_after: failed.hint }
    }

    /// What one admission is good for: an attempt, and where Dapr hid its status a second one that
    /// shows it.
    async fn admitted(
        &self,
        agent: &Agent,
        invocation: &Invocation,
        next: &mut Try,
        attempts: &mut Vec<Attempt>,
    ) -> Tried<P::Body> {
        let tried = self.attempt(agent, invocation, *next, attempts).await;
        if !tried.hides_the_status() || next.number >= self.retry.attempts || self.remaining() < LEAST {
            return tried;
        }
        next.number = next.number.saturating_add(1);
        next.accept = Accept::Either;
        match self.attempt(agent, invocation, *next, attempts).await {
            // One of the two was a failure for certain, whatever cut the second one short.
            Tried::Failed(failed) => Tried::Failed(Failed { counts: true, ..failed }),
            tried => tried,
        }
    }

    async fn attempt(
        &self,
        agent: &Agent,
        invocation: &Invocation,
        next: Try,
        attempts: &mut Vec<Attempt>,
    ) -> Tried<P::Body> {
        let began = self.platform.monotonic();
        let tried = self.call(agent, invocation, next).await;
        let cause = match &tried {
            Tried::Done(_) => None,
            Tried::Rejected(status) => Some(format!("status_{status}")),
            Tried::Failed(failed) => Some(failed.cause.label()),
        };
        let took = self.platform.monotonic().saturating_sub(began);
        attempts.push(Attempt {
            number: next.number,
            after_ms: millis(began.saturating_sub(self.started)),
            took_ms: millis(took),
            cause,
        });
        tried
    }

    /// One exchange. Both its waits are raced against timers of our own.
    async fn call(&self, agent: &Agent, invocation: &Invocation, next: Try) -> Tried<P::Body> {
        let remaining = self.remaining();
        let granted = remaining >= agent.first_byte_timeout.min(self.whole.saturating_sub(BARELY));
        let failed =
            |cause| Tried::Failed(Failed { cause, hint: None, counts: granted || cause != Cause::Deadline });
        let call = Call { agent, attempt: next.number, accept: next.accept, remaining };
        let Some(request) = dapr::invoke(self.dapr, invocation, call) else {
            return failed(Cause::Transport(TransportFault::Denied));
        };
        let limits = TransportLimits {
            connect: agent.connect_timeout,
            first_byte: agent.first_byte_timeout,
            between_bytes: BETWEEN_BYTES,
        };
        let head_limit = agent.first_byte_timeout.min(remaining);
        let head = within(self.platform, head_limit, self.platform.send(request, limits)).await;
        let response = match head {
            Some(Ok(response)) => response,
            Some(Err(fault)) => return failed(Cause::Transport(fault)),
            None if remaining < agent.first_byte_timeout => return failed(Cause::Deadline),
            None => return failed(Cause::Transport(TransportFault::FirstByteTimeout)),
        };
        match self.judge(response, next).await {
            Tried::Failed(failed) => {
                Tried::Failed(Failed { counts: granted || failed.cause != Cause::Deadline, ..failed })
            }
            tried => tried,
        }
    }

    async fn judge(&self, response: http::Response<P::Body>, of: Try) -> Tried<P::Body> {
        let status = response.status().as_u16();
        match classify_status(status) {
            Class::Rejected => Tried::Rejected(status),
            Class::Failure => {
                let hint = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
                let hint = hint.and_then(|text| retry_after(text, self.platform.now()));
                let cause = self.whose(status, response, of.accept).await;
                Tried::Failed(Failed { cause, hint, counts: true })
            }
            Class::Success if of.accept != Accept::Json => {
                Tried::Done(Delivered::Stream(response.into_body(), of.permit))
            }
            Class::Success => match self
                .read(response.into_body(), MAX_REPLY, self.remaining())
                .await
                .and_then(Reply::parse)
            {
                Ok(reply) => Tried::Done(Delivered::Json(reply)),
                Err(cause) => Tried::Failed(Failed { cause, hint: None, counts: true }),
            },
        }
    }

    async fn read(&self, mut body: P::Body, limit: usize, time: Duration) -> Result<Vec<u8>, Cause> {
        within(self.platform, time, collect(&mut body, limit)).await.unwrap_or(Err(Cause::Deadline))
    }

    /// A 500 may be the agent's, or Dapr's word that it could not reach the agent or tell its status.
    async fn whose(&self, status: u16, response: http::Response<P::Body>, accept: Accept) -> Cause {
        if status != 500 {
            return Cause::Status(status);
        }
        match self.read(response.into_body(), MAX_ERROR_BODY, ERROR_BODY_TIME.min(self.remaining())).await {
            Ok(body) => match dapr::invoke_fault(&body) {
                // Dapr hides a status from streams alone; elsewhere these are an agent's borrowed words.
                Some(InvokeFault::StatusHidden) if accept == Accept::Stream => Cause::StatusHidden,
                Some(_) => Cause::AppUnreachable,
                None => Cause::Status(status),
            },
            Err(_) => Cause::Status(status),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
