//! Token parser: no bytes get in that the key did not sign, and claims it did sign are judged
//! without breaking, whatever they say and whenever it is.
#![no_main]

use std::sync::LazyLock;

use ct_codecs::{Base64UrlSafeNoPadding, Encoder};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use triage::auth::{KeySet, TokenPolicy, bearer, verify};

const SECRET: &[u8; 32] = b"a secret of the fuzzer, 32 bytes";

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let k = encode(SECRET);
    let jwks = format!(r#"{{"keys":[{{"kty":"oct","alg":"HS256","kid":"f","k":"{k}"}}]}}"#);
    KeySet::parse(&jwks).expect("the fuzzer's key set")
});

fn encode(bytes: &[u8]) -> String {
    Base64UrlSafeNoPadding::encode_to_string(bytes).expect("base64url")
}

fuzz_target!(|input: (u64, &[u8], &[u8])| {
    let (now, header, claims) = input;
    let policy = TokenPolicy { issuer: "i".into(), audience: "a".into(), leeway_s: 30 };

    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(claims) {
        headers.insert("authorization", value);
    }
    if let Ok(token) = bearer(&headers) {
        assert!(verify(token, &KEYS, &policy, now).is_err(), "nobody signed this");
    }

    let signed = format!("{}.{}", encode(header), encode(claims));
    let unsigned = verify(&format!("{signed}.AAAA"), &KEYS, &policy, now);
    assert!(unsigned.is_err(), "a wrong signature");
    let signature = encode(&hmac_sha256::HMAC::mac(signed.as_bytes(), SECRET));
    if let Ok(claims) = verify(&format!("{signed}.{signature}"), &KEYS, &policy, now) {
        assert!(claims.expires_at.saturating_add(30_000) >= now, "an expired token got in");
    }
});
