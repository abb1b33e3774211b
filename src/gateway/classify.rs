//! `POST /api/v1/classify` and its batch: the decision only.

use std::rc::Rc;

use serde_json::{Value, json};

use super::answer::Outcome;
use super::entry;
use super::exchange::Exchange;
use super::question;
use super::triage::ROLES;
use crate::breaker::Records;
use crate::config::{Config, Flag};
use crate::contract::{
    ClassifyRequest, MAX_BATCH, MAX_BATCH_BODY, MAX_BODY, Metadata, RoutingDecision, Session,
};
use crate::intent::{self, Classification, Intent};
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;

/// The decision about one question; `?explain=true` adds why.
pub async fn classify<P: Platform, B: Incoming>(
    exchange: &mut Exchange<P, B>,
    config: &Rc<Config>,
) -> Result<Outcome<P>, Problem> {
    exchange.note("route", "classify");
    exchange.accepts_body(MAX_BODY)?;
    let caller = entry::enter(exchange, config, &ROLES).await?;
    let body = exchange.body(config, MAX_BODY).await?;
    let explained = exchange.asks("explain", "true")?;
    let request = ClassifyRequest::parse(&body).map_err(Problem::SchemaValidation)?;
    let progress = request.progress.as_ref();
    let foreign = progress.is_some_and(|progress| progress.student_id != caller.claims.subject.as_str());
    if foreign && !caller.claims.subject.is_staff() {
        let message = "student_progress.student_id is not the student of the token";
        return Err(entry::forbidden(exchange, config, "foreign_student_id", message));
    }
    let began = exchange.platform().monotonic();
    let classification = question::classify(config, &request.query, progress, request.session);
    let took = question::since(exchange, began);
    exchange.note("intent", classification.intent.as_str());
    let mut decision = decide(exchange, config, &caller.records, &classification)?;
    decision.student_id = progress.map(|progress| progress.student_id.clone());
    decision.timing_ms.classification = took;
    decision.timing_ms.total = question::since(exchange, exchange.started);
    if !explained {
        return Outcome::ok(&decision);
    }
    let mut value = serde_json::to_value(&decision).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("explanation".into(), explain(config, &request));
    }
    Outcome::ok(&value)
}

/// The decisions about up to a hundred questions; each takes one from the limit.
pub async fn batch<P: Platform, B: Incoming>(
    exchange: &mut Exchange<P, B>,
    config: &Rc<Config>,
) -> Result<Outcome<P>, Problem> {
    exchange.note("route", "classify_batch");
    exchange.accepts_body(MAX_BATCH_BODY)?;
    let caller = entry::identify(exchange, config, &ROLES).await?;
    let body = exchange.body(config, MAX_BATCH_BODY).await?;
    let queries = ClassifyRequest::parse_batch(&body).map_err(Problem::SchemaValidation);
    let size = queries.as_ref().map_or(1, Vec::len);
    let cost = u32::try_from(size.min(MAX_BATCH)).unwrap_or(u32::MAX);
    if cost > config.rate_limit {
        let fault =
            format!("queries: a batch costs its size and the limit is {} a minute", config.rate_limit);
        return Err(Problem::SchemaValidation(vec![fault]));
    }
    entry::charge(exchange, config, &caller, cost)?;
    let queries = queries?;
    let decisions: Result<Vec<RoutingDecision>, Problem> = queries
        .iter()
        .map(|query| {
            let began = exchange.platform().monotonic();
            let classification = question::classify(config, query, None, Session::default());
            let took = question::since(exchange, began);
            let mut decision = decide(exchange, config, &caller.records, &classification)?;
            decision.timing_ms.classification = took;
            Ok(decision)
        })
        .collect();
    Outcome::ok(&json!({ "decisions": decisions? }))
}

fn decide<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    records: &Records,
    classification: &Classification,
) -> Result<RoutingDecision, Problem> {
    let agent = question::agent(config, classification.intent)?;
    let phase = exchange.instance.breakers(config).phase(records, &agent.id);
    let metadata =
        Metadata { priority: agent.priority, retry_count: 0, circuit_breaker_status: phase.as_str() };
    let mut decision = question::decision(exchange, classification, agent, metadata);
    decision.degraded = exchange.instance.store().suspended().then(|| vec!["store"]);
    Ok(decision)
}

fn explain(config: &Config, request: &ClassifyRequest) -> Value {
    let context = question::context(request.progress.as_ref(), request.session);
    if !config.flags.on(Flag::SkillLibrary) {
        // Nothing was looked at, so nothing is likely.
        let scores: serde_json::Map<String, Value> =
            Intent::ALL.iter().map(|intent| (intent.as_str().to_owned(), json!(0.0))).collect();
        return json!({ "threshold": config.confidence_threshold, "scores": scores, "matches": [] });
    }
    let explanation = intent::explain(&request.query, &context, &question::options(config));
    let scores: serde_json::Map<String, Value> =
        explanation.scores.iter().map(|(intent, score)| (intent.as_str().to_owned(), json!(score))).collect();
    let matches: Vec<Value> = explanation
        .matches
        .iter()
        .map(|found| {
            json!({
                "pattern": found.pattern,
                "intent": found.label,
                "weight": found.weight,
                "start": found.start,
                "end": found.end,
                "text": found.text,
            })
        })
        .collect();
    json!({ "threshold": config.confidence_threshold, "scores": scores, "matches": matches })
}
