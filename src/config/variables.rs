//! The table of all variables, and their text as it was set.

use std::collections::BTreeMap;

use super::Faults;
use crate::ports::{VariableFault, Variables};

/// One row: what `spin.toml` declares and `docs/configuration.md` explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Name in Spin; `SPIN_VARIABLE_` and the upper-case name in the environment.
    pub name: &'static str,
    /// Value when nothing is set; the same as in `spin.toml`.
    pub default: &'static str,
    /// Whether its value may never be shown.
    pub secret: bool,
}

const fn plain(name: &'static str, default: &'static str) -> Variable {
    Variable { name, default, secret: false }
}

const fn secret(name: &'static str, default: &'static str) -> Variable {
    Variable { name, default, secret: true }
}

/// Every variable there is.
pub const TABLE: [Variable; 33] = [
    plain("environment", "development"),
    plain("dapr_url", super::STAND_IN_URL),
    secret("dapr_api_token", ""),
    secret("app_api_token", ""),
    secret("metrics_token", ""),
    plain("pubsub_name", "kafka-pubsub"),
    plain("audit_topic", "learning.events"),
    plain("security_topic", "learning.events.security"),
    plain("dead_letter_topic", "dead-letter.queue"),
    secret("jwt_keys", DEVELOPMENT_JWKS),
    plain("jwt_jwks_url", ""),
    plain("jwt_jwks_origin", ""),
    plain("jwt_issuer", "learnflow-auth"),
    plain("jwt_audience", "learnflow-api"),
    plain("jwt_leeway_s", "30"),
    plain("rate_limit_per_minute", "100"),
    plain("confidence_threshold", "0.6"),
    plain("classifier_mode", "patterns"),
    plain("llm_url", ""),
    plain("llm_origin", ""),
    plain("llm_model", ""),
    secret("llm_api_key", ""),
    plain("llm_timeout_ms", "800"),
    plain("agents", ""),
    plain("deadline_ms", "10000"),
    plain("breaker_failures", "5"),
    plain("breaker_open_s", "30"),
    plain("retry_attempts", "3"),
    plain("cors_origins", ""),
    plain("block_flags", ""),
    plain("features", ""),
    secret("record_secret", ""),
    plain("body_timeout_ms", "10000"),
];

/// The published development key as a JWKS document (see [`super::DEVELOPMENT_SECRET`]).
pub const DEVELOPMENT_JWKS: &str = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"development","k":"dHJpYWdlLWRldmVsb3BtZW50LWtleS1uZXZlci11c2UtaW4tcHJvZHVjdGlvbg"}]}"#;

/// The text of every variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings(BTreeMap<&'static str, String>);

impl Default for Settings {
    fn default() -> Self {
        Self(TABLE.iter().map(|v| (v.name, v.default.to_owned())).collect())
    }
}

impl Settings {
    /// Reads every variable; each that cannot be read is a fault.
    pub async fn load(source: &impl Variables) -> Result<Self, Faults> {
        let reads = TABLE.iter().map(|v| async move { (v.name, source.variable(v.name).await) });
        let mut texts = BTreeMap::new();
        let mut faults = Faults::default();
        for (name, text) in futures_util::future::join_all(reads).await {
            match text {
                Ok(text) => drop(texts.insert(name, text)),
                Err(VariableFault) => faults.add(name, "cannot be read"),
            }
        }
        if faults.is_empty() { Ok(Self(texts)) } else { Err(faults) }
    }

    /// The same settings with `name` set to `value`; `None` when there is no such variable.
    pub fn with(mut self, name: &str, value: &str) -> Option<Self> {
        let (_, slot) = self.0.iter_mut().find(|(known, _)| **known == name)?;
        value.clone_into(slot);
        Some(self)
    }

    /// The text of `name` without white space around it; empty when unset.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |text| text.trim())
    }

    /// The text of `name`, `None` when empty.
    pub fn optional(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A key for fingerprints in stored records: `record_secret`, or else a digest over all
    /// secrets, so that reading the store alone does not allow guessing questions.
    pub fn record_key(&self) -> [u8; 32] {
        let mut hash = hmac_sha256::Hash::new();
        hash.update(b"triage record key v1");
        let own = self.text("record_secret");
        if own.is_empty() {
            for variable in TABLE.iter().filter(|v| v.secret) {
                hash.update([0]);
                hash.update(self.text(variable.name));
            }
        } else {
            hash.update(own);
        }
        hash.finalize()
    }
}
