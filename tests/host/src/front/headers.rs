//! What Spin does to a request's headers before a guest sees them.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use wasmtime_wasi_http::WasiBody;

use super::routes::Matched;
use crate::outbound::allowed_hosts::CHAINING_SUFFIX;

/// Removes what only the server may see, and a `Host` that pretends to be a call from a sibling.
pub(super) fn strip(headers: &mut HeaderMap) {
    let host = headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    let pretends = name
        .and_then(|name| name.strip_suffix(CHAINING_SUFFIX))
        .is_some_and(|component| !component.contains('.'));
    if pretends {
        headers.remove(http::header::HOST);
    }
    headers.remove(http::header::CONNECTION);
}

/// Adds the `spin-*` headers.
///
/// # Errors
/// A header's value is no UTF-8, which Spin answers with a bare 500.
pub(super) fn prepare(
    request: &mut Request<WasiBody>,
    matched: &Matched,
    from: SocketAddr,
) -> Result<(), String> {
    for (name, value) in request.headers() {
        std::str::from_utf8(value.as_bytes()).map_err(|_| format!("value of header `{name}` is no UTF-8"))?;
    }
    let host = request.headers().get(http::header::HOST);
    let host = host.and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut added = vec![
        ("spin-path-info".to_owned(), matched.rest.clone()),
        ("spin-full-url".to_owned(), format!("http://{host}{path}")),
        ("spin-matched-route".to_owned(), matched.route.clone()),
        ("spin-base-path".to_owned(), "/".to_owned()),
        ("spin-raw-component-route".to_owned(), matched.raw.clone()),
        ("spin-component-route".to_owned(), prefix(&matched.raw).to_owned()),
        ("spin-client-addr".to_owned(), from.to_string()),
    ];
    for (name, value) in &matched.captures {
        added.push((format!("spin-path-match-{}", name.to_ascii_lowercase()), value.clone()));
    }
    for (name, value) in added {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes()))
        {
            request.headers_mut().append(name, value);
        }
    }
    Ok(())
}

fn prefix(route: &str) -> &str {
    route.strip_suffix("/...").unwrap_or(route)
}
