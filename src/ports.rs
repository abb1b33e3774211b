//! What the core needs from the outside, as traits over plain values.
//!
//! The component implements them on Spin (`component.rs`), the unit tests on plain memory. None of
//! these traits decides anything: policy lives in the modules that call them.

use std::fmt;
use std::future::Future;
use std::time::Duration;

/// Milliseconds since the Unix epoch, by the wall clock. Comparable between instances, may jump.
pub type UnixMillis = u64;

/// The two clocks and the timer.
pub trait Clock {
    /// Wall-clock time. It may jump in either direction; never measure durations with it.
    fn now(&self) -> UnixMillis;
    /// Time since an arbitrary origin; never goes back.
    fn monotonic(&self) -> Duration;
    /// Completes once `duration` has passed on the monotonic clock.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;
}

/// Randomness for identifiers and jitter.
pub trait Entropy {
    /// Sixteen bytes nobody can predict.
    fn random(&self) -> [u8; 16];
}

/// Spin variables.
pub trait Variables {
    /// The value of `name`. There is no default for one that cannot be read: a provider that fails
    /// must not turn production into development.
    fn variable(&self, name: &str) -> impl Future<Output = Result<String, VariableFault>>;
}

/// A variable is not declared for this component, or its provider failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariableFault;

/// Why a store call failed. The text is the host's and may only go to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFault(pub String);

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key-value store: {}", self.0)
    }
}

/// The key-value store labelled `default`.
///
/// The asynchronous calls suspend one request. The `*_blocking` calls are synchronous imports: each
/// stops every request of the instance until it returns (see `store.rs` for when they are allowed).
pub trait KeyValue {
    /// Whether handles are kept from one call to the next (`enable_connection_pooling`).
    fn keep_handles(&self, keep: bool);
    /// The value under `key`.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreFault>>;
    /// Writes `value` under `key`.
    fn set(&self, key: &str, value: &[u8]) -> impl Future<Output = Result<(), StoreFault>>;
    /// Removes `key`; no fault when it is absent.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), StoreFault>>;
    /// Whether `key` is present, of whatever kind.
    fn exists(&self, key: &str) -> impl Future<Output = Result<bool, StoreFault>>;
    /// Adds `delta` to the counter `key` (absent counts as 0) and returns the new value. Atomic on
    /// every back end, and the only primitive that is.
    fn increment_blocking(&self, key: &str, delta: i64) -> Result<i64, StoreFault>;
    /// Every key of the store. Maintenance only.
    fn list_keys_blocking(&self) -> Result<Vec<String>, StoreFault>;
}

/// What went wrong between us and a peer, before or inside its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportFault {
    /// No connection: refused, unknown host, or not established in time. The request was not sent.
    Connect,
    /// The peer took the request and did not send the head of an answer in time.
    FirstByteTimeout,
    /// Nothing arrived for too long inside the body, or the body as a whole took too long.
    BodyTimeout,
    /// The connection ended, or broke the protocol, in the middle of the exchange.
    Broken,
    /// This host does not allow the call (outbound hosts); a fault of the configuration.
    Denied,
}

impl TransportFault {
    /// The closed label used in logs, metrics and audit events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::FirstByteTimeout => "first_byte_timeout",
            Self::BodyTimeout => "body_timeout",
            Self::Broken => "broken",
            Self::Denied => "denied",
        }
    }
}

/// Bytes that arrive in pieces.
pub trait Incoming {
    /// The next piece, `None` at the regular end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, TransportFault>>;
}

/// Bytes that leave in pieces, with back-pressure.
pub trait Outgoing {
    /// Completes when the reader took everything; `Err(Closed)` when the reader is gone.
    fn write(&mut self, bytes: Vec<u8>) -> impl Future<Output = Result<(), Closed>>;
}

/// The reader hung up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

/// Calls to other HTTP services.
pub trait Transport {
    /// The body of an answer.
    type Body: Incoming + 'static;
    /// Sends `request` and completes with the head of the answer. `limits` are passed to the host,
    /// which does not keep all of them: callers race the call against a timer of their own.
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limits: TransportLimits,
    ) -> impl Future<Output = Result<http::Response<Self::Body>, TransportFault>>;
}

/// Timeouts of one outbound call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportLimits {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until the head of the answer is there.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub between_bytes: Duration,
}

/// Work that goes on after the answer, and lines for the log.
pub trait Runtime {
    /// Runs `task` beside and after the current request.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);
    /// Writes one line to the log.
    fn log(&self, line: &str);
}

/// Requests of one instance that wait for each other.
///
/// A plain Rust waker does not do: each request is a component-model task of its own, and only
/// something of the host's can wake one out of another.
pub trait Signals {
    /// Wakes the one who waits when it is dropped.
    type Bell: 'static;
    /// A bell, and the wait for it.
    fn signal(&self) -> (Self::Bell, impl Future<Output = ()>);
}

/// Everything the gateway stands on. A cheap handle: clones share the same outside.
pub trait Platform:
    Clock + Entropy + Variables + KeyValue + Transport + Runtime + Signals + Clone + 'static
{
}

impl<T> Platform for T where
    T: Clock + Entropy + Variables + KeyValue + Transport + Runtime + Signals + Clone + 'static
{
}

/// `future`, or `None` once `limit` has passed.
///
/// Every call that leaves the instance is raced against a timer of the guest's own: service
/// chaining ignores the host's connect and first-byte timeouts, pooled connections the connect
/// timeout, and the store has none at all.
pub async fn within<C: Clock, F: Future>(clock: &C, limit: Duration, future: F) -> Option<F::Output> {
    use futures_util::future::{Either, select};
    let future = std::pin::pin!(future);
    let timer = std::pin::pin!(clock.sleep(limit));
    match select(future, timer).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}
