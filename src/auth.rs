//! Decides who a request comes from: a bearer token, a set of keys and a time in, an identity or a
//! named refusal out.
//!
//! Nothing here fetches, waits or reads a clock. The key says which algorithm is allowed, never the
//! token (RFC 8725 §3.1); every refusal has its own name for log and metric, while callers are told
//! one thing only. The order of the checks is fixed, so that a token is always refused for the same
//! reason:
//!
//! 1. size and three segments;
//! 2. the header: canonical base64url, JSON without repeated names, `alg`, `crit`, `jwk`, `typ`;
//! 3. the candidate keys for `kid` and `alg`;
//! 4. the form of the claims and of the signature;
//! 5. the signature, by jwt-simple;
//! 6. `exp`, `nbf`, `iat`, `iss`, `aud`, `sub`, and last `role`.
//!
//! What step 6 refuses was signed by somebody who holds a key; what earlier steps refuse may come
//! from anyone.

mod bearer;
mod cache;
mod claims;
mod header;
mod identity;
mod keys;
mod refusal;
mod segment;
mod token;

pub use bearer::{bearer, kong_agrees, trusted_consumer};
pub use cache::VerifiedCache;
pub use claims::{Claims, TokenPolicy};
pub use identity::{Role, Subject};
pub use keys::{Algorithm, KeySet};
pub use refusal::Refusal;
pub use token::{MAX_TOKEN, verify};

#[cfg(test)]
mod tests;
#[cfg(test)]
#[path = "../tests/support/token.rs"]
pub(crate) mod token_support;
