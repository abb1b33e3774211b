//! Keys published under `jwt_jwks_url`: fetched once for all who wait, kept in memory only.
//!
//! A store that others can write is no place for keys. A set is fetched by the first request that
//! needs it, renewed beside a request once it is ten minutes old (keys are revoked by
//! disappearing), and fetched anew for a token that no key fits at most once in 30 s, however many
//! of them come in.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;

use super::instance::Instance;
use crate::auth::KeySet;
use crate::config::Config;
use crate::delivery::collect;
use crate::ports::{Platform, TransportLimits, within};

const REFETCH_EVERY: Duration = Duration::from_secs(30);
const RENEW_AFTER: Duration = Duration::from_secs(600);
/// How long fetching may take.
const FETCH_LIMIT: Duration = Duration::from_secs(2);
/// Largest key set, in bytes.
const MAX_KEY_SET: usize = 64 * 1024;

/// What an instance remembers of the published keys.
#[derive(Debug)]
pub struct FetchedKeys<B> {
    /// Configured and published keys together, once a set was fetched.
    merged: RefCell<Option<KeySet>>,
    asked_at: Cell<Option<Duration>>,
    fetching: Cell<bool>,
    waiting: RefCell<Vec<B>>,
}

impl<B> Default for FetchedKeys<B> {
    fn default() -> Self {
        Self {
            merged: RefCell::default(),
            asked_at: Cell::default(),
            fetching: Cell::default(),
            waiting: RefCell::default(),
        }
    }
}

impl<B> FetchedKeys<B> {
    fn asked_within(&self, age: Duration, now: Duration) -> bool {
        self.asked_at.get().is_some_and(|at| now.saturating_sub(at) < age)
    }
}

/// Ends a fetch however it ends, so that nobody waits for one that was dropped: a request whose
/// client hangs up takes its fetch with it, and the next one begins anew.
struct Fetching<'a, B> {
    keys: &'a FetchedKeys<B>,
    finished: bool,
}

impl<B> Drop for Fetching<'_, B> {
    fn drop(&mut self) {
        if !self.finished && self.keys.merged.borrow().is_none() {
            self.keys.asked_at.set(None);
        }
        self.keys.fetching.set(false);
        drop(self.keys.waiting.take());
    }
}

/// The keys as they are known now; waits for them only if there are none yet.
pub async fn current<P: Platform>(instance: &Rc<Instance<P>>, config: &Config) -> KeySet {
    let Some(url) = &config.jwks_url else { return config.keys.clone() };
    let fetched = &instance.fetched_keys;
    let now = instance.platform.monotonic();
    let known = fetched.merged.borrow().clone();
    match known {
        Some(keys) => {
            if !fetched.asked_within(RENEW_AFTER, now) && !fetched.fetching.get() {
                let (this, url, own) = (Rc::clone(instance), url.clone(), config.keys.clone());
                instance.platform.spawn(async move { fetch(&this, &url, &own).await });
            }
            keys
        }
        None => {
            if fetched.fetching.get() || !fetched.asked_within(REFETCH_EVERY, now) {
                fetch_or_wait(instance, url, &config.keys).await;
            }
            fetched.merged.borrow().clone().unwrap_or_else(|| config.keys.clone())
        }
    }
}

/// The keys after a fetch for a token none of them fits, or as they are if that was done a moment
/// ago; `None` when no set could ever be fetched.
pub async fn refetched<P: Platform>(instance: &Rc<Instance<P>>, config: &Config) -> Option<KeySet> {
    let fetched = &instance.fetched_keys;
    if let Some(url) = &config.jwks_url
        && (fetched.fetching.get() || !fetched.asked_within(REFETCH_EVERY, instance.platform.monotonic()))
    {
        fetch_or_wait(instance, url, &config.keys).await;
    }
    fetched.merged.borrow().clone()
}

async fn fetch_or_wait<P: Platform>(instance: &Rc<Instance<P>>, url: &str, own: &KeySet) {
    let fetched = &instance.fetched_keys;
    if fetched.fetching.get() {
        let (bell, rung) = instance.platform.signal();
        fetched.waiting.borrow_mut().push(bell);
        rung.await;
    } else {
        fetch(instance, url, own).await;
    }
}

async fn fetch<P: Platform>(instance: &Rc<Instance<P>>, url: &str, own: &KeySet) {
    let fetched = &instance.fetched_keys;
    fetched.fetching.set(true);
    fetched.asked_at.set(Some(instance.platform.monotonic()));
    let mut fetching = Fetching { keys: fetched, finished: false };
    let published =
        within(&instance.platform, FETCH_LIMIT, published(&instance.platform, url)).await.flatten();
    match published {
        Some((published, faults)) => {
            if !faults.is_empty() {
                let line = json!({ "warning": "published keys left out", "faults": faults });
                instance.platform.log(&line.to_string());
            }
            drop(fetched.merged.replace(Some(own.merged(&published))));
        }
        None => instance.platform.log("{\"warning\":\"key set could not be fetched\"}"),
    }
    fetching.finished = true;
}

/// The keys under `url`, and what was wrong with others there.
async fn published<P: Platform>(platform: &P, url: &str) -> Option<(KeySet, Vec<String>)> {
    let request = http::Request::get(url).header("accept", "application/json").body(Vec::new()).ok()?;
    let limits =
        TransportLimits { connect: FETCH_LIMIT, first_byte: FETCH_LIMIT, between_bytes: FETCH_LIMIT };
    let response = platform.send(request, limits).await.ok().filter(|response| response.status() == 200)?;
    let body = collect(&mut response.into_body(), MAX_KEY_SET).await.ok()?;
    KeySet::parse_published(std::str::from_utf8(&body).ok()?).ok()
}
