//! Settling a question after the call: the answer, its event, its dead letter.

use std::rc::Rc;

use super::answer::Outcome;
use super::claim::Claim;
use super::dispatch;
use super::exchange::Exchange;
use super::filing::{self, Job, Secured};
use super::question::{self, Question};
use super::relay::Relay;
use crate::agents::Agent;
use crate::audit::{self, Delivery, Ending, Ticket, TriageAudit};
use crate::breaker::{Permit, Phase};
use crate::config::{Config, Flag};
use crate::dead_letter::DeadLetter;
use crate::delivery::{self, Attempt, Delivered, Reply, Undelivered};
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;

/// A question that was sent, and what is known about it.
pub struct Settlement<'a, P: Platform, B> {
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
    /// State of the breaker at the last admission, or after the failure that opened it.
    pub phase: Phase,
    /// Milliseconds spent waiting for the agent.
    pub waited: f64,
    /// The write-ahead record, if one could be written.
    pub ticket: Option<Ticket>,
}

impl<P: Platform, B: Incoming> Settlement<'_, P, B> {
    fn retries(&self) -> u32 {
        u32::try_from(self.attempts.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Tells the breaker, after the answer, that the agent was reached; a failure was told before it.
    pub fn note_reached<T>(&self, permit: Permit, result: &Result<Delivered<T>, Undelivered>) {
        if !delivery::found_alive(permit, result) || !self.config.flags.on(Flag::CircuitBreaker) {
            return;
        }
        let (instance, config, agent) =
            (Rc::clone(&self.exchange.instance), Rc::clone(self.config), self.agent.id.clone());
        self.exchange.instance.platform.spawn(async move {
            let _ = instance.breakers(&config).succeeded(&agent, permit).await;
        });
    }

    fn audit(&self, success: bool, outcome: Ending, status: u16, error: Option<&'static str>) -> TriageAudit {
        let mut facts = self.question.facts.clone();
        facts.decision =
            audit::decision(Some(&self.agent.id), Some(status), error, self.phase.as_str(), self.retries());
        TriageAudit {
            facts,
            delivery: Delivery {
                success: Some(success),
                attempts: self.attempts.len(),
                // Only a refusal leaves no attempt; a half-open breaker refuses too.
                breaker_triggered: self.phase == Phase::Open || self.attempts.is_empty(),
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
            return (vec![Job::new(record, self.ticket)], None);
        }
        let secured = filing::secure_by_publishing(&self.exchange.instance, self.config, record).await;
        let lost = secured.is_unsafe().then_some("audit");
        (secured.job().into_iter().collect(), lost)
    }

    /// The agent's JSON as the answer.
    pub async fn answered(self, reply: Reply) -> Result<Outcome<P>, Problem> {
        let audit = self.audit(true, Ending::Completed, 200, None);
        let (jobs, lost) = self.file(&audit).await;
        let degraded = self.degraded(lost);
        filing::publish_later(&self.exchange.instance, self.config, jobs);
        let mut decision =
            self.question.decision(self.exchange, self.agent, self.phase.as_str(), self.retries());
        decision.degraded = degraded;
        decision.agent_response = Some(reply.json);
        decision.timing_ms.agent = self.waited;
        decision.timing_ms.total = question::since(self.exchange, self.exchange.started);
        Outcome::ok(&decision)
    }

    /// The agent's stream as the answer.
    pub async fn streaming(self, body: P::Body, permit: Permit, claim: Option<Claim>) -> Outcome<P> {
        let mut degraded = None;
        if self.ticket.is_none() && self.config.flags.on(Flag::AuditLogging) {
            // Nothing stands in the outbox for this stream: an event now, another at its end.
            let audit = self.audit(true, Ending::Unknown, 200, None);
            let (jobs, lost) = self.file(&audit).await;
            filing::publish_later(&self.exchange.instance, self.config, jobs);
            degraded = lost;
        }
        let degraded = self.degraded(degraded);
        let mut decision =
            self.question.decision(self.exchange, self.agent, self.phase.as_str(), self.retries());
        decision.degraded = degraded;
        decision.timing_ms.agent = self.waited;
        decision.timing_ms.total = question::since(self.exchange, self.exchange.started);
        let audit = self.audit(true, Ending::Completed, 200, None);
        Outcome::Stream(Box::new(Relay {
            instance: Rc::clone(&self.exchange.instance),
            config: Rc::clone(self.config),
            agent: self.agent.id.clone(),
            permit,
            claim,
            body,
            first_by: self.exchange.complete_at.get().saturating_add(self.config.resilience.deadline),
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
        let mut problem = dispatch::problem(undelivered, self.phase, self.config, letter.is_some());
        let audit = self.audit(false, Ending::Failed, problem.status(), Some(problem.error()));
        let (event, dead) = self.secure_failure(&audit, letter.as_ref()).await;
        if dead.is_unsafe() {
            problem = dispatch::problem(undelivered, self.phase, self.config, false);
        }
        if event.is_unsafe() {
            self.exchange.note("audit", "lost");
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

    fn degraded(&self, lost: Option<&'static str>) -> Option<Vec<&'static str>> {
        if lost.is_some() {
            self.exchange.note("audit", "lost");
        }
        let suspended = !self.question.store_usable || self.exchange.instance.store().suspended();
        let store = suspended.then_some("store");
        let fallback = (self.question.classification.intent != self.agent.intent).then_some("fallback_agent");
        let reasons: Vec<&'static str> = store.into_iter().chain(fallback).chain(lost).collect();
        (!reasons.is_empty()).then_some(reasons)
    }
}
