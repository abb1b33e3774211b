//! Randomness that can be repeated: one seed, a stream of its own for each purpose.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// A seed of its own for each run that names none.
#[must_use]
pub fn fresh() -> u64 {
    // Below a million: short enough to be typed.
    u64::from(unix_now().subsec_nanos()) / 1_000
}

/// The stream for `purpose` number `n` under `seed`. Different purposes do not disturb each other.
#[must_use]
pub fn stream(seed: u64, purpose: &str, n: u64) -> StdRng {
    let mut hash = hmac_sha256::Hash::new();
    hash.update(seed.to_be_bytes());
    hash.update(n.to_be_bytes());
    hash.update(purpose.as_bytes());
    StdRng::from_seed(hash.finalize())
}

/// The time since the Unix epoch.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "a tool at the edge: it signs for now")]
pub fn unix_now() -> std::time::Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
