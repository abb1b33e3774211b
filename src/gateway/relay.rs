//! An agent's stream on its way to the student: passed through as it comes, and filed at its end.
//!
//! `decision`, then the agent's own events, then `done`. After the first byte nothing is ever
//! retried: a stream that breaks gets a blank line and an `error` event. A student who hangs up, or
//! stops reading, says nothing about the agent.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};
use serde_json::{Value, json};

use super::claim::Claim;
use super::dispatch;
use super::filing::{self, Job, REFRESH};
use super::instance::Instance;
use crate::agents::AgentId;
use crate::audit::{Ending, Ticket, TriageAudit};
use crate::breaker::{Permit, Phase, RECORDS_KEY};
use crate::config::{Config, Flag};
use crate::delivery::{Cause, MAX_REPLY, Reply, Undelivered};
use crate::ports::{Incoming, Outgoing, Platform, TransportFault, within};
use crate::sse;

/// Nothing for so long ends a stream, on either side.
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
    /// Keeps the same idempotency key out until the stream is over.
    pub claim: Option<Claim>,
    /// The agent's bytes.
    pub body: P::Body,
    /// When the first of them must be there, by the monotonic clock.
    pub first_by: Duration,
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

/// How a stream ended, if not well.
enum End {
    Truncated(Cause),
    ClientClosed,
}

impl<P: Platform> Relay<P> {
    /// Writes the stream to `out` and files how it ended.
    pub async fn run(self: Box<Self>, out: impl Outgoing) {
        let Self {
            instance,
            config,
            agent,
            permit,
            claim,
            body,
            first_by,
            decision,
            request_id,
            mut audit,
            ticket,
            started,
        } = *self;
        let ends = instance.platform.monotonic().saturating_add(TOTAL);
        let (ticket, claim) = (Cell::new(ticket), RefCell::new(claim));
        let filing = Filing { instance, config, agent, permit, request_id, started };
        let (end, opened) = {
            let platform = &filing.instance.platform;
            let mut pipe = Pipe { platform, body, out, ends, first_by, tail: sse::Tail::default() };
            let passing = std::pin::pin!(async {
                let end = pipe.pass(&decision, &filing.request_id).await;
                // Told before the student is: the error event says how the breaker stands then.
                let opened = filing.tell_breaker(&end).await;
                if let Err(End::Truncated(cause)) = &end {
                    pipe.break_off(&filing.problem(*cause, opened)).await;
                }
                (end, opened)
            });
            let refreshing = std::pin::pin!(refresh(&filing, &audit, &ticket, &claim));
            match select(passing, refreshing).await {
                Either::Left((end, _)) => end,
                Either::Right((never, _)) => match never {},
            }
        };
        if let Some(claim) = claim.into_inner() {
            claim.free(&filing.instance).await;
        }
        audit.delivery.breaker_triggered |= opened;
        filing.file(end, audit, ticket.get()).await;
    }
}

/// Keeps what stands in the store for this stream from being taken for abandoned.
async fn refresh<P: Platform>(
    filing: &Filing<P>,
    audit: &TriageAudit,
    ticket: &Cell<Option<Ticket>>,
    claim: &RefCell<Option<Claim>>,
) -> Infallible {
    let (instance, config) = (&filing.instance, &filing.config);
    let mut pending = audit.clone();
    pending.outcome = Ending::Unknown;
    let record = pending.record(&config.dapr);
    loop {
        // At once too: the attempts before the stream's own took their time. The asynchronous call
        // finds out whether the store may be asked at all.
        let lapses = claim.borrow().as_ref().is_some_and(|claim| claim.lapses(instance, config));
        if lapses
            && instance.store().probe(RECORDS_KEY).await.is_ok()
            && let Some(claim) = claim.borrow_mut().as_mut()
        {
            claim.hold(instance, config);
        }
        instance.platform.sleep(REFRESH).await;
        if let Some(old) = ticket.get() {
            let renewed =
                instance.outbox.renew(instance.store(), &instance.platform, old, record.clone()).await;
            ticket.set(renewed.ok().or(Some(old)));
        }
    }
}

/// From the agent to the student.
struct Pipe<'a, P: Platform, O> {
    platform: &'a P,
    body: P::Body,
    out: O,
    ends: Duration,
    first_by: Duration,
    tail: sse::Tail,
}

impl<P: Platform, O: Outgoing> Pipe<'_, P, O> {
    async fn pass(&mut self, decision: &str, request_id: &str) -> Result<(), End> {
        self.write(sse::event("decision", decision)).await?;
        self.pass_body().await?;
        self.write(sse::event("done", &json!({ "request_id": request_id }).to_string())).await
    }

    /// Ends a stream that broke. Whether the student still reads it changes nothing.
    async fn break_off(&mut self, problem: &Value) {
        if self.write(sse::BREAK.to_vec()).await.is_ok() {
            let _ = self.write(sse::event("error", &problem.to_string())).await;
        }
    }

    async fn pass_body(&mut self) -> Result<(), End> {
        let (first, is_json) = self.first().await?;
        if is_json {
            let reply = self.collect(first).await?;
            return self.write(sse::event("answer", &one_line(reply.json.get()))).await;
        }
        let mut piece = Some(first);
        while let Some(bytes) = piece {
            self.tail.pass(&bytes);
            self.write(bytes).await?;
            piece = self.read(IDLE).await?;
        }
        // Dapr ends its answer in good order when the agent's connection breaks, so an event that
        // was never finished is the only sign of it.
        if self.tail.between_events() {
            Ok(())
        } else {
            Err(End::Truncated(Cause::Transport(TransportFault::Broken)))
        }
    }

    /// As many of the first bytes as it takes to tell JSON from events.
    async fn first(&mut self) -> Result<(Vec<u8>, bool), End> {
        let mut first = Vec::new();
        loop {
            if let Some(is_json) = sse::is_json(&first) {
                return Ok((first, is_json));
            }
            match self.read(self.first_by.saturating_sub(self.platform.monotonic())).await? {
                Some(piece) => append(&mut first, &piece)?,
                // Nothing but white space, or a literal that ends the body.
                None => return Ok((first, true)),
            }
        }
    }

    /// The agent's next bytes, within `limit` and what is left of the stream's time.
    async fn read(&mut self, limit: Duration) -> Result<Option<Vec<u8>>, End> {
        let limit = limit.min(self.left());
        let timed_out = TransportFault::BodyTimeout;
        let read = within(self.platform, limit, self.body.next()).await.unwrap_or(Err(timed_out));
        read.map_err(|fault| End::Truncated(Cause::Transport(fault)))
    }

    /// To the student, at the student's pace; one who does not read for long is gone.
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), End> {
        // What ends a stream at its time must still be written, so there is always a moment left.
        let limit = IDLE.min(self.left().max(Duration::from_secs(1)));
        match within(self.platform, limit, self.out.write(bytes)).await {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(End::ClientClosed),
        }
    }

    /// A plain JSON answer, complete.
    async fn collect(&mut self, first: Vec<u8>) -> Result<Reply, End> {
        let mut bytes = first;
        while let Some(piece) = self.read(IDLE).await? {
            append(&mut bytes, &piece)?;
        }
        Reply::parse(bytes).map_err(End::Truncated)
    }

    fn left(&self) -> Duration {
        self.ends.saturating_sub(self.platform.monotonic())
    }
}

fn append(bytes: &mut Vec<u8>, piece: &[u8]) -> Result<(), End> {
    if bytes.len().saturating_add(piece.len()) > MAX_REPLY {
        return Err(End::Truncated(Cause::ReplyTooLarge));
    }
    bytes.extend_from_slice(piece);
    Ok(())
}

/// What is left to do when a stream is over.
struct Filing<P: Platform> {
    instance: Rc<Instance<P>>,
    config: Rc<Config>,
    agent: AgentId,
    permit: Permit,
    request_id: String,
    started: Duration,
}

impl<P: Platform> Filing<P> {
    /// What the student of a broken stream is told; `opened` when it opened the breaker.
    fn problem(&self, cause: Cause, opened: bool) -> Value {
        let undelivered = Undelivered::Failed { cause, retry_after: None };
        let phase = if opened { Phase::Open } else { Phase::Closed };
        let problem = dispatch::problem(undelivered, phase, &self.config, false);
        let mut document = problem.document(&self.request_id);
        if let Some(members) = document.as_object_mut() {
            members.insert("retryable".into(), problem.retryable().into());
        }
        document
    }

    async fn file(self, end: Result<(), End>, mut audit: TriageAudit, ticket: Option<Ticket>) {
        let platform = &self.instance.platform;
        audit.processing_time_ms = platform.monotonic().saturating_sub(self.started).as_secs_f64() * 1_000.0;
        audit.delivery.success = Some(!matches!(end, Err(End::Truncated(_))));
        audit.outcome = match end {
            Ok(()) => Ending::Completed,
            Err(End::ClientClosed) => Ending::ClientClosed,
            Err(End::Truncated(cause)) => {
                audit.delivery.error = Some(cause.label());
                Ending::Truncated
            }
        };
        platform.log(&json!({ "request_id": self.request_id, "stream": audit.outcome.as_str() }).to_string());
        if self.config.flags.on(Flag::AuditLogging) {
            let job = Job::new(audit.record(&self.config.dapr), ticket);
            filing::publish_later(&self.instance, &self.config, vec![job]);
        }
    }

    /// True when the breaker opened.
    async fn tell_breaker(&self, end: &Result<(), End>) -> bool {
        if !self.config.flags.on(Flag::CircuitBreaker) {
            return false;
        }
        let breakers = self.instance.breakers(&self.config);
        let told = match end {
            Ok(()) => breakers.succeeded(&self.agent, self.permit).await.map(|_| false),
            Err(End::Truncated(_)) => breakers.failed(&self.agent, self.permit).await,
            Err(End::ClientClosed) => Ok(false),
        };
        told.unwrap_or_else(|_| {
            self.instance.platform.log("{\"warning\":\"outcome of a stream not noted at the breaker\"}");
            false
        })
    }
}

/// JSON text without line breaks between its tokens: an event's data is one line.
fn one_line(json: &str) -> String {
    // Inside strings JSON has no raw line breaks, so these are all white space.
    json.replace(['\r', '\n'], " ")
}
