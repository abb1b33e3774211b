//! `GET /api/v1/agents` and `POST /api/v1/agents/{agent}/breaker/reset`.

use std::rc::Rc;

use serde_json::{Value, json};

use super::answer::Outcome;
use super::entry;
use super::exchange::Exchange;
use crate::agents::AgentId;
use crate::auth::Role;
use crate::config::Config;
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;
use crate::timestamp;

/// Every agent with the state of its breaker.
pub async fn list<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
) -> Result<Outcome<P>, Problem> {
    exchange.note("route", "agents");
    let caller = entry::enter(exchange, config, &[Role::Instructor, Role::Admin]).await?;
    let breakers = exchange.instance.breakers(config);
    let mut rows = Vec::new();
    for agent in config.agents.iter() {
        let failures = breakers.failures(&caller.records, &agent.id).await.ok();
        rows.push(json!({
            "agent": agent.id,
            "intent_type": agent.intent,
            "priority": agent.priority,
            "circuit_breaker": breakers.phase(&caller.records, &agent.id).as_str(),
            "failures": failures,
            "retry_at": breakers.retry_at(&caller.records, &agent.id).map(timestamp::format),
        }));
    }
    let degraded: Option<[&str; 1]> = (!caller.store_usable).then_some(["store"]);
    Outcome::ok(&json!({ "agents": Value::Array(rows), "degraded": degraded }))
}

/// Closes a breaker by hand.
pub async fn reset<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Rc<Config>,
    agent: &AgentId,
) -> Result<Outcome<P>, Problem> {
    exchange.note("route", "breaker_reset");
    entry::enter(exchange, config, &[Role::Admin]).await?;
    if config.agents.by_id(agent).is_none() {
        return Err(Problem::NotFound);
    }
    let reset = exchange.instance.breakers(config).reset(agent).await;
    match reset {
        Ok(was_open) => {
            Outcome::ok(&json!({ "agent": agent, "circuit_breaker": "closed", "was_open": was_open }))
        }
        Err(fault) => Err(Problem::ServiceUnavailable(format!("key-value store: {}", fault.as_str()))),
    }
}
