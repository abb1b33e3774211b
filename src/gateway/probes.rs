//! `GET /health`, `GET /ready`, `GET /openapi.json`.

use std::time::Duration;

use serde_json::json;

use super::answer::Outcome;
use super::exchange::Exchange;
use crate::breaker::RECORDS_KEY;
use crate::contract::OPENAPI;
use crate::dapr;
use crate::ports::{Incoming, Platform, TransportLimits, within};
use crate::problem::Problem;

/// How long an answer of `/ready` holds.
const KEPT: Duration = Duration::from_secs(1);
/// How long the sidecar may take to say that it is well.
const LIMIT: Duration = Duration::from_secs(1);

/// The component runs. No I/O: a liveness probe must not fail because of a peer.
pub fn health<P: Platform>() -> Outcome<P> {
    Outcome::Json(200, json!({ "status": "ok" }).to_string(), Vec::new())
}

/// The contract.
pub fn openapi<P: Platform>() -> Outcome<P> {
    Outcome::Json(200, OPENAPI.to_owned(), Vec::new())
}

/// Whether a request could be served now; names what could not.
pub async fn ready<P: Platform, B: Incoming>(exchange: &Exchange<P, B>) -> Result<Outcome<P>, Problem> {
    let instance = &exchange.instance;
    let config = instance.config()?;
    let now = instance.platform.monotonic();
    let kept = instance.readiness.get().filter(|(at, _)| now.saturating_sub(*at) < KEPT);
    let failed = match kept {
        Some((_, failed)) => failed,
        None => {
            let failed = examine(exchange, &config).await;
            instance.readiness.set(Some((now, failed)));
            failed
        }
    };
    match failed {
        None => Ok(Outcome::Json(200, json!({ "status": "ready" }).to_string(), Vec::new())),
        Some(what) => Err(Problem::ServiceUnavailable(what.to_owned())),
    }
}

async fn examine<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &crate::config::Config,
) -> Option<&'static str> {
    let platform = exchange.platform();
    let store = async { exchange.instance.store().probe(RECORDS_KEY).await.is_ok() };
    let sidecar = async {
        let Some(request) = dapr::health(&config.dapr) else { return false };
        let limits = TransportLimits { connect: LIMIT, first_byte: LIMIT, between_bytes: LIMIT };
        let answer = within(platform, LIMIT, platform.send(request, limits)).await;
        answer.is_some_and(|answer| answer.is_ok_and(|response| response.status().is_success()))
    };
    match futures_util::future::join(store, sidecar).await {
        (true, true) => None,
        (false, true) => Some("key-value store"),
        (true, false) => Some("dapr sidecar"),
        (false, false) => Some("key-value store and dapr sidecar"),
    }
}
