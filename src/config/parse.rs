//! Leaf parsers: the text of one concern's variables to a value, noting every fault.
//!
//! After a fault each returns a harmless value; the configuration as a whole is refused anyway.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::{ClassifierMode, DaprConfig, Environment, Faults, Flags, Resilience, Settings};
use crate::agents::{self, AgentTable};
use crate::auth::{KeySet, TokenPolicy};
use crate::threat::Threat;

pub fn environment(settings: &Settings, faults: &mut Faults) -> Environment {
    match settings.text("environment") {
        "development" => Environment::Development,
        "production" | "staging" => Environment::Production,
        other => {
            faults.add("environment", format!("must be development, staging or production, is {other:?}"));
            Environment::Production
        }
    }
}

pub fn flags(settings: &Settings, faults: &mut Faults) -> Flags {
    Flags::parse(settings.text("features")).unwrap_or_else(|messages| {
        messages.into_iter().for_each(|message| faults.add("features", message));
        Flags::default()
    })
}

pub fn dapr(settings: &Settings, faults: &mut Faults) -> DaprConfig {
    let url = settings.text("dapr_url").trim_end_matches('/').to_owned();
    if origin(&url).is_none() {
        faults.add("dapr_url", format!("must be an origin like http://localhost:3500, is {url:?}"));
    }
    DaprConfig {
        url,
        api_token: header_secret(settings, "dapr_api_token", faults),
        pubsub: name(settings, "pubsub_name", faults),
        audit_topic: name(settings, "audit_topic", faults),
        security_topic: name(settings, "security_topic", faults),
        dead_letter_topic: name(settings, "dead_letter_topic", faults),
    }
}

pub fn keys(settings: &Settings, faults: &mut Faults) -> KeySet {
    KeySet::parse(settings.text("jwt_keys")).unwrap_or_else(|messages| {
        messages.into_iter().for_each(|message| faults.add("jwt_keys", message));
        KeySet::default()
    })
}

/// The address of the key set, whose origin must be allowed in `jwt_jwks_origin`.
pub fn jwks_url(settings: &Settings, faults: &mut Faults) -> Option<String> {
    same_origin(settings, "jwt_jwks_url", "jwt_jwks_origin", faults)
}

pub fn token_policy(settings: &Settings, faults: &mut Faults) -> TokenPolicy {
    for variable in ["jwt_issuer", "jwt_audience"] {
        if settings.text(variable).is_empty() {
            faults.add(variable, "must not be empty");
        }
    }
    TokenPolicy {
        issuer: settings.text("jwt_issuer").to_owned(),
        audience: settings.text("jwt_audience").to_owned(),
        leeway_s: number(settings, "jwt_leeway_s", 0..=300, faults),
    }
}

pub fn classifier_mode(settings: &Settings, faults: &mut Faults) -> ClassifierMode {
    let _: u64 = number(settings, "llm_timeout_ms", 1..=60_000, faults);
    same_origin(settings, "llm_url", "llm_origin", faults);
    match settings.text("classifier_mode") {
        "patterns" => ClassifierMode::Patterns,
        "hybrid" => ClassifierMode::Hybrid,
        "llm" => ClassifierMode::Llm,
        other => {
            faults.add("classifier_mode", format!("must be patterns, hybrid or llm, is {other:?}"));
            ClassifierMode::Patterns
        }
    }
}

pub fn agents(settings: &Settings, faults: &mut Faults) -> AgentTable {
    let table = settings.optional("agents");
    let read = AgentTable::parse(table.as_deref().unwrap_or(agents::EMBEDDED));
    read.or_else(|messages| {
        messages.into_iter().for_each(|message| faults.add("agents", message));
        AgentTable::parse(agents::EMBEDDED)
    })
    .unwrap_or_default()
}

pub fn resilience(settings: &Settings, faults: &mut Faults) -> Resilience {
    Resilience {
        deadline: Duration::from_millis(number(settings, "deadline_ms", 100..=30_000, faults)),
        breaker_failures: number(settings, "breaker_failures", 1..=1_000, faults),
        breaker_open: Duration::from_secs(number(settings, "breaker_open_s", 1..=3_600, faults)),
        attempts: number(settings, "retry_attempts", 1..=10, faults),
        body_timeout: Duration::from_millis(number(settings, "body_timeout_ms", 100..=60_000, faults)),
    }
}

/// Comma-separated origins. `*` is refused: every answer depends on a student's token.
pub fn origins(settings: &Settings, faults: &mut Faults) -> Vec<String> {
    list(settings, "cors_origins")
        .filter_map(|text| {
            let valid = origin(text).is_some_and(is_as_sent);
            if !valid {
                faults.add("cors_origins", format!("{text:?} is not an origin like https://app.example"));
            }
            valid.then(|| text.to_owned())
        })
        .collect()
}

pub fn block_flags(settings: &Settings, faults: &mut Faults) -> Vec<Threat> {
    list(settings, "block_flags")
        .filter_map(|text| {
            let threat = Threat::from_name(text);
            if threat.is_none() {
                faults.add("block_flags", format!("unknown class {text:?}"));
            }
            threat
        })
        .collect()
}

pub fn number<T>(
    settings: &Settings,
    variable: &'static str,
    range: RangeInclusive<T>,
    faults: &mut Faults,
) -> T
where
    T: FromStr + PartialOrd + std::fmt::Display + Copy,
{
    let text = settings.text(variable);
    match text.parse() {
        Ok(value) if range.contains(&value) => value,
        _ => {
            faults.add(
                variable,
                format!("must be a whole number from {} to {}, is {text:?}", range.start(), range.end()),
            );
            *range.start()
        }
    }
}

pub fn fraction(settings: &Settings, variable: &'static str, faults: &mut Faults) -> f64 {
    let text = settings.text(variable);
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => value,
        _ => {
            faults.add(variable, format!("must be a number from 0 to 1, is {text:?}"));
            0.6
        }
    }
}

fn list<'a>(settings: &'a Settings, variable: &str) -> impl Iterator<Item = &'a str> {
    settings.text(variable).split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// A Dapr component's or topic's name: fit to stand in a path.
fn name(settings: &Settings, variable: &'static str, faults: &mut Faults) -> String {
    let text = settings.text(variable);
    let legal = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if text.bytes().all(|b| b == b'.') || !legal {
        faults.add(variable, format!("must be letters, digits, '-', '_', '.', is {text:?}"));
    }
    text.to_owned()
}

/// A secret that travels in a header: visible ASCII only, or the call could not be built.
pub fn header_secret(settings: &Settings, variable: &'static str, faults: &mut Faults) -> Option<String> {
    let secret = settings.optional(variable)?;
    if !secret.bytes().all(|b| b.is_ascii_graphic()) {
        faults.add(variable, "holds a character that a header cannot carry");
    }
    Some(secret)
}

/// A URL whose origin must stand in a variable of its own, because Spin's allow-list of outbound
/// hosts is a template that takes no path.
fn same_origin(
    settings: &Settings,
    url_variable: &'static str,
    origin_variable: &'static str,
    faults: &mut Faults,
) -> Option<String> {
    let url = settings.optional(url_variable)?;
    let allowed = settings.text(origin_variable);
    match origin_of_url(&url) {
        None => faults.add(url_variable, format!("must be an http or https URL, is {url:?}")),
        Some(found) if found != allowed => {
            faults.add(
                origin_variable,
                format!("must be {found:?}, the origin of {url_variable}, is {allowed:?}"),
            );
        }
        Some(_) => {}
    }
    Some(url)
}

fn origin_of_url(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let scheme = uri.scheme_str().filter(|s| matches!(*s, "http" | "https"))?;
    let authority = uri.authority().filter(|a| !a.as_str().contains('@'))?;
    let port = authority.as_str().strip_prefix(authority.host())?;
    if !port.is_empty() && authority.port_u16().is_none() {
        return None;
    }
    Some(format!("{scheme}://{authority}"))
}

/// Whether a browser would send `origin` like this (RFC 6454 §6.1): in lower case, without the port
/// that its scheme means anyway.
fn is_as_sent(origin: &str) -> bool {
    let default = if origin.starts_with("https:") { ":443" } else { ":80" };
    !origin.bytes().any(|b| b.is_ascii_uppercase()) && !origin.ends_with(default)
}

/// `text` when it is exactly scheme and authority.
fn origin(text: &str) -> Option<&str> {
    origin_of_url(text).filter(|found| found == text).map(|_| text)
}
