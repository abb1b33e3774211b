//! An agent's stream on its way to the student: passed through as it comes, and filed at its end.
//!
//! `decision`, then the agent's own events, then `done`. After the first byte nothing is ever
//! retried: a stream that breaks gets a blank line and an `error` event. A student who hangs up
//! says nothing about the agent.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use super::filing::{self, Job, REFRESH};
use super::instance::Instance;
use crate::agents::AgentId;
use crate::audit::{Outcome, Ticket, TriageAudit};
use crate::breaker::Permit;
use crate::config::{Config, Flag};
use crate::delivery::{Cause, MAX_REPLY, Reply};
use crate::ports::{Closed, Incoming, Outgoing, Platform, TransportFault, within};
use crate::problem::Problem;
use crate::sse;

/// Nothing for so long ends a stream.
const IDLE: Duration = Duration::from_secs(15);
/// No stream is longer.
const TOTAL: Duration = Duration::from_secs(300);

/// A stream that is ready to be passed on.
pub struct Relay<P: Platform> {
    /// The instance that serves it.
    pub instance: Rc<Instance<P>>,
    /// The configuration.
    pub config: Rc<Config>,
    /// Whose stream.
    pub agent: AgentId,
    /// Under what the call was admitted.
    pub permit: Permit,
    /// The agent's bytes.
    pub body: P::Body,
    /// The decision as JSON.
    pub decision: String,
    /// Our id of the request.
    pub request_id: String,
    /// The event of the request, as it is if all goes well.
    pub audit: TriageAudit,
    /// The write-ahead record, if there is one.
    pub ticket: Option<Ticket>,
    /// Arrival of the request by the monotonic clock.
    pub started: Duration,
}

/// How a stream ended.
enum End {
    Completed,
    Truncated(Cause),
    ClientClosed,
}

impl From<Closed> for End {
    fn from(_: Closed) -> Self {
        Self::ClientClosed
    }
}

impl<P: Platform> Relay<P> {
    /// Writes the stream to `out` and files how it ended.
    pub async fn run(mut self: Box<Self>, mut out: impl Outgoing) {
        let end = match self.pass(&mut out).await {
            Ok(()) => End::Completed,
            Err(end) => end,
        };
        self.file(end).await;
    }

    async fn pass(&mut self, out: &mut impl Outgoing) -> Result<(), End> {
        out.write(sse::event("decision", &self.decision)).await?;
        let ends = self.instance.platform.monotonic().saturating_add(TOTAL);
        let mut tail = sse::Tail::default();
        match self.pass_body(out, ends, &mut tail).await {
            Ok(()) => {}
            Err(End::Truncated(cause)) => {
                out.write(sse::BREAK.to_vec()).await?;
                out.write(sse::event("error", &self.problem(cause).to_string())).await?;
                return Err(End::Truncated(cause));
            }
            Err(end) => return Err(end),
        }
        if !tail.between_events() {
            out.write(sse::BREAK.to_vec()).await?;
        }
        Ok(out.write(sse::event("done", &json!({ "request_id": self.request_id }).to_string())).await?)
    }

    async fn pass_body(&mut self, out: &mut impl Outgoing, ends: Duration, tail: &mut sse::Tail) -> Result<(), End> {
        let Some(first) = self.next(ends).await? else { return Err(End::Truncated(Cause::InvalidReply)) };
        if sse::is_json(&first) {
            let reply = self.collect(first, ends).await?;
            tail.pass(sse::BREAK);
            return Ok(out.write(sse::event("answer", &one_line(reply.json.get()))).await?);
        }
        let mut piece = Some(first);
        while let Some(bytes) = piece {
            tail.pass(&bytes);
            out.write(bytes).await?;
            piece = self.next(ends).await?;
        }
        Ok(())
    }

    /// The agent's next bytes. While they are awaited the write-ahead record is kept fresh.
    async fn next(&mut self, ends: Duration) -> Result<Option<Vec<u8>>, End> {
        let platform = self.instance.platform.clone();
        let mut idle = IDLE.min(ends.saturating_sub(platform.monotonic()));
        // One read may span several refreshes, so it is started once and polled on.
        let (instance, config, audit) = (&self.instance, &self.config, &self.audit);
        let mut read = std::pin::pin!(self.body.next());
        loop {
            let wait = idle.min(REFRESH);
            if let Some(outcome) = within(&platform, wait, read.as_mut()).await {
                return outcome.map_err(|fault| End::Truncated(Cause::Transport(fault)));
            }
            idle = idle.saturating_sub(wait);
            if idle.is_zero() {
                return Err(End::Truncated(Cause::Transport(TransportFault::BodyTimeout)));
            }
            if let Some(ticket) = self.ticket {
                let mut pending = audit.clone();
                pending.outcome = Outcome::Unknown;
                let record = pending.record(&config.dapr);
                self.ticket = instance.outbox.renew(instance.store(), &platform, ticket, record).await.ok().or(self.ticket);
            }
        }
    }

    /// A plain JSON answer, complete.
    async fn collect(&mut self, first: Vec<u8>, ends: Duration) -> Result<Reply, End> {
        let mut bytes = first;
        while let Some(piece) = self.next(ends).await? {
            if bytes.len().saturating_add(piece.len()) > MAX_REPLY {
                return Err(End::Truncated(Cause::ReplyTooLarge));
            }
            bytes.extend_from_slice(&piece);
        }
        Reply::parse(bytes).map_err(End::Truncated)
    }

    fn problem(&self, cause: Cause) -> Value {
        let problem = match cause {
            Cause::InvalidReply | Cause::ReplyTooLarge => Problem::AgentInvalidReply { dead_lettered: false },
            _ => Problem::AgentUnavailable { circuit_breaker: "closed", retry_after: 1, dead_lettered: false },
        };
        let mut document = problem.document(&self.request_id);
        if let Some(members) = document.as_object_mut() {
            members.insert("retryable".into(), problem.retryable().into());
        }
        document
    }

    async fn file(self: Box<Self>, end: End) {
        let this = *self;
        let flags = this.config.flags;
        let platform = &this.instance.platform;
        if flags.on(Flag::CircuitBreaker) {
            let breakers = this.instance.breakers(&this.config);
            let told = match end {
                End::Completed => breakers.succeeded(&this.agent, this.permit).await,
                End::Truncated(_) => breakers.failed(&this.agent, this.permit).await,
                End::ClientClosed => Ok(false),
            };
            if told.is_err() {
                platform.log("{\"warning\":\"outcome of a stream not noted at the breaker\"}");
            }
        }
        let mut audit = this.audit;
        audit.processing_time_ms = platform.monotonic().saturating_sub(this.started).as_secs_f64() * 1_000.0;
        (audit.outcome, audit.delivery.error) = match end {
            End::Completed => (Outcome::Completed, audit.delivery.error),
            End::Truncated(cause) => (Outcome::Truncated, Some(cause.label())),
            End::ClientClosed => (Outcome::ClientClosed, audit.delivery.error),
        };
        audit.delivery.success = Some(!matches!(end, End::Truncated(_)));
        let line = json!({ "request_id": this.request_id, "stream": audit.outcome.as_str() });
        platform.log(&line.to_string());
        if flags.on(Flag::AuditLogging) {
            let job = Job { record: audit.record(&this.config.dapr), ticket: this.ticket };
            filing::publish_later(&this.instance, &this.config, vec![job]);
        }
    }
}

/// JSON text without line breaks between its tokens: an event's data is one line.
fn one_line(json: &str) -> String {
    // Inside strings JSON has no raw line breaks, so these are all white space.
    json.replace(['\r', '\n'], " ")
}
