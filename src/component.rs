//! The edge. Everything above this file is values; everything below is Spin.
//!
//! The handler is exported by hand rather than through the SDK's macro for two reasons: a request
//! that cannot be represented must get a problem document, not a bare 500, and the first write of a
//! body must have begun before the response is returned, or head and body leave in two packets and
//! a client's delayed acknowledgement adds 40 ms.
#![allow(unsafe_code, reason = "the export macro writes the handler's C symbol")]

use std::cell::{Cell, OnceCell, RefCell};
use std::future::{Future, poll_fn};
use std::io::Write;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use spin_sdk::experimental::wasi::keyvalue::{atomics, store as bucket};
use spin_sdk::key_value::Store;
use spin_sdk::wasip3::clocks::{monotonic_clock, system_clock};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Request, RequestOptions, Response};
use spin_sdk::wasip3::http_compat::{
    IncomingBody, IncomingMessage, RequestOptionsExtension, http_from_wasi_request, http_from_wasi_response,
    http_into_wasi_request,
};
use spin_sdk::wasip3::random::random::get_random_bytes;
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::StreamWriter;

use crate::gateway::{self, Answer, Instance};
use crate::ports::{
    Clock, Closed, Entropy, Incoming, KeyValue, Outgoing, Runtime, Signals, StoreFault, Transport,
    TransportFault, TransportLimits, UnixMillis, VariableFault, Variables,
};

/// The store's label, the only one there is.
const LABEL: &str = "default";

struct Triage;

spin_sdk::wasip3::http::service::export!(Triage);

thread_local! {
    static INSTANCE: OnceCell<Rc<Instance<Spin>>> = const { OnceCell::new() };
}

impl spin_sdk::wasip3::exports::http::handler::Guest for Triage {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let instance = instance().await;
        match http_from_wasi_request(request) {
            Ok(request) => Ok(match gateway::handle(&instance, request.map(Body)).await {
                Answer::Full(response) => full(&instance.platform, response).await,
                Answer::Stream(head, relay) => stream(&instance.platform, head, |out| relay.run(out)).await,
            }),
            Err(_) => Ok(full(&instance.platform, gateway::unreadable(&instance)).await),
        }
    }
}

/// This instance, started by its first request.
async fn instance() -> Rc<Instance<Spin>> {
    if let Some(instance) = INSTANCE.with(|cell| cell.get().cloned()) {
        return instance;
    }
    let started = Rc::new(Instance::start(Spin::default()).await);
    // Requests that came in together may each have started one; the first one stays.
    INSTANCE.with(|cell| Rc::clone(cell.get_or_init(|| started)))
}

/// A complete response. Its body is offered before the response is returned.
async fn full(spin: &Spin, response: http::Response<Vec<u8>>) -> Response {
    let (head, body) = response.into_parts();
    respond(spin, head.status, &head.headers, move |mut out: Out| async move {
        if !body.is_empty() {
            // The client may be gone; there is nobody left to tell.
            let _ = out.write(body).await;
        }
    })
    .await
}

async fn stream<F: Future<Output = ()> + 'static>(
    spin: &Spin,
    head: http::Response<()>,
    body: impl FnOnce(Out) -> F,
) -> Response {
    let (head, ()) = head.into_parts();
    respond(spin, head.status, &head.headers, body).await
}

async fn respond<F: Future<Output = ()> + 'static>(
    spin: &Spin,
    status: http::StatusCode,
    headers: &http::HeaderMap,
    body: impl FnOnce(Out) -> F,
) -> Response {
    let (writer, reader) = wit_stream::new();
    let (trailers, trailers_read) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(fields(headers), Some(reader), trailers_read);
    let _ = response.set_status_code(status.as_u16());
    let body = body(Out(writer));
    let mut writing = Box::pin(async move {
        body.await;
        let _ = trailers.write(Ok(None)).await;
    });
    if !begin(writing.as_mut()).await {
        spin_sdk::wasip3::spawn(writing);
    }
    spin.rejoin().await;
    response
}

/// Polls `future` once: what it waits for is under way then. True when it is complete.
async fn begin(mut future: Pin<&mut impl Future<Output = ()>>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

fn fields(headers: &http::HeaderMap) -> Fields {
    let fields = Fields::new();
    for (name, value) in headers {
        // All of them were valid `http` headers; one that the host refuses is left out.
        let _ = fields.append(name.as_str(), value.as_bytes());
    }
    fields
}

/// Spin, as the core sees it.
#[derive(Clone, Default)]
struct Spin(Rc<Handles>);

#[derive(Default)]
struct Handles {
    store: RefCell<Option<Rc<Store>>>,
    counters: RefCell<Option<Rc<bucket::Bucket>>>,
    unpooled: Cell<bool>,
    /// Whether the store was called since the host last had a turn.
    called_store: Cell<bool>,
}

impl Clock for Spin {
    fn now(&self) -> UnixMillis {
        let now = system_clock::now();
        let millis = u64::from(now.nanoseconds).checked_div(1_000_000).unwrap_or(0);
        u64::try_from(now.seconds).unwrap_or(0).saturating_mul(1_000).saturating_add(millis)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    async fn sleep(&self, duration: Duration) {
        spin_sdk::time::sleep(duration).await;
    }
}

impl Entropy for Spin {
    fn random(&self) -> [u8; 16] {
        get_random_bytes(16).try_into().unwrap_or_default()
    }
}

impl Variables for Spin {
    async fn variable(&self, name: &str) -> Result<String, VariableFault> {
        spin_sdk::variables::get(name).await.map_err(|_| VariableFault)
    }
}

impl Spin {
    /// Gives the host a turn or two, if the store was called since it had one.
    ///
    /// A call of SQLite blocks the host's thread, which gives up its place among the workers of the
    /// runtime (tokio's `block_in_place`). A response handed over by such a thread is taken up by
    /// another one before its body follows: it leaves in two segments, the second 40 ms later. After
    /// the first turn a worker goes on with us; that wakes others, which the second one lets go idle
    /// again. See `make bench PARTS=segments`.
    async fn rejoin(&self) {
        if self.0.called_store.take() {
            spin_sdk::wit_bindgen::yield_async().await;
            spin_sdk::wit_bindgen::yield_async().await;
        }
    }

    async fn store(&self) -> Result<Rc<Store>, StoreFault> {
        self.0.called_store.set(true);
        if let Some(store) = self.0.store.borrow().clone() {
            return Ok(store);
        }
        let store = Rc::new(Store::open(LABEL).await.map_err(fault)?);
        if !self.0.unpooled.get() {
            self.0.store.replace(Some(Rc::clone(&store)));
        }
        Ok(store)
    }

    fn counters(&self) -> Result<Rc<bucket::Bucket>, StoreFault> {
        self.0.called_store.set(true);
        if let Some(bucket) = self.0.counters.borrow().clone() {
            return Ok(bucket);
        }
        let bucket = Rc::new(bucket::open(LABEL).map_err(fault)?);
        if !self.0.unpooled.get() {
            self.0.counters.replace(Some(Rc::clone(&bucket)));
        }
        Ok(bucket)
    }
}

impl KeyValue for Spin {
    fn keep_handles(&self, keep: bool) {
        self.0.unpooled.set(!keep);
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        self.store().await?.get(key).await.map_err(fault)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreFault> {
        self.store().await?.set(key, value).await.map_err(fault)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreFault> {
        self.store().await?.delete(key).await.map_err(fault)
    }

    async fn exists(&self, key: &str) -> Result<bool, StoreFault> {
        self.store().await?.exists(key).await.map_err(fault)
    }

    fn increment_blocking(&self, key: &str, delta: i64) -> Result<i64, StoreFault> {
        atomics::increment(&*self.counters()?, key, delta).map_err(fault)
    }

    fn list_keys_blocking(&self) -> Result<Vec<String>, StoreFault> {
        let bucket = self.counters()?;
        let mut keys = Vec::new();
        let mut cursor = None;
        loop {
            let page = bucket.list_keys(cursor.as_deref()).map_err(fault)?;
            let more = !page.keys.is_empty();
            keys.extend(page.keys);
            match page.cursor {
                Some(next) if more => cursor = Some(next),
                _ => return Ok(keys),
            }
        }
    }
}

fn fault(error: impl std::fmt::Debug) -> StoreFault {
    StoreFault(format!("{error:?}"))
}

impl Transport for Spin {
    type Body = Body<Response>;

    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limits: TransportLimits,
    ) -> Result<http::Response<Self::Body>, TransportFault> {
        let options = RequestOptions::new();
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).ok();
        // A host that does not know an option ignores it; our own timers do not depend on it.
        let _ = options.set_connect_timeout(nanos(limits.connect));
        let _ = options.set_first_byte_timeout(nanos(limits.first_byte));
        let _ = options.set_between_bytes_timeout(nanos(limits.between_bytes));
        let mut request = request.map(|body| Full::new(Bytes::from(body)));
        request.extensions_mut().insert(RequestOptionsExtension(options));
        let request = http_into_wasi_request(request).map_err(|_| TransportFault::Denied)?;
        let response = client::send(request).await.map_err(|code| transport_fault(&code))?;
        // The host had more than one turn.
        self.0.called_store.set(false);
        Ok(http_from_wasi_response(response).map_err(|_| TransportFault::Broken)?.map(Body))
    }
}

fn transport_fault(code: &ErrorCode) -> TransportFault {
    match code {
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => TransportFault::Connect,
        ErrorCode::DestinationIpProhibited | ErrorCode::HttpRequestDenied => TransportFault::Denied,
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => TransportFault::FirstByteTimeout,
        _ => TransportFault::Broken,
    }
}

impl Runtime for Spin {
    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        spin_sdk::wasip3::spawn(task);
    }

    fn log(&self, line: &str) {
        // `println!` would end the instance when the log cannot be written, a full disk say.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

impl Signals for Spin {
    type Bell = StreamWriter<u8>;

    fn signal(&self) -> (Self::Bell, impl Future<Output = ()>) {
        let (bell, mut reader) = wit_stream::new();
        // Nothing is ever written: the reader is woken because the writer is gone.
        let rung = async move { drop(reader.read(Vec::with_capacity(1)).await) };
        (bell, rung)
    }
}

/// The bytes of a request or of an agent's answer.
struct Body<T>(IncomingBody<T>);

impl<T: IncomingMessage> Incoming for Body<T> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, TransportFault> {
        loop {
            match self.0.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Ok(Some(data.into())),
                    // Trailers: nothing of ours is in them.
                    Err(_) => {}
                },
                Some(Err(ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout)) => {
                    return Err(TransportFault::BodyTimeout);
                }
                Some(Err(_)) => return Err(TransportFault::Broken),
            }
        }
    }
}

/// The bytes of our answer.
struct Out(StreamWriter<u8>);

impl Outgoing for Out {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), Closed> {
        if self.0.write_all(bytes).await.is_empty() { Ok(()) } else { Err(Closed) }
    }
}
