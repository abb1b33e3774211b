//! Why the host answered 500 in a guest's place.

use std::fmt;

use http::{Response, StatusCode};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{ExpirationError, TrapOrPanicError};
use wasmtime_wasi_http::p3::bindings::http::types::ErrorCode;

use crate::outbound::body::full;

/// What went wrong; the client only sees a bare 500.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The instance trapped, under this request or another one that it served.
    Trap(String),
    /// The guest returned `Err` instead of a response.
    GuestError(String),
    /// The request time-out ran out.
    Expired,
    /// The host could not hand the request over.
    Host(String),
    /// Nothing came within the test's patience.
    NoAnswer,
    /// The host closed the connection without an answer.
    Closed(String),
}

impl Fault {
    pub(crate) fn of(error: &wasmtime::Error) -> Self {
        if let Some(code) = error.downcast_ref::<ErrorCode>() {
            Self::GuestError(format!("{code:?}"))
        } else if error.is::<ExpirationError>() {
            Self::Expired
        } else if error.is::<TrapOrPanicError>() {
            Self::Trap("the instance trapped".to_owned())
        } else {
            Self::Trap(format!("{error:#}"))
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trap(why) => write!(f, "trap: {why}"),
            Self::GuestError(code) => write!(f, "the guest returned an error: {code}"),
            Self::Expired => f.write_str("request timed out"),
            Self::Host(why) => write!(f, "request not handed over: {why}"),
            Self::NoAnswer => f.write_str("no answer"),
            Self::Closed(why) => write!(f, "connection closed: {why}"),
        }
    }
}

/// The bare 500, with the reason where only the host sees it.
pub(crate) fn internal(fault: Fault) -> Response<WasiBody> {
    let mut response = Response::new(full(""));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.extensions_mut().insert(fault);
    response
}
