//! The host, seen from a guest and from outside, with the probe as the guest.

mod support;

mod requests;
