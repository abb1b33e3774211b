//! The door: who is calling, may they, and is there room for them this minute.

use super::exchange::Exchange;
use super::identity;
use crate::audit::{Published, security_event, send};
use crate::auth::{Claims, Role};
use crate::breaker::{RECORDS_KEY, Records};
use crate::config::{Config, Flag};
use crate::ports::{Incoming, Platform};
use crate::problem::Problem;
use crate::rate_limit::Window;

/// A caller who was let in.
pub struct Caller {
    /// Who it is.
    pub claims: Claims,
    /// The breakers, as the first read of the store found them.
    pub records: Records,
    /// Whether the store could be used.
    pub store_usable: bool,
}

/// Lets a caller in who has one of `roles`; `cost` is what the request takes from the limit (0: the
/// endpoint charges later).
pub async fn enter<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    roles: &[Role],
    cost: u32,
) -> Result<Caller, Problem> {
    let claims = match identity::authenticate(exchange, config).await {
        Ok(claims) => claims,
        Err(refusal) => {
            exchange.note("refusal", refusal.as_str());
            refused(exchange, config, refusal.as_str(), 401);
            return Err(Problem::InvalidJwt);
        }
    };
    exchange.note("role", claims.role.as_str());
    if !roles.contains(&claims.role) {
        return Err(forbidden(exchange, config, "role_not_allowed", "this needs another role"));
    }
    let probe = exchange.instance.store().probe(RECORDS_KEY).await;
    let (records, store_usable) = match probe {
        Ok(bytes) => (bytes.map_or_else(Records::default, |bytes| Records::decode(&bytes)), true),
        Err(fault) => {
            exchange.note("store", fault.as_str());
            (Records::default(), false)
        }
    };
    let caller = Caller { claims, records, store_usable };
    if cost > 0 {
        charge(exchange, config, &caller, cost)?;
    }
    Ok(caller)
}

/// Takes `cost` from the caller's limit, or refuses with 429.
pub fn charge<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    caller: &Caller,
    cost: u32,
) -> Result<(), Problem> {
    if !config.flags.on(Flag::RateLimiting) || !caller.store_usable {
        return Ok(());
    }
    limit(exchange, config, &caller.claims, cost)
}

/// 403, with a security event.
pub fn forbidden<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    reason: &'static str,
    message: &'static str,
) -> Problem {
    exchange.note("refusal", reason);
    refused(exchange, config, reason, 403);
    Problem::Forbidden(message)
}

/// Takes `cost` from the caller's window. Without an answer from the store the caller passes.
fn limit<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    claims: &Claims,
    cost: u32,
) -> Result<(), Problem> {
    let store = exchange.instance.store();
    let window = Window::of(claims.subject.as_str(), &config.record_key, exchange.platform().now());
    let Ok(count) = store.increment(&window.key, i64::from(cost)) else { return Ok(()) };
    let quota = window.quota(count, config.rate_limit);
    exchange.quota.set(Some(quota));
    if count == i64::from(cost) {
        drop_previous(exchange, window.previous);
    }
    if quota.allowed {
        return Ok(());
    }
    if cost > 1 {
        // What did not fit is given back, or it would keep smaller requests out.
        let _ = store.increment(&window.key, i64::from(cost).saturating_neg());
    }
    exchange.note("refusal", "rate_limited");
    refused(exchange, config, "rate_limited", 429);
    Err(Problem::RateLimited { retry_after: quota.reset_s })
}

/// The first visitor of a window clears away the one before, after the answer.
fn drop_previous<P: Platform, B>(exchange: &Exchange<P, B>, key: String) {
    let instance = std::rc::Rc::clone(&exchange.instance);
    exchange.instance.platform.spawn(async move {
        let store = instance.store();
        if store.exists(&key).await == Ok(true) {
            let _ = store.delete(&key).await;
        }
    });
}

/// Counts a refusal, and reports it after the answer when it is time to.
fn refused<P: Platform, B: Incoming>(exchange: &Exchange<P, B>, config: &Config, reason: &'static str, status: u16) {
    let platform = exchange.platform();
    if !config.flags.on(Flag::AuditLogging) {
        return;
    }
    let Some(count) = exchange.instance.refusals.note(reason, platform.monotonic()) else { return };
    let record = security_event(&config.dapr, &exchange.request_id, reason, status, count, platform.now());
    let (instance, dapr) = (std::rc::Rc::clone(&exchange.instance), config.dapr.clone());
    platform.spawn(async move {
        let Some(_place) = instance.publisher.place() else { return };
        if send(&instance.platform, &dapr, &record).await == Published::Failed {
            instance.platform.log("{\"warning\":\"security event not published\"}");
        }
    });
}
