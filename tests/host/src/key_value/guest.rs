//! What a guest may do with a store: access control, faults, counting and violations around the back
//! end, the same for both interfaces.
//!
//! [`spin`] links `spin:key-value@3.0.0`, whose calls are asynchronous; [`wasi`] links
//! `wasi:keyvalue@0.2.0-draft2`, whose calls block their whole instance while they wait, here as in
//! Spin, because they hold the instance's store.

use std::future::Future;
use std::sync::Arc;

use super::{Store, StoreError};
use crate::import::Import;
use crate::instance::caller::Caller;
use crate::violation::Violation;
use crate::world::World;

pub(crate) mod spin;
pub(crate) mod wasi;

/// An open store, as the guest's handle refers to it.
pub(crate) struct Handle(Store);

/// Why a guest's call failed without a trap.
pub(crate) enum CallError {
    AccessDenied,
    NoSuchStore,
    Other(String),
}

/// One guest's call about to be made.
#[derive(Clone)]
pub(crate) struct Call {
    pub world: Arc<World>,
    pub caller: Caller,
    pub import: Import,
}

/// Outer error: the guest traps.
pub(crate) type Outcome<R> = wasmtime::Result<Result<R, CallError>>;

impl Call {
    /// Opens the store `label`, if the component's manifest allows it.
    pub async fn open(self, label: &str, allowed: bool) -> Outcome<Handle> {
        let Some(store) = self.world.stores.get(label).cloned() else {
            let error = if allowed { CallError::NoSuchStore } else { CallError::AccessDenied };
            return Ok(Err(error));
        };
        if !allowed {
            return Ok(Err(CallError::AccessDenied));
        }
        let work = store.opened();
        Ok(self.run(&store, "", work).await?.map(|()| Handle(store.clone())))
    }

    pub async fn get(self, store: &Store, key: &str) -> Outcome<Option<Vec<u8>>> {
        self.refuse_counter(store, key);
        self.run(store, key, store.get(key)).await
    }

    pub async fn set(self, store: &Store, key: &str, value: &[u8]) -> Outcome<()> {
        self.refuse_counter(store, key);
        let work = async { store.set(key, value).await.map(|()| Written(value.len())) };
        Ok(self.run(store, key, work).await?.map(|Written(_)| ()))
    }

    pub async fn delete(self, store: &Store, key: &str) -> Outcome<()> {
        self.world.counters.forget(store.label(), key);
        self.run(store, key, store.delete(key)).await
    }

    pub async fn exists(self, store: &Store, key: &str) -> Outcome<bool> {
        self.run(store, key, store.exists(key)).await
    }

    pub async fn keys(self, store: &Store) -> Outcome<Vec<String>> {
        self.run(store, "", store.keys()).await
    }

    pub async fn increment(self, store: &Store, key: &str, delta: i64) -> Outcome<i64> {
        let world = self.world.clone();
        let sum = self.run(store, key, store.increment(key, delta)).await?;
        if sum.is_ok() {
            world.counters.note(store.label(), key);
        }
        Ok(sum)
    }

    /// Records that the guest did what breaks Spin, and breaks the store as Spin's would be.
    pub fn violate(self, store: &Store, violation: Violation) -> wasmtime::Error {
        let message = format!("violation: {violation}");
        if violation.poisons() {
            store.poison();
        }
        self.world.violation(violation);
        wasmtime::Error::msg(message)
    }

    fn component(&self) -> String {
        self.caller.component.to_string()
    }

    fn refuse_counter(&self, store: &Store, key: &str) {
        if self.world.counters.is_counter(store.label(), key) {
            let (component, key) = (self.component(), key.to_owned());
            self.world.violation(Violation::CounterAsValue { component, key });
        }
    }

    async fn run<R: Size>(
        self,
        store: &Store,
        key: &str,
        work: impl Future<Output = Result<R, StoreError>>,
    ) -> Outcome<R> {
        let world = self.world.clone();
        let number =
            world.journal.begin(world.clock.elapsed(), self.import, &self.caller, (store.label(), key));
        let done = self.attempt(store, key, work).await;
        let outcome = match &done {
            Ok(Ok(value)) => Ok(value.size()),
            Ok(Err(CallError::Other(message))) => Err(message.clone()),
            Ok(Err(_)) => Err("refused".to_owned()),
            Err(trap) => Err(trap.to_string()),
        };
        world.journal.end(number, world.clock.elapsed(), outcome);
        done
    }

    async fn attempt<R>(
        self,
        store: &Store,
        key: &str,
        work: impl Future<Output = Result<R, StoreError>>,
    ) -> Outcome<R> {
        self.world.spring(self.import, &self.caller)?;
        if store.is_poisoned() {
            let label = store.label();
            return Err(wasmtime::format_err!("store `{label}` is unusable after a violation"));
        }
        if let Err(message) = self.world.faults.meet(self.import, store.is_redis()).await {
            return Ok(Err(CallError::Other(message)));
        }
        match work.await {
            Ok(value) => Ok(Ok(value)),
            Err(StoreError::Failed(message)) => Ok(Err(CallError::Other(message))),
            Err(StoreError::NoCounter(message)) if store.is_redis() => {
                let (component, key) = (self.component(), key.to_owned());
                self.world.violation(Violation::IncrementOfValue { component, key });
                Ok(Err(CallError::Other(message)))
            }
            Err(StoreError::NoCounter(_)) => {
                let (component, key) = (self.component(), key.to_owned());
                Err(self.violate(store, Violation::IncrementOfValue { component, key }))
            }
        }
    }
}

/// How large a result is, for the journal.
trait Size {
    fn size(&self) -> usize {
        0
    }
}

/// How much was written.
struct Written(usize);

impl Size for Written {
    fn size(&self) -> usize {
        self.0
    }
}

impl Size for () {}
impl Size for bool {}
impl Size for i64 {}
impl Size for Vec<String> {}
impl Size for Option<Vec<u8>> {
    fn size(&self) -> usize {
        self.as_ref().map_or(0, Vec::len)
    }
}
