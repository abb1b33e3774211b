use super::*;

fn with(changes: &[(&str, &str)]) -> Result<Config, Faults> {
    let settings = changes
        .iter()
        .fold(Settings::default(), |settings, (name, value)| settings.with(name, value).expect("a variable"));
    Config::read(&settings)
}

#[test]
fn the_defaults_are_a_working_development_setup() {
    let config = with(&[]).unwrap();
    assert_eq!(config.environment, Environment::Development);
    assert_eq!(config.dapr.url, STAND_IN_URL);
    assert!(config.keys.accepts_secret(DEVELOPMENT_SECRET));
    assert_eq!((config.rate_limit, config.resilience.attempts), (100, 3));
    let evaluated = crate::intent::Options::default().threshold;
    assert_eq!(config.confidence_threshold, evaluated, "what is evaluated is what is served");
}

#[test]
fn each_bad_value_is_reported_under_its_own_name() {
    for (name, value) in [
        ("environment", "prod"),
        ("dapr_url", "localhost:3500"),
        ("dapr_url", "http://localhost:3500/v1.0"),
        ("dapr_api_token", "line\nbreak"),
        ("pubsub_name", "a/b"),
        ("audit_topic", ""),
        ("jwt_keys", "not keys"),
        ("jwt_jwks_url", "ftp://keys.example/jwks"),
        ("jwt_issuer", ""),
        ("jwt_audience", " "),
        ("jwt_leeway_s", "-1"),
        ("rate_limit_per_minute", "0"),
        ("confidence_threshold", "1.5"),
        ("confidence_threshold", "NaN"),
        ("classifier_mode", "magic"),
        ("agents", "[]"),
        ("deadline_ms", "1e3"),
        ("breaker_failures", "0"),
        ("breaker_open_s", ""),
        ("retry_attempts", "11"),
        ("cors_origins", "*"),
        ("cors_origins", "https://a.example/path"),
        ("cors_origins", "https://App.example"),
        ("cors_origins", "https://app.example:443"),
        ("dapr_url", "http://localhost:99999"),
        ("dapr_url", "http://localhost:port"),
        ("audit_topic", ".."),
        ("app_api_token", "tökén"),
        ("block_flags", "sql,magic"),
        ("features", "{\"enable_magic\": true}"),
        ("llm_timeout_ms", "0"),
        ("body_timeout_ms", "1"),
    ] {
        let faults = with(&[(name, value)]).unwrap_err();
        assert!(faults.names(name), "{name}={value:?}: {faults}");
    }
}

#[test]
fn all_faults_come_at_once() {
    let faults =
        with(&[("environment", "x"), ("rate_limit_per_minute", "x"), ("retry_attempts", "x")]).unwrap_err();
    assert_eq!(faults.iter().count(), 3, "{faults}");
}

#[test]
fn a_key_set_address_needs_its_origin_beside_it() {
    let url = ("jwt_jwks_url", "https://id.example/jwks.json");
    assert!(with(&[url]).unwrap_err().names("jwt_jwks_origin"));
    assert!(with(&[url, ("jwt_jwks_origin", "https://id.example")]).is_ok());
    assert!(with(&[url, ("jwt_jwks_origin", "https://id.example/")]).unwrap_err().names("jwt_jwks_origin"));
}

#[test]
fn the_published_key_opens_the_stand_in_only() {
    let cluster = ("dapr_url", "http://localhost:3500");
    assert!(with(&[cluster]).unwrap_err().names("jwt_keys"));
    assert!(with(&[cluster, ("environment", "production")]).unwrap_err().names("jwt_keys"));
}

#[test]
fn outside_development_the_sidecar_must_be_a_real_one() {
    assert!(with(&[("environment", "production")]).unwrap_err().names("dapr_url"));
}

#[test]
fn authentication_cannot_be_switched_off_outside_development() {
    let off = ("features", r#"{"enable_jwt_validation": false}"#);
    assert!(with(&[off]).is_ok());
    assert!(
        with(&[off, ("dapr_url", "http://localhost:3500"), ("jwt_keys", "")]).unwrap_err().names("features")
    );
    assert!(with(&[off, ("environment", "production")]).unwrap_err().names("features"));
}

#[test]
fn without_any_key_nothing_is_served() {
    let faults = with(&[("jwt_keys", "")]).unwrap_err();
    assert!(faults.names("jwt_keys"), "{faults}");
}

#[test]
fn no_fault_repeats_a_secret() {
    let secret = "hunter2-s3cr3t-value";
    for variable in TABLE.iter().filter(|v| v.secret) {
        for value in [
            secret.to_owned(),
            format!("{secret}\n{secret}"),
            format!("{{\"keys\":[{{\"k\":\"{secret}\"}}]}}"),
        ] {
            if let Err(faults) = with(&[(variable.name, &value)]) {
                assert!(!faults.to_string().contains(secret), "{}: {faults}", variable.name);
            }
        }
    }
}

#[test]
fn the_record_key_follows_the_secrets() {
    let key = |name: &str, value: &str| Settings::default().with(name, value).unwrap().record_key();
    assert_ne!(key("app_api_token", "a"), key("app_api_token", "b"));
    assert_ne!(key("app_api_token", "a"), key("metrics_token", "a"));
    assert_eq!(key("rate_limit_per_minute", "5"), Settings::default().record_key());
    assert_ne!(key("record_secret", "a"), key("record_secret", "b"));
}
