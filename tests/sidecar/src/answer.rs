//! An answer as data: its head, its body in pieces, and how long each part waits.
//!
//! Streams, stalls and broken connections are all of this shape, so that the same value can be
//! checked in a test, replayed by a scripted sidecar, or sent by the component.

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Response, StatusCode};

use crate::publish::Publication;

/// What is sent, and when.
#[derive(Debug)]
pub struct Answer {
    /// What passes before the head is sent.
    pub wait: Wait,
    /// Head and body. `content-length` is among the headers unless the body is a stream.
    pub response: Response<Body>,
    /// The event that was published, if the request did that.
    pub published: Option<Publication>,
}

/// How long the head of an answer waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// This long; zero for at once.
    For(Duration),
    /// The caller gives up first.
    Forever,
}

/// A body in the pieces in which it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// In order.
    pub pieces: Vec<Piece>,
    /// What happens after the last one.
    pub ending: Ending,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Time since the piece before, or since the head.
    pub after: Duration,
    /// What is written.
    pub bytes: Vec<u8>,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// In good order.
    Complete,
    /// The connection breaks.
    Broken,
}

impl Body {
    /// A body in one piece.
    #[must_use]
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self { pieces: vec![Piece { after: Duration::ZERO, bytes }], ending: Ending::Complete }
    }

    /// All bytes of all pieces.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.pieces.iter().flat_map(|piece| piece.bytes.iter().copied()).collect()
    }
}

impl Answer {
    /// 204. It carries no `content-length`, as RFC 9110 section 8.6 has it.
    #[must_use]
    pub fn empty() -> Self {
        Self::new(StatusCode::NO_CONTENT, Body { pieces: Vec::new(), ending: Ending::Complete })
    }

    /// A JSON document, known in full.
    pub(crate) fn json(status: StatusCode, document: Vec<u8>) -> Self {
        Self::sized(status, "application/json", document.len(), Body::whole(document))
    }

    /// A document of a stated length, whether or not the body keeps to it.
    pub(crate) fn sized(status: StatusCode, media_type: &'static str, length: usize, body: Body) -> Self {
        let mut answer = Self::new(status, body);
        answer.headers().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        answer.headers().insert(CONTENT_LENGTH, length.into());
        answer
    }

    /// An event stream. daprd takes the length away, whatever the agent said.
    pub(crate) fn event_stream(body: Body) -> Self {
        let mut answer = Self::new(StatusCode::OK, body);
        answer.headers().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        answer.headers().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answer
    }

    pub(crate) fn headers(&mut self) -> &mut HeaderMap {
        self.response.headers_mut()
    }

    fn new(status: StatusCode, body: Body) -> Self {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Self { wait: Wait::For(Duration::ZERO), response, published: None }
    }
}
