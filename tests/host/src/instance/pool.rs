//! Spin's pool: wasmtime's handler with Spin's limits.
//!
//! Time spent in a state is measured here rather than taken from the handler, whose instants do not
//! follow tokio's paused clock.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use super::guest::Guest;
use super::prepared::{Component, Limits};
use crate::front::Tag;

/// Makes instances of one component.
pub(crate) struct Pool(pub Arc<Component>);

impl HandlerState for Pool {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiration, Worker>> {
        let (store, proxy) = self.0.instantiate().await?;
        let limits = self.0.limits;
        Ok(Instance {
            store,
            proxy,
            view: Guest::http,
            expiration: Expiration { limits, entered: None, sleep: None },
            state: Worker { component: self.0.clone(), limits },
        })
    }
}

/// Ends an instance that has been in one state for too long.
pub(crate) struct Expiration {
    limits: Limits,
    /// The state last seen, with the handler's mark of when it began.
    entered: Option<(WorkerStatus, Instant)>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if self.entered != Some((status, start)) {
            self.entered = Some((status, start));
            self.sleep = match status {
                WorkerStatus::Idle => Some(self.limits.idle),
                WorkerStatus::Requests | WorkerStatus::PostReturn => self.limits.request_timeout,
            }
            .map(|time: Duration| Box::pin(tokio::time::sleep(time)));
        }
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

/// Decides which requests an instance takes.
pub(crate) struct Worker {
    component: Arc<Component>,
    limits: Limits,
}

impl WorkerState for Worker {
    type StoreData = Guest;
    type RequestData = Tag;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.limits.requests {
            ShouldAccept::Never
        } else if concurrent >= self.limits.concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, Guest>,
        tag: Tag,
        task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        store.data_mut().serve(task, tag);
        match self.limits.request_timeout {
            Some(time) => Box::pin(tokio::time::sleep(time)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn drop(&self, store: Store<Guest>, result: Result<(), wasmtime::Error>) {
        if let Err(error) = result {
            self.component.instance_failed(store.data().instance, &error);
        }
    }
}
