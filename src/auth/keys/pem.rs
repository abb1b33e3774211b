//! Keys out of PEM (RFC 7468): `PUBLIC KEY` for RSA, P-256 and Ed25519, and RSA's older
//! `RSA PUBLIC KEY`. They have no identifier, so they are tried for tokens that name none of the
//! others.

use jwt_simple::JWTError;
use jwt_simple::prelude::{ES256PublicKey, Ed25519PublicKey, RS256PublicKey};

use super::jwk::describe;
use super::{Key, MAX_KEYS};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Reads every block: its keys, or every fault.
pub(super) fn read(text: &str) -> Result<Vec<Key>, Vec<String>> {
    // Variables that come through an environment file often have their line ends written out.
    let text = if text.contains('\n') { text.to_owned() } else { text.replace("\\n", "\n") };
    let (mut keys, mut faults, mut rest) = (Vec::new(), Vec::new(), text.as_str());
    for index in 0..=MAX_KEYS {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let Some((label, pem, after)) = block(rest) else {
            faults.push(format!("PEM block {index}: not a complete block"));
            break;
        };
        match key(label, pem) {
            _ if index == MAX_KEYS => faults.push(format!("PEM: more than {MAX_KEYS} keys")),
            Ok(key) => keys.push(key),
            Err(fault) => faults.push(format!("PEM block {index}: {fault}")),
        }
        rest = after;
    }
    if faults.is_empty() { Ok(keys) } else { Err(faults) }
}

/// Label and text of the block that `text` begins with, and what follows it.
fn block(text: &str) -> Option<(&str, &str, &str)> {
    let (label, _) = text.strip_prefix(BEGIN)?.split_once(DASHES)?;
    let end = format!("{END}{label}{DASHES}");
    let length = text.find(&end)?.checked_add(end.len())?;
    let (pem, after) = text.split_at_checked(length)?;
    Some((label, pem, after))
}

fn key(label: &str, pem: &str) -> Result<Key, String> {
    if label.contains("PRIVATE") {
        return Err("holds a private key; configure the public key only".into());
    }
    if !matches!(label, "PUBLIC KEY" | "RSA PUBLIC KEY") {
        return Err("must be a PUBLIC KEY (a certificate's key must be extracted first)".into());
    }
    let rsa = RS256PublicKey::from_pem(pem);
    if let Ok(key) = rsa {
        return Ok(Key::rs256(None, key));
    }
    if let Ok(key) = ES256PublicKey::from_pem(pem) {
        return Ok(Key::es256(None, key));
    }
    if let Ok(key) = Ed25519PublicKey::from_pem(pem) {
        return Ok(Key::ed25519(None, key));
    }
    match rsa {
        Err(e) if matches!(e.downcast_ref(), Some(JWTError::WeakKey | JWTError::UnsupportedRSAModulus)) => {
            Err(describe(&e))
        }
        _ => Err("must be an RSA, P-256 or Ed25519 public key".into()),
    }
}
