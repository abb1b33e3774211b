//! The keys that tokens may be signed with. Each key has one algorithm, which the token cannot
//! change (RFC 8725 §3.1): an RSA key verifies RS256 and nothing else, and never serves as an HS256
//! secret.
//!
//! A set comes from configuration ([`KeySet::parse`]) or from an address where an issuer publishes
//! it ([`KeySet::parse_published`]); [`KeySet::merged`] puts both together.

mod jwk;
mod pem;

use std::fmt;
use std::sync::Arc;

use hmac_sha256::Hash;
use jwt_simple::prelude::{
    Duration, ECDSAP256PublicKeyLike, ES256PublicKey, Ed25519PublicKey, EdDSAPublicKeyLike, HS256Key,
    MACLike, NoCustomClaims, RS256PublicKey, RSAPublicKeyLike, UnixTimeStamp, VerificationOptions,
};

use super::{MAX_TOKEN, Refusal};

/// Bytes of a key set's text; beyond it somebody serves something else under that address.
const MAX_TEXT: usize = 256 * 1024;
/// Keys in one text. Issuers publish two or three, large ones a dozen.
const MAX_KEYS: usize = 64;
/// Keys tried for a token that names none. Each RS256 try costs more than a millisecond.
const MAX_TRIES: usize = 8;
const NO_KEY: &str = "JWKS document: no key in it can be used (RS256, ES256, EdDSA or HS256, for signatures)";
/// RFC 7518 §3.2: an HS256 key has at least the size of the hash.
const MIN_SECRET: usize = 32;

/// A signature algorithm of RFC 7518 and RFC 8037.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256.
    Hs256,
}

impl Algorithm {
    /// The algorithm that a header's `alg` names, compared exactly. RFC 9864 renames `EdDSA` with
    /// this curve to `Ed25519`; the signatures are the same.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "ES256" => Self::Es256,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            "HS256" => Self::Hs256,
            _ => return None,
        })
    }

    /// The name in a header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }
}

/// What checks a signature.
#[derive(Clone)]
enum Verifier {
    Rs256(Box<RS256PublicKey>),
    Es256(Box<ES256PublicKey>),
    EdDsa(Ed25519PublicKey),
    Hs256(HS256Key),
}

/// One key with its identifier.
#[derive(Clone)]
pub(super) struct Key {
    kid: Option<String>,
    verifier: Verifier,
    /// SHA-256 over algorithm and key material: identity without keeping the material readable.
    fingerprint: [u8; 32],
}

impl Key {
    fn rs256(kid: Option<String>, key: RS256PublicKey) -> Self {
        let parts = key.public_key().to_components();
        let length = (parts.n.len() as u64).to_be_bytes();
        let fingerprint = fingerprint(Algorithm::Rs256, &[&length, &parts.n, &parts.e]);
        Self { kid, fingerprint, verifier: Verifier::Rs256(Box::new(key)) }
    }

    fn es256(kid: Option<String>, key: ES256PublicKey) -> Self {
        let fingerprint = fingerprint(Algorithm::Es256, &[&key.public_key().to_bytes_uncompressed()]);
        Self { kid, fingerprint, verifier: Verifier::Es256(Box::new(key)) }
    }

    fn ed25519(kid: Option<String>, key: Ed25519PublicKey) -> Self {
        let fingerprint = fingerprint(Algorithm::EdDsa, &[&key.to_bytes()]);
        Self { kid, fingerprint, verifier: Verifier::EdDsa(key) }
    }

    fn hs256(kid: Option<String>, secret: &[u8]) -> Self {
        let fingerprint = fingerprint(Algorithm::Hs256, &[secret]);
        Self { kid, fingerprint, verifier: Verifier::Hs256(HS256Key::from_bytes(secret)) }
    }

    const fn algorithm(&self) -> Algorithm {
        match self.verifier {
            Verifier::Rs256(_) => Algorithm::Rs256,
            Verifier::Es256(_) => Algorithm::Es256,
            Verifier::EdDsa(_) => Algorithm::EdDsa,
            Verifier::Hs256(_) => Algorithm::Hs256,
        }
    }

    /// Whether this key made the token's signature. The caller has read header and claims and found
    /// nothing in them that jwt-simple would stumble over, so that an error means the signature.
    pub(super) fn signed(&self, token: &str) -> bool {
        let options = Some(signature_only());
        match &self.verifier {
            Verifier::Rs256(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),
            Verifier::Es256(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),
            Verifier::EdDsa(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),
            Verifier::Hs256(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),
        }
    }
}

/// jwt-simple without an opinion on time: it would read a clock of its own and allow 15 minutes.
/// At second 0 nothing has expired, and what starts later is let through.
fn signature_only() -> VerificationOptions {
    VerificationOptions {
        accept_future: true,
        time_tolerance: Some(Duration::from_secs(0)),
        artificial_time: Some(UnixTimeStamp::from_secs(0)),
        max_token_length: Some(MAX_TOKEN),
        ..VerificationOptions::default()
    }
}

fn fingerprint(algorithm: Algorithm, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Hash::new();
    hash.update(algorithm.as_str());
    hash.update([0]);
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize()
}

/// Keys, and a number that tells sets apart. Clones share the keys.
#[derive(Clone)]
pub struct KeySet {
    keys: Arc<[Key]>,
    version: u64,
}

impl KeySet {
    /// Reads a JWKS document (RFC 7517) or PEM (one or several public keys), as an operator
    /// configures it; an empty text is an empty set. All faults at once, none with key material.
    ///
    /// Keys of unknown types, for other uses or other algorithms are skipped, but a document
    /// without any usable key is a fault. Private members are faults: a verifier that holds what
    /// signs is one leak away from forged identities.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let text = text.trim();
        if text.len() > MAX_TEXT {
            return Err(vec![format!("longer than {MAX_TEXT} bytes")]);
        }
        let keys = if text.is_empty() {
            Vec::new()
        } else if text.starts_with('{') {
            let (keys, faults) = jwk::read(text, jwk::Symmetric::Accepted).map_err(|fault| vec![fault])?;
            match (keys.is_empty(), faults.is_empty()) {
                (_, false) => return Err(faults),
                (true, true) => return Err(vec![NO_KEY.into()]),
                (false, true) => keys,
            }
        } else if text.starts_with("-----BEGIN ") {
            pem::read(text)?
        } else {
            return Err(vec!["neither a JWKS document nor PEM".into()]);
        };
        Ok(Self::of(keys))
    }

    /// Reads a JWKS document from an issuer's address: its usable keys, and what was wrong with those
    /// that were left out. One key that cannot be used must not take the others with it (RFC 7517
    /// §5), and an issuer that has revoked every key publishes none. A symmetric key is never used:
    /// everybody who can read it there can sign.
    pub fn parse_published(text: &str) -> Result<(Self, Vec<String>), String> {
        if text.len() > MAX_TEXT {
            return Err(format!("longer than {MAX_TEXT} bytes"));
        }
        let (keys, faults) = jwk::read(text, jwk::Symmetric::Refused)?;
        // All of them unusable is a mistake of the issuer's, not a revocation.
        if keys.is_empty() && !faults.is_empty() {
            Err(faults.join("; "))
        } else {
            Ok((Self::of(keys), faults))
        }
    }

    fn of(keys: Vec<Key>) -> Self {
        let mut parts: Vec<(Option<&str>, &[u8; 32])> =
            keys.iter().map(|key| (key.kid.as_deref(), &key.fingerprint)).collect();
        parts.sort_unstable();
        let mut hash = Hash::new();
        for (kid, fingerprint) in parts {
            // Kid and fingerprint are told apart by length: a kid cannot imitate a fingerprint.
            hash.update(kid.map_or(u64::MAX, |kid| kid.len() as u64).to_be_bytes());
            hash.update(kid.unwrap_or_default());
            hash.update(fingerprint);
        }
        let [a, b, c, d, e, f, g, h, ..] = hash.finalize();
        Self { keys: keys.into(), version: u64::from_be_bytes([a, b, c, d, e, f, g, h]) }
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether tokens signed with `secret` by HS256 would be accepted.
    pub fn accepts_secret(&self, secret: &str) -> bool {
        let wanted = fingerprint(Algorithm::Hs256, &[secret.as_bytes()]);
        self.keys.iter().any(|key| key.fingerprint == wanted)
    }

    /// Whether a key has this identifier.
    pub fn has_kid(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// A number that is another when the keys or their identifiers are; their order does not matter.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The keys of both. Where both use an identifier, the key of `self` has it: what an operator
    /// configured cannot be replaced by what an address serves.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        let mut keys = self.keys.to_vec();
        for key in other.keys.iter() {
            let taken = key.kid.as_deref().is_some_and(|kid| self.has_kid(kid));
            let known = keys.iter().any(|own| own.kid == key.kid && own.fingerprint == key.fingerprint);
            if !taken && !known {
                keys.push(key.clone());
            }
        }
        Self::of(keys)
    }

    /// The keys that may have signed a token with this header. An identifier is compared for
    /// equality and never used otherwise.
    pub(super) fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<Vec<&Key>, Refusal> {
        if let Some(key) = kid.and_then(|kid| self.keys.iter().find(|key| key.kid.as_deref() == Some(kid))) {
            return if key.algorithm() == algorithm { Ok(vec![key]) } else { Err(Refusal::KeyMismatch) };
        }
        // A key without an identifier may be the one meant; one with another identifier is not.
        let possible = |key: &&Key| key.algorithm() == algorithm && (kid.is_none() || key.kid.is_none());
        let candidates: Vec<&Key> = self.keys.iter().filter(possible).take(MAX_TRIES).collect();
        if candidates.is_empty() { Err(Refusal::NoKey) } else { Ok(candidates) }
    }
}

impl Default for KeySet {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

/// Algorithms and identifiers only.
impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.iter().map(|key| (key.algorithm().as_str(), key.kid.as_deref()));
        f.debug_tuple("KeySet").field(&keys.collect::<Vec<_>>()).finish()
    }
}

#[cfg(test)]
mod tests;
