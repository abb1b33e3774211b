//! Signs tokens, good ones and hostile ones, for unit tests and for tests of the component.
//!
//! Plain functions over jwt-simple's key pairs: header and claims can be any text at all, which
//! jwt-simple itself would not sign. The issuer's pairs and an attacker's are fixtures.
//!
//! ```ignore
//! let good = Token::student(now).build();
//! let stale = Token::student(now).expires_in(-60).build();
//! let forged = Token::staff(now, "admin").key(Signer::Stranger).build();
//! let raw = Token::student(now).header_json(r#"{"alg":"HS256","alg":"none"}"#).build();
//! ```

use std::sync::OnceLock;

use jwt_simple::prelude::*;
use p256::ecdsa::signature::Signer as _;
use serde_json::{Map, Value, json};
use superboring::hash::MessageDigest;
use superboring::pkey::PKey;
use superboring::rsa::Padding;

#[path = "token_attacks.rs"]
pub mod attacks;

/// The issuer that tests configure; the default of the service.
pub const ISSUER: &str = "learnflow-auth";
/// The audience that tests configure; the default of the service.
pub const AUDIENCE: &str = "learnflow-api";
/// A student.
pub const STUDENT: &str = "student_0190f3a2-7b1c-7def-8a90-0123456789ab";
/// An instructor or administrator.
pub const STAFF: &str = "staff_0190f3a2-7b1c-7def-8a90-ba9876543210";
/// The HS256 secret in [`jwks`].
pub const SECRET: &[u8] = b"a secret for tests, 48 bytes long, no more than.";

const RS256: &str = include_str!("../fixtures/tokens/rs256.private.pem");
const STRANGER: &str = include_str!("../fixtures/tokens/rs256-stranger.private.pem");
const ES256: &str = include_str!("../fixtures/tokens/es256.private.pem");
const EDDSA: &str = include_str!("../fixtures/tokens/eddsa.private.pem");
/// The issuer's RSA key as it may be configured.
pub const RS256_PEM: &str = include_str!("../fixtures/tokens/rs256.public.pem");
/// The issuer's P-256 key.
pub const ES256_PEM: &str = include_str!("../fixtures/tokens/es256.public.pem");
/// The issuer's Ed25519 key.
pub const EDDSA_PEM: &str = include_str!("../fixtures/tokens/eddsa.public.pem");

/// Who signs, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// The issuer's RSA pair, `kid` "rsa".
    Rs256,
    /// The issuer's P-256 pair, `kid` "ec".
    Es256,
    /// The issuer's Ed25519 pair, `kid` "ed".
    EdDsa,
    /// [`SECRET`], `kid` "hmac".
    Hs256,
    /// An RSA pair that nobody configured, under the `kid` "rsa".
    Stranger,
    /// HMAC-SHA-256 with any bytes as the key, such as a public key's PEM.
    Hmac(Vec<u8>),
    /// These bytes stand where a signature should.
    Bytes(Vec<u8>),
}

impl Signer {
    /// The name for the header.
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rs256 | Self::Stranger => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 | Self::Hmac(_) => "HS256",
            Self::Bytes(_) => "none",
        }
    }

    /// The identifier in [`jwks`].
    pub const fn kid(&self) -> Option<&'static str> {
        match self {
            Self::Rs256 | Self::Stranger => Some("rsa"),
            Self::Es256 => Some("ec"),
            Self::EdDsa => Some("ed"),
            Self::Hs256 => Some("hmac"),
            Self::Hmac(_) | Self::Bytes(_) => None,
        }
    }

    /// The signature over `message`, as RFC 7518 has it.
    pub fn sign(&self, message: &str) -> Vec<u8> {
        let mac = |secret: &[u8]| HS256Key::from_bytes(secret).authentication_tag(message.as_bytes());
        match self {
            Self::Rs256 => rsa(rs256(), message),
            Self::Stranger => rsa(stranger(), message),
            Self::Es256 => {
                let signature: p256::ecdsa::Signature = es256().key_pair().as_ref().sign(message.as_bytes());
                signature.to_vec()
            }
            Self::EdDsa => eddsa().key_pair().as_ref().sk.sign(message, None).to_vec(),
            Self::Hs256 => mac(SECRET),
            Self::Hmac(secret) => mac(secret),
            Self::Bytes(bytes) => bytes.clone(),
        }
    }
}

fn rsa(pair: &RS256KeyPair, message: &str) -> Vec<u8> {
    let key = PKey::from_rsa(pair.key_pair().as_ref().clone()).unwrap();
    let mut signer = superboring::sign::Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.set_rsa_padding(Padding::PKCS1).unwrap();
    signer.update(message.as_bytes()).unwrap();
    signer.sign_to_vec().unwrap()
}

fn rs256() -> &'static RS256KeyPair {
    static PAIR: OnceLock<RS256KeyPair> = OnceLock::new();
    PAIR.get_or_init(|| RS256KeyPair::from_pem(RS256).unwrap().with_key_id("rsa"))
}

fn stranger() -> &'static RS256KeyPair {
    static PAIR: OnceLock<RS256KeyPair> = OnceLock::new();
    PAIR.get_or_init(|| RS256KeyPair::from_pem(STRANGER).unwrap().with_key_id("rsa"))
}

fn es256() -> &'static ES256KeyPair {
    static PAIR: OnceLock<ES256KeyPair> = OnceLock::new();
    PAIR.get_or_init(|| ES256KeyPair::from_pem(ES256).unwrap().with_key_id("ec"))
}

fn eddsa() -> &'static Ed25519KeyPair {
    static PAIR: OnceLock<Ed25519KeyPair> = OnceLock::new();
    PAIR.get_or_init(|| Ed25519KeyPair::from_pem(EDDSA).unwrap().with_key_id("ed"))
}

/// The public keys as JWKs: RSA, EC, OKP.
pub fn public_jwks() -> Vec<Value> {
    [rs256().public_key().to_jwk(), es256().public_key().to_jwk(), eddsa().public_key().to_jwk()]
        .iter()
        .map(|jwk| serde_json::from_str(jwk).unwrap())
        .collect()
}

/// The secret as a JWK.
pub fn secret_jwk() -> Value {
    json!({"kty": "oct", "alg": "HS256", "kid": "hmac", "k": encode(SECRET)})
}

/// All four keys as one JWKS document: the text for `jwt_keys`.
pub fn jwks() -> String {
    let mut keys = public_jwks();
    keys.push(secret_jwk());
    json!({ "keys": keys }).to_string()
}

/// The attacker's public key as a JWK, for headers that bring their own key.
pub fn stranger_jwk() -> Value {
    serde_json::from_str(&stranger().public_key().to_jwk()).unwrap()
}

/// Base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlSafeNoPadding::encode_to_string(bytes).unwrap()
}

/// A token in the making. It is valid until something is changed.
#[derive(Debug, Clone)]
pub struct Token {
    signer: Signer,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    header_text: Option<String>,
    claims_text: Option<String>,
}

impl Token {
    /// A student's token by HS256, from a minute ago for an hour. `now` in Unix seconds.
    pub fn student(now: u64) -> Self {
        Self::of(now, STUDENT, "student")
    }

    /// The token of an "instructor" or "admin".
    pub fn staff(now: u64, role: &str) -> Self {
        Self::of(now, STAFF, role)
    }

    fn of(now: u64, subject: &str, role: &str) -> Self {
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "role": role,
            "iat": now - 60, "nbf": now - 60, "exp": now + 3_600, "now": now,
        });
        let Value::Object(claims) = claims else { unreachable!() };
        let empty =
            Self { signer: Signer::Hs256, header: Map::new(), claims, header_text: None, claims_text: None };
        empty.header("typ", "JWT").key(Signer::Hs256)
    }

    /// Signs with `signer`; `alg` and `kid` follow.
    pub fn key(mut self, signer: Signer) -> Self {
        self.header.insert("alg".into(), signer.algorithm().into());
        match signer.kid() {
            Some(kid) => self.header.insert("kid".into(), kid.into()),
            None => self.header.remove("kid"),
        };
        self.signer = signer;
        self
    }

    /// Signs with `signer`, leaving the header as it is.
    pub fn signed_by(mut self, signer: Signer) -> Self {
        self.signer = signer;
        self
    }

    /// Sets a header member.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    /// Drops a header member.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Sets a claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Drops a claim.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// `exp` in so many seconds from now.
    pub fn expires_in(self, seconds: i64) -> Self {
        let now = self.claims["now"].as_i64().unwrap();
        self.claim("exp", now + seconds)
    }

    /// Sets `sub`.
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// Sets `role`.
    pub fn role(self, role: &str) -> Self {
        self.claim("role", role)
    }

    /// This text is the header.
    pub fn header_json(mut self, text: impl Into<String>) -> Self {
        self.header_text = Some(text.into());
        self
    }

    /// This text is the claims.
    pub fn claims_json(mut self, text: impl Into<String>) -> Self {
        self.claims_text = Some(text.into());
        self
    }

    /// The claims as JSON text.
    pub fn claims_text(&self) -> String {
        self.claims_text.clone().unwrap_or_else(|| Value::Object(self.claims.clone()).to_string())
    }

    /// The header as JSON text.
    pub fn header_text(&self) -> String {
        self.header_text.clone().unwrap_or_else(|| Value::Object(self.header.clone()).to_string())
    }

    /// Header, claims and signature, encoded.
    pub fn segments(&self) -> [String; 3] {
        let (header, claims) = (encode(self.header_text()), encode(self.claims_text()));
        let signature = self.signer.sign(&format!("{header}.{claims}"));
        [header, claims, encode(signature)]
    }

    /// The token.
    pub fn build(&self) -> String {
        self.segments().join(".")
    }

    /// Encodes header and claims with `encoder` instead, signed as they stand then.
    pub fn build_encoded(&self, encoder: impl Fn(&str) -> String) -> String {
        let message = format!("{}.{}", encoder(&self.header_text()), encoder(&self.claims_text()));
        let signature = encode(self.signer.sign(&message));
        format!("{message}.{signature}")
    }
}
