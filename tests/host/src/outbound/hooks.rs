//! The door between wasmtime's `wasi:http/client` and [`Outbound`](super::Outbound).
//!
//! wasmtime's hook knows neither who calls nor how to trap; the thin client in front of it does.

use std::sync::Arc;

use http::Request;
use wasmtime::AsContextMut as _;
use wasmtime::component::{Accessor, HasData, Linker, Resource};
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p3::Response;
use wasmtime_wasi_http::p3::bindings::http::{client, types};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttp, WasiHttpCtxView, WasiHttpHooks, WasiHttpView as _,
};

use super::Outgoing;
use crate::import::Import;
use crate::instance::caller::{self, Caller};
use crate::instance::guest::Guest;
use crate::instance::prepared::Component;

/// One instance's hooks.
pub(crate) struct Hooks {
    component: Arc<Component>,
    /// Who makes the call that is just being passed on.
    caller: Option<Caller>,
}

impl Hooks {
    pub fn new(component: &Arc<Component>) -> Self {
        Self { component: component.clone(), caller: None }
    }

    fn unknown_caller(&self) -> Caller {
        Caller { component: self.component.id.clone(), instance: 0, request: None }
    }
}

type Answer = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_fault: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer, Error>> + Send> {
        let caller = self.caller.take().unwrap_or_else(|| self.unknown_caller());
        let component = self.component.clone();
        let timeouts = options.unwrap_or_default();
        Box::new(async move {
            let outbound = component.outbound.clone();
            let outgoing = Outgoing { component, caller, request, timeouts };
            let response = outbound.send(outgoing).await?;
            // Faults of the connection arrive through the body.
            let sent: Box<dyn Future<Output = _> + Send> = Box::new(std::future::ready(Ok(())));
            Ok((response, sent))
        })
    }
}

/// `wasi:http/client` as guests see it.
struct Client;

impl HasData for Client {
    type Data<'a> = WasiHttpCtxView<'a>;
}

impl client::HostWithStore<Guest> for Client {
    async fn send(
        store: &Accessor<Guest, Self>,
        request: Resource<types::Request>,
    ) -> Result<Resource<Response>, TrappableError<types::ErrorCode>> {
        store.with(|mut access| admit(&mut access, &request)).map_err(TrappableError::trap)?;
        let inner = store.with_getter::<WasiHttp>(store.getter());
        // Nothing else runs in this instance before the hook takes the caller.
        <WasiHttp as client::HostWithStore<Guest>>::send(&inner, request).await
    }
}

/// Traps where Spin does (or a test says so), and leaves word of who calls.
fn admit(
    access: &mut wasmtime::component::Access<'_, Guest, Client>,
    request: &Resource<types::Request>,
) -> wasmtime::Result<()> {
    let caller = caller::of_accessor(access);
    let mut cx = access.as_context_mut();
    let guest = cx.data_mut();
    guest.world.spring(Import::Outbound, &caller)?;
    let authority = guest.table.get(request)?.authority.clone();
    if let Some(authority) = authority {
        let mut uri = http::Uri::builder().scheme("http").path_and_query("/");
        if let Some(scheme) = guest.table.get(request)?.scheme.clone() {
            uri = uri.scheme(scheme);
        }
        let uri = uri.authority(authority).build()?;
        let component = &guest.component;
        if let Some(name) = component.outbound.missing_component(component, &uri) {
            return Err(wasmtime::format_err!("unknown routing destination '{name}'"));
        }
    }
    guest.hooks.caller = Some(caller);
    Ok(())
}

/// Adds `wasi:http/types` and `wasi:http/client` to `linker`.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, WasiHttp>(linker, Guest::http)?;
    client::add_to_linker::<_, Client>(linker, Guest::http)
}
