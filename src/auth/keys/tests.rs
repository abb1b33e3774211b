use serde_json::{Value, json};

use super::super::token_support::{self as support, SECRET};
use super::*;

const RSA_1024: &str = include_str!("../../../tests/fixtures/tokens/rsa-1024.public.pem");
const P_384: &str = include_str!("../../../tests/fixtures/tokens/p-384.public.pem");
const PKCS1: &str = include_str!("../../../tests/fixtures/tokens/rs256-pkcs1.public.pem");
const PRIVATE: &str = include_str!("../../../tests/fixtures/tokens/eddsa.private.pem");

fn set(keys: &[Value]) -> Result<KeySet, Vec<String>> {
    KeySet::parse(&json!({ "keys": keys }).to_string())
}

fn with(mut jwk: Value, name: &str, value: impl Into<Value>) -> Value {
    jwk[name] = value.into();
    jwk
}

fn without(mut jwk: Value, name: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}

fn rsa() -> Value {
    support::public_jwks()[0].clone()
}

fn ec() -> Value {
    support::public_jwks()[1].clone()
}

fn ed() -> Value {
    support::public_jwks()[2].clone()
}

fn oct() -> Value {
    support::secret_jwk()
}

/// A key that stands beside the one in question, so that skipping leaves a usable set.
fn beside(jwk: Value) -> Result<KeySet, Vec<String>> {
    set(&[with(oct(), "kid", "beside"), jwk])
}

#[test]
fn an_empty_text_is_an_empty_set() {
    for text in ["", " \n\t "] {
        assert!(KeySet::parse(text).unwrap().is_empty());
    }
    assert_eq!(KeySet::parse("").unwrap().version(), KeySet::default().version());
    for text in ["", "{}", "not keys", support::RS256_PEM] {
        assert!(KeySet::parse_published(text).is_err(), "{text}");
    }
}

#[test]
fn a_jwks_document_gives_its_keys_by_kid() {
    let keys = KeySet::parse(&support::jwks()).unwrap();
    assert!(!keys.is_empty());
    for kid in ["rsa", "ec", "ed", "hmac"] {
        assert!(keys.has_kid(kid), "{kid}");
    }
    assert!(!keys.has_kid("RSA"));
    assert!(!keys.has_kid(""));
    assert!(keys.accepts_secret(std::str::from_utf8(SECRET).unwrap()));
    assert!(!keys.accepts_secret("another"));
    assert!(!keys.accepts_secret(support::RS256_PEM));
}

#[test]
fn pem_gives_one_key_for_each_block() {
    let three = format!("\n{}\n{}{}", support::RS256_PEM, support::ES256_PEM, support::EDDSA_PEM);
    let keys = KeySet::parse(&three).unwrap();
    assert_eq!(format!("{keys:?}"), r#"KeySet([("RS256", None), ("ES256", None), ("EdDSA", None)])"#);
    let older = KeySet::parse(PKCS1).unwrap();
    let spki = KeySet::parse(support::RS256_PEM).unwrap();
    assert_eq!(older.version(), spki.version(), "the same key in two encodings");
    let escaped = KeySet::parse(&support::RS256_PEM.trim().replace('\n', "\\n")).unwrap();
    assert_eq!(escaped.version(), spki.version());
}

#[test]
fn pem_faults_name_the_block_and_not_its_content() {
    let many = support::EDDSA_PEM.repeat(MAX_KEYS + 1);
    for (pem, fault) in [
        (PRIVATE.to_owned(), "PEM block 0: holds a private key"),
        (format!("{}{PRIVATE}", support::ES256_PEM), "PEM block 1: holds a private key"),
        (RSA_1024.to_owned(), "PEM block 0: an RSA key has at least 2048 bits"),
        (P_384.to_owned(), "PEM block 0: must be an RSA, P-256 or Ed25519 public key"),
        (support::ES256_PEM.replace("PUBLIC KEY", "CERTIFICATE"), "PEM block 0: must be a PUBLIC KEY"),
        (support::ES256_PEM.replace("END", "FIN"), "PEM block 0: not a complete block"),
        (format!("{} hunter2", support::ES256_PEM), "PEM block 1: not a complete block"),
        (
            "-----BEGIN PUBLIC KEY-----\nhunter2\n-----END PUBLIC KEY-----".to_owned(),
            "PEM block 0: must be an RSA",
        ),
        (many, "PEM: more than 64 keys"),
    ] {
        let faults = KeySet::parse(&pem).unwrap_err().join("; ");
        assert!(faults.starts_with(fault), "{faults}");
        assert!(!faults.contains("hunter2") && !faults.contains("MC4CAQ"), "{faults}");
    }
}

#[test]
fn what_is_neither_is_a_fault() {
    let long = format!(" {{{}", "x".repeat(MAX_TEXT));
    for (text, fault) in [
        ("not keys", "neither"),
        ("hunter2-s3cr3t-value", "neither"),
        ("[]", "neither"),
        ("{", "JWKS document: ends too early"),
        ("{}", "JWKS document: must be an object with an array"),
        (r#"{"keys":{}}"#, "JWKS document: must be an object with an array"),
        (r#"{"keys":[],"keys":[]}"#, "JWKS document: member name stands twice"),
        (r#"{"keys":[]}"#, "JWKS document: no key in it can be used"),
        (long.as_str(), "longer than 262144 bytes"),
    ] {
        let faults = KeySet::parse(text).unwrap_err();
        assert!(faults.len() == 1 && faults[0].starts_with(fault), "{faults:?}");
    }
}

#[test]
fn keys_for_something_else_are_skipped_but_a_set_of_them_is_a_fault() {
    for (name, jwk) in [
        ("unknown type", json!({"kty": "AKP", "pub": "x"})),
        ("P-384", json!({"kty": "EC", "crv": "P-384", "x": "a", "y": "b"})),
        ("no curve", json!({"kty": "EC"})),
        ("X25519", json!({"kty": "OKP", "crv": "X25519", "x": "a"})),
        ("RS512", with(rsa(), "alg", "RS512")),
        ("PS256", with(rsa(), "alg", "PS256")),
        ("RSA for HS256", with(rsa(), "alg", "HS256")),
        ("RSA-OAEP", with(rsa(), "alg", "RSA-OAEP-256")),
        ("ES256 on another type", with(ed(), "alg", "ES256")),
        ("HS512", with(oct(), "alg", "HS512")),
        ("a secret for RS256", with(oct(), "alg", "RS256")),
        ("encryption", with(rsa(), "use", "enc")),
        ("signing only", with(oct(), "key_ops", json!(["sign"]))),
        ("no operation", with(rsa(), "key_ops", json!([]))),
        ("wrapping", with(ec(), "key_ops", json!(["deriveKey", "wrapKey"]))),
    ] {
        let faults = set(std::slice::from_ref(&jwk)).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains("no key in it can be used"), "{name}: {faults:?}");
        let keys = beside(jwk).unwrap();
        assert_eq!(format!("{keys:?}"), r#"KeySet([("HS256", Some("beside"))])"#, "{name}");
    }
}

#[test]
fn what_allows_verifying_is_used() {
    for jwk in [
        without(rsa(), "alg"),
        without(rsa(), "use"),
        without(rsa(), "kid"),
        without(oct(), "alg"),
        with(ed(), "alg", "Ed25519"),
        with(ec(), "key_ops", json!(["verify"])),
        with(oct(), "key_ops", json!(["sign", "verify"])),
        with(rsa(), "x5c", json!(["MIIB"])),
        with(rsa(), "issuer", "https://id.example"),
    ] {
        assert!(set(std::slice::from_ref(&jwk)).is_ok(), "{jwk}");
    }
}

#[test]
fn broken_keys_are_faults_that_do_not_repeat_them() {
    let oct_of = |n: usize| with(oct(), "k", support::encode(vec![b'x'; n]));
    let rsa_1024 = json!({"kty": "RSA", "e": "AQAB", "n": support::encode(vec![0xff; 128])});
    let rsa_8192 = json!({"kty": "RSA", "e": "AQAB", "n": support::encode(vec![0xff; 1_024])});
    for (jwk, fault) in [
        (json!("rsa"), "must be an object"),
        (json!({"kid": "x"}), "kty is missing"),
        (json!({"kty": 1}), "kty must be a string"),
        (with(rsa(), "d", "hunter2"), "holds the private member \"d\""),
        (with(rsa(), "qi", "hunter2"), "holds the private member \"qi\""),
        (with(rsa(), "k", "hunter2"), "holds the private member \"k\""),
        (with(ec(), "d", "hunter2"), "holds the private member \"d\""),
        (with(ed(), "d", "hunter2"), "holds the private member \"d\""),
        (json!({"kty": "EC", "crv": "P-521", "d": "hunter2"}), "holds the private member \"d\""),
        (with(rsa(), "kid", 7), "kid must be a string"),
        (with(rsa(), "kid", "x".repeat(257)), "kid is longer than 256 bytes"),
        (with(rsa(), "use", 7), "use must be a string"),
        (with(rsa(), "alg", 7), "alg must be a string"),
        (with(rsa(), "key_ops", "verify"), "key_ops must be an array"),
        (with(rsa(), "e", "Aw"), "not a valid public key"),
        (with(rsa(), "n", "hunter2!"), "not a valid public key"),
        (without(rsa(), "n"), "n is missing"),
        (with(ec(), "x", ec()["y"].clone()), "not a valid public key"),
        (without(ec(), "y"), "y is missing"),
        (with(ed(), "x", support::encode([0; 32])), "not a valid public key"),
        (with(ed(), "x", 1), "x must be a string"),
        (without(oct(), "k"), "k is missing"),
        (with(oct(), "k", "hunter2 hunter2"), "k is not base64url"),
        (oct_of(31), "an HS256 secret has at least 32 bytes"),
        (rsa_1024, "an RSA key has at least 2048 bits"),
        (rsa_8192, "an RSA key has at most 4096 bits"),
    ] {
        let faults = beside(jwk).unwrap_err();
        assert!(
            faults.len() == 1 && faults[0].starts_with(&format!("keys[1]: {fault}")),
            "{fault}: {faults:?}"
        );
        assert!(!faults[0].contains("hunter2"), "{faults:?}");
    }
    assert!(set(&[oct_of(32)]).is_ok());
}

#[test]
fn all_faults_come_at_once() {
    let faults =
        set(&[with(rsa(), "d", "x"), without(oct(), "k"), ed(), with(ec(), "kid", "ed")]).unwrap_err();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert_eq!(faults[2], "keys[3]: its kid stands twice");
    let many: Vec<Value> = (0..=MAX_KEYS).map(|_| ed()).collect();
    assert_eq!(set(&many).unwrap_err(), ["JWKS document: more than 64 keys"]);
}

#[test]
fn a_published_set_holds_no_secrets() {
    let public = json!({ "keys": support::public_jwks() }).to_string();
    let (keys, faults) = KeySet::parse_published(&support::jwks()).unwrap();
    assert_eq!(faults, ["keys[3]: a symmetric key (oct) must not be published"]);
    assert_eq!(keys.version(), KeySet::parse_published(&public).unwrap().0.version());
}

#[test]
fn a_published_key_that_cannot_be_used_is_left_out_and_the_others_stay() {
    let published = |keys: &[Value]| KeySet::parse_published(&json!({ "keys": keys }).to_string()).unwrap();
    let (keys, faults) = published(&[rsa(), with(ec(), "x", "AA"), with(ed(), "d", "hunter2"), json!(7)]);
    assert_eq!(format!("{keys:?}"), r#"KeySet([("RS256", Some("rsa"))])"#);
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(!faults.join(" ").contains("hunter2"));
    let (none, faults) = published(&[]);
    assert!(none.is_empty() && faults.is_empty(), "an issuer may revoke everything");
    let all_bad = json!({ "keys": [with(ec(), "x", "AA"), 7] }).to_string();
    assert!(KeySet::parse_published(&all_bad).is_err());
}

#[test]
fn the_version_changes_with_the_keys_and_not_with_their_order() {
    let version = |keys: &[Value]| set(keys).unwrap().version();
    let both = version(&[rsa(), ec()]);
    assert_eq!(both, version(&[ec(), rsa()]));
    assert_eq!(both, version(&[with(rsa(), "x5c", json!(["MIIB"])), ec()]));
    for other in [
        version(&[rsa()]),
        version(&[rsa(), ed()]),
        version(&[rsa(), with(ec(), "kid", "new")]),
        version(&[rsa(), without(ec(), "kid")]),
        version(&[with(rsa(), "kid", "ec"), with(ec(), "kid", "rsa")]),
        KeySet::default().version(),
    ] {
        assert_ne!(both, other);
    }
}

#[test]
fn merging_keeps_what_is_configured_and_adds_what_is_new() {
    let configured = set(&[rsa(), without(ed(), "kid")]).unwrap();
    let fetched = set(&[with(ec(), "kid", "rsa"), with(ec(), "kid", "new"), without(ed(), "kid")]).unwrap();
    let merged = configured.merged(&fetched);
    let expected = r#"KeySet([("RS256", Some("rsa")), ("EdDSA", None), ("ES256", Some("new"))])"#;
    assert_eq!(format!("{merged:?}"), expected);
    assert_eq!(configured.merged(&KeySet::default()).version(), configured.version());
    assert_eq!(KeySet::default().merged(&configured).version(), configured.version());
    assert_ne!(merged.version(), configured.version());
}

#[test]
fn debugging_a_set_shows_no_material() {
    let text = format!("{:?}", KeySet::parse(&support::jwks()).unwrap());
    assert_eq!(
        text,
        r#"KeySet([("RS256", Some("rsa")), ("ES256", Some("ec")), ("EdDSA", Some("ed")), ("HS256", Some("hmac"))])"#
    );
}
