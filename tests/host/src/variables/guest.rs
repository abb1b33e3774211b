//! Links `spin:variables@3.0.0`.

use wasmtime::Result;
use wasmtime::component::{Accessor, ComponentType, Lift, Linker, Lower};

use super::VariableError;
use crate::import::Import;
use crate::instance::caller;
use crate::instance::guest::Guest;

/// `spin:variables/variables.error`.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum Error {
    #[component(name = "invalid-name")]
    InvalidName(String),
    #[component(name = "undefined")]
    Undefined(String),
    #[component(name = "provider")]
    Provider(String),
    #[component(name = "other")]
    Other(String),
}

impl From<VariableError> for Error {
    fn from(error: VariableError) -> Self {
        match error {
            VariableError::InvalidName(message) => Self::InvalidName(message),
            VariableError::Undefined(message) => Self::Undefined(message),
            VariableError::Provider(message) => Self::Provider(message),
        }
    }
}

/// Adds the interface to `linker`.
pub(crate) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    linker.instance("spin:variables/variables@3.0.0")?.func_wrap_concurrent(
        "get",
        |cx: &Accessor<Guest>, (name,): (String,)| {
            Box::pin(async move { Ok((get(cx, &name)?.map_err(Error::from),)) })
        },
    )
}

fn get(cx: &Accessor<Guest>, name: &str) -> Result<Result<String, VariableError>> {
    cx.with(|mut access| {
        let caller = caller::of_accessor(&mut access);
        let guest = access.get();
        guest.world.spring(Import::Variable, &caller)?;
        Ok(guest.world.variables.get(&guest.component.id, name))
    })
}
