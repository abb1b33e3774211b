//! One instance at a test's disposal.
//!
//! What the pool decides by chance is fixed here: all requests meet this instance, and those sent
//! together start in their order before any of them goes on.

use std::pin::Pin;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt as _};
use http::{Request, Response};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use wasmtime::component::Accessor;
use wasmtime::{AsContextMut as _, Store};
use wasmtime_wasi_http::handler::Proxy;
use wasmtime_wasi_http::p3;
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpView as _};

use super::guest::Guest;
use super::prepared::Component;
use crate::front::{Fault, Tag};

/// A request, and where its answer goes.
pub(crate) struct Job {
    pub request: Request<WasiBody>,
    pub tag: Tag,
    pub reply: oneshot::Sender<Result<Response<WasiBody>, Fault>>,
}

/// A running instance; it ends when this is dropped and its work is done.
pub(crate) struct Held {
    jobs: mpsc::UnboundedSender<Vec<Job>>,
    worker: JoinHandle<()>,
}

impl Held {
    pub async fn start(component: &Arc<Component>) -> wasmtime::Result<Self> {
        let (store, proxy) = component.instantiate().await?;
        let (jobs, incoming) = mpsc::unbounded_channel();
        let worker = tokio::spawn(work(component.clone(), store, proxy, incoming));
        Ok(Self { jobs, worker })
    }

    /// Hands over requests that start together; after a trap their replies are dropped.
    pub fn send(&self, jobs: Vec<Job>) {
        // A send to an instance that has ended drops the replies, which says enough.
        let _ = self.jobs.send(jobs);
    }

    /// Waits until the instance has finished everything, also what goes on after its answers.
    pub async fn finish(self) {
        drop(self.jobs);
        let _ = self.worker.await;
    }

    /// Ends the instance at once, whatever it is doing.
    pub fn kill(self) {
        self.worker.abort();
    }
}

async fn work(
    component: Arc<Component>,
    mut store: Store<Guest>,
    proxy: Proxy,
    mut incoming: mpsc::UnboundedReceiver<Vec<Job>>,
) {
    let Proxy::P3(service) = &proxy;
    let ended = store
        .run_concurrent(async |accessor| -> wasmtime::Result<()> {
            let mut running = FuturesUnordered::new();
            loop {
                tokio::select! {
                    biased;
                    Some(done) = running.next() => done?,
                    jobs = incoming.recv() => {
                        let Some(jobs) = jobs else { break };
                        for job in jobs {
                            running.push(begin(accessor, service, job)?);
                        }
                    }
                }
            }
            while let Some(done) = running.next().await {
                done?;
            }
            std::future::poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
            Ok(())
        })
        .await;
    if let Err(error) = ended.and_then(|result| result) {
        component.instance_failed(store.data().instance, &error);
    }
}

/// Starts one request; the future answers it and fails when the instance traps.
fn begin<'a>(
    accessor: &'a Accessor<Guest>,
    service: &'a p3::bindings::Service,
    job: Job,
) -> wasmtime::Result<impl Future<Output = wasmtime::Result<()>> + 'a> {
    let Job { request, tag, reply } = job;
    let handle = service.wasi_http_handler().func_handle();
    let (call, sent) = accessor.with(|mut access| {
        let mut cx = access.as_context_mut();
        let view = cx.data_mut().http();
        let (request, sent) = p3::Request::from_http(view.hooks, request);
        // It borrows nothing, whatever its type says.
        let sent: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>> = Box::pin(sent);
        let request = view.table.push(request)?;
        let call = handle.start_call_concurrent(&mut cx, (request,))?;
        cx.data_mut().serve(call.task(), tag);
        wasmtime::error::Ok((call, sent))
    })?;
    Ok(async move {
        let answer = match handle.finish_call_concurrent(accessor, call).await?.0 {
            Ok(response) => Ok(accessor.with(|mut access| {
                let response = access.get().table.delete(response)?;
                response.into_http(&mut access, sent)
            })?),
            Err(code) => Err(Fault::GuestError(format!("{code:?}"))),
        };
        let _ = reply.send(answer);
        Ok(())
    })
}
