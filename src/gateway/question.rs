//! A question once it is understood: what the student wants, how sure that is, what is suspicious.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::entry::Caller;
use super::exchange::Exchange;
use crate::agents::Agent;
use crate::audit::Facts;
use crate::config::{Config, Flag};
use crate::contract::{Metadata, Progress, RoutingDecision, Secondary, Session, Timing, TriageRequest};
use crate::dapr::Invocation;
use crate::intent::{self, Classification, Context, Intent, Options};
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;
use crate::threat::{self, Threat};
use crate::{privacy, timestamp};

/// A validated and classified question.
pub struct Question {
    /// As it came.
    pub request: TriageRequest,
    /// What the student wants.
    pub classification: Classification,
    /// Suspicions about the text.
    pub threats: Vec<Threat>,
    /// For the audit event.
    pub facts: Facts,
    /// Whether the store could be used.
    pub store_usable: bool,
    classification_ms: f64,
}

impl Question {
    /// Classifies what was asked.
    pub fn classify<P: Platform, B: Incoming>(
        exchange: &Exchange<P, B>,
        config: &Config,
        caller: &Caller,
        request: TriageRequest,
    ) -> Self {
        let began = exchange.platform().monotonic();
        let classification = classify(config, &request.query, Some(&request.progress), request.session);
        let classified_at = exchange.platform().monotonic();
        let threats = threats(config, &request.query);
        exchange.note("intent", classification.intent.as_str());
        exchange.note("confidence", format!("{:.3}", classification.confidence));
        let facts = Facts {
            request_id: exchange.request_id.clone(),
            correlation_id: exchange.correlation_id.clone(),
            student_id: request.progress.student_id.clone(),
            query: Some(privacy::redact(&request.query).into_owned()),
            classification: describe(&classification, &threats),
            decision: Value::Null,
            schema_errors: Vec::new(),
            trace: config.flags.on(Flag::DistributedTracing).then(|| exchange.trace.clone()),
        };
        Self {
            request,
            classification,
            threats,
            facts,
            store_usable: caller.store_usable,
            classification_ms: classified_at.saturating_sub(began).as_secs_f64() * 1_000.0,
        }
    }

    /// The problem, if this deployment or this caller does not want the question answered.
    pub fn unwanted<P: Platform, B: Incoming>(
        &self,
        exchange: &Exchange<P, B>,
        config: &Config,
    ) -> Option<Problem> {
        let blocked: Vec<&'static str> =
            self.threats.iter().filter(|t| config.block_flags.contains(t)).map(|t| t.as_str()).collect();
        if !blocked.is_empty() {
            return Some(Problem::ContentBlocked(blocked));
        }
        let reject = self.classification.abstained && rejects_guesses(exchange).unwrap_or(false);
        reject.then(|| agent(config, Intent::None)).and_then(Result::ok).map(|agent| Problem::LowConfidence {
            fallback_agent: agent.id.clone(),
            confidence: self.classification.confidence,
        })
    }

    /// What every attempt carries.
    pub fn invocation<P: Platform, B: Incoming>(
        &self,
        exchange: &Exchange<P, B>,
        config: &Config,
        idempotency_key: Option<&str>,
    ) -> Invocation {
        let risk: Vec<&str> = self.threats.iter().map(|threat| threat.as_str()).collect();
        Invocation {
            request_id: exchange.request_id.clone(),
            student_id: self.request.progress.student_id.clone(),
            idempotency_key: idempotency_key.unwrap_or(&exchange.request_id).to_owned(),
            stream: exchange.wants_stream(),
            risk: (!risk.is_empty()).then(|| risk.join(",")),
            redacted: false,
            trace: config.flags.on(Flag::DistributedTracing).then(|| exchange.trace.clone()),
            query: self.request.query.clone(),
            intent: self.classification.intent,
            confidence: self.classification.confidence,
            student_context: self.request.progress.raw.clone(),
        }
    }

    /// The decision, without the agent's part.
    pub fn decision<P: Platform, B: Incoming>(
        &self,
        exchange: &Exchange<P, B>,
        agent: &Agent,
        breaker: &'static str,
        retries: u32,
    ) -> RoutingDecision {
        let metadata =
            Metadata { priority: agent.priority, retry_count: retries, circuit_breaker_status: breaker };
        let mut decision = decision(exchange, &self.classification, agent, metadata);
        decision.student_id = Some(self.request.progress.student_id.clone());
        decision.timing_ms.classification = self.classification_ms;
        decision
    }

    /// `student_progress` without personal data.
    pub fn redacted_context(&self) -> Map<String, Value> {
        let mut context = Value::Object(self.request.progress.raw.clone());
        privacy::redact_json(&mut context);
        match context {
            Value::Object(context) => context,
            _ => Map::new(),
        }
    }
}

/// The intent of `text` under the configured options.
pub fn classify(
    config: &Config,
    text: &str,
    progress: Option<&Progress>,
    session: Session,
) -> Classification {
    let options = options(config);
    if !config.flags.on(Flag::SkillLibrary) {
        // Only a language model may classify, and there is none: every message abstains.
        let secondary = None;
        return Classification {
            intent: Intent::None,
            confidence: 0.0,
            abstained: true,
            secondary,
            keywords: Vec::new(),
        };
    }
    intent::classify(text, &context(progress, session), &options)
}

/// What is configured about classification.
pub fn options(config: &Config) -> Options {
    Options { threshold: config.confidence_threshold, use_learned: config.flags.on(Flag::MlClassifier) }
}

/// The circumstances of a message.
pub fn context(progress: Option<&Progress>, session: Session) -> Context {
    let [completion, quiz, quality, consistency] = progress.map_or([None; 4], |progress| progress.scores);
    Context {
        agent_source: progress.map(|progress| progress.source),
        completion_score: completion,
        quiz_score: quiz,
        quality_score: quality,
        consistency_score: consistency,
        previous_intent: session.previous_intent,
        turn_number: session.turn_number,
    }
}

/// A decision without student, answer and times.
pub fn decision<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    classification: &Classification,
    agent: &Agent,
    metadata: Metadata,
) -> RoutingDecision {
    RoutingDecision {
        target_agent: agent.id.clone(),
        intent_type: classification.intent,
        confidence: classification.confidence,
        student_id: None,
        dapr_app_id: agent.id.clone(),
        metadata,
        timestamp: timestamp::format(exchange.arrived),
        request_id: exchange.request_id.clone(),
        correlation_id: exchange.correlation_id.clone(),
        keywords: classification.keywords.clone(),
        model_version: intent::model_version(),
        secondary_intent: classification
            .secondary
            .map(|(intent_type, confidence)| Secondary { intent_type, confidence }),
        abstained: classification.abstained,
        degraded: None,
        agent_response: None,
        timing_ms: Timing::default(),
    }
}

/// Whether the caller wants 422 rather than the review agent.
pub fn rejects_guesses<P: Platform, B>(exchange: &Exchange<P, B>) -> Result<bool, Problem> {
    exchange.asks("on_low_confidence", "reject")
}

/// The agent that answers `intent`. A checked table has one for every intent.
pub fn agent(config: &Config, intent: Intent) -> Result<&Agent, Problem> {
    config
        .agents
        .for_intent(intent)
        .ok_or_else(|| Problem::ServiceUnavailable("configuration: agents".into()))
}

/// Milliseconds from `moment` to now.
pub fn since<P: Platform, B>(exchange: &Exchange<P, B>, moment: Duration) -> f64 {
    exchange.instance.platform.monotonic().saturating_sub(moment).as_secs_f64() * 1_000.0
}

/// What is known of a request that could not be read.
pub fn bare_facts<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    caller: &Caller,
    problem: &Problem,
) -> Facts {
    let schema_errors = match problem {
        Problem::SchemaValidation(faults) => faults.clone(),
        other => vec![other.error().to_owned()],
    };
    Facts {
        request_id: exchange.request_id.clone(),
        correlation_id: exchange.correlation_id.clone(),
        student_id: caller.claims.subject.as_str().to_owned(),
        query: None,
        classification: Value::Null,
        decision: Value::Null,
        schema_errors,
        trace: config.flags.on(Flag::DistributedTracing).then(|| exchange.trace.clone()),
    }
}

fn threats(config: &Config, text: &str) -> Vec<Threat> {
    if config.flags.on(Flag::RequestSanitization) { threat::flags(text) } else { Vec::new() }
}

fn describe(classification: &Classification, threats: &[Threat]) -> Value {
    let names: Vec<&str> = threats.iter().map(|threat| threat.as_str()).collect();
    json!({
        "intent_type": classification.intent,
        "confidence": classification.confidence,
        "abstained": classification.abstained,
        "secondary_intent": classification.secondary.map(|(intent, confidence)| json!({
            "intent_type": intent,
            "confidence": confidence,
        })),
        "flags": names,
    })
}
