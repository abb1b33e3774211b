//! Links `wasi:keyvalue@0.2.0-draft2`: `store`, `atomics` and `batch`.

use std::future::Future;

use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};

use super::{Call, CallError, Handle, Outcome};
use crate::import::Import;
use crate::instance::guest::Guest;
use crate::key_value::Store;
use crate::violation::Violation;

/// `wasi:keyvalue/store.error`.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum Error {
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

/// `wasi:keyvalue/store.key-response`.
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct KeyResponse {
    #[component(name = "keys")]
    keys: Vec<String>,
    #[component(name = "cursor")]
    cursor: Option<String>,
}

/// `wasi:keyvalue/atomics.cas-error`.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum CasError {
    #[component(name = "store-error")]
    StoreError(Error),
    #[component(name = "cas-failed")]
    CasFailed(Resource<Cas>),
}

/// A compare-and-swap handle: never made.
struct Cas;

type Bucket = Resource<Handle>;
type Answer<R> = Result<(Result<R, Error>,)>;
type Future_<'a, R> = Box<dyn Future<Output = Answer<R>> + Send + 'a>;
type Cx<'a> = StoreContextMut<'a, Guest>;

/// Adds the three interfaces to `linker`.
pub(crate) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    let mut store = linker.instance("wasi:keyvalue/store@0.2.0-draft2")?;
    store.resource("bucket", ResourceType::host::<Handle>(), |mut cx, rep| {
        cx.data_mut().table.delete(Resource::<Handle>::new_own(rep))?;
        Ok(())
    })?;
    link_store(&mut store)?;
    link_atomics(&mut linker.instance("wasi:keyvalue/atomics@0.2.0-draft2")?)?;
    link_batch(&mut linker.instance("wasi:keyvalue/batch@0.2.0-draft2")?)
}

fn link_store(store: &mut LinkerInstance<'_, Guest>) -> Result<()> {
    store.func_wrap_async("open", |cx: Cx, (label,): (String,)| open(cx, label))?;
    store.func_wrap_async("[method]bucket.get", |mut cx: Cx, (bucket, key): (Bucket, String)| {
        reply(async move {
            let (call, store) = begin(&mut cx, &bucket, Import::Get)?;
            call.get(&store, &key).await
        })
    })?;
    store.func_wrap_async(
        "[method]bucket.set",
        |mut cx: Cx, (bucket, key, value): (Bucket, String, Vec<u8>)| {
            reply(async move {
                let (call, store) = begin(&mut cx, &bucket, Import::Set)?;
                call.set(&store, &key, &value).await
            })
        },
    )?;
    store.func_wrap_async("[method]bucket.delete", |mut cx: Cx, (bucket, key): (Bucket, String)| {
        reply(async move {
            let (call, store) = begin(&mut cx, &bucket, Import::Delete)?;
            call.delete(&store, &key).await
        })
    })?;
    store.func_wrap_async("[method]bucket.exists", |mut cx: Cx, (bucket, key): (Bucket, String)| {
        reply(async move {
            let (call, store) = begin(&mut cx, &bucket, Import::Exists)?;
            call.exists(&store, &key).await
        })
    })?;
    store.func_wrap_async(
        "[method]bucket.list-keys",
        |mut cx: Cx, (bucket, cursor): (Bucket, Option<String>)| {
            reply(async move {
                let (call, store) = begin(&mut cx, &bucket, Import::ListKeys)?;
                if cursor.is_some() {
                    let message = "list_keys: cursor not supported".to_owned();
                    return Ok(Err(CallError::Other(message)));
                }
                let keys = call.keys(&store).await?;
                Ok(keys.map(|keys| KeyResponse { keys, cursor: None }))
            })
        },
    )
}

fn link_atomics(atomics: &mut LinkerInstance<'_, Guest>) -> Result<()> {
    atomics.resource("cas", ResourceType::host::<Cas>(), |_, _| Ok(()))?;
    atomics.func_wrap_async("increment", |mut cx: Cx, (bucket, key, delta): (Bucket, String, i64)| {
        reply(async move {
            let (call, store) = begin(&mut cx, &bucket, Import::Increment)?;
            call.increment(&store, &key, delta).await
        })
    })?;
    atomics.func_wrap_async("[static]cas.new", |cx: Cx, (bucket, _key): (Bucket, String)| {
        forbidden::<Resource<Cas>>(cx, bucket, Import::Cas)
    })?;
    // Nobody can hold a handle, so nobody can call these two.
    atomics.func_wrap("[method]cas.current", |_: Cx, (_cas,): (Resource<Cas>,)| {
        Ok((Ok::<Option<Vec<u8>>, Error>(None),))
    })?;
    atomics.func_wrap("swap", |_: Cx, (_cas, _value): (Resource<Cas>, Vec<u8>)| Ok((Ok::<(), CasError>(()),)))
}

fn link_batch(batch: &mut LinkerInstance<'_, Guest>) -> Result<()> {
    batch.func_wrap_async("get-many", |cx: Cx, (bucket, _keys): (Bucket, Vec<String>)| {
        forbidden::<Vec<(String, Option<Vec<u8>>)>>(cx, bucket, Import::Batch)
    })?;
    batch.func_wrap_async("set-many", |cx: Cx, (bucket, _pairs): (Bucket, Vec<(String, Vec<u8>)>)| {
        forbidden::<()>(cx, bucket, Import::Batch)
    })?;
    batch.func_wrap_async("delete-many", |cx: Cx, (bucket, _keys): (Bucket, Vec<String>)| {
        forbidden::<()>(cx, bucket, Import::Batch)
    })
}

fn open(mut cx: Cx<'_>, label: String) -> Future_<'_, Bucket> {
    reply(async move {
        let caller = crate::instance::caller::of(&mut cx);
        let call = cx.data().call(caller, Import::Open);
        let allowed = cx.data().allows_store(&label);
        Ok(match call.open(&label, allowed).await? {
            Ok(handle) => Ok(cx.data_mut().table.push(handle)?),
            Err(error) => Err(error),
        })
    })
}

fn forbidden<R: Send + 'static>(mut cx: Cx<'_>, bucket: Bucket, import: Import) -> Future_<'_, R> {
    reply(async move {
        let (call, store) = begin(&mut cx, &bucket, import)?;
        let component = call.caller.component.to_string();
        Err(call.violate(
            &store,
            match import {
                Import::Cas => Violation::CompareAndSwap { component },
                _ => Violation::Batch { component },
            },
        ))
    })
}

fn begin(cx: &mut Cx<'_>, bucket: &Bucket, import: Import) -> Result<(Call, Store)> {
    let caller = crate::instance::caller::of(cx);
    let store = cx.data().table.get(bucket)?.0.clone();
    Ok((cx.data().call(caller, import), store))
}

fn reply<'a, R>(work: impl Future<Output = Outcome<R>> + Send + 'a) -> Future_<'a, R> {
    Box::new(async move { Ok((work.await?.map_err(Error::from),)) })
}
