//! What a test gets back.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use wasmtime_wasi_http::WasiBody;

use crate::clock::Clock;
use crate::front::Fault;

/// A whole response.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, or what came of it.
    pub body: Bytes,
    /// Why the host answered in the guest's place, if it did.
    pub fault: Option<Fault>,
    /// Why the body broke off, if it did.
    pub broken: Option<String>,
    /// When its head was there, since the application started.
    pub head_at: Duration,
    /// When its body was over.
    pub ended_at: Duration,
}

impl Response {
    /// The body as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, if it is there once or more (the first) and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A response whose body is read piece by piece. Dropping it is hanging up.
pub struct Stream {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Why the host answered in the guest's place, if it did.
    pub fault: Option<Fault>,
    /// When its head was there, since the application started.
    pub head_at: Duration,
    body: WasiBody,
    clock: Clock,
    patience: Duration,
    broken: Option<String>,
    /// What must live as long as the body.
    keep: Box<dyn Send>,
}

/// A piece of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// When it came, since the application started.
    pub at: Duration,
    /// Its bytes.
    pub data: Bytes,
}

impl Frame {
    /// The bytes as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).into_owned()
    }
}

/// Where a response came from: what stamps it, how long to wait for it, what it needs.
pub(crate) struct Source {
    pub clock: Clock,
    pub patience: Duration,
    pub keep: Box<dyn Send>,
}

impl Stream {
    pub(crate) fn new(response: http::Response<WasiBody>, source: Source) -> Self {
        let (mut parts, body) = response.into_parts();
        let Source { clock, patience, keep } = source;
        Self {
            status: parts.status,
            headers: std::mem::take(&mut parts.headers),
            fault: parts.extensions.remove(),
            head_at: clock.elapsed(),
            body,
            clock,
            patience,
            broken: None,
            keep,
        }
    }

    /// The next piece; `None` at the end, also when the body broke off or nothing came within the
    /// test's patience.
    pub async fn next(&mut self) -> Option<Frame> {
        while self.broken.is_none() {
            match tokio::time::timeout(self.patience, self.body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Some(Frame { at: self.clock.elapsed(), data });
                    }
                }
                Ok(None) => return None,
                Ok(Some(Err(error))) => self.broken = Some(error.to_string()),
                Err(_) => self.broken = Some("no more bytes within the test's patience".to_owned()),
            }
        }
        None
    }

    /// Why the body broke off, if it did.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Reads the rest.
    pub async fn collect(mut self) -> Response {
        let mut body = Vec::new();
        while let Some(frame) = self.next().await {
            body.extend_from_slice(&frame.data);
        }
        let ended_at = self.clock.elapsed();
        let Self { status, headers, fault, head_at, broken, keep, .. } = self;
        drop(keep);
        Response { status, headers, body: body.into(), fault, broken, head_at, ended_at }
    }

    /// Hangs up, as a client that has had enough.
    pub fn hang_up(self) {}
}
