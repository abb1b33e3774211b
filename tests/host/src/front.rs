//! From a request to the component that answers it, as Spin's HTTP trigger does it.
//!
//! The host refuses some requests itself (unknown route, no authority, a header that is no text),
//! adds its `spin-*` headers to the others, and turns a guest that traps or returns an error into a
//! bare 500.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;

use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::instance::pool::Pool;
use crate::instance::prepared::Component;
use crate::outbound::body::full;

mod fault;
mod headers;
mod routes;

pub use fault::Fault;
pub(crate) use fault::internal;
pub(crate) use routes::{Matched, Routes};

/// The address Spin reports for calls between components.
const CHAINED_FROM: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));

/// Paths that the host answers itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// An application ready to answer.
pub(crate) struct Front {
    pub routes: Routes,
    pub components: BTreeMap<String, Served>,
}

/// A component with its instances.
pub(crate) struct Served {
    pub component: Arc<Component>,
    pub pool: ProxyHandler<Pool>,
    /// Whether a trigger names it; without one it cannot be reached at all.
    pub triggered: bool,
}

/// What the host refuses by closing the connection.
#[derive(Debug)]
pub(crate) struct Closed(pub &'static str);

/// What goes with a request into an instance.
pub(crate) type Tag = Option<Arc<str>>;

/// A request that has found its component.
pub(crate) struct Routed<'a> {
    pub served: &'a Served,
    pub request: Request<WasiBody>,
}

impl Front {
    /// Answers a request from outside.
    ///
    /// # Errors
    /// The connection is to be closed without an answer.
    pub async fn answer(
        &self,
        request: Request<WasiBody>,
        from: SocketAddr,
        tag: Tag,
    ) -> Result<Response<WasiBody>, Closed> {
        match self.route(request, from)? {
            Ok(routed) => Ok(routed.served.answer(routed.request, tag).await),
            Err(refusal) => Ok(refusal),
        }
    }

    /// Finds the component for a request from outside; inner error: the host's own answer.
    pub fn route(
        &self,
        mut request: Request<WasiBody>,
        from: SocketAddr,
    ) -> Result<Result<Routed<'_>, Response<WasiBody>>, Closed> {
        headers::strip(request.headers_mut());
        let path = request.uri().path().to_owned();
        if let Some(name) = path.strip_prefix(WELL_KNOWN) {
            return Ok(Err(match name {
                "health" => Response::new(full("OK")),
                _ => bare(StatusCode::NOT_FOUND),
            }));
        }
        let Some(matched) = self.routes.find(&path) else {
            return Ok(Err(bare(StatusCode::NOT_FOUND)));
        };
        self.to_component(request, &matched, from)
    }

    /// Answers a call from another component of the application.
    pub async fn chained(&self, name: &str, request: Request<WasiBody>, tag: Tag) -> Response<WasiBody> {
        let path = request.uri().path().to_owned();
        let matched = Matched::chained(name, &path);
        match self.to_component(request, &matched, CHAINED_FROM) {
            Ok(Ok(routed)) => routed.served.answer(routed.request, tag).await,
            Ok(Err(refusal)) => refusal,
            Err(Closed(why)) => internal(Fault::Host(why.to_owned())),
        }
    }

    /// Whether another component can call `name`.
    pub fn serves(&self, name: &str) -> bool {
        self.components.get(name).is_some_and(|served| served.triggered)
    }

    fn to_component(
        &self,
        mut request: Request<WasiBody>,
        matched: &Matched,
        from: SocketAddr,
    ) -> Result<Result<Routed<'_>, Response<WasiBody>>, Closed> {
        set_authority(&mut request)?;
        let Some(served) = self.components.get(&matched.component) else {
            return Err(Closed("unknown routing destination"));
        };
        if let Err(why) = headers::prepare(&mut request, matched, from) {
            return Ok(Err(internal(Fault::Host(why))));
        }
        Ok(Ok(Routed { served, request }))
    }
}

impl Served {
    async fn answer(&self, request: Request<WasiBody>, tag: Tag) -> Response<WasiBody> {
        match self.pool.handle(tag, request).await {
            Ok(response) => response,
            Err(error) => {
                let fault = Fault::of(&error);
                let id = &self.component.id;
                self.component.world.logs.line(id, true, &format!("host: {fault}"));
                internal(fault)
            }
        }
    }
}

/// Makes the URI absolute, from the `Host` header or from itself, and refuses a contradiction.
fn set_authority(request: &mut Request<WasiBody>) -> Result<(), Closed> {
    let named = match request.headers().get(http::header::HOST) {
        None => None,
        Some(value) => {
            let host = value.to_str().ok().and_then(|text| text.parse::<Authority>().ok());
            Some(host.ok_or(Closed("'Host' header contains an invalid authority"))?)
        }
    };
    let mut parts = request.uri().clone().into_parts();
    let authority = match (named, parts.authority.take()) {
        (None, None) => return Err(Closed("no 'Host' header present in request")),
        (Some(a), Some(b)) if a != b => {
            return Err(Closed("authority in 'Host' header does not match authority in URI"));
        }
        (Some(authority), _) | (None, Some(authority)) => authority,
    };
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    // `CONNECT host` and `OPTIONS *` have no path that an absolute URI could take.
    let uri = Uri::from_parts(parts).map_err(|_| Closed("request target has no path"))?;
    *request.uri_mut() = uri;
    Ok(())
}

fn bare(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(full(""));
    *response.status_mut() = status;
    response
}
