//! The switches of the variable `features`, one row each.

use serde_json::Value;

/// A switch with a real effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Flag {
    /// Off: `classifier_mode` is treated as `patterns`.
    OpenaiRouter,
    /// Off: only the language model classifies; without one every message abstains.
    SkillLibrary,
    /// Off: a language-model fault abstains instead of falling back to the patterns.
    FallbackToSkill,
    /// Off: hand-written patterns only.
    MlClassifier,
    /// Off: the breaker admits always.
    CircuitBreaker,
    /// Off: one attempt.
    RetryPolicy,
    /// Off: nothing published to the dead letter queue, nothing kept.
    DeadLetterQueue,
    /// Off (development only): the identity comes from `x-consumer-username`.
    JwtValidation,
    /// Off: never 429.
    RateLimiting,
    /// Off: no threat flags, no blocking; redaction stays.
    RequestSanitization,
    /// Off: no trace headers in or out.
    DistributedTracing,
    /// Off: `/metrics` is 404 and nothing is counted.
    PrometheusMetrics,
    /// Off: no write-ahead record, no events.
    AuditLogging,
    /// Off: store handles are opened anew for each store call.
    ConnectionPooling,
    /// Off: the write-ahead record is written before the call, not beside it.
    ConcurrentProcessing,
    /// On: an identical question of the same student within 60 s gets the stored answer.
    ResponseCaching,
    /// Off: `/api/v1/classify/batch` is 404.
    BatchProcessing,
}

/// Name and default of every flag.
pub const ALL: [(Flag, &str, bool); 17] = [
    (Flag::OpenaiRouter, "enable_openai_router", true),
    (Flag::SkillLibrary, "enable_skill_library", true),
    (Flag::FallbackToSkill, "enable_fallback_to_skill", true),
    (Flag::MlClassifier, "enable_ml_classifier", true),
    (Flag::CircuitBreaker, "enable_circuit_breaker", true),
    (Flag::RetryPolicy, "enable_retry_policy", true),
    (Flag::DeadLetterQueue, "enable_dead_letter_queue", true),
    (Flag::JwtValidation, "enable_jwt_validation", true),
    (Flag::RateLimiting, "enable_rate_limiting", true),
    (Flag::RequestSanitization, "enable_request_sanitization", true),
    (Flag::DistributedTracing, "enable_distributed_tracing", true),
    (Flag::PrometheusMetrics, "enable_prometheus_metrics", true),
    (Flag::AuditLogging, "enable_audit_logging", true),
    (Flag::ConnectionPooling, "enable_connection_pooling", true),
    (Flag::ConcurrentProcessing, "enable_concurrent_processing", true),
    (Flag::ResponseCaching, "enable_response_caching", false),
    (Flag::BatchProcessing, "enable_batch_processing", false),
];

/// The state of all flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags([bool; ALL.len()]);

impl Default for Flags {
    fn default() -> Self {
        Self(ALL.map(|(_, _, default)| default))
    }
}

impl Flags {
    /// Whether `flag` is on.
    pub fn on(&self, flag: Flag) -> bool {
        self.0.get(flag as usize).copied().unwrap_or(false)
    }

    /// Reads a JSON object of flag to bool over the defaults; faults name the flag.
    pub fn parse(json: &str) -> Result<Self, Vec<String>> {
        let mut flags = Self::default();
        if json.trim().is_empty() {
            return Ok(flags);
        }
        let Ok(Value::Object(object)) = serde_json::from_str(json) else {
            return Err(vec!["must be a JSON object of flag to true or false".into()]);
        };
        let mut faults = Vec::new();
        for (name, value) in object {
            let flag = ALL.iter().find(|(_, known, _)| *known == name).map(|(flag, _, _)| *flag);
            match (flag.and_then(|flag| flags.0.get_mut(flag as usize)), value) {
                (Some(slot), Value::Bool(on)) => *slot = on,
                (Some(_), _) => faults.push(format!("{name} must be true or false")),
                (None, _) => faults.push(format!("unknown flag {name:?}")),
            }
        }
        if faults.is_empty() { Ok(flags) } else { Err(faults) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_at_its_own_index() {
        for (index, (flag, name, _)) in ALL.iter().enumerate() {
            assert_eq!(*flag as usize, index, "{name}");
        }
    }

    #[test]
    fn named_flags_change_and_the_others_keep_their_defaults() {
        let flags =
            Flags::parse(r#"{"enable_retry_policy": false, "enable_batch_processing": true}"#).unwrap();
        assert!(!flags.on(Flag::RetryPolicy));
        assert!(flags.on(Flag::BatchProcessing));
        assert!(flags.on(Flag::CircuitBreaker));
        assert_eq!(Flags::parse("  ").unwrap(), Flags::default());
    }

    #[test]
    fn every_fault_is_reported() {
        let faults = Flags::parse(r#"{"enable_retry_policy": "no", "enable_magic": true}"#).unwrap_err();
        assert_eq!(faults.len(), 2);
        assert!(Flags::parse("[]").is_err());
        assert!(Flags::parse("{").is_err());
    }
}
