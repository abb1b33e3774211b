//! The data of one instance's store.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use wasmtime::component::{GuestTaskId, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::caller::Caller;
use super::prepared::Component;
use crate::import::Import;
use crate::key_value::guest::Call;
use crate::logs::GuestOutput;
use crate::outbound::hooks::Hooks;
use crate::world::World;

/// Everything the host keeps for one instance.
pub(crate) struct Guest {
    pub table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    pub hooks: Hooks,
    pub world: Arc<World>,
    pub component: Arc<Component>,
    /// Number of the instance, over all components, from 1.
    pub instance: u64,
    /// Tags of the requests that the host's tasks serve.
    pub requests: HashMap<GuestTaskId, Arc<str>>,
}

impl Guest {
    pub fn new(component: Arc<Component>) -> Self {
        let world = component.world.clone();
        let instance = world.instances.fetch_add(1, Ordering::Relaxed) + 1;
        component.started.fetch_add(1, Ordering::Relaxed);
        Self {
            table: ResourceTable::new(),
            wasi: wasi(&component, &world, instance),
            http: WasiHttpCtx::new(),
            hooks: Hooks::new(&component),
            world,
            component,
            instance,
            requests: HashMap::new(),
        }
    }

    /// A store call that `caller` is about to make.
    pub fn call(&self, caller: Caller, import: Import) -> Call {
        Call { world: self.world.clone(), caller, import }
    }

    /// Whether the manifest lets the component open this store.
    pub fn allows_store(&self, label: &str) -> bool {
        self.component.key_value_stores.iter().any(|allowed| allowed == label)
    }

    /// Remembers on whose behalf `task` runs.
    pub fn serve(&mut self, task: GuestTaskId, tag: Option<Arc<str>>) {
        // Task numbers are used again.
        match tag {
            Some(tag) => self.requests.insert(task, tag),
            None => self.requests.remove(&task),
        };
    }
}

fn wasi(component: &Component, world: &World, instance: u64) -> WasiCtx {
    let output = |stderr| GuestOutput::new(world.logs.clone(), component.id.clone(), stderr);
    let mut builder = WasiCtxBuilder::new();
    builder.stdout(output(false)).stderr(output(true));
    for (name, value) in &component.environment {
        builder.env(name, value);
    }
    // Under real time too: the wall clock may have been set off.
    builder.wall_clock(world.clock.clone()).monotonic_clock(world.clock.clone());
    if let Some(seed) = world.seed {
        let mut random = StdRng::seed_from_u64(seed ^ instance.rotate_left(32));
        builder.insecure_random_seed(u128::from(random.next_u64()));
        builder.insecure_random(StdRng::from_rng(&mut random));
        builder.secure_random(random);
    }
    builder.build()
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}
