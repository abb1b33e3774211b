//! The host, seen from a guest and from outside, with the probe as the guest.

mod support;

mod binary;
mod instances;
mod outbound;
mod requests;
mod server;
mod stores;
mod streams;
mod time;
mod traps;
