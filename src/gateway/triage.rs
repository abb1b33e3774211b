//! `POST /api/v1/triage`: classify, route, invoke, audit, answer.

use std::rc::Rc;

use super::answer::Outcome;
use super::case::Case;
use super::claim::{self, Claim, Claimed};
use super::entry::{self, Caller};
use super::exchange::Exchange;
use super::filing::{self, Job};
use super::question::{self, Question};
use crate::agents::Agent;
use crate::audit::{self, Delivery, Outcome as Ending, Ticket, TriageAudit};
use crate::auth::Role;
use crate::config::{Config, Flag};
use crate::contract::{MAX_BODY, TriageRequest};
use crate::delivery::{Courier, Delivered, Report, RetryPolicy};
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
    let caller = entry::enter(exchange, config, &ROLES, 1).await?;
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
        Ok(Claimed::Replay(outcome)) => return Ok(outcome),
        Ok(Claimed::Go(claim)) => claim,
        Err(problem) => return Err(refused_question(exchange, config, &question, problem)),
    };
    let outcome = answer(exchange, config, &caller, question, claim.as_ref()).await;
    if let Some(claim) = claim {
        claim::finish(exchange, claim, &outcome);
    }
    outcome
}

async fn answer<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
    caller: &Caller,
    question: Question,
    claim: Option<&Claim>,
) -> Result<Outcome<P>, Problem> {
    if let Some(problem) = question.unwanted(exchange, config) {
        return Err(settle_refusal(exchange, config, &question, problem).await);
    }
    let agent = question::agent(config, question.classification.intent)?;
    let invocation = question.invocation(exchange, config, claim.map(|claim| claim.key.as_str()));
    let (ticket, report) = deliver(exchange, config, caller, &question, agent, &invocation).await;
    exchange.note("agent", agent.id.as_str());
    exchange.note("attempts", report.attempts.len().to_string());
    let waited = question.waited(exchange);
    let Report { attempts, phase, permit, result } = report;
    let case = Case { exchange, config, question, agent, attempts, phase: phase.as_str(), waited, ticket };
    match result {
        Ok(Delivered::Json(reply)) => {
            if let Some(permit) = permit {
                case.note_success(permit);
            }
            exchange.note("agent_error", reply.agent_error.to_string());
            case.answered(reply).await
        }
        Ok(Delivered::Stream(body, permit)) => Ok(case.streaming(body, permit).await),
        Err(undelivered) => Err(case.failed(undelivered, &invocation.idempotency_key).await),
    }
}

/// The call, with the write-ahead record written beside it.
async fn deliver<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    caller: &Caller,
    question: &Question,
    agent: &Agent,
    invocation: &crate::dapr::Invocation,
) -> (Option<Ticket>, Report<P::Body>) {
    let instance = &exchange.instance;
    let resilience = config.resilience;
    let courier = Courier {
        platform: &instance.platform,
        dapr: &config.dapr,
        flags: config.flags,
        breakers: instance.breakers(config),
        retry: RetryPolicy::new(resilience.attempts),
        started: exchange.started,
        deadline: exchange.started.saturating_add(resilience.deadline),
    };
    let delivery = courier.deliver(agent, invocation, caller.records.clone());
    if !config.flags.on(Flag::AuditLogging) {
        return (None, delivery.await);
    }
    let pending = TriageAudit {
        facts: question.facts.clone(),
        delivery: Delivery::default(),
        outcome: Ending::Unknown,
        processing_time_ms: 0.0,
        at: exchange.arrived,
    };
    let pending = filing::write_ahead(instance, pending.record(&config.dapr));
    if config.flags.on(Flag::ConcurrentProcessing) {
        futures_util::future::join(pending, delivery).await
    } else {
        (pending.await, delivery.await)
    }
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

fn file_refusal<P: Platform, B>(exchange: &Exchange<P, B>, config: &Rc<Config>, facts: audit::Facts, problem: &Problem) {
    if config.flags.on(Flag::AuditLogging) {
        let record = refusal(exchange, facts, problem).record(&config.dapr);
        filing::publish_later(&exchange.instance, config, vec![Job { record, ticket: None }]);
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
        let record = refusal(exchange, question.facts.clone(), &problem).record(&config.dapr);
        let secured = filing::secure(&exchange.instance, config, record, None).await;
        if secured.is_lost() {
            exchange.note("audit", "lost");
        }
        filing::publish_later(&exchange.instance, config, secured.job().into_iter().collect());
    }
    problem
}

fn refusal<P: Platform, B>(exchange: &Exchange<P, B>, mut facts: audit::Facts, problem: &Problem) -> TriageAudit {
    facts.decision = audit::decision(None, problem.status(), Some(problem.error()), "closed", 0);
    TriageAudit {
        facts,
        delivery: Delivery::default(),
        outcome: Ending::Refused,
        processing_time_ms: question::since(exchange, exchange.started),
        at: exchange.arrived,
    }
}
