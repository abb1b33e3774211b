//! What the long runs (`triage-soak`) and the measurements (`triage-bench`) share.
//!
//! Both drive the real component: as the binary `triage-host` over loopback TCP where the process
//! itself or a socket matters ([`host_process`], [`connection`], [`dapr_stand_in`]), and in process
//! on the embedded host where time must be scripted. Everything random comes from one printed seed.
//! All traffic stays on 127.0.0.1 and is bounded by the number of connections.

pub mod connection;
pub mod dapr_stand_in;
pub mod figures;
pub mod host_process;
mod http_message;
pub mod interruption;
pub mod machine;
pub mod progress;
pub mod question;
pub mod scratch;
pub mod seed;
