//! Tokens that must be refused, and why. Every one is signed as well as its attacker could.

use serde_json::json;

use super::{RS256_PEM, STAFF, STUDENT, Signer, Token, encode, stranger_jwk};

/// One hostile token.
#[derive(Debug, Clone)]
pub struct Attack {
    /// What is tried.
    pub name: String,
    /// The token.
    pub token: String,
    /// The name of the refusal: `bad_role` is a 403, all others are a 401.
    pub refusal: &'static str,
}

fn attack(name: impl Into<String>, token: impl Into<String>, refusal: &'static str) -> Attack {
    Attack { name: name.into(), token: token.into(), refusal }
}

/// All of them, for a service that holds [`super::jwks`], with a leeway of at most 60 s.
/// `now` in Unix seconds.
pub fn all(now: u64) -> Vec<Attack> {
    [algorithm(now), key(now), shape(now), json_text(now), time(now), identity(now)].concat()
}

/// The algorithm is chosen by the token, or is none at all.
pub fn algorithm(now: u64) -> Vec<Attack> {
    let mut list = Vec::new();
    for spelling in ["none", "None", "NONE", "nOnE", " none", "none ", "none\0", "NoNe\n", ""] {
        let unsigned = Token::student(now).key(Signer::Bytes(vec![])).header("alg", spelling);
        list.push(attack(format!("alg {spelling:?}, no signature"), unsigned.build(), "unknown_algorithm"));
    }
    for spelling in
        ["hs256", "HS256 ", "HS384", "HS512", "RS384", "RS512", "PS256", "ES384", "ES256K", "RSA-OAEP", "dir"]
    {
        let token = Token::student(now).header("alg", spelling);
        list.push(attack(format!("alg {spelling:?}"), token.build(), "unknown_algorithm"));
    }
    for (name, value) in [("null", json!(null)), ("a number", json!(256)), ("an array", json!(["HS256"]))] {
        list.push(attack(
            format!("alg is {name}"),
            Token::student(now).header("alg", value).build(),
            "unknown_algorithm",
        ));
    }
    let none = Token::student(now).without_header("alg");
    list.push(attack("no alg", none.build(), "unknown_algorithm"));
    let signed_none = Token::student(now).header("alg", "none");
    list.push(attack("alg none over a good HMAC", signed_none.build(), "unknown_algorithm"));
    for (name, pem) in [("as it is", RS256_PEM.to_owned()), ("trimmed", RS256_PEM.trim().to_owned())] {
        let confused = Token::student(now).key(Signer::Hmac(pem.into_bytes()));
        list.push(attack(
            format!("the RSA key's PEM {name} as HS256 secret"),
            confused.build(),
            "bad_signature",
        ));
        let named = confused.header("kid", "rsa");
        list.push(attack(format!("the same {name}, with the RSA key's kid"), named.build(), "key_mismatch"));
    }
    for (kid, signer) in
        [("rsa", Signer::Es256), ("ec", Signer::Rs256), ("ed", Signer::Hs256), ("hmac", Signer::EdDsa)]
    {
        let token = Token::student(now).key(signer.clone()).header("kid", kid);
        list.push(attack(
            format!("{} with the kid {kid}", signer.algorithm()),
            token.build(),
            "key_mismatch",
        ));
    }
    let wrong_curve = Token::student(now).key(Signer::Es256).header("alg", "ES384");
    list.push(attack("P-256 signature called ES384", wrong_curve.build(), "unknown_algorithm"));
    let short = Token::student(now).key(Signer::EdDsa).header("alg", "ES256").header("kid", "ec");
    list.push(attack("Ed25519 signature called ES256", short.build(), "bad_signature"));
    list
}

/// The key is chosen or brought along by the token.
pub fn key(now: u64) -> Vec<Attack> {
    let stranger = Token::student(now).key(Signer::Stranger);
    let mut list = vec![
        attack("a stranger's RSA key", stranger.build(), "bad_signature"),
        attack("the same without kid", stranger.clone().without_header("kid").build(), "bad_signature"),
        attack(
            "its own key embedded",
            stranger.clone().header("jwk", stranger_jwk()).build(),
            "embedded_key",
        ),
        attack("its own key embedded as text", stranger.clone().header("jwk", "{}").build(), "embedded_key"),
        attack(
            "jku to its own set",
            stranger.clone().header("jku", "https://evil.example/jwks").build(),
            "bad_signature",
        ),
        attack(
            "x5u to its own chain",
            stranger.clone().header("x5u", "https://evil.example/c").build(),
            "bad_signature",
        ),
        attack(
            "x5c with its own chain",
            stranger.clone().header("x5c", json!(["MIIB"])).build(),
            "bad_signature",
        ),
        attack("x5c of another form", stranger.clone().header("x5c", "MIIB").build(), "malformed"),
        attack(
            "jku of another form",
            stranger.clone().header("jku", json!(["https://evil.example"])).build(),
            "malformed",
        ),
        attack("a salt", Token::student(now).header("salt", "AAAA").build(), "embedded_key"),
        attack("crit", Token::student(now).header("crit", json!(["exp"])).build(), "critical_extension"),
        attack("empty crit", Token::student(now).header("crit", json!([])).build(), "critical_extension"),
        attack(
            "unencoded payload",
            Token::student(now).header("b64", false).header("crit", json!(["b64"])).build(),
            "critical_extension",
        ),
        attack(
            "typ of a logout token",
            Token::student(now).header("typ", "logout+jwt").build(),
            "wrong_type",
        ),
        attack("typ of a proof", Token::student(now).header("typ", "dpop+jwt").build(), "wrong_type"),
        attack("typ is a number", Token::student(now).header("typ", 1).build(), "malformed"),
        attack("kid is a number", Token::student(now).header("kid", 1).build(), "malformed"),
        attack("kid is null", Token::student(now).header("kid", json!(null)).build(), "malformed"),
    ];
    let kids = [
        "../../../../dev/null",
        "/etc/passwd",
        "' UNION SELECT 'secret' --",
        "hmac\0",
        "HMAC",
        "hmac ",
        "",
        "*",
        "{{hmac}}",
        "http://evil.example/key",
        "| cat /etc/passwd",
    ];
    for kid in kids {
        let token = Token::student(now).key(Signer::Hmac(vec![0; 32])).header("kid", kid);
        list.push(attack(format!("kid {kid:?}"), token.build(), "no_key"));
    }
    for (name, secret) in
        [("an empty secret", vec![]), ("32 zeros", vec![0; 32]), ("\"secret\"", b"secret".to_vec())]
    {
        list.push(attack(
            format!("HMAC with {name}"),
            Token::student(now).signed_by(Signer::Hmac(secret)).build(),
            "bad_signature",
        ));
    }
    list
}

/// The three segments are not three, or not what they say.
pub fn shape(now: u64) -> Vec<Attack> {
    let good = Token::student(now);
    let [header, claims, signature] = good.segments();
    let other = Token::staff(now, "admin").segments();
    let last = signature.chars().last().unwrap();
    // 32 bytes leave two unused bits in the last digit: its neighbour means the same to a lax reader.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let neighbour = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    let stray = format!("{}{neighbour}", &signature[..signature.len() - 1]);
    let mut list = vec![
        attack("one segment", header.clone(), "malformed"),
        attack("two segments", format!("{header}.{claims}"), "malformed"),
        attack("four segments", format!("{header}.{claims}.{signature}.{signature}"), "malformed"),
        attack("five segments", format!("{header}.{header}.{header}.{claims}.{signature}"), "malformed"),
        attack("only dots", "..", "malformed"),
        attack("no signature", format!("{header}.{claims}."), "malformed"),
        attack("no claims", format!("{header}..{signature}"), "malformed"),
        attack("no header", format!(".{claims}.{signature}"), "malformed"),
        attack("claims first", format!("{claims}.{header}.{signature}"), "unknown_algorithm"),
        attack("signature first", format!("{signature}.{header}.{claims}"), "malformed"),
        attack("another's claims", format!("{header}.{}.{signature}", other[1]), "bad_signature"),
        attack("another's signature", format!("{header}.{claims}.{}", other[2]), "bad_signature"),
        attack("truncated signature", format!("{header}.{claims}.{}", &signature[..40]), "bad_signature"),
        attack("a signature and more", format!("{header}.{claims}.{}", encode([0; 65])), "bad_signature"),
        attack("stray bits at the end", format!("{header}.{claims}.{stray}"), "malformed"),
        attack("padded signature", format!("{header}.{claims}.{signature}="), "malformed"),
        attack("space at the end", format!("{header}.{claims}.{signature} "), "malformed"),
        attack("line end in the middle", format!("{header}.{claims}\n.{signature}"), "malformed"),
        attack("white space first", format!(" {header}.{claims}.{signature}"), "malformed"),
        attack("100 KiB", format!("{header}.{}.{signature}", "A".repeat(100 * 1024)), "too_large"),
        attack("one byte too long", "a".repeat(8 * 1024 + 1), "too_large"),
        attack("8 KiB of dots", ".".repeat(8 * 1024), "malformed"),
        attack("not base64", "ä.ö.ü", "malformed"),
    ];
    let padded = |text: &str| format!("{}{}", encode(text), "=".repeat((4 - encode(text).len() % 4) % 4));
    // White space after the JSON where its encoding would need no padding.
    let spaced = good.clone().claims_json(fill(good.claims_text())).header_json(fill(good.header_text()));
    list.push(attack("padded base64url, signed so", spaced.build_encoded(padded), "malformed"));
    let standard = |text: &str| encode(text).replace('-', "+").replace('_', "/");
    let slashed = good.clone().claim("x", "???>>>~~~").header("x", "???>>>~~~");
    list.push(attack("standard base64, signed so", slashed.build_encoded(standard), "malformed"));
    list.push(attack(
        "hexadecimal, signed so",
        good.build_encoded(|t| t.bytes().map(|b| format!("{b:02x}")).collect()),
        "malformed",
    ));
    list
}

fn fill(text: String) -> String {
    if text.len().is_multiple_of(3) { text + " " } else { text }
}

/// The JSON is not what two readers would agree on.
pub fn json_text(now: u64) -> Vec<Attack> {
    let good = Token::student(now);
    let (header, claims) = (good.header_text(), good.claims_text());
    let inner = |text: &str| text.trim_start_matches('{').trim_end_matches('}').to_owned();
    let (inner_header, inner_claims) = (inner(&header), inner(&claims));
    let with_header = |text: String| good.clone().header_json(text).build();
    let with_claims = |text: String| good.clone().claims_json(text).build();
    let deep = |n: usize| format!("{{{inner_claims},\"x\":{}{}}}", "[".repeat(n), "]".repeat(n));
    let wide = format!("{{{inner_claims},\"x\":[{}]}}", vec!["0"; 2_500].join(","));
    vec![
        attack(
            "alg twice in the header",
            with_header(format!("{{\"alg\":\"none\",{inner_header}}}")),
            "duplicate_member",
        ),
        attack(
            "alg twice, escaped",
            with_header(format!("{{{inner_header},\"\\u0061lg\":\"none\"}}")),
            "duplicate_member",
        ),
        attack("kid twice", with_header(format!("{{{inner_header},\"kid\":\"rsa\"}}")), "duplicate_member"),
        attack(
            "sub twice",
            with_claims(format!("{{{inner_claims},\"sub\":\"{STAFF}\"}}")),
            "duplicate_member",
        ),
        attack(
            "role twice, escaped",
            with_claims(format!("{{{inner_claims},\"rol\\u0065\":\"admin\"}}")),
            "duplicate_member",
        ),
        attack(
            "a name twice deep inside",
            with_claims(format!("{{{inner_claims},\"x\":{{\"y\":1,\"y\":2}}}}")),
            "duplicate_member",
        ),
        attack("header is an array", with_header(format!("[{header}]")), "malformed"),
        attack("header is a string", with_header("\"HS256\"".into()), "malformed"),
        attack("claims are an array", with_claims(format!("[{claims}]")), "malformed"),
        attack("claims are null", with_claims("null".into()), "malformed"),
        attack("empty claims", with_claims("{}".into()), "missing_exp"),
        attack("something after the claims", with_claims(format!("{claims}{claims}")), "malformed"),
        attack("a byte order mark", with_claims(format!("\u{feff}{claims}")), "malformed"),
        attack("a comment", with_claims(format!("{claims}/**/")), "malformed"),
        attack("single quotes", with_claims(claims.replace('"', "'")), "malformed"),
        attack("33 arrays in each other", with_claims(deep(33)), "malformed"),
        attack("2500 arrays in each other", with_claims(deep(2_500)), "malformed"),
        attack(
            "a number of 1000 digits",
            with_claims(format!("{{{inner_claims},\"x\":1{}}}", "0".repeat(1_000))),
            "malformed",
        ),
        attack(
            "a wide array signed by a stranger",
            good.clone().claims_json(wide).signed_by(Signer::Hmac(vec![1; 32])).build(),
            "bad_signature",
        ),
        attack(
            "half a surrogate pair",
            with_claims(format!("{{{inner_claims},\"x\":\"\\ud800\"}}")),
            "malformed",
        ),
    ]
}

/// The times are not times, or not now.
pub fn time(now: u64) -> Vec<Attack> {
    let good = || Token::student(now);
    let mut list = vec![
        attack("no exp", good().without("exp").build(), "missing_exp"),
        attack("expired long ago", good().expires_in(-3_600).build(), "expired"),
        attack("expired beyond every leeway", good().expires_in(-61).build(), "expired"),
        attack("exp is 0", good().claim("exp", 0).build(), "expired"),
        attack(
            "exp is -0",
            good()
                .claims_json(good().claims_text().replace(&format!("\"exp\":{}", now + 3_600), "\"exp\":-0"))
                .build(),
            "bad_time",
        ),
        attack("nbf in two minutes", good().claim("nbf", now + 120).build(), "not_yet_valid"),
        attack("issued in two minutes", good().claim("iat", now + 120).build(), "issued_in_future"),
        attack(
            "an infinite exp",
            good().claims_json(good().claims_text().replace(&(now + 3_600).to_string(), "1e999")).build(),
            "malformed",
        ),
        attack(
            "NaN",
            good().claims_json(good().claims_text().replace(&(now + 3_600).to_string(), "NaN")).build(),
            "malformed",
        ),
    ];
    for (name, value) in [
        ("a string", json!((now + 3_600).to_string())),
        ("null", json!(null)),
        ("true", json!(true)),
        ("an array", json!([now + 3_600])),
        ("negative", json!(-1)),
        ("a negative fraction", json!(-0.5)),
        ("in milliseconds", json!((now + 3_600) * 1_000)),
        ("the largest integer", json!(u64::MAX)),
        ("the smallest integer", json!(i64::MIN)),
        ("1e300", json!(1e300)),
        ("after the year 9999", json!(253_402_300_800_u64)),
    ] {
        for claim in ["exp", "nbf", "iat"] {
            list.push(attack(
                format!("{claim} is {name}"),
                good().claim(claim, value.clone()).build(),
                "bad_time",
            ));
        }
    }
    list
}

/// The issuer's token is for somebody or something else.
pub fn identity(now: u64) -> Vec<Attack> {
    let good = || Token::student(now);
    let mut list = vec![
        attack("no iss", good().without("iss").build(), "wrong_issuer"),
        attack("another iss", good().claim("iss", "evil").build(), "wrong_issuer"),
        attack("iss is an array", good().claim("iss", json!(["learnflow-auth"])).build(), "wrong_issuer"),
        attack("iss with a slash more", good().claim("iss", "learnflow-auth/").build(), "wrong_issuer"),
        attack("no aud", good().without("aud").build(), "wrong_audience"),
        attack("another aud", good().claim("aud", "billing").build(), "wrong_audience"),
        attack("empty list of aud", good().claim("aud", json!([])).build(), "wrong_audience"),
        attack(
            "others in the list of aud",
            good().claim("aud", json!(["billing", "learnflow"])).build(),
            "wrong_audience",
        ),
        attack(
            "a number in the list of aud",
            good().claim("aud", json!(["learnflow-api", 1])).build(),
            "wrong_audience",
        ),
        attack(
            "aud is an object",
            good().claim("aud", json!({"learnflow-api": true})).build(),
            "wrong_audience",
        ),
        attack("aud nested", good().claim("aud", json!([["learnflow-api"]])).build(), "wrong_audience"),
        attack("jti is a number", good().claim("jti", 1).build(), "bad_claim"),
        attack("nonce is an object", good().claim("nonce", json!({})).build(), "bad_claim"),
        attack("no sub", good().without("sub").build(), "bad_subject"),
        attack("sub is a number", good().claim("sub", 7).build(), "bad_subject"),
        attack("no role", good().without("role").build(), "bad_role"),
        attack("unknown role", good().role("root").build(), "bad_role"),
        attack("role in capitals", good().role("Student").build(), "bad_role"),
        attack("role is an array", good().claim("role", json!(["student"])).build(), "bad_role"),
        attack("unknown role, expired", good().role("root").expires_in(-3_600).build(), "expired"),
        attack("a student as admin", good().role("admin").build(), "subject_role_mismatch"),
        attack("a student as instructor", good().role("instructor").build(), "subject_role_mismatch"),
        attack("staff as student", Token::staff(now, "student").build(), "subject_role_mismatch"),
    ];
    for (name, subject) in [
        ("with NUL", format!("{STUDENT}\0")),
        ("with a line end", format!("{STUDENT}\nrole: admin")),
        ("in capitals", STUDENT.to_uppercase()),
        ("without hyphens", STUDENT.replace('-', "")),
        ("with a look-alike", STUDENT.replace('a', "а")),
        ("with SQL", format!("{STUDENT}' OR '1'='1")),
        ("with a path", "student_../../../../etc/passwd".to_owned()),
        ("of another kind", STUDENT.replace("student_", "service_")),
        ("that is empty", String::new()),
        ("that is a list", format!("{STUDENT},{STAFF}")),
    ] {
        list.push(attack(format!("sub {name}"), good().subject(&subject).build(), "bad_subject"));
    }
    list
}
