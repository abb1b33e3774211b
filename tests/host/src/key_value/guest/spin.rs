//! Links `spin:key-value@3.0.0`.

use std::future::Future;
use std::pin::Pin;

use wasmtime::Result;
use wasmtime::component::{
    Accessor, ComponentType, FutureReader, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType,
    StreamReader,
};

use super::{Call, CallError, Handle, Outcome};
use crate::import::Import;
use crate::instance::caller;
use crate::instance::guest::Guest;
use crate::key_value::Store;
use crate::violation::Violation;

/// `spin:key-value/key-value.error`.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum Error {
    #[component(name = "store-table-full")]
    StoreTableFull,
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NoSuchStore => Self::NoSuchStore,
            CallError::AccessDenied => Self::AccessDenied,
            CallError::Other(message) => Self::Other(message),
        }
    }
}

type Open = Resource<Handle>;
type Future_<'a, R> = Pin<Box<dyn Future<Output = Result<(Result<R, Error>,)>> + Send + 'a>>;
type Cx = Accessor<Guest>;
type Keys = (StreamReader<String>, FutureReader<Result<(), Error>>);

/// Adds the interface to `linker`.
pub(crate) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    let mut store = linker.instance("spin:key-value/key-value@3.0.0")?;
    store.resource("store", ResourceType::host::<Handle>(), |mut cx, rep| {
        cx.data_mut().table.delete(Resource::<Handle>::new_own(rep))?;
        Ok(())
    })?;
    store
        .func_wrap_concurrent("[static]store.open", |cx: &Cx, (label,): (String,)| reply(open(cx, label)))?;
    link_calls(&mut store)?;
    store.func_wrap_concurrent("[method]store.get-keys", |cx: &Cx, (store,): (Open,)| {
        Box::pin(async move {
            let (call, store) = begin(cx, &store, Import::GetKeys)?;
            let component = call.caller.component.to_string();
            Err::<(Keys,), _>(call.violate(&store, Violation::GetKeys { component }))
        })
    })
}

fn link_calls(store: &mut LinkerInstance<'_, Guest>) -> Result<()> {
    store.func_wrap_concurrent("[method]store.get", |cx: &Cx, (open, key): (Open, String)| {
        reply(async move {
            let (call, store) = begin(cx, &open, Import::Get)?;
            call.get(&store, &key).await
        })
    })?;
    store.func_wrap_concurrent(
        "[method]store.set",
        |cx: &Cx, (open, key, value): (Open, String, Vec<u8>)| {
            reply(async move {
                let (call, store) = begin(cx, &open, Import::Set)?;
                call.set(&store, &key, &value).await
            })
        },
    )?;
    store.func_wrap_concurrent("[method]store.delete", |cx: &Cx, (open, key): (Open, String)| {
        reply(async move {
            let (call, store) = begin(cx, &open, Import::Delete)?;
            call.delete(&store, &key).await
        })
    })?;
    store.func_wrap_concurrent("[method]store.exists", |cx: &Cx, (open, key): (Open, String)| {
        reply(async move {
            let (call, store) = begin(cx, &open, Import::Exists)?;
            call.exists(&store, &key).await
        })
    })
}

async fn open(cx: &Cx, label: String) -> Outcome<Open> {
    let (call, allowed) = cx.with(|mut access| {
        let caller = caller::of_accessor(&mut access);
        let guest = access.get();
        (guest.call(caller, Import::Open), guest.allows_store(&label))
    });
    Ok(match call.open(&label, allowed).await? {
        Ok(handle) => Ok(cx.with(|mut access| access.get().table.push(handle))?),
        Err(error) => Err(error),
    })
}

fn begin(cx: &Cx, open: &Open, import: Import) -> Result<(Call, Store)> {
    cx.with(|mut access| {
        let caller = caller::of_accessor(&mut access);
        let guest = access.get();
        let store = guest.table.get(open)?.0.clone();
        Ok((guest.call(caller, import), store))
    })
}

fn reply<'a, R>(work: impl Future<Output = Outcome<R>> + Send + 'a) -> Future_<'a, R> {
    Box::pin(async move { Ok((work.await?.map_err(Error::from),)) })
}
