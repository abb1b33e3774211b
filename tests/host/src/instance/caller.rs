//! On whose behalf a host call is made.
//!
//! Requests of different students interleave in one instance. wasmtime knows which of the tasks that
//! the host started stands at the bottom of the current call stack; the instance remembers which
//! request each such task serves.

use std::sync::Arc;

use wasmtime::component::{Access, HasData};
use wasmtime::{AsContextMut as _, StoreContextMut};

use super::guest::Guest;

/// Who makes a host call.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub component: Arc<str>,
    pub instance: u64,
    /// Tag of the request, if it has one.
    pub request: Option<Arc<str>>,
}

/// The caller of the host call that runs in `cx`.
pub(crate) fn of(cx: &mut StoreContextMut<'_, Guest>) -> Caller {
    let request = request_of(cx);
    let guest = cx.data();
    Caller { component: guest.component.id.clone(), instance: guest.instance, request }
}

/// The same for a host call that has an accessor.
pub(crate) fn of_accessor<D: HasData>(access: &mut Access<'_, Guest, D>) -> Caller {
    of(&mut access.as_context_mut())
}

fn request_of(cx: &mut StoreContextMut<'_, Guest>) -> Option<Arc<str>> {
    if cx.data().requests.is_empty() {
        return None;
    }
    // The last task of the stack is the one that the host started.
    let root = cx.async_call_stack().ok()?.last()?;
    cx.data().requests.get(&root).cloned()
}
