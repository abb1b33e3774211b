//! Scripted upstreams: a test says what the other side does.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::record::Call;

/// The other side of outbound calls. A closure `Fn(&Call) -> Reply` is one.
pub trait Upstream: Send + Sync + 'static {
    /// What to do with this call, whose body has been read whole.
    fn reply(&self, call: &Call) -> Reply;
}

impl<F: Fn(&Call) -> Reply + Send + Sync + 'static> Upstream for F {
    fn reply(&self, call: &Call) -> Reply {
        self(call)
    }
}

/// What the other side does.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) delay: Duration,
    pub(super) act: Act,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    Respond(Head, Vec<Chunk>, End),
    /// Neither answers nor closes.
    Silent,
    Refuse,
    Reset,
    /// Goes where it would go without a script.
    Pass,
}

#[derive(Clone, Debug)]
pub(super) struct Head {
    pub status: StatusCode,
    pub headers: HeaderMap,
}

/// A piece of a body, and how long after the piece before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub wait: Duration,
    pub data: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Complete,
    Cut,
    Stall,
}

impl Reply {
    /// A response with this status and no body yet.
    ///
    /// # Panics
    /// `status` is no HTTP status.
    #[must_use]
    pub fn new(status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("status of a scripted reply");
        let head = Head { status, headers: HeaderMap::new() };
        Self::act(Act::Respond(head, Vec::new(), End::Complete))
    }

    /// A JSON response.
    ///
    /// # Panics
    /// `status` is no HTTP status.
    #[must_use]
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self::new(status).header("content-type", "application/json").body(body.into())
    }

    /// Accepts the call and never answers it.
    #[must_use]
    pub fn never() -> Self {
        Self::act(Act::Silent)
    }

    /// Nobody listens.
    #[must_use]
    pub fn refused() -> Self {
        Self::act(Act::Refuse)
    }

    /// The connection breaks before the response's head is complete.
    #[must_use]
    pub fn reset() -> Self {
        Self::act(Act::Reset)
    }

    /// The call goes on to where it would go without a script: the component it names, or the
    /// network.
    #[must_use]
    pub fn pass() -> Self {
        Self::act(Act::Pass)
    }

    /// Waits this long before doing it.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Adds a header to the response.
    ///
    /// # Panics
    /// The name or value cannot stand in a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Act::Respond(head, ..) = &mut self.act {
            let name = HeaderName::try_from(name).expect("name of a scripted header");
            head.headers.append(name, HeaderValue::try_from(value).expect("value of a scripted header"));
        }
        self
    }

    /// The whole body at once, announced by `content-length`.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        let data = body.into();
        if let Act::Respond(head, chunks, _) = &mut self.act {
            head.headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(data.len()));
            *chunks = vec![Chunk { wait: Duration::ZERO, data }];
        }
        self
    }

    /// A body of `size` bytes, announced by `content-length`, sent in pieces of 64 KiB.
    #[must_use]
    pub fn large(mut self, size: usize) -> Self {
        if let Act::Respond(head, chunks, _) = &mut self.act {
            head.headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(size));
            let piece = Bytes::from(vec![b'x'; 64 * 1024]);
            let (whole, rest) = (size / piece.len(), size % piece.len());
            let sizes = std::iter::repeat_n(piece.len(), whole).chain((rest > 0).then_some(rest));
            *chunks = sizes.map(|len| Chunk { wait: Duration::ZERO, data: piece.slice(..len) }).collect();
        }
        self
    }

    /// One more piece of a streamed body, sent `wait` after the piece before it.
    #[must_use]
    pub fn chunk(mut self, wait: Duration, data: impl Into<Bytes>) -> Self {
        if let Act::Respond(_, chunks, _) = &mut self.act {
            chunks.push(Chunk { wait, data: data.into() });
        }
        self
    }

    /// The connection breaks after the body sent so far.
    #[must_use]
    pub fn cut(self) -> Self {
        self.ending(End::Cut)
    }

    /// The connection breaks after `bytes` of the body.
    #[must_use]
    pub fn cut_after(mut self, bytes: usize) -> Self {
        if let Act::Respond(_, chunks, _) = &mut self.act {
            let mut left = bytes;
            for chunk in chunks.iter_mut() {
                chunk.data.truncate(left);
                left -= chunk.data.len();
            }
            chunks.retain(|chunk| !chunk.data.is_empty());
        }
        self.ending(End::Cut)
    }

    /// After the body sent so far nothing more comes, not even its end.
    #[must_use]
    pub fn stall(self) -> Self {
        self.ending(End::Stall)
    }

    fn ending(mut self, wanted: End) -> Self {
        if let Act::Respond(_, _, end) = &mut self.act {
            *end = wanted;
        }
        self
    }

    fn act(act: Act) -> Self {
        Self { delay: Duration::ZERO, act }
    }
}
