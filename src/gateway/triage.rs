//! `POST /api/v1/triage`: classify, route, invoke, audit, answer.

use std::rc::Rc;

use super::answer::Outcome;
use super::claim::{self, Claim, Claimed};
use super::dispatch;
use super::entry::{self, Caller};
use super::exchange::Exchange;
use super::filing::{self, Job};
use super::question::{self, Question};
use super::settlement::Settlement;
use crate::agents::Agent;
use crate::audit::{self, Delivery, Ending, Ticket, TriageAudit};
use crate::auth::Role;
use crate::breaker::Records;
use crate::config::{Config, Flag};
use crate::contract::{MAX_BODY, TriageRequest};
use crate::dapr::Invocation;
use crate::delivery::{Delivered, Report, Undelivered};
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;

/// Everybody may ask.
pub const ROLES: [Role; 3] = [Role::Student, Role::Instructor, Role::Admin];

/// Answers the question in the body.
pub async fn triage<P: Platform, B: Incoming>(
    exchange: &mut Exchange<P, B>,
    config: &Rc<Config>,
) -> Result<Outcome<P>, Problem> {
    exchange.note("route", "triage");
    exchange.accepts_body(MAX_BODY)?;
    let caller = entry::enter(exchange, config, &ROLES).await?;
    if let Err(problem) = question::rejects_guesses(exchange) {
        return Err(refused(exchange, config, &caller, problem));
    }
    let body = match exchange.body(config, MAX_BODY).await {
        Ok(body) => body,
        Err(problem) => return Err(refused(exchange, config, &caller, problem)),
    };
    let request = match TriageRequest::parse(&body, exchange.arrived) {
        Ok(request) => request,
        Err(faults) => return Err(refused(exchange, config, &caller, Problem::SchemaValidation(faults))),
    };
    if !caller.claims.subject.is_staff() && request.progress.student_id != caller.claims.subject.as_str() {
        let message = "student_progress.student_id is not the student of the token";
        return Err(entry::forbidden(exchange, config, "foreign_student_id", message));
    }
    let question = Question::classify(exchange, config, &caller, request);
    let claim = match claim::claim(exchange, config, &caller, &question, &body).await {
        Ok(Claimed::Replay(outcome)) => {
            file_replay(exchange, config, &question).await;
            return Ok(outcome);
        }
        Ok(Claimed::Go(claim)) => claim,
        Err(problem) => return Err(refused_question(exchange, config, &question, problem)),
    };
    answer(exchange, config, &caller, question, claim).await
}

async fn answer<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
    caller: &Caller,
    question: Question,
    claim: Option<Claim>,
) -> Result<Outcome<P>, Problem> {
    if let Some(problem) = question.unwanted(exchange, config) {
        claim::release(exchange, claim);
        return Err(settle_refusal(exchange, config, &question, problem).await);
    }
    let records = entry::fresh_records(exchange, config, caller).await;
    let agent = question::agent(config, question.classification.intent)?;
    let invocation = question.invocation(exchange, config, claim.as_ref().map(|claim| claim.key.as_str()));
    let sent_at = exchange.platform().monotonic();
    let (ticket, agent, report) = deliver(exchange, config, records, &question, agent, &invocation).await;
    exchange.note("agent", agent.id.as_str());
    exchange.note("attempts", report.attempts.len().to_string());
    let waited = question::since(exchange, sent_at);
    let Report { attempts, phase, permit, result } = report;
    let settlement = Settlement { exchange, config, question, agent, attempts, phase, waited, ticket };
    if let Some(permit) = permit {
        settlement.note_reached(permit, &result);
    }
    match result {
        Ok(Delivered::Json(reply)) => {
            exchange.note("agent_error", reply.agent_error.to_string());
            let outcome = settlement.answered(reply).await;
            claim::finish(exchange, claim, &outcome);
            outcome
        }
        Ok(Delivered::Stream(body, permit)) => Ok(settlement.streaming(body, permit, claim).await),
        Err(undelivered) => {
            claim::release(exchange, claim);
            Err(settlement.failed(undelivered, &invocation.idempotency_key).await)
        }
    }
}

/// The call, with the write-ahead record written beside it; and who was called in the end.
async fn deliver<'c, P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &'c Config,
    records: Records,
    question: &Question,
    agent: &'c Agent,
    invocation: &Invocation,
) -> (Option<Ticket>, &'c Agent, Report<P::Body>) {
    let delivery = call(exchange, config, records, agent, invocation);
    if !config.flags.on(Flag::AuditLogging) {
        let (agent, report) = delivery.await;
        return (None, agent, report);
    }
    let mut facts = question.facts.clone();
    facts.decision = audit::decision(Some(&agent.id), None, None, "closed", 0);
    let pending = TriageAudit {
        facts,
        delivery: Delivery::default(),
        outcome: Ending::Unknown,
        processing_time_ms: 0.0,
        at: exchange.arrived,
    };
    let pending = filing::write_ahead(&exchange.instance, pending.record(&config.dapr));
    let (ticket, (agent, report)) = if config.flags.on(Flag::ConcurrentProcessing) {
        futures_util::future::join(pending, delivery).await
    } else {
        (pending.await, delivery.await)
    };
    (ticket, agent, report)
}

/// Calls `agent`, or the one that stands in for it while its breaker refuses.
async fn call<'c, P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &'c Config,
    records: Records,
    agent: &'c Agent,
    invocation: &Invocation,
) -> (&'c Agent, Report<P::Body>) {
    let courier = dispatch::courier(exchange, config);
    let report = courier.deliver(agent, invocation, records.clone()).await;
    let fallback = agent.fallback.as_ref().and_then(|id| config.agents.by_id(id));
    match (&report.result, fallback) {
        (Err(Undelivered::Refused { .. }), Some(fallback)) => {
            exchange.note("fallback", fallback.id.as_str());
            (fallback, courier.deliver(fallback, invocation, records).await)
        }
        _ => (agent, report),
    }
}

/// A stored answer is an answer: its event is secured like any other.
async fn file_replay<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
    question: &Question,
) {
    if !config.flags.on(Flag::AuditLogging) {
        return;
    }
    let mut facts = question.facts.clone();
    facts.decision = audit::decision(None, Some(200), None, "closed", 0);
    let audit = TriageAudit {
        facts,
        delivery: Delivery::default(),
        outcome: Ending::Replayed,
        processing_time_ms: question::since(exchange, exchange.started),
        at: exchange.arrived,
    };
    settle(exchange, config, &audit).await;
}

/// Secures an event before the answer and publishes it after.
async fn settle<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
    audit: &TriageAudit,
) {
    let secured = filing::secure(&exchange.instance, config, audit.record(&config.dapr), None).await;
    if secured.is_unsafe() {
        exchange.note("audit", "lost");
    }
    filing::publish_later(&exchange.instance, config, secured.job().into_iter().collect());
}

/// A request refused before anything was decided: its event is published after the answer, and may
/// be lost with the instance.
fn refused<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
    caller: &Caller,
    problem: Problem,
) -> Problem {
    let facts = question::bare_facts(exchange, config, caller, &problem);
    file_refusal(exchange, config, facts, &problem);
    problem
}

fn refused_question<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
    question: &Question,
    problem: Problem,
) -> Problem {
    file_refusal(exchange, config, question.facts.clone(), &problem);
    problem
}

fn file_refusal<P: Platform, B>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
    facts: audit::Facts,
    problem: &Problem,
) {
    if config.flags.on(Flag::AuditLogging) {
        let record = refusal(exchange, facts, problem).record(&config.dapr);
        filing::publish_later(&exchange.instance, config, vec![Job::new(record, None)]);
    }
}

/// A 422: promised in the audit trail, so secured before the answer.
async fn settle_refusal<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
    question: &Question,
    problem: Problem,
) -> Problem {
    if config.flags.on(Flag::AuditLogging) {
        settle(exchange, config, &refusal(exchange, question.facts.clone(), &problem)).await;
    }
    problem
}

fn refusal<P: Platform, B>(
    exchange: &Exchange<P, B>,
    mut facts: audit::Facts,
    problem: &Problem,
) -> TriageAudit {
    facts.decision = audit::decision(None, Some(problem.status()), Some(problem.error()), "closed", 0);
    if let Problem::SchemaValidation(faults) = problem {
        facts.schema_errors.clone_from(faults);
    }
    TriageAudit {
        facts,
        delivery: Delivery::default(),
        outcome: Ending::Refused,
        processing_time_ms: question::since(exchange, exchange.started),
        at: exchange.arrived,
    }
}
