//! Instances of components: what a guest's store holds, how one is made, who runs it.
//!
//! Two ways run one. [`pool`] hands requests to instances as Spin does, through wasmtime's own
//! handler. [`held`] keeps one instance at a test's disposal, where requests interleave in the same
//! order in every run.

pub(crate) mod caller;
pub(crate) mod guest;
pub(crate) mod held;
pub(crate) mod pool;
pub(crate) mod prepared;
