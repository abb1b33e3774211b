//! Bodies of responses on their way to a guest.

use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use wasmtime_wasi_http::{Error, WasiBody};

use super::record::{CallEnd, Tracked};
use super::script::{Chunk, End};

/// A body made of timed pieces.
pub(super) fn scripted(chunks: Vec<Chunk>, end: End, mut tracked: Tracked) -> WasiBody {
    if chunks.is_empty() && end == End::Complete {
        tracked.end(CallEnd::Answered);
    }
    let state = (chunks.into_iter().peekable(), tracked, false);
    let frames = stream::unfold(state, move |(mut chunks, mut tracked, over)| async move {
        if over {
            return None;
        }
        let Some(chunk) = chunks.next() else {
            return match end {
                End::Complete => None,
                End::Stall => std::future::pending().await,
                End::Cut => {
                    tracked.end(CallEnd::Failed("cut".to_owned()));
                    Some((Err(Error::HttpProtocolError), (chunks, tracked, true)))
                }
            };
        };
        wait(chunk.wait).await;
        if chunks.peek().is_none() && end == End::Complete {
            tracked.end(CallEnd::Answered);
        }
        Some((Ok(Frame::data(chunk.data)), (chunks, tracked, false)))
    });
    StreamBody::new(frames).boxed_unsync()
}

/// `body`, with its end told to `tracked`, and an error when it pauses for longer than `longest`.
pub(super) fn watched(body: WasiBody, longest: Duration, tracked: Tracked) -> WasiBody {
    let state = (Some(body), tracked);
    let frames = stream::unfold(state, move |(body, mut tracked)| async move {
        let mut body = body?;
        match tokio::time::timeout(longest, body.frame()).await {
            Ok(Some(Ok(frame))) => Some((Ok(frame), (Some(body), tracked))),
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

async fn wait(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
