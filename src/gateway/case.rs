//! What came back for a question, or did not: the answer, its event, its dead letter.

use std::rc::Rc;
use std::time::Duration;

use super::answer::Outcome;
use super::exchange::Exchange;
use super::filing::{self, Job, Secured};
use super::question::{self, Question};
use super::relay::Relay;
use crate::agents::Agent;
use crate::audit::{self, Delivery, Outcome as Ending, Ticket, TriageAudit};
use crate::breaker::Permit;
use crate::config::{Config, Flag};
use crate::dead_letter::DeadLetter;
use crate::delivery::{Attempt, Cause, Reply, Undelivered};
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;

/// A question that was sent, and what is known about it.
pub struct Case<'a, P, B> {
    /// The request.
    pub exchange: &'a Exchange<P, B>,
    /// The configuration.
    pub config: &'a Rc<Config>,
    /// What was asked.
    pub question: Question,
    /// Who was asked.
    pub agent: &'a Agent,
    /// The calls made.
    pub attempts: Vec<Attempt>,
    /// State of the breaker at the last admission.
    pub phase: &'static str,
    /// Milliseconds spent waiting for the agent.
    pub waited: f64,
    /// The write-ahead record, if one could be written.
    pub ticket: Option<Ticket>,
}

impl<P: Platform, B: Incoming> Case<'_, P, B> {
    fn retries(&self) -> u32 {
        u32::try_from(self.attempts.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Tells the breaker after the answer; a failure was told before it.
    pub fn note_success(&self, permit: Permit) {
        if !self.config.flags.on(Flag::CircuitBreaker) {
            return;
        }
        let (instance, config, agent) = (Rc::clone(&self.exchange.instance), Rc::clone(self.config), self.agent.id.clone());
        self.exchange.instance.platform.spawn(async move {
            let _ = instance.breakers(&config).succeeded(&agent, permit).await;
        });
    }

    fn audit(&self, success: bool, outcome: Ending, status: u16, error: Option<&'static str>) -> TriageAudit {
        let mut facts = self.question.facts.clone();
        facts.decision = audit::decision(Some(&self.agent.id), status, error, self.phase, self.retries());
        TriageAudit {
            facts,
            delivery: Delivery {
                success: Some(success),
                attempts: self.attempts.len(),
                breaker_triggered: self.phase != "closed",
                error: self.attempts.last().and_then(|attempt| attempt.cause.clone()),
            },
            outcome,
            processing_time_ms: question::since(self.exchange, self.exchange.started),
            at: self.exchange.arrived,
        }
    }

    /// The job that publishes `audit` after the answer. With a write-ahead record in place nothing
    /// has to happen before; without one the event is secured first.
    async fn file(&self, audit: &TriageAudit) -> (Vec<Job>, Option<&'static str>) {
        if !self.config.flags.on(Flag::AuditLogging) {
            return (Vec::new(), None);
        }
        let record = audit.record(&self.config.dapr);
        if self.ticket.is_some() {
            return (vec![Job { record, ticket: self.ticket }], None);
        }
        let secured = filing::secure_by_publishing(&self.exchange.instance, self.config, &record).await;
        (Vec::new(), secured.is_lost().then_some("audit"))
    }

    /// The agent's JSON as the answer.
    pub async fn answered(self, reply: Reply) -> Result<Outcome<P>, Problem> {
        let audit = self.audit(true, Ending::Completed, 200, None);
        let (jobs, lost) = self.file(&audit).await;
        let degraded = self.degraded(lost);
        filing::publish_later(&self.exchange.instance, self.config, jobs);
        let mut decision = self.question.decision(self.exchange, self.agent, self.phase, self.retries());
        decision.degraded = degraded;
        decision.agent_response = Some(reply.json);
        decision.timing_ms.agent = self.waited;
        decision.timing_ms.total = question::since(self.exchange, self.exchange.started);
        Outcome::ok(&decision)
    }

    /// The agent's stream as the answer.
    pub async fn streaming(self, body: P::Body, permit: Permit) -> Outcome<P> {
        let mut degraded = None;
        if self.ticket.is_none() && self.config.flags.on(Flag::AuditLogging) {
            // Nothing stands in the outbox for this stream: an event now, another at its end.
            let audit = self.audit(true, Ending::Unknown, 200, None);
            let (_, lost) = self.file(&audit).await;
            degraded = lost;
        }
        let degraded = self.degraded(degraded);
        let mut decision = self.question.decision(self.exchange, self.agent, self.phase, self.retries());
        decision.degraded = degraded;
        decision.timing_ms.agent = self.waited;
        decision.timing_ms.total = question::since(self.exchange, self.exchange.started);
        let audit = self.audit(true, Ending::Completed, 200, None);
        Outcome::Stream(Box::new(Relay {
            instance: Rc::clone(&self.exchange.instance),
            config: Rc::clone(self.config),
            agent: self.agent.id.clone(),
            permit,
            body,
            decision: serde_json::to_string(&decision).unwrap_or_default(),
            request_id: self.exchange.request_id.clone(),
            audit,
            ticket: self.ticket,
            started: self.exchange.started,
        }))
    }

    /// A request that nobody answered: a problem, an event, and a dead letter.
    pub async fn failed(self, undelivered: Undelivered, idempotency_key: &str) -> Problem {
        let letter = (!matches!(undelivered, Undelivered::Rejected(_))
            && self.config.flags.on(Flag::DeadLetterQueue))
        .then(|| self.letter(&undelivered, idempotency_key));
        let mut problem = self.problem(undelivered, letter.is_some());
        let audit = self.audit(false, Ending::Failed, problem.status(), Some(problem.error()));
        let (event, dead) = self.secure_failure(&audit, letter.as_ref()).await;
        if dead.is_lost() {
            problem = self.problem(undelivered, false);
        }
        if event.is_lost() {
            self.exchange.note("audit", "lost");
        }
        if let Some(letter) = letter {
            filing::keep_letter_later(&self.exchange.instance, self.config, letter);
        }
        let jobs = event.job().into_iter().chain(dead.job()).collect();
        filing::publish_later(&self.exchange.instance, self.config, jobs);
        problem
    }

    /// Event and dead letter, secured together so that one write can carry both.
    async fn secure_failure(&self, audit: &TriageAudit, letter: Option<&DeadLetter>) -> (Secured, Secured) {
        let (instance, config) = (&self.exchange.instance, self.config);
        let event = async {
            if !config.flags.on(Flag::AuditLogging) {
                return Secured::Published;
            }
            filing::secure(instance, config, audit.record(&config.dapr), self.ticket).await
        };
        let dead = async {
            let Some(letter) = letter else { return Secured::Published };
            let record = audit::dead_letter(&config.dapr, letter);
            filing::secure(instance, config, record, None).await
        };
        futures_util::future::join(event, dead).await
    }

    fn letter(&self, undelivered: &Undelivered, idempotency_key: &str) -> DeadLetter {
        DeadLetter {
            v: 1,
            request_id: self.exchange.request_id.clone(),
            at: self.exchange.arrived,
            student_id: self.question.facts.student_id.clone(),
            query: self.question.facts.query.clone().unwrap_or_default(),
            student_context: self.question.redacted_context(),
            intent: self.question.classification.intent,
            confidence: self.question.classification.confidence,
            agent: self.agent.id.clone(),
            idempotency_key: idempotency_key.to_owned(),
            attempts: self.attempts.clone(),
            cause: match undelivered {
                Undelivered::Refused { .. } => "circuit_breaker_open".to_owned(),
                Undelivered::Rejected(status) => format!("status_{status}"),
                Undelivered::Failed { cause, .. } => cause.label(),
                Undelivered::Deadline => "deadline".to_owned(),
            },
            replayed_at: None,
        }
    }

    fn problem(&self, undelivered: Undelivered, dead_lettered: bool) -> Problem {
        let open = self.config.resilience.breaker_open;
        match undelivered {
            Undelivered::Rejected(_) => Problem::AgentRejected,
            Undelivered::Deadline => Problem::DeadlineExceeded { dead_lettered },
            Undelivered::Failed { cause: Cause::InvalidReply | Cause::ReplyTooLarge, .. } => {
                Problem::AgentInvalidReply { dead_lettered }
            }
            Undelivered::Refused { retry_after_ms } => Problem::AgentUnavailable {
                circuit_breaker: self.phase,
                retry_after: retry_after_ms.div_ceil(1_000).max(1),
                dead_lettered,
            },
            Undelivered::Failed { retry_after, .. } => {
                let opened = (self.phase == "open").then_some(open);
                let wait = retry_after.or(opened).unwrap_or(Duration::from_secs(1));
                let circuit_breaker = self.phase;
                Problem::AgentUnavailable { circuit_breaker, retry_after: wait.as_secs().max(1), dead_lettered }
            }
        }
    }

    fn degraded(&self, lost: Option<&'static str>) -> Option<Vec<&'static str>> {
        if lost.is_some() {
            self.exchange.note("audit", "lost");
        }
        let store = (!self.question.store_usable).then_some("store");
        let reasons: Vec<&'static str> = store.into_iter().chain(lost).collect();
        (!reasons.is_empty()).then_some(reasons)
    }
}
