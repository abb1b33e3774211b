//! Every outbound call of every guest, with what became of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

use crate::clock::Clock;

/// One outbound call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number, from 0, in the order of sending.
    pub number: usize,
    /// When it was sent, since the application started.
    pub at: Duration,
    /// Id of the component that called.
    pub component: String,
    /// Number of the instance that called.
    pub instance: u64,
    /// Tag of the request on whose behalf it was made, when that request has one.
    pub request: Option<String>,
    /// The request's method.
    pub method: Method,
    /// Where it went.
    pub uri: Uri,
    /// Its headers, without `host`.
    pub headers: HeaderMap,
    /// Its whole body; empty for calls that were not answered by a script.
    pub body: Bytes,
    /// How its body was announced.
    pub framing: Framing,
    /// Time-outs that the guest asked the host for.
    pub timeouts: wasmtime_wasi_http::RequestOptions,
    /// The status that came back.
    pub status: Option<u16>,
    /// Bytes of the response's body that the guest has taken so far.
    pub taken: usize,
    /// What became of it; `None` while it is under way.
    pub end: Option<CallEnd>,
    /// When it ended.
    pub ended: Option<Duration>,
}

/// How the length of a request's body is known to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body.
    Empty,
    /// `content-length`.
    Length(u64),
    /// `transfer-encoding: chunked`, which Dapr does not retry.
    Chunked,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The guest got the whole response.
    Answered,
    /// The guest got an error.
    Failed(String),
    /// The guest let go of it first.
    Dropped,
}

impl Call {
    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// A header's value, if it is there once or more (the first) and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The calls so far.
#[derive(Debug)]
pub(crate) struct Calls {
    clock: Clock,
    /// `None`: nothing is kept.
    kept: Option<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    calls: Vec<Call>,
    in_flight: usize,
    most_in_flight: usize,
}

impl Calls {
    pub fn new(clock: Clock, keeping: bool) -> Arc<Self> {
        Arc::new(Self { clock, kept: keeping.then(Mutex::default) })
    }

    /// Notes a call that is sent; what becomes of it is told to the [`Tracked`].
    pub fn begin(self: &Arc<Self>, call: &mut Call) -> Tracked {
        call.at = self.clock.elapsed();
        self.with(|kept| {
            call.number = kept.calls.len();
            kept.calls.push(call.clone());
            kept.in_flight += 1;
            kept.most_in_flight = kept.most_in_flight.max(kept.in_flight);
        });
        Tracked { calls: self.clone(), number: call.number, ended: false }
    }

    pub fn list(&self) -> Vec<Call> {
        self.with(|kept| kept.calls.clone()).unwrap_or_default()
    }

    pub fn in_flight(&self) -> usize {
        self.with(|kept| kept.in_flight).unwrap_or_default()
    }

    pub fn most_in_flight(&self) -> usize {
        self.with(|kept| kept.most_in_flight).unwrap_or_default()
    }

    fn with<R>(&self, work: impl FnOnce(&mut Kept) -> R) -> Option<R> {
        let kept = self.kept.as_ref()?;
        Some(work(&mut kept.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// A call under way; dropped before its end it counts as let go by the guest.
#[derive(Debug)]
pub(crate) struct Tracked {
    calls: Arc<Calls>,
    number: usize,
    ended: bool,
}

impl Tracked {
    pub fn status(&self, status: u16) {
        self.calls.with(|kept| {
            if let Some(call) = kept.calls.get_mut(self.number) {
                call.status = Some(status);
            }
        });
    }

    pub fn taken(&self, bytes: usize) {
        self.calls.with(|kept| {
            if let Some(call) = kept.calls.get_mut(self.number) {
                call.taken += bytes;
            }
        });
    }

    pub fn end(&mut self, end: CallEnd) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let now = self.calls.clock.elapsed();
        self.calls.with(|kept| {
            kept.in_flight = kept.in_flight.saturating_sub(1);
            if let Some(call) = kept.calls.get_mut(self.number) {
                call.end = Some(end);
                call.ended = Some(now);
            }
        });
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.end(CallEnd::Dropped);
    }
}
