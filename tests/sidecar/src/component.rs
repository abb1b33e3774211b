//! The edge: the only file that knows Spin. It reads a request, asks [`crate::answer`], and sends
//! what that says, piece by piece.

use std::time::Duration;

use futures_util::StreamExt;
use spin_sdk::http::Request;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http_service;
use spin_sdk::time::sleep;
use spin_sdk::wasip3::clocks::system_clock;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Response};
use spin_sdk::wasip3::http_compat::BodyWriter;
use spin_sdk::wasip3::random::random::get_random_u64;
use spin_sdk::wasip3::spawn;
use uuid::Builder;

use crate::{Answer, Body, Ending, MAX_BODY_BYTES, Stamp, Wait};

/// Longer than any caller waits, and still an end, so that no instance stays busy for good.
const FOREVER: Duration = Duration::from_secs(3600);

#[http_service]
async fn handle(request: Request) -> Result<Response, ErrorCode> {
    let (parts, body) = request.into_parts();
    let body = read(body.stream()).await?;
    let answer = crate::answer(&http::Request::from_parts(parts, body), &stamp());
    if let Some(publication) = &answer.published {
        println!("{}", publication.line());
    }
    match answer.wait {
        Wait::For(Duration::ZERO) => {}
        Wait::For(time) => sleep(time).await,
        Wait::Forever => sleep(FOREVER).await,
    }
    respond(answer)
}

/// The body, or a little more of it than is allowed.
async fn read(
    mut pieces: impl StreamExt<Item = Result<impl AsRef<[u8]>, ErrorCode>> + Unpin,
) -> Result<Vec<u8>, ErrorCode> {
    let mut body = Vec::new();
    while let Some(piece) = pieces.next().await {
        body.extend_from_slice(piece?.as_ref());
        if body.len() > MAX_BODY_BYTES {
            break;
        }
    }
    Ok(body)
}

fn stamp() -> Stamp {
    let mut bytes = [0; 16];
    let halves = [get_random_u64(), get_random_u64()];
    for (slot, byte) in bytes.iter_mut().zip(halves.into_iter().flat_map(u64::to_le_bytes)) {
        *slot = byte;
    }
    Stamp { id: Builder::from_random_bytes(bytes).into_uuid(), now: system_clock::now().seconds }
}

fn respond(answer: Answer) -> Result<Response, ErrorCode> {
    let (parts, body) = answer.response.into_parts();
    let headers: Vec<(String, Vec<u8>)> =
        parts.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    let headers =
        Fields::from_list(&headers).map_err(|fault| ErrorCode::InternalError(Some(fault.to_string())))?;
    let (writer, contents, result) = BodyWriter::new();
    let (response, _sent) = Response::new(headers, Some(contents), result);
    // Only a status that is no status is refused here, and `http` admits none.
    let _ = response.set_status_code(parts.status.as_u16());
    spawn(send(writer, body));
    Ok(response)
}

async fn send(writer: BodyWriter, body: Body) {
    let BodyWriter { mut stream_writer, result_writer, .. } = writer;
    for piece in body.pieces {
        if !piece.after.is_zero() {
            sleep(piece.after).await;
        }
        // Bytes that come back mean that the caller hung up.
        if !piece.bytes.is_empty() && !stream_writer.write_all(piece.bytes).await.is_empty() {
            break;
        }
    }
    // The stream ends before its result is told: a host may read them in this order.
    drop(stream_writer);
    let result = match body.ending {
        Ending::Complete => Ok(None),
        Ending::Broken => Err(ErrorCode::ConnectionTerminated),
    };
    let _ = result_writer.write(result).await;
}
