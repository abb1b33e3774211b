use proptest::prelude::*;

use super::token_support::{self as support, ISSUER, STAFF, STUDENT, Signer, Token, attacks};
use super::*;
use crate::ports::UnixMillis;

const NOW: u64 = 1_800_000_000;
const NOW_MS: UnixMillis = NOW * 1_000;

fn policy() -> TokenPolicy {
    TokenPolicy { issuer: ISSUER.into(), audience: support::AUDIENCE.into(), leeway_s: 30 }
}

fn keys() -> KeySet {
    KeySet::parse(&support::jwks()).unwrap()
}

fn check(token: &str) -> Result<Claims, Refusal> {
    verify(token, &keys(), &policy(), NOW_MS)
}

const ISSUER_KEYS: [Signer; 4] = [Signer::Hs256, Signer::Rs256, Signer::Es256, Signer::EdDsa];

#[test]
fn a_good_token_of_every_algorithm_gives_subject_role_and_end() {
    for signer in ISSUER_KEYS {
        let claims = check(&Token::student(NOW).key(signer.clone()).build()).unwrap();
        assert_eq!(claims.subject.as_str(), STUDENT, "{signer:?}");
        assert_eq!((claims.role, claims.expires_at), (Role::Student, NOW_MS + 3_600_000));
    }
    for (role, name) in [(Role::Instructor, "instructor"), (Role::Admin, "admin")] {
        let claims = check(&Token::staff(NOW, name).build()).unwrap();
        assert_eq!((claims.subject.as_str(), claims.role), (STAFF, role));
    }
}

#[test]
fn a_token_may_leave_out_what_is_optional_and_say_more_than_is_needed() {
    let good = || Token::student(NOW);
    for (name, token) in [
        ("no typ", good().without_header("typ")),
        ("typ at+jwt", good().header("typ", "at+jwt")),
        ("typ in full and capitals", good().header("typ", "application/AT+JWT")),
        ("no kid", good().without_header("kid")),
        ("EdDSA under its newer name", good().key(Signer::EdDsa).header("alg", "Ed25519")),
        (
            "addresses and a chain",
            good().header("jku", "https://id.example").header("x5c", vec!["MIIB"]).header("x5t", "a"),
        ),
        ("an unknown header member", good().header("zip", "DEF").header("x", vec![1])),
        ("no nbf and iat", good().without("nbf").without("iat")),
        ("fractions of a second", good().claim("exp", NOW as f64 + 0.5).claim("iat", NOW as f64 - 0.25)),
        ("exponents", good().claim("exp", 2e9)),
        ("us among the audiences", good().claim("aud", vec!["billing", support::AUDIENCE])),
        ("jti and nonce", good().claim("jti", "1").claim("nonce", "2")),
        (
            "other claims",
            good().claim("groups", vec!["a"]).claim("address", serde_json::json!({"city": "x"})),
        ),
        (
            "depth",
            good().claims_json(good().claims_text().replace("\"now\":", "\"x\":[[[[[[[[{}]]]]]]]],\"now\":")),
        ),
        ("white space", good().claims_json(good().claims_text().replace(',', " ,\n\t"))),
    ] {
        assert!(check(&token.build()).is_ok(), "{name}: {:?}", check(&token.build()));
    }
}

#[test]
fn a_fraction_of_a_second_counts() {
    let token = Token::student(NOW).claim("exp", NOW as f64 + 0.5).build();
    let strict = TokenPolicy { leeway_s: 0, ..policy() };
    assert!(verify(&token, &keys(), &strict, NOW_MS + 499).is_ok());
    assert_eq!(verify(&token, &keys(), &strict, NOW_MS + 500), Err(Refusal::Expired));
}

#[test]
fn the_edges_of_time_are_exact_for_every_leeway() {
    let token = Token::student(NOW).claim("nbf", NOW).claim("iat", NOW).expires_in(60).build();
    let issued = Token::student(NOW).without("nbf").claim("iat", NOW).expires_in(60).build();
    for leeway_s in [0, 30] {
        let policy = TokenPolicy { leeway_s, ..policy() };
        let leeway = leeway_s * 1_000;
        for (token, now, expected) in [
            (&token, NOW_MS - leeway - 1, Some(Refusal::NotYetValid)),
            (&token, NOW_MS - leeway, None),
            (&issued, NOW_MS - leeway - 1, Some(Refusal::IssuedInFuture)),
            (&issued, NOW_MS - leeway, None),
            (&token, NOW_MS + 60_000 + leeway - 1, None),
            (&token, NOW_MS + 60_000 + leeway, Some(Refusal::Expired)),
            (&token, u64::MAX, Some(Refusal::Expired)),
            (&token, 0, Some(Refusal::NotYetValid)),
        ] {
            assert_eq!(verify(token, &keys(), &policy, now).err(), expected, "leeway {leeway_s}, {now}");
        }
    }
    let boundless = TokenPolicy { leeway_s: u64::MAX, ..policy() };
    assert!(verify(&token, &keys(), &boundless, NOW_MS).is_ok());
}

#[test]
fn only_our_time_counts_not_the_machines() {
    let ancient = 1_000;
    let token = Token::student(ancient).key(Signer::Rs256).build();
    assert!(verify(&token, &keys(), &policy(), ancient * 1_000).is_ok());
    let far = 250_000_000_000;
    let token = Token::student(far).key(Signer::Es256).build();
    assert!(verify(&token, &keys(), &policy(), far * 1_000).is_ok());
}

#[test]
fn every_attack_is_refused_for_its_own_reason() {
    let attacks = attacks::all(NOW);
    assert!(attacks.len() >= 150, "{}", attacks.len());
    for attack in attacks {
        let refusal = check(&attack.token).map(|_| "accepted").unwrap_or_else(Refusal::as_str);
        assert_eq!(refusal, attack.refusal, "{}", attack.name);
    }
}

#[test]
fn every_single_changed_byte_is_refused() {
    let token = Token::student(NOW).key(Signer::EdDsa).build();
    for index in 0..token.len() {
        for replacement in [b'A', b'_', b'.', b'='] {
            let mut bytes = token.clone().into_bytes();
            if bytes[index] != replacement {
                bytes[index] = replacement;
                let changed = String::from_utf8(bytes).unwrap();
                assert!(check(&changed).is_err(), "byte {index} as {}", replacement as char);
            }
        }
    }
}

#[test]
fn without_keys_nobody_comes_in() {
    for signer in ISSUER_KEYS {
        let token = Token::student(NOW).key(signer).build();
        assert_eq!(verify(&token, &KeySet::default(), &policy(), NOW_MS), Err(Refusal::NoKey));
    }
    assert_eq!(check(""), Err(Refusal::Missing));
}

#[test]
fn keys_without_identifier_are_tried_for_tokens_with_one_and_an_unknown_one_asks_for_fresh_keys() {
    let pem = KeySet::parse(&[support::RS256_PEM, support::ES256_PEM, support::EDDSA_PEM].concat()).unwrap();
    for signer in [Signer::Rs256, Signer::Es256, Signer::EdDsa] {
        let token = Token::student(NOW).key(signer).build();
        assert!(verify(&token, &pem, &policy(), NOW_MS).is_ok());
    }
    let stranger = Token::student(NOW).key(Signer::Stranger);
    let refusal = verify(&stranger.build(), &pem, &policy(), NOW_MS).unwrap_err();
    assert_eq!(refusal, Refusal::NoKey, "its kid may be a key we have not fetched yet");
    assert!(refusal.wants_fresh_keys());
    let nameless = stranger.without_header("kid").build();
    assert_eq!(verify(&nameless, &pem, &policy(), NOW_MS), Err(Refusal::BadSignature));
    assert!(!Refusal::BadSignature.wants_fresh_keys());
}

#[test]
fn a_token_without_kid_is_tried_with_eight_keys_at_most() {
    use serde_json::json;
    let decoy = |n: u8| json!({"kty": "oct", "kid": format!("k{n}"), "k": support::encode([n; 32])});
    let with_decoys = |n: u8| {
        let keys: Vec<_> = (0..n).map(decoy).chain([support::secret_jwk()]).collect();
        KeySet::parse(&json!({ "keys": keys }).to_string()).unwrap()
    };
    let token = Token::student(NOW).without_header("kid").build();
    assert!(verify(&token, &with_decoys(7), &policy(), NOW_MS).is_ok());
    assert_eq!(verify(&token, &with_decoys(8), &policy(), NOW_MS), Err(Refusal::BadSignature));
    let named = Token::student(NOW).build();
    assert!(verify(&named, &with_decoys(60), &policy(), NOW_MS).is_ok());
}

#[test]
fn refusals_have_distinct_closed_names() {
    let names: std::collections::BTreeSet<&str> = Refusal::ALL.iter().map(|r| r.as_str()).collect();
    assert_eq!(names.len(), Refusal::ALL.len());
    for refusal in Refusal::ALL {
        assert_eq!(refusal.to_string(), refusal.as_str());
        assert!(refusal.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{refusal}");
    }
}

#[test]
fn the_cache_never_says_more_than_verification_would() {
    let token = Token::student(NOW).expires_in(60).build();
    let claims = check(&token).unwrap();
    let mut cache = VerifiedCache::default();
    cache.put(&token, keys().version(), NOW_MS, &claims);
    for step in 0..200 {
        let now = NOW_MS + step * 500;
        let hit = cache.get(&token, keys().version(), now);
        let verdict = verify(&token, &keys(), &policy(), now).ok();
        assert_eq!(hit, verdict.filter(|claims| now < claims.expires_at), "{now}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_accepted_or_breaks_the_parser(text in "\\PC*") {
        prop_assert!(check(&text).is_err());
    }

    #[test]
    fn no_three_segments_are_accepted_or_break_the_parser(
        header in prop_oneof![Just(r#"{"alg":"HS256"}"#.to_owned()), Just(r#"{"alg":"ES256"}"#.to_owned()), "\\{.{0,40}\\}"],
        claims in prop_oneof![Just(Token::student(NOW).claims_text()), ".{0,60}"],
        signature in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let token = format!("{}.{}.{}", support::encode(header), support::encode(claims), support::encode(signature));
        prop_assert!(check(&token).is_err());
    }

    #[test]
    fn whatever_the_issuer_signs_is_judged_without_breaking(
        name in prop_oneof![Just("exp"), Just("nbf"), Just("iat"), Just("aud"), Just("sub"), Just("role"), Just("jti"), Just("iss")],
        value in prop_oneof![
            any::<f64>().prop_map(|n| serde_json::json!(n)),
            any::<i64>().prop_map(|n| serde_json::json!(n)),
            any::<u64>().prop_map(|n| serde_json::json!(n)),
            "\\PC{0,20}".prop_map(|t| serde_json::json!(t)),
            Just(serde_json::json!(null)),
            Just(serde_json::json!([[]])),
        ],
        now in any::<u64>(),
    ) {
        let token = Token::student(NOW).claim(name, value).build();
        let first = verify(&token, &keys(), &policy(), now);
        prop_assert_eq!(&first, &verify(&token, &keys(), &policy(), now));
        prop_assert_ne!(first, Err(Refusal::BadSignature), "jwt-simple refused what we had found well-formed");
    }
}
