//! `RoutingDecision`: what was decided, and what came of it.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::agents::{AgentId, Priority};
use crate::intent::Intent;

/// The answer to a question, flat, as the older contract has it.
#[derive(Debug, Clone, Serialize)]
pub struct RoutingDecision {
    /// The agent that was chosen.
    pub target_agent: AgentId,
    /// What the student wants; `none` when abstained.
    pub intent_type: Intent,
    /// Calibrated probability that the best intent is right, 0 to 1.
    pub confidence: f64,
    /// Who asked; null for a decision only, without progress.
    pub student_id: Option<String>,
    /// The agent's Dapr app id.
    pub dapr_app_id: AgentId,
    /// Delivery facts.
    pub metadata: Metadata,
    /// RFC 3339, when the decision was made.
    pub timestamp: String,
    /// Our id of the request (UUID version 7).
    pub request_id: String,
    /// The caller's `x-request-id`.
    pub correlation_id: Option<String>,
    /// Words that spoke for the intent: at most 10, each under 50 characters.
    pub keywords: Vec<String>,
    /// Which patterns and weights decided.
    pub model_version: &'static str,
    /// The runner-up.
    pub secondary_intent: Option<Secondary>,
    /// Whether no intent was clear enough.
    pub abstained: bool,
    /// What could not be done as it should.
    pub degraded: Option<Vec<&'static str>>,
    /// The agent's JSON as it came; null for a decision only.
    pub agent_response: Option<Box<RawValue>>,
    /// Where the time went.
    pub timing_ms: Timing,
}

/// An intent that was not chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Secondary {
    /// Which.
    pub intent_type: Intent,
    /// Its probability, 0 to 1.
    pub confidence: f64,
}

/// How the delivery went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Metadata {
    /// Of the agent's messages.
    pub priority: Priority,
    /// Attempts after the first.
    pub retry_count: u32,
    /// `closed`, `open` or `half-open` when the call was admitted.
    pub circuit_breaker_status: &'static str,
}

/// Milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Timing {
    /// Finding the intent.
    pub classification: f64,
    /// Waiting for the agent, all attempts and pauses included.
    pub agent: f64,
    /// From the request's arrival to this answer.
    pub total: f64,
}
