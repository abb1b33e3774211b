//! From headers to claims: the token, the keys it may be signed with, and Kong's word.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::exchange::Exchange;
use crate::auth::{self, Claims, KeySet, Refusal};
use crate::config::{Config, Flag};
use crate::delivery::collect;
use crate::ports::{Platform, TransportLimits, within};

/// A new key set is fetched at most this often, however many unknown key ids come in.
const REFETCH_EVERY: Duration = Duration::from_secs(30);
/// A key set is fetched anew after so long even if it knows every key: keys are revoked by
/// disappearing.
const REFRESH_AFTER: Duration = Duration::from_secs(600);
/// How long fetching may take.
const FETCH_LIMIT: Duration = Duration::from_secs(2);
/// Largest key set, in bytes.
const MAX_KEY_SET: usize = 64 * 1024;

/// Keys from `jwt_jwks_url`. In memory only: a store that others can write is no place for keys.
#[derive(Debug, Default)]
pub struct FetchedKeys {
    keys: RefCell<KeySet>,
    asked_at: Cell<Option<Duration>>,
}

/// Who is calling, or why that cannot be said.
pub async fn authenticate<P: Platform, B>(exchange: &Exchange<P, B>, config: &Config) -> Result<Claims, Refusal> {
    if !config.flags.on(Flag::JwtValidation) {
        return auth::trusted_consumer(exchange.headers(), exchange.instance.platform.now());
    }
    let token = auth::bearer(exchange.headers())?;
    let claims = verified(exchange, config, token).await?;
    if auth::kong_agrees(exchange.headers(), &claims.subject) { Ok(claims) } else { Err(Refusal::ConsumerMismatch) }
}

async fn verified<P: Platform, B>(exchange: &Exchange<P, B>, config: &Config, token: &str) -> Result<Claims, Refusal> {
    let instance = &exchange.instance;
    let now = instance.platform.now();
    refresh(exchange, config, REFRESH_AFTER).await;
    let keys = keys(exchange, config);
    if let Some(claims) = instance.verified.borrow_mut().get(token, keys.version(), now) {
        return Ok(claims);
    }
    let mut verdict = auth::verify(token, &keys, &config.token_policy, now);
    let mut version = keys.version();
    if verdict == Err(Refusal::NoKey) && refresh(exchange, config, REFETCH_EVERY).await {
        let keys = self::keys(exchange, config);
        version = keys.version();
        verdict = auth::verify(token, &keys, &config.token_policy, now);
    }
    let claims = verdict?;
    instance.verified.borrow_mut().put(token, version, now, &claims);
    Ok(claims)
}

fn keys<P, B>(exchange: &Exchange<P, B>, config: &Config) -> KeySet {
    if config.jwks_url.is_none() {
        return config.keys.clone();
    }
    config.keys.merged(&exchange.instance.fetched_keys.keys.borrow())
}

/// Fetches the key set unless that was done less than `age` ago; true when it was fetched.
async fn refresh<P: Platform, B>(exchange: &Exchange<P, B>, config: &Config, age: Duration) -> bool {
    let Some(url) = &config.jwks_url else { return false };
    let instance = &exchange.instance;
    let fetched = &instance.fetched_keys;
    let now = instance.platform.monotonic();
    if fetched.asked_at.get().is_some_and(|at| now.saturating_sub(at) < age) {
        return false;
    }
    // Noted before the call: requests that come in meanwhile do not fetch too.
    fetched.asked_at.set(Some(now));
    let keys = within(&instance.platform, FETCH_LIMIT, fetch(&instance.platform, url)).await.flatten();
    match keys {
        Some(keys) => {
            fetched.keys.replace(keys);
            true
        }
        None => {
            exchange.note("key_set", "fetch_failed");
            false
        }
    }
}

async fn fetch<P: Platform>(platform: &P, url: &str) -> Option<KeySet> {
    let request = http::Request::get(url).header("accept", "application/json").body(Vec::new()).ok()?;
    let limits = TransportLimits { connect: FETCH_LIMIT, first_byte: FETCH_LIMIT, between_bytes: FETCH_LIMIT };
    let response = platform.send(request, limits).await.ok().filter(|response| response.status() == 200)?;
    let body = collect(&mut response.into_body(), MAX_KEY_SET).await.ok()?;
    // A fetched set with a symmetric key would let anybody who can read it sign tokens.
    KeySet::parse(std::str::from_utf8(&body).ok()?).ok().filter(|keys| !keys.holds_secrets())
}
