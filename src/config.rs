//! The configuration: from the text of the variables to a typed value, or to every fault at once.
//!
//! Two steps. [`Settings`] holds the text of every variable of [`TABLE`] as Spin gave it;
//! [`Config::read`] checks all of them and reports all faults by name, never with a secret's value.
//! A request meets either a complete configuration or a 503 that names what is wrong.

mod faults;
mod flags;
mod parse;
mod variables;

pub use faults::Faults;
pub use flags::{Flag, Flags};
pub use variables::{Settings, TABLE, Variable};

use std::time::Duration;

use crate::agents::AgentTable;
use crate::auth::{KeySet, TokenPolicy};
use crate::threat::Threat;

/// Where Spin's service chaining finds the stand-in sidecar; the default of `dapr_url`.
pub const STAND_IN_URL: &str = "http://sidecar.spin.internal";

/// The HS256 secret printed by `make up`. It opens nothing but the stand-in.
pub const DEVELOPMENT_SECRET: &str = "triage-development-key-never-use-in-production";

/// Which rules of caution apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// A laptop: the stand-in sidecar and the published key are fine.
    Development,
    /// Everything else.
    Production,
}

/// When the classifier asks a language model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassifierMode {
    /// Never.
    Patterns,
    /// When the patterns are below the threshold.
    Hybrid,
    /// First, with the patterns as fallback.
    Llm,
}

/// How to reach the sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaprConfig {
    /// Origin without a trailing slash.
    pub url: String,
    /// Sent as `dapr-api-token`, if set.
    pub api_token: Option<String>,
    /// Pub/sub component.
    pub pubsub: String,
    /// Topic of decisions.
    pub audit_topic: String,
    /// Topic of refusals.
    pub security_topic: String,
    /// Topic of what could not be delivered.
    pub dead_letter_topic: String,
}

/// Retry, breaker and deadline numbers (design section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resilience {
    /// From the complete request to its answer, or to a stream's first byte.
    pub deadline: Duration,
    /// Consecutive failures that open a breaker.
    pub breaker_failures: u32,
    /// How long it stays open.
    pub breaker_open: Duration,
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// Until the caller's body must be complete.
    pub body_timeout: Duration,
}

/// A complete, consistent configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Rules of caution.
    pub environment: Environment,
    /// The sidecar.
    pub dapr: DaprConfig,
    /// What Dapr must send to `/internal/*`.
    pub app_api_token: Option<String>,
    /// Bearer token of `/metrics`.
    pub metrics_token: Option<String>,
    /// Keys that tokens may be signed with, as configured.
    pub keys: KeySet,
    /// Where further keys are published.
    pub jwks_url: Option<String>,
    /// What a token must say.
    pub token_policy: TokenPolicy,
    /// Requests per student and minute.
    pub rate_limit: u32,
    /// Below it the classifier abstains.
    pub confidence_threshold: f64,
    /// When a language model is asked.
    pub classifier_mode: ClassifierMode,
    /// Who answers what.
    pub agents: AgentTable,
    /// Deadlines and counts.
    pub resilience: Resilience,
    /// Origins whose pages may call the API.
    pub cors_origins: Vec<String>,
    /// Classes of suspicious text that are refused.
    pub block_flags: Vec<Threat>,
    /// The switches.
    pub flags: Flags,
    /// Keys the fingerprints in stored records; derived from the secrets, never stored.
    pub record_key: [u8; 32],
}

impl Config {
    /// Reads all variables; all faults at once.
    pub fn read(settings: &Settings) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let environment = parse::environment(settings, &mut faults);
        let flags = parse::flags(settings, &mut faults);
        let dapr = parse::dapr(settings, &mut faults);
        let keys = parse::keys(settings, &mut faults);
        let config = Self {
            environment,
            app_api_token: parse::header_secret(settings, "app_api_token", &mut faults),
            metrics_token: settings.optional("metrics_token"),
            jwks_url: parse::jwks_url(settings, &mut faults),
            token_policy: parse::token_policy(settings, &mut faults),
            rate_limit: parse::number(settings, "rate_limit_per_minute", 1..=1_000_000, &mut faults),
            confidence_threshold: parse::fraction(settings, "confidence_threshold", &mut faults),
            classifier_mode: parse::classifier_mode(settings, &mut faults),
            agents: parse::agents(settings, &mut faults),
            resilience: parse::resilience(settings, &mut faults),
            cors_origins: parse::origins(settings, &mut faults),
            block_flags: parse::block_flags(settings, &mut faults),
            record_key: settings.record_key(),
            dapr,
            keys,
            flags,
        };
        config.check_caution(settings, &mut faults);
        if faults.is_empty() { Ok(config) } else { Err(faults) }
    }

    /// What is only dangerous in combination.
    fn check_caution(&self, settings: &Settings, faults: &mut Faults) {
        let stand_in = self.dapr.url == STAND_IN_URL;
        let authenticates = self.flags.on(Flag::JwtValidation);
        let production = self.environment == Environment::Production && !faults.names("environment");
        if production && self.dapr.url.contains(".spin.internal") {
            faults.add(
                "dapr_url",
                "names a component of the app; outside development it must name the sidecar",
            );
        }
        if !stand_in && self.keys.accepts_secret(DEVELOPMENT_SECRET) {
            faults.add(
                "jwt_keys",
                "holds the published development key, which works with the stand-in sidecar only",
            );
        }
        let on_a_laptop = stand_in && self.environment == Environment::Development;
        if !authenticates && !on_a_laptop {
            faults.add(
                "features",
                "enable_jwt_validation may be off in development with the stand-in sidecar only",
            );
        }
        if authenticates && self.keys.is_empty() && self.jwks_url.is_none() && !faults.names("jwt_keys") {
            faults.add("jwt_keys", "no key: set jwt_keys or jwt_jwks_url");
        }
        if self.classifier_mode != ClassifierMode::Patterns && settings.optional("llm_url").is_some() {
            faults.add("classifier_mode", "the language-model tier is not built yet; use patterns");
        }
    }
}

#[cfg(test)]
mod docs_tests;
#[cfg(test)]
mod tests;
