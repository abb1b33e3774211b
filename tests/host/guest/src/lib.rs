//! A guest that does what its request's path says, so that the host is tested apart from the product.
//!
//! Natively it is empty.

#[cfg(target_family = "wasm")]
mod component;
#[cfg(target_family = "wasm")]
mod outbound;
#[cfg(target_family = "wasm")]
mod query;
#[cfg(target_family = "wasm")]
mod stores;
