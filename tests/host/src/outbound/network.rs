//! The real network, over hyper's pooled client, with TLS by rustls and Mozilla's roots.
//!
//! The time-outs are Spin's: the connect time-out counts only for a new connection, the first-byte
//! time-out from the start of the call.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tower_service::Service;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::DEFAULT_TIMEOUT;

tokio::task_local! {
    /// The client has no parameter for it.
    static CONNECT_TIMEOUT: Duration;
}

pub(super) struct Network(legacy::Client<HttpsConnector<Connector>, WasiBody>);

impl Network {
    pub fn new() -> Self {
        let https = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http();
        let connector = https.enable_http1().wrap_connector(Connector);
        Self(legacy::Client::builder(TokioExecutor::new()).build(connector))
    }

    pub async fn send(
        &self,
        request: Request<WasiBody>,
        timeouts: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let tls = request.uri().scheme_str() == Some("https");
        let connect = timeouts.connect_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let first_byte = timeouts.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let answered = CONNECT_TIMEOUT.scope(connect, self.0.request(request));
        let response = tokio::time::timeout(first_byte, answered)
            .await
            .map_err(|_| Error::ConnectionReadTimeout)?
            .map_err(|error| client_error(&error, tls))?;
        Ok(response.map(|body| body.map_err(|_| Error::HttpProtocolError).boxed_unsync()))
    }
}

fn client_error(error: &legacy::Error, tls: bool) -> Error {
    let source = std::error::Error::source(error);
    match source.and_then(|source| source.downcast_ref::<ConnectError>()) {
        Some(ConnectError::TimedOut) => Error::ConnectionTimeout,
        Some(ConnectError::Refused) => Error::ConnectionRefused,
        Some(ConnectError::UnknownHost) => {
            Error::DnsError { rcode: Some("address not available".to_owned()), info_code: Some(0) }
        }
        // What fails in connecting after the connection is there is the handshake.
        None if tls && error.is_connect() => Error::TlsProtocolError,
        None => Error::HttpProtocolError,
    }
}

#[derive(Debug)]
enum ConnectError {
    TimedOut,
    Refused,
    UnknownHost,
}

impl std::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "connect timed out",
            Self::Refused => "connection refused",
            Self::UnknownHost => "unknown host",
        })
    }
}

impl std::error::Error for ConnectError {}

#[derive(Clone)]
struct Connector;

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(async move {
            let longest = CONNECT_TIMEOUT.try_with(|time| *time).unwrap_or(DEFAULT_TIMEOUT);
            let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
            let addresses: Vec<_> =
                tokio::net::lookup_host((host, port)).await.map_err(|_| ConnectError::UnknownHost)?.collect();
            let stream = tokio::time::timeout(longest, TcpStream::connect(&*addresses))
                .await
                .map_err(|_| ConnectError::TimedOut)?
                .map_err(|error| match error.kind() {
                    io::ErrorKind::AddrNotAvailable => ConnectError::UnknownHost,
                    _ => ConnectError::Refused,
                })?;
            Ok(TokioIo::new(stream))
        })
    }
}
