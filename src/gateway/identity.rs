//! From headers to claims: the token, the keys it may be signed with, and Kong's word.

use super::exchange::Exchange;
use super::key_set;
use crate::auth::{self, Claims, Refusal};
use crate::config::{Config, Flag};
use crate::ports::Platform;

/// Why nobody was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// The caller could not show who it is.
    Refused(Refusal),
    /// Nobody can tell, because the published keys could not be fetched.
    KeysUnavailable,
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Who is calling, or why that cannot be said.
pub async fn authenticate<P: Platform, B>(
    exchange: &Exchange<P, B>,
    config: &Config,
) -> Result<Claims, Denial> {
    if !config.flags.on(Flag::JwtValidation) {
        return Ok(auth::trusted_consumer(exchange.headers(), exchange.platform().now())?);
    }
    let token = auth::bearer(exchange.headers())?;
    let claims = verified(exchange, config, token).await?;
    if auth::kong_agrees(exchange.headers(), &claims.subject) {
        Ok(claims)
    } else {
        Err(Refusal::ConsumerMismatch.into())
    }
}

async fn verified<P: Platform, B>(
    exchange: &Exchange<P, B>,
    config: &Config,
    token: &str,
) -> Result<Claims, Denial> {
    let instance = &exchange.instance;
    let now = instance.platform.now();
    let keys = key_set::current(instance, config).await;
    if let Some(claims) = instance.verified.borrow_mut().get(token, keys.version(), now) {
        return Ok(claims);
    }
    let mut version = keys.version();
    let mut verdict = auth::verify(token, &keys, &config.token_policy, now);
    if verdict.as_ref().is_err_and(|refusal| refusal.wants_fresh_keys()) && config.jwks_url.is_some() {
        let Some(keys) = key_set::refetched(instance, config).await else {
            return Err(Denial::KeysUnavailable);
        };
        version = keys.version();
        verdict = auth::verify(token, &keys, &config.token_policy, now);
    }
    let claims = verdict?;
    instance.verified.borrow_mut().put(token, version, now, &claims);
    Ok(claims)
}
