//! Outbound calls.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, StreamBody};
use spin_sdk::http::body::IncomingBodyExt as _;
use spin_sdk::http::{self as spin, Response};
use spin_sdk::wasip3::http::types::ErrorCode;
use spin_sdk::wasip3::http::types::RequestOptions;
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;

use crate::query::Query;

/// Calls `url` as the parameters say and tells what came back.
pub(crate) async fn call(query: &Query, body: Bytes) -> String {
    match send(query, body).await {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            let received = body.bytes().await;
            let text = match &received {
                Ok(bytes) if bytes.len() > 200 => format!("{} bytes", bytes.len()),
                Ok(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Err(code) => format!("broken {code:?}"),
            };
            format!("{} {text}", parts.status.as_u16())
        }
        Err(code) => format!("error {code:?}"),
    }
}

/// Sends the request; its body is announced by `content-length` only if `length` is set.
pub(crate) async fn send(query: &Query, body: Bytes) -> Result<Response, ErrorCode> {
    let mut request = http::Request::post(query.text("url"));
    if query.number("length") == 1 {
        request = request.header("content-length", body.len());
    }
    if query.number("first_byte_ms") > 0 {
        let options = RequestOptions::new();
        let time = Duration::from_millis(query.number("first_byte_ms").unsigned_abs());
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let _ = options.set_first_byte_timeout(Some(nanos));
        let _ = options.set_connect_timeout(Some(nanos));
        request = request.extension(RequestOptionsExtension(options));
    }
    let invalid = |_| ErrorCode::HttpRequestUriInvalid;
    if query.number("stream") == 1 {
        let frames = futures::stream::iter([Ok::<_, ErrorCode>(http_body::Frame::data(body))]);
        return spin::send(request.body(StreamBody::new(frames).boxed_unsync()).map_err(invalid)?).await;
    }
    spin::send(request.body(Full::new(body)).map_err(invalid)?).await
}
