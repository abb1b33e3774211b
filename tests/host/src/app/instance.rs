//! One instance that a test holds.

use anyhow::{Context as _, Result};
use futures::future::join_all;
use http::Request;
use tokio::sync::oneshot;
use wasmtime_wasi_http::WasiBody;

use super::{App, TEST_CLIENT, absolute, closed};
use crate::front::{self, Closed, Fault, Routed};
use crate::instance::held::{Held, Job};
use crate::outbound::body::full;
use crate::response::{Response, Stream};

/// An instance for requests that must meet the same one. Dropped, it ends once its work is done.
pub struct Instance<'a> {
    app: &'a App,
    held: Held,
}

/// An answer on its way, or the host's own.
enum Awaited {
    Guest(oneshot::Receiver<Result<http::Response<WasiBody>, Fault>>),
    Host(Box<http::Response<WasiBody>>),
}

impl<'a> Instance<'a> {
    pub(super) async fn start(app: &'a App, component: &str) -> Result<Self> {
        let served =
            app.front.components.get(component).with_context(|| format!("no component `{component}`"))?;
        let held = Held::start(&served.component).await.map_err(anyhow::Error::from)?;
        Ok(Self { app, held })
    }

    /// Sends one request and reads the whole answer.
    pub async fn request(&self, request: Request<impl Into<bytes::Bytes>>) -> Response {
        self.open(request.map(|body| full(body))).await.collect().await
    }

    /// Sends one request and returns when the answer's head is there.
    pub async fn open(&self, request: Request<WasiBody>) -> Stream {
        let (awaited, jobs) = self.jobs(vec![request]);
        self.held.send(jobs);
        match awaited.into_iter().next() {
            Some(awaited) => self.head(awaited).await,
            None => unreachable!("one request makes one answer"),
        }
    }

    /// Sends requests that start together, in this order, and reads all answers whole.
    pub async fn together(
        &self,
        requests: impl IntoIterator<Item = Request<impl Into<bytes::Bytes>>>,
    ) -> Vec<Response> {
        let requests = requests.into_iter().map(|request| request.map(|body| full(body)));
        let (awaited, jobs) = self.jobs(requests.collect());
        self.held.send(jobs);
        let read = |awaited| async { self.head(awaited).await.collect().await };
        join_all(awaited.into_iter().map(read)).await
    }

    /// Waits until everything is done, also what the guest goes on doing after its answers. `false`:
    /// it was not done within the test's patience.
    pub async fn finish(self) -> bool {
        let app = self.app;
        app.patiently(self.held.finish()).await.is_some()
    }

    /// Ends it at once, whatever it is doing.
    pub fn kill(self) {
        self.held.kill();
    }

    fn jobs(&self, requests: Vec<Request<WasiBody>>) -> (Vec<Awaited>, Vec<Job>) {
        let (mut awaited, mut jobs) = (Vec::new(), Vec::new());
        for request in requests {
            let (request, tag) = absolute(request);
            awaited.push(match self.app.front.route(request, TEST_CLIENT) {
                Ok(Ok(Routed { request, .. })) => {
                    let (reply, answer) = oneshot::channel();
                    jobs.push(Job { request, tag, reply });
                    Awaited::Guest(answer)
                }
                Ok(Err(refusal)) => Awaited::Host(Box::new(refusal)),
                Err(Closed(why)) => Awaited::Host(Box::new(closed(why))),
            });
        }
        (awaited, jobs)
    }

    async fn head(&self, awaited: Awaited) -> Stream {
        let response = match awaited {
            Awaited::Host(response) => *response,
            Awaited::Guest(answer) => match self.app.patiently(answer).await {
                Some(Ok(Ok(response))) => response,
                Some(Ok(Err(fault))) => front::internal(fault),
                Some(Err(_)) => front::internal(Fault::Trap("the instance trapped".to_owned())),
                None => front::internal(Fault::NoAnswer),
            },
        };
        Stream::new(response, self.app.source(Box::new(())))
    }
}
