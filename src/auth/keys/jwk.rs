//! Keys out of a JWKS document (RFC 7517, RFC 7518 §6, RFC 8037).
//!
//! The document is read strictly, each usable key is reduced to the members that make it up, and
//! jwt-simple checks those: the curve equation, small subgroups, size and exponent of RSA.

use std::collections::BTreeSet;

use ct_codecs::{Base64UrlSafeNoPadding, Decoder};
use jwt_simple::JWTError;
use jwt_simple::prelude::{ES256PublicKey, Ed25519PublicKey, RS256PublicKey};
use serde_json::{Map, Value};

use super::{Algorithm, Key, MAX_KEYS, MIN_SECRET};
use crate::json;

/// Whether `oct` keys may stand in the document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Symmetric {
    Accepted,
    Refused,
}

/// Members that hold what signs (RFC 7518 §6.2.2, §6.3.2; RFC 8037 §2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"];
/// Longer identifiers are not looked up but a waste of memory.
const MAX_KID: usize = 256;

/// Reads a JWKS document: its usable keys, and what is wrong with others. `Err` when it is none.
pub(super) fn read(text: &str, symmetric: Symmetric) -> Result<(Vec<Key>, Vec<String>), String> {
    let document = json::parse(text.as_bytes()).map_err(|fault| format!("JWKS document: {fault}"))?;
    let Some(Value::Array(items)) = document.get("keys") else {
        return Err("JWKS document: must be an object with an array \"keys\"".into());
    };
    if items.len() > MAX_KEYS {
        return Err(format!("JWKS document: more than {MAX_KEYS} keys"));
    }
    let (mut keys, mut faults, mut kids) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (index, item) in items.iter().enumerate() {
        match key(item, symmetric) {
            Ok(Some(key)) if key.kid.clone().is_some_and(|kid| !kids.insert(kid)) => {
                faults.push(format!("keys[{index}]: its kid stands twice"));
            }
            Ok(found) => keys.extend(found),
            Err(fault) => faults.push(format!("keys[{index}]: {fault}")),
        }
    }
    Ok((keys, faults))
}

/// One key; `None` when it is for something else.
fn key(item: &Value, symmetric: Symmetric) -> Result<Option<Key>, String> {
    let Value::Object(members) = item else {
        return Err("must be an object".into());
    };
    let Some(kty) = text(members, "kty")? else {
        return Err("kty is missing".into());
    };
    let private = PRIVATE.iter().find(|name| members.contains_key(**name));
    if let Some(name) = private.or((kty != "oct" && members.contains_key("k")).then_some(&"k")) {
        return Err(format!("holds the private member {name:?}; configure the public key only"));
    }
    let Some(algorithm) = algorithm(members, kty)? else {
        return Ok(None);
    };
    if !for_verifying(members)? {
        return Ok(None);
    }
    let kid = text(members, "kid")?.map(str::to_owned);
    if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID) {
        return Err(format!("kid is longer than {MAX_KID} bytes"));
    }
    match algorithm {
        Algorithm::Hs256 if symmetric == Symmetric::Refused => {
            Err("a symmetric key (oct) must not be published".into())
        }
        Algorithm::Hs256 => secret(members).map(|secret| Some(Key::hs256(kid, &secret))),
        Algorithm::Rs256 => public(members, &["kty", "n", "e"])
            .and_then(|jwk| RS256PublicKey::from_jwk(&jwk).map_err(|e| describe(&e)))
            .map(|key| Some(Key::rs256(kid, key))),
        Algorithm::Es256 => public(members, &["kty", "crv", "x", "y"])
            .and_then(|jwk| ES256PublicKey::from_jwk(&jwk).map_err(|e| describe(&e)))
            .map(|key| Some(Key::es256(kid, key))),
        Algorithm::EdDsa => public(members, &["kty", "crv", "x"])
            .and_then(|jwk| Ed25519PublicKey::from_jwk(&jwk).map_err(|e| describe(&e)))
            .map(|key| Some(Key::ed25519(kid, key))),
    }
}

/// The one algorithm of a key, `None` when it is not one of ours.
fn algorithm(members: &Map<String, Value>, kty: &str) -> Result<Option<Algorithm>, String> {
    let (crv, alg) = (text(members, "crv")?, text(members, "alg")?);
    let by_kind = match (kty, crv) {
        ("RSA", _) => Algorithm::Rs256,
        ("EC", Some("P-256")) => Algorithm::Es256,
        ("OKP", Some("Ed25519")) => Algorithm::EdDsa,
        ("oct", _) => Algorithm::Hs256,
        _ => return Ok(None),
    };
    // An RSA key for PS256 or RSA-OAEP is not one for RS256, whatever it could do.
    let said = alg.map_or(Some(by_kind), Algorithm::parse);
    Ok((said == Some(by_kind)).then_some(by_kind))
}

/// Whether `use` and `key_ops` allow to verify signatures.
fn for_verifying(members: &Map<String, Value>) -> Result<bool, String> {
    let by_use = text(members, "use")?.is_none_or(|purpose| purpose == "sig");
    let by_operations = match members.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|operation| operation == "verify"),
        Some(_) => return Err("key_ops must be an array".into()),
    };
    Ok(by_use && by_operations)
}

fn secret(members: &Map<String, Value>) -> Result<Vec<u8>, String> {
    let encoded = text(members, "k")?.ok_or("k is missing")?;
    let secret = Base64UrlSafeNoPadding::decode_to_vec(encoded, None)
        .map_err(|_| "k is not base64url without padding")?;
    if secret.len() < MIN_SECRET {
        return Err(format!("an HS256 secret has at least {MIN_SECRET} bytes"));
    }
    Ok(secret)
}

/// The named members as a JWK of their own, for jwt-simple: what else stands there is not its business.
fn public(members: &Map<String, Value>, names: &[&str]) -> Result<String, String> {
    let mut jwk = Map::new();
    for name in names {
        let value = text(members, name)?.ok_or_else(|| format!("{name} is missing"))?;
        jwk.insert((*name).to_owned(), value.into());
    }
    Ok(Value::Object(jwk).to_string())
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name} must be a string")),
    }
}

/// jwt-simple's verdict on a public key, in words.
pub(super) fn describe(error: &jwt_simple::Error) -> String {
    match error.downcast_ref::<JWTError>() {
        Some(JWTError::WeakKey) => "an RSA key has at least 2048 bits",
        Some(JWTError::UnsupportedRSAModulus) => "an RSA key has at most 4096 bits",
        _ => "not a valid public key (RSA needs the exponent 65537)",
    }
    .to_owned()
}
