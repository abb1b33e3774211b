//! Puts an application together.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use wasmtime_wasi_http::handler::ProxyHandler;

use super::App;
use crate::clock::{Clock, VIRTUAL_START};
use crate::engine;
use crate::front::{Front, Routes, Served};
use crate::instance::pool::Pool;
use crate::instance::prepared::{Component, Limits, Parts};
use crate::key_value::Store;
use crate::key_value::journal::Journal;
use crate::logs::Logs;
use crate::manifest::Manifest;
use crate::outbound::Outbound;
use crate::outbound::allowed_hosts::AllowedHosts;
use crate::outbound::script::Upstream;
use crate::runtime_config::{DEFAULT_STORE, RuntimeConfig, StoreConfig};
use crate::variables::{self, Variables};
use crate::world::{Counters, World};

/// How long a test waits for one thing under virtual time: longer than any time-out in play.
const VIRTUAL_PATIENCE: Duration = Duration::from_secs(3600);
/// The same in real time.
const REAL_PATIENCE: Duration = Duration::from_secs(60);

/// What to run, and how.
///
/// By default everything is a test's: the store is in memory, the environment is not read, guests
/// reach no network, and all that happens is recorded. [`Builder::as_host`] is the opposite.
#[must_use]
pub struct Builder {
    manifest: PathBuf,
    runtime_config: Option<PathBuf>,
    given: BTreeMap<String, String>,
    sources: BTreeMap<String, PathBuf>,
    without: Vec<String>,
    stores: Vec<Store>,
    scripts: Vec<(Option<String>, Arc<dyn Upstream>)>,
    limits: Limits,
    virtual_start: Option<Duration>,
    seed: Option<u64>,
    patience: Option<Duration>,
    cache: Option<PathBuf>,
    network: bool,
    host: bool,
}

impl Builder {
    pub(super) fn new(manifest: PathBuf) -> Self {
        Self {
            manifest,
            runtime_config: None,
            given: BTreeMap::new(),
            sources: BTreeMap::new(),
            without: Vec::new(),
            stores: Vec::new(),
            scripts: Vec::new(),
            limits: Limits::default(),
            virtual_start: None,
            seed: None,
            patience: None,
            cache: None,
            network: false,
            host: false,
        }
    }

    /// Sets an application variable, as `--variable name=value` does.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.given.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Reads this runtime configuration file.
    pub fn runtime_config(mut self, path: impl Into<PathBuf>) -> Self {
        self.runtime_config = Some(path.into());
        self
    }

    /// Takes a component's code from here instead of from where the manifest says.
    pub fn source(mut self, component: &str, path: impl Into<PathBuf>) -> Self {
        self.sources.insert(component.to_owned(), path.into());
        self
    }

    /// Leaves a component and its triggers out, as a deployment may.
    pub fn without(mut self, component: &str) -> Self {
        self.without.push(component.to_owned());
        self
    }

    /// Uses this store under its label; it can outlive the application and serve the next one.
    pub fn store(mut self, store: &Store) -> Self {
        self.stores.push(store.clone());
        self
    }

    /// Runs on tokio's paused clock: build it in a test with `#[tokio::test(start_paused = true)]`.
    pub fn virtual_time(self) -> Self {
        self.virtual_time_from(VIRTUAL_START)
    }

    /// The same, with the wall clock at `start` (since the Unix epoch).
    pub fn virtual_time_from(mut self, start: Duration) -> Self {
        self.virtual_start = Some(start);
        self
    }

    /// Makes the guests' randomness the same in every run.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Puts a script in place of `sidecar.spin.internal`.
    pub fn sidecar(self, upstream: impl Upstream) -> Self {
        self.script("sidecar.spin.internal", upstream)
    }

    /// Puts a script in place of `host`.
    pub fn script(mut self, host: &str, upstream: impl Upstream) -> Self {
        self.scripts.push((Some(host.to_owned()), Arc::new(upstream)));
        self
    }

    /// Puts a script in place of the network.
    pub fn upstream(mut self, upstream: impl Upstream) -> Self {
        self.scripts.push((None, Arc::new(upstream)));
        self
    }

    /// Lets guests call real hosts, as far as their manifest allows.
    pub fn network(mut self) -> Self {
        self.network = true;
        self
    }

    /// Uses instances again by these limits instead of Spin's defaults.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long to wait for an answer, or for the next piece of one, before giving up.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Keeps compiled components in this directory. The first application of a process decides.
    pub fn cache(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cache = Some(directory.into());
        self
    }

    /// Behaves as `spin up` does: environment read, network reachable, store on disk, output passed
    /// on, nothing recorded.
    pub fn as_host(mut self) -> Self {
        self.host = true;
        self.network()
    }

    /// Starts it.
    ///
    /// # Errors
    /// The manifest, the runtime configuration, a component or a variable is not right.
    pub async fn build(self) -> Result<App> {
        if self.virtual_start.is_some() {
            // Panics with tokio's own words when the clock is not paused.
            tokio::time::advance(Duration::ZERO).await;
        }
        let manifest = self.adapted_manifest()?;
        let world = Arc::new(self.world(&manifest)?);
        let outbound = Arc::new(self.outbound(&world));
        let components = self.components(&manifest, &world, &outbound)?;
        let routes = Routes::new(&manifest.triggers)?;
        let front = Arc::new(Front { routes, components });
        for served in front.components.values() {
            served.component.belongs_to(&front);
        }
        let default = if world.clock.is_virtual() { VIRTUAL_PATIENCE } else { REAL_PATIENCE };
        let patience = self.patience.unwrap_or(default);
        Ok(App { front, world, outbound, patience, strict: !self.host })
    }

    /// The manifest with this builder's changes.
    fn adapted_manifest(&self) -> Result<Manifest> {
        let mut manifest = Manifest::read(&self.manifest)?;
        for id in &self.without {
            ensure!(manifest.components.remove(id).is_some(), "no component `{id}` to leave out");
            manifest.triggers.retain(|trigger| trigger.component != *id);
        }
        for (id, source) in &self.sources {
            let component = manifest.components.get_mut(id);
            component.with_context(|| format!("no component `{id}`"))?.source.clone_from(source);
        }
        let ids: Vec<&str> = manifest.components.keys().map(String::as_str).collect();
        for (id, component) in &manifest.components {
            AllowedHosts::check_literals(&component.allowed_outbound_hosts, &ids)
                .with_context(|| format!("in component `{id}`"))?;
        }
        Ok(manifest)
    }

    fn world(&self, manifest: &Manifest) -> Result<World> {
        let clock = self.virtual_start.map_or_else(Clock::real, Clock::virtual_from);
        let environment = if self.host { variables::from_environment() } else { BTreeMap::new() };
        let logs = if self.host { Logs::passing_on } else { Logs::keeping };
        Ok(World {
            variables: Variables::new(manifest, self.given.clone(), environment)?,
            stores: self.stores(manifest)?,
            faults: Default::default(),
            journal: Journal::new(!self.host),
            counters: if self.host { Counters::default() } else { Counters::watching() },
            traps: Default::default(),
            violations: Default::default(),
            logs: Arc::new(logs(clock.clone())),
            instances: AtomicU64::new(0),
            ending: AtomicBool::new(false),
            seed: self.seed,
            clock,
        })
    }

    fn stores(&self, manifest: &Manifest) -> Result<BTreeMap<String, Store>> {
        let mut config = match &self.runtime_config {
            Some(path) => RuntimeConfig::read(path)?,
            None => RuntimeConfig::default(),
        };
        config.stores.entry("default".to_owned()).or_insert_with(|| {
            if self.host {
                StoreConfig::SqliteFile(manifest.root.join(DEFAULT_STORE))
            } else {
                StoreConfig::SqliteMemory
            }
        });
        let mut stores = BTreeMap::new();
        for store in &self.stores {
            stores.insert(store.label().to_owned(), store.clone());
        }
        for (label, place) in &config.stores {
            if !stores.contains_key(label) {
                stores.insert(label.clone(), Store::new(label, place)?);
            }
        }
        for (id, component) in &manifest.components {
            for label in &component.key_value_stores {
                ensure!(
                    stores.contains_key(label),
                    "unknown key_value_stores label {label:?} for component {id:?}"
                );
            }
        }
        Ok(stores)
    }

    fn outbound(&self, world: &World) -> Outbound {
        let outbound = Outbound::new(world.clock.clone(), !self.host, self.network);
        for (host, upstream) in &self.scripts {
            match host {
                Some(host) => outbound.script_host(host, upstream.clone()),
                None => outbound.script_others(upstream.clone()),
            }
        }
        outbound
    }

    fn components(
        &self,
        manifest: &Manifest,
        world: &Arc<World>,
        outbound: &Arc<Outbound>,
    ) -> Result<BTreeMap<String, Served>> {
        let engine = engine::engine(self.cache.as_deref())?;
        let ids: Vec<&str> = manifest.components.keys().map(String::as_str).collect();
        let mut components = BTreeMap::new();
        for (id, described) in &manifest.components {
            let code = engine::load(engine, &described.source)?;
            let entries = &described.allowed_outbound_hosts;
            let hosts = AllowedHosts::resolve(entries, &world.variables, &ids);
            if let Err(error) = &hosts {
                let message = format!("host: every outbound call is denied: {error:#}");
                world.logs.line(id, true, &message);
            }
            let parts = Parts {
                id: Arc::from(id.as_str()),
                world: world.clone(),
                outbound: outbound.clone(),
                allowed_hosts: hosts.ok(),
                limits: self.limits,
            };
            let component = Arc::new(Component::new(parts, described, &code)?);
            let pool = ProxyHandler::new(Pool(component.clone()));
            let triggered = manifest.triggers.iter().any(|trigger| trigger.component == *id);
            components.insert(id.clone(), Served { component, pool, triggered });
        }
        Ok(components)
    }
}
