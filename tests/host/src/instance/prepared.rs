//! A component made ready to be instantiated: compiled, linked, with its part of the manifest.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use anyhow::{Context as _, Result};
use wasmtime::component::Linker;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi_http::handler::{Proxy, ProxyPre};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use super::guest::Guest;
use crate::front::Front;
use crate::outbound::Outbound;
use crate::outbound::allowed_hosts::AllowedHosts;
use crate::variables;
use crate::world::World;
use crate::{key_value, outbound};

/// One component of an application.
pub(crate) struct Component {
    pub id: Arc<str>,
    pub world: Arc<World>,
    pub outbound: Arc<Outbound>,
    /// The application it is part of, for calls to its siblings; set once that is whole.
    front: OnceLock<Weak<Front>>,
    pub key_value_stores: Vec<String>,
    /// `None`: the manifest's entries do not resolve, and every outbound call is denied.
    pub allowed_hosts: Option<AllowedHosts>,
    pub environment: BTreeMap<String, String>,
    /// Instances made so far.
    pub started: AtomicU64,
    pub limits: Limits,
    pre: ServicePre<Guest>,
}

/// How instances are used again; [`Limits::default`] is what Spin does by default.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests that one instance serves before it is dropped.
    pub requests: usize,
    /// Requests that one instance serves at a time.
    pub concurrent: usize,
    /// How long an instance without work is kept.
    pub idle: std::time::Duration,
    /// How long a request may take to its response's head; none by default. With it, a guest that
    /// never yields is stopped, too, which Spin does not do.
    pub request_timeout: Option<std::time::Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests: 128, concurrent: 16, idle: std::time::Duration::from_secs(1), request_timeout: None }
    }
}

/// What a component is made of, besides its code.
pub(crate) struct Parts {
    pub id: Arc<str>,
    pub world: Arc<World>,
    pub outbound: Arc<Outbound>,
    pub allowed_hosts: Option<AllowedHosts>,
    pub limits: Limits,
}

impl Component {
    /// Links `code`.
    ///
    /// # Errors
    /// It imports something that this host does not have, or exports no `wasi:http/handler@0.3.0`.
    pub fn new(
        parts: Parts,
        manifest: &crate::manifest::Component,
        code: &wasmtime::component::Component,
    ) -> Result<Self> {
        let named = || format!("component `{}` does not fit this host", parts.id);
        let linker = linker(code.engine()).map_err(anyhow::Error::from)?;
        let pre = linker
            .instantiate_pre(code)
            .and_then(ServicePre::new)
            .map_err(anyhow::Error::from)
            .with_context(named)?;
        let Parts { id, world, outbound, allowed_hosts, limits } = parts;
        Ok(Self {
            id,
            world,
            outbound,
            front: OnceLock::new(),
            key_value_stores: manifest.key_value_stores.clone(),
            allowed_hosts,
            environment: manifest.environment.clone(),
            started: AtomicU64::new(0),
            limits,
            pre,
        })
    }

    /// Tells the component which application it is part of.
    pub fn belongs_to(&self, front: &Arc<Front>) {
        // It is only ever part of one.
        let _ = self.front.set(Arc::downgrade(front));
    }

    /// The application, while it runs.
    pub fn front(&self) -> Option<Arc<Front>> {
        self.front.get()?.upgrade()
    }

    /// Notes that an instance trapped, unless everything is ending anyway.
    pub fn instance_failed(&self, number: u64, error: &wasmtime::Error) {
        if !self.world.ending.load(Ordering::Relaxed) {
            let message = format!("host: instance {number} ended: {error:#}");
            self.world.logs.line(&self.id, true, &message);
        }
    }

    /// A new instance.
    pub async fn instantiate(self: &Arc<Self>) -> wasmtime::Result<(Store<Guest>, Proxy)> {
        let mut store = Store::new(self.pre.engine(), Guest::new(self.clone()));
        if self.limits.request_timeout.is_some() {
            store.set_epoch_deadline(1);
            store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        } else {
            // As in Spin: practically never.
            store.set_epoch_deadline(u64::MAX / 2);
        }
        let proxy = ProxyPre::P3(self.pre.clone()).instantiate_async(&mut store).await?;
        Ok((store, proxy))
    }
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    outbound::hooks::link(&mut linker)?;
    key_value::guest::spin::link(&mut linker)?;
    key_value::guest::wasi::link(&mut linker)?;
    variables::guest::link(&mut linker)?;
    Ok(linker)
}
