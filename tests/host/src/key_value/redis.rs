//! The Redis back end: one connection manager for everybody, no time-out of its own, as in Spin.
//!
//! The connection lives on a thread of its own. Under virtual time that keeps the clock from running
//! ahead while the network answers: the calling runtime sees a blocking task, and tokio's paused
//! clock does not move on during one.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use redis::aio::ConnectionManager;
use redis::{AsyncCommands, Client, ErrorKind, RedisError};
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::sync::OnceCell;

use super::StoreError;

pub(super) struct Redis {
    client: Client,
    connection: Arc<OnceCell<ConnectionManager>>,
    /// Only made for a caller whose clock may be paused.
    side: Mutex<Option<Runtime>>,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redis")
    }
}

impl Redis {
    pub fn new(url: &str) -> Result<Self> {
        let client = Client::open(url).context("invalid Redis URL")?;
        Ok(Self { client, connection: Arc::default(), side: Mutex::new(None) })
    }

    pub async fn ping(&self) -> Result<(), StoreError> {
        self.run(async |mut redis| {
            // The manager reconnects by itself; Spin ignores the outcome too.
            let _: Result<(), RedisError> = redis.ping().await;
            Ok(())
        })
        .await
    }

    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let key = key.to_owned();
        self.run(async move |mut redis| redis.get(key).await).await
    }

    pub async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        let (key, value) = (key.to_owned(), value.to_vec());
        self.run(async move |mut redis| redis.set(key, value).await).await
    }

    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let key = key.to_owned();
        self.run(async move |mut redis| redis.del(key).await).await
    }

    pub async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        let key = key.to_owned();
        self.run(async move |mut redis| redis.exists(key).await).await
    }

    pub async fn keys(&self) -> Result<Vec<String>, StoreError> {
        self.run(async |mut redis| redis.keys("*").await).await
    }

    pub async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        let key = key.to_owned();
        self.run(async move |mut redis| redis.incr(key, delta).await).await
    }

    async fn run<R, F>(
        &self,
        work: impl FnOnce(ConnectionManager) -> F + Send + 'static,
    ) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, RedisError>> + Send,
    {
        let (client, cell) = (self.client.clone(), self.connection.clone());
        let call = async move {
            let connect = || async { client.get_connection_manager().await };
            let connection = cell.get_or_try_init(connect).await?.clone();
            work(connection).await
        };
        let result = match Handle::current().runtime_flavor() {
            RuntimeFlavor::MultiThread => call.await,
            _ => {
                let side = self.side()?;
                tokio::task::spawn_blocking(move || side.block_on(call))
                    .await
                    .map_err(|error| StoreError::Failed(error.to_string()))?
            }
        };
        result.map_err(failure)
    }

    fn side(&self) -> Result<Handle, StoreError> {
        let mut side = self.side.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = match side.take() {
            Some(runtime) => runtime,
            None => Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .map_err(|error| StoreError::Failed(error.to_string()))?,
        };
        let handle = runtime.handle().clone();
        *side = Some(runtime);
        Ok(handle)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let side = self.side.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = side.take() {
            // Stores are dropped inside other runtimes, where waiting is not allowed.
            runtime.shutdown_background();
        }
    }
}

fn failure(error: RedisError) -> StoreError {
    let message = format!("{error:?}");
    let no_counter = error.kind() == ErrorKind::ResponseError && message.contains("not an integer");
    if no_counter { StoreError::NoCounter(message) } else { StoreError::Failed(message) }
}
