//! What one instance remembers between the requests it serves. Nothing here is shared truth: that
//! lives in the store.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::filing::Job;
use super::key_set::FetchedKeys;
use crate::audit::{Outbox, Publisher, Refusals};
use crate::auth::VerifiedCache;
use crate::breaker::{Breakers, Policy};
use crate::config::{Config, Faults, Flag, Settings};
use crate::ports::Platform;
use crate::problem::Problem;
use crate::store::{Health, Store};

/// One instance of the component.
pub struct Instance<P: Platform> {
    /// The outside.
    pub platform: P,
    config: Result<Rc<Config>, Faults>,
    health: Health,
    pub(super) outbox: Outbox<P::Bell>,
    pub(super) publisher: Publisher<Job>,
    pub(super) refusals: Refusals,
    pub(super) verified: RefCell<VerifiedCache>,
    pub(super) fetched_keys: FetchedKeys<P::Bell>,
    pub(super) readiness: Cell<Option<(Duration, Option<&'static str>)>>,
    pub(super) backlog_looked_at: Cell<Option<Duration>>,
    pub(super) backlog_noted_at: Cell<Option<Duration>>,
    pub(super) letters_full_on: Cell<Option<u64>>,
}

impl<P: Platform> Instance<P> {
    /// Reads the variables, once.
    pub async fn start(platform: P) -> Self {
        let config =
            Settings::load(&platform).await.and_then(|settings| Config::read(&settings)).map(Rc::new);
        if let Err(faults) = &config {
            platform.log(
                &serde_json::json!({ "error": "configuration", "faults": faults.to_string() }).to_string(),
            );
        }
        platform.keep_handles(config.as_ref().is_ok_and(|config| config.flags.on(Flag::ConnectionPooling)));
        Self {
            config,
            platform,
            health: Health::default(),
            outbox: Outbox::default(),
            publisher: Publisher::default(),
            refusals: Refusals::default(),
            verified: RefCell::default(),
            fetched_keys: FetchedKeys::default(),
            readiness: Cell::new(None),
            backlog_looked_at: Cell::new(None),
            backlog_noted_at: Cell::new(None),
            letters_full_on: Cell::new(None),
        }
    }

    /// The configuration, or the problem that names all its faults.
    pub fn config(&self) -> Result<Rc<Config>, Problem> {
        match &self.config {
            Ok(config) => Ok(Rc::clone(config)),
            Err(faults) => {
                Err(Problem::ServiceUnavailable(format!("configuration: {}", faults.names_only())))
            }
        }
    }

    /// The store under its rules.
    pub fn store(&self) -> Store<'_, P> {
        Store::new(&self.platform, &self.health)
    }

    /// The breakers under the configured policy.
    pub fn breakers(&self, config: &Config) -> Breakers<'_, P> {
        let resilience = config.resilience;
        let policy = Policy {
            failures: resilience.breaker_failures,
            open: resilience.breaker_open,
            probe_lease: resilience.deadline,
        };
        Breakers::new(self.store(), &self.platform, policy)
    }
}
