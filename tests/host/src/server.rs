//! Serves an application over TCP, HTTP/1.1 with keep-alive.
//!
//! As in Spin the sockets keep Nagle's algorithm (no TCP_NODELAY), and hyper's own refusals stand:
//! too many headers are answered 431, contradictory lengths 400, both without a body.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::front::{Closed, Front};

/// A server that runs until this is dropped; connections already accepted live on.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(front: Arc<Front>, address: &str) -> Result<Self> {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("unable to listen on {address}"))?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            loop {
                // Accepting fails when the process is out of descriptors, which takes time to mend.
                if let Ok((stream, from)) = listener.accept().await {
                    tokio::spawn(converse(front.clone(), stream, from));
                } else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        });
        Ok(Self { address, accepting })
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn converse(front: Arc<Front>, stream: TcpStream, from: SocketAddr) {
    let service = service_fn(|request| answer(front.clone(), request, from));
    // An error here is the client's, or one that closed the connection on purpose.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// An error closes the connection.
async fn answer(
    front: Arc<Front>,
    request: Request<Incoming>,
    from: SocketAddr,
) -> Result<Response<WasiBody>, Closed> {
    let request = request.map(|body| body.map_err(Error::from).boxed_unsync());
    front.answer(request, from, None).await
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Closed {}
