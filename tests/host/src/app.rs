//! An application that runs, as a test or the binary holds it.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use wasmtime_wasi_http::WasiBody;

use crate::clock::Clock;
use crate::front::{self, Closed, Fault, Front};
use crate::import::{Import, Trap};
use crate::key_value::Store;
use crate::key_value::fault::Faults;
use crate::key_value::journal::StoreOp;
use crate::logs::LogLine;
use crate::outbound::Outbound;
use crate::outbound::body::full;
use crate::outbound::record::Call;
use crate::outbound::script::Upstream;
use crate::response::{Response, Source, Stream};
use crate::server::Server;
use crate::violation::Violation;
use crate::world::World;

mod builder;
mod instance;

pub use builder::Builder;
pub use instance::Instance;

/// The address that in-process requests seem to come from.
const TEST_CLIENT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 49_152));

/// Names a request: put it into the request's extensions, and what the guest does on its behalf
/// carries the name ([`StoreOp::request`], [`Call::request`], [`Trap::of`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(pub String);

/// A running application. Dropping it fails the test when a guest broke a rule that nobody asked
/// about ([`App::take_violations`]).
pub struct App {
    front: Arc<Front>,
    world: Arc<World>,
    outbound: Arc<Outbound>,
    patience: Duration,
    strict: bool,
}

impl App {
    /// Starts with the application that `manifest` describes.
    pub fn builder(manifest: impl Into<std::path::PathBuf>) -> Builder {
        Builder::new(manifest.into())
    }

    /// Sends a request in process, through the pool of instances, and reads the whole answer.
    pub async fn request(&self, request: Request<impl Into<bytes::Bytes>>) -> Response {
        self.open(request.map(|body| full(body))).await.collect().await
    }

    /// Sends a request in process and returns as soon as the answer's head is there. The body is any
    /// [`http_body::Body`]; see [`App::full`] for one that is there at once.
    pub async fn open(&self, request: Request<WasiBody>) -> Stream {
        let (request, tag) = absolute(request);
        let answer = self.front.answer(request, TEST_CLIENT, tag);
        let response = match tokio::time::timeout(self.patience, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(Closed(why))) => closed(why),
            Err(_) => front::internal(Fault::NoAnswer),
        };
        Stream::new(response, self.source(Box::new(())))
    }

    /// A body for [`App::open`] that is there at once.
    #[must_use]
    pub fn full(body: impl Into<bytes::Bytes>) -> WasiBody {
        full(body)
    }

    /// A body for [`App::open`] made of pieces, each with the time to wait before it; with `ends`
    /// false its end never comes.
    #[must_use]
    pub fn pieces(pieces: Vec<(Duration, bytes::Bytes)>, ends: bool) -> WasiBody {
        let frames = futures::stream::unfold(pieces.into_iter(), move |mut pieces| async move {
            let Some((wait, data)) = pieces.next() else {
                return if ends { None } else { std::future::pending().await };
            };
            tokio::time::sleep(wait).await;
            Some((Ok(http_body::Frame::data(data)), pieces))
        });
        http_body_util::StreamBody::new(frames).boxed_unsync()
    }

    /// A fresh instance of `component`, for requests that must meet the same one.
    ///
    /// # Errors
    /// There is no such component, or it cannot be instantiated.
    pub async fn instance(&self, component: &str) -> Result<Instance<'_>> {
        Instance::start(self, component).await
    }

    /// Sends a request to a fresh instance of the component its path belongs to. What the guest goes
    /// on doing after the answer is done in the background.
    ///
    /// # Errors
    /// The instance cannot be made.
    pub async fn fresh(&self, request: Request<impl Into<bytes::Bytes>>) -> Result<Response> {
        let component = self.component_of(request.uri().path()).context("no route for this path")?;
        let instance = self.instance(&component).await?;
        Ok(instance.request(request).await)
    }

    /// Serves on a TCP address such as `127.0.0.1:0`, until the server is dropped. Under virtual time
    /// the clock may run ahead while bytes are on their way.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn serve(&self, address: &str) -> Result<Server> {
        Server::start(self.front.clone(), address).await
    }

    /// The clock: advance it, or let the guests' wall clock jump.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.world.clock
    }

    /// The store `default`, for assertions: neither counted nor disturbed by faults.
    ///
    /// # Panics
    /// The application has none, which a manifest cannot bring about.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.store_named("default").expect("store `default`")
    }

    /// The store with this label.
    #[must_use]
    pub fn store_named(&self, label: &str) -> Option<&Store> {
        self.world.stores.get(label)
    }

    /// Faults of all stores, to be changed at any time.
    #[must_use]
    pub fn store_faults(&self) -> &Faults {
        &self.world.faults
    }

    /// Every store call of every guest so far.
    #[must_use]
    pub fn store_ops(&self) -> Vec<StoreOp> {
        self.world.journal.list()
    }

    /// How many store calls of one kind there were.
    #[must_use]
    pub fn store_count(&self, import: Import) -> usize {
        self.world.journal.count(import)
    }

    /// Every outbound call of every guest so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.outbound.calls.list()
    }

    /// Outbound calls under way now.
    #[must_use]
    pub fn calls_in_flight(&self) -> usize {
        self.outbound.calls.in_flight()
    }

    /// The most outbound calls there were under way at a time.
    #[must_use]
    pub fn most_calls_in_flight(&self) -> usize {
        self.outbound.calls.most_in_flight()
    }

    /// Puts another script in place of `sidecar.spin.internal`.
    pub fn sidecar(&self, upstream: impl Upstream) {
        self.script("sidecar.spin.internal", upstream);
    }

    /// Puts a script in place of `host`.
    pub fn script(&self, host: &str, upstream: impl Upstream) {
        self.outbound.script_host(host, Arc::new(upstream));
    }

    /// Puts a script in place of every host that has none and is no component.
    pub fn upstream(&self, upstream: impl Upstream) {
        self.outbound.script_others(Arc::new(upstream));
    }

    /// Makes a host call trap.
    pub fn trap(&self, trap: Trap) {
        self.world.traps.add(trap);
    }

    /// The rules that guests broke so far.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.world.violations.list()
    }

    /// The same, and forgets them: the test expected them.
    #[must_use]
    pub fn take_violations(&self) -> Vec<Violation> {
        self.world.violations.take()
    }

    /// What guests wrote to stdout and stderr, and the host on their behalf.
    #[must_use]
    pub fn logs(&self) -> Vec<LogLine> {
        self.world.logs.lines()
    }

    /// Instances made so far, by component.
    #[must_use]
    pub fn instances(&self) -> BTreeMap<String, u64> {
        let count = |served: &front::Served| served.component.started.load(Ordering::Relaxed);
        self.front.components.iter().map(|(id, served)| (id.clone(), count(served))).collect()
    }

    /// Public routes as the manifest writes them, with their components.
    #[must_use]
    pub fn routes(&self) -> Vec<(String, String)> {
        self.front.routes.list()
    }

    fn component_of(&self, path: &str) -> Option<String> {
        self.front.routes.find(path).map(|matched| matched.component)
    }

    fn source(&self, keep: Box<dyn Send>) -> Source {
        Source { clock: self.world.clock.clone(), patience: self.patience, keep }
    }

    /// Waits for `work` as long as the test's patience lasts.
    async fn patiently<R>(&self, work: impl Future<Output = R>) -> Option<R> {
        tokio::time::timeout(self.patience, work).await.ok()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.world.ending.store(true, Ordering::Relaxed);
        let violations = self.world.violations.list();
        if self.strict && !violations.is_empty() && !std::thread::panicking() {
            let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
            panic!("guests broke rules of the runtime: {}", lines.join("; "));
        }
    }
}

/// Gives an in-process request the authority it lacks, and takes its tag.
fn absolute(mut request: Request<WasiBody>) -> (Request<WasiBody>, front::Tag) {
    let has_host = request.headers().contains_key(http::header::HOST);
    if request.uri().authority().is_none() && !has_host {
        let host = http::HeaderValue::from_static("localhost:3000");
        request.headers_mut().insert(http::header::HOST, host);
    }
    let tag = request.extensions_mut().remove::<Tag>();
    (request, tag.map(|Tag(tag)| Arc::from(tag)))
}

/// Stands for a connection that was closed without an answer.
fn closed(why: &str) -> http::Response<WasiBody> {
    let mut response = front::internal(Fault::Closed(why.to_owned()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
