//! Bodies of responses on their way to a guest.

use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use wasmtime_wasi_http::{Error, WasiBody};

use super::record::{CallEnd, Tracked};
use super::script::{Chunk, End};

/// A body made of timed pieces; an error when it pauses for longer than `longest`.
pub(super) fn scripted(chunks: Vec<Chunk>, end: End, longest: Duration, mut tracked: Tracked) -> WasiBody {
    if chunks.is_empty() && end == End::Complete {
        tracked.end(CallEnd::Answered);
    }
    let state = (Some(chunks.into_iter()), tracked);
    let frames = stream::unfold(state, move |(chunks, mut tracked)| async move {
        let mut chunks = chunks?;
        match tokio::time::timeout(longest, next(&mut chunks, end)).await {
            Ok(Some(Ok(data))) => {
                tracked.taken(data.len());
                if chunks.len() == 0 && end == End::Complete {
                    tracked.end(CallEnd::Answered);
                }
                Some((Ok(Frame::data(data)), (Some(chunks), tracked)))
            }
            Ok(Some(Err(error))) => {
                tracked.end(CallEnd::Failed("cut".to_owned()));
                Some((Err(error), (None, tracked)))
            }
            Ok(None) => None,
            Err(_) => {
                tracked.end(CallEnd::Failed("between-bytes time-out".to_owned()));
                Some((Err(Error::ConnectionReadTimeout), (None, tracked)))
            }
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

async fn next(chunks: &mut std::vec::IntoIter<Chunk>, end: End) -> Option<Result<Bytes, Error>> {
    match (chunks.next(), end) {
        (Some(chunk), _) => {
            if !chunk.wait.is_zero() {
                tokio::time::sleep(chunk.wait).await;
            }
            Some(Ok(chunk.data))
        }
        (None, End::Complete) => None,
        (None, End::Cut) => Some(Err(Error::HttpProtocolError)),
        (None, End::Stall) => std::future::pending().await,
    }
}

/// `body`, with its end told to `tracked`, and an error when it pauses for longer than `longest`.
pub(super) fn watched(body: WasiBody, longest: Duration, tracked: Tracked) -> WasiBody {
    let state = (Some(body), tracked);
    let frames = stream::unfold(state, move |(body, mut tracked)| async move {
        let mut body = body?;
        match tokio::time::timeout(longest, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                tracked.taken(frame.data_ref().map_or(0, Bytes::len));
                Some((Ok(frame), (Some(body), tracked)))
            }
            Ok(Some(Err(error))) => {
                tracked.end(CallEnd::Failed(error.to_string()));
                Some((Err(error), (None, tracked)))
            }
            Ok(None) => {
                tracked.end(CallEnd::Answered);
                None
            }
            Err(_) => {
                tracked.end(CallEnd::Failed("between-bytes time-out".to_owned()));
                Some((Err(Error::ConnectionReadTimeout), (None, tracked)))
            }
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

/// A body that is there at once.
pub(crate) fn full(data: impl Into<Bytes>) -> WasiBody {
    http_body_util::Full::new(data.into()).map_err(|never| match never {}).boxed_unsync()
}
