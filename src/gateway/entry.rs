//! The door: who is calling, may they, and is there room for them this minute.

use std::time::Duration;

use super::exchange::Exchange;
use super::identity::{self, Denial};
use crate::audit::{Published, security_event};
use crate::auth::{Claims, Refusal, Role};
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

/// Lets a caller in who has one of `roles`, and takes one from its limit.
pub async fn enter<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    roles: &[Role],
) -> Result<Caller, Problem> {
    let caller = identify(exchange, config, roles).await?;
    charge(exchange, config, &caller, 1)?;
    Ok(caller)
}

/// Lets a caller in who has one of `roles`, for whoever takes from its limit later.
pub async fn identify<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    roles: &[Role],
) -> Result<Caller, Problem> {
    let claims = match identity::authenticate(exchange, config).await {
        Ok(claims) => claims,
        Err(Denial::KeysUnavailable) => return Err(Problem::ServiceUnavailable("key set".into())),
        Err(Denial::Refused(Refusal::BadRole)) => {
            return Err(forbidden(
                exchange,
                config,
                Refusal::BadRole.as_str(),
                "the token's role is not known here",
            ));
        }
        Err(Denial::Refused(refusal)) => {
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
    Ok(Caller { claims, records, store_usable })
}

/// Takes `cost` from the caller's limit, or refuses with 429.
pub fn charge<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    caller: &Caller,
    cost: u32,
) -> Result<(), Problem> {
    if cost == 0 || !config.flags.on(Flag::RateLimiting) || !caller.store_usable {
        return Ok(());
    }
    limit(exchange, config, &caller.claims, cost)
}

/// The breakers for a caller whose body took its time: what was read at the door may be old.
pub async fn fresh_records<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    caller: &Caller,
) -> Records {
    let waited = exchange.complete_at.get().saturating_sub(exchange.started);
    if waited < Duration::from_millis(50) {
        return caller.records.clone();
    }
    exchange.instance.breakers(config).read().await.unwrap_or_else(|_| caller.records.clone())
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
    let cost = i64::from(cost);
    // A batch looks before it takes: what it took and gave back would keep smaller requests out.
    let fits = |used: i64| used.saturating_add(cost) <= i64::from(config.rate_limit);
    let room = cost == 1 || store.increment(&window.key, 0).is_ok_and(fits);
    let Ok(count) = store.increment(&window.key, if room { cost } else { 0 }) else { return Ok(()) };
    let quota = window.quota(count, config.rate_limit);
    exchange.quota.set(Some(quota));
    if count == cost {
        drop_past(exchange, window.past.clone());
    }
    if room && quota.allowed {
        return Ok(());
    }
    if room && cost > 1 {
        // Another took the room between the look and the take.
        if let Ok(count) = store.increment(&window.key, cost.saturating_neg()) {
            exchange.quota.set(Some(window.quota(count, config.rate_limit)));
        }
    }
    exchange.note("refusal", "rate_limited");
    refused(exchange, config, "rate_limited", 429);
    Err(Problem::RateLimited { retry_after: quota.reset_s })
}

/// The first visitor of a window clears an older one away, after the answer.
fn drop_past<P: Platform, B>(exchange: &Exchange<P, B>, key: String) {
    let instance = std::rc::Rc::clone(&exchange.instance);
    exchange.instance.platform.spawn(async move {
        let store = instance.store();
        if store.exists(&key).await == Ok(true) {
            let _ = store.delete(&key).await;
        }
    });
}

/// Counts a refusal, and reports it after the answer when it is time to.
fn refused<P: Platform, B: Incoming>(
    exchange: &Exchange<P, B>,
    config: &Config,
    reason: &'static str,
    status: u16,
) {
    let platform = exchange.platform();
    if !config.flags.on(Flag::AuditLogging) {
        return;
    }
    let Some(count) = exchange.instance.refusals.note(reason, platform.monotonic()) else { return };
    let record = security_event(&config.dapr, &exchange.request_id, reason, status, count, platform.now());
    let (instance, dapr) = (std::rc::Rc::clone(&exchange.instance), config.dapr.clone());
    platform.spawn(async move {
        let reporting = instance.refusals.report();
        let publish = instance.publisher.publish(&instance.platform, &dapr, &record);
        if reporting.is_none() || publish.await == Published::Failed {
            instance.refusals.put_back(reason, count);
        }
    });
}
