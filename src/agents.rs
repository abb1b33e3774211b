//! The table of tutor agents: which one answers which intent, how it is called, and what to expect.
//!
//! The table is data (`agents/table.json`, replaceable by the variable `agents`), this module reads
//! it and refuses one that could not work.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::intent::Intent;

/// The table used when the variable `agents` is empty.
pub const EMBEDDED: &str = include_str!("agents/table.json");

/// A Dapr app id: `[a-z0-9]` and inner `-`, at most 63 characters (a DNS label, RFC 1123), so that
/// it can stand in a path or a store key as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct AgentId(String);

impl AgentId {
    /// `None` when `text` is no DNS label.
    pub fn new(text: &str) -> Option<Self> {
        let legal = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let edges = !text.starts_with('-') && !text.ends_with('-');
        (legal && edges && (1..=63).contains(&text.len())).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How urgent an answer is, for the agent and for the app that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// A student is stuck.
    High,
    /// A student is learning.
    Medium,
    /// A student is looking back.
    Low,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Dapr app id.
    pub id: AgentId,
    /// What it answers; `Intent::None` takes what was abstained from.
    pub intent: Intent,
    /// The intent's name in the call, where the agent knows it by another.
    pub intent_alias: Option<String>,
    /// Priority of its messages.
    pub priority: Priority,
    /// Dapr method name.
    pub method: String,
    /// Until the connection stands.
    pub connect_timeout: Duration,
    /// Until the head of its answer, per attempt.
    pub first_byte_timeout: Duration,
    /// Who is asked instead while this agent cannot be called.
    pub fallback: Option<AgentId>,
}

/// A complete table: one agent for each of the five intents.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AgentTable(Vec<Agent>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    app_id: String,
    intent: Intent,
    #[serde(default)]
    intent_alias: Option<String>,
    priority: Priority,
    #[serde(default = "default_method")]
    method: String,
    #[serde(default = "default_connect")]
    connect_timeout_ms: u64,
    #[serde(default = "default_first_byte")]
    first_byte_timeout_ms: u64,
    #[serde(default)]
    fallback: Option<String>,
}

fn default_method() -> String {
    "process".to_owned()
}

const fn default_connect() -> u64 {
    500
}

const fn default_first_byte() -> u64 {
    2_000
}

impl AgentTable {
    /// Reads a table; all faults at once, each naming its row.
    pub fn parse(json: &str) -> Result<Self, Vec<String>> {
        let rows: Vec<Row> =
            serde_json::from_str(json).map_err(|e| vec![format!("not an agent table: {e}")])?;
        let mut faults = Vec::new();
        let agents: Vec<Agent> = rows.into_iter().filter_map(|row| read_row(row, &mut faults)).collect();
        for intent in Intent::ALL {
            match agents.iter().filter(|a| a.intent == intent).count() {
                1 => {}
                0 => faults.push(format!("no agent for intent {}", intent.as_str())),
                _ => faults.push(format!("more than one agent for intent {}", intent.as_str())),
            }
        }
        for agent in &agents {
            if agents.iter().filter(|a| a.id == agent.id).count() > 1 {
                faults.push(format!("agent {} stands twice", agent.id));
            }
            if let Some(fallback) = &agent.fallback
                && (fallback == &agent.id || !agents.iter().any(|a| &a.id == fallback))
            {
                faults.push(format!(
                    "agent {}: fallback {fallback} is not another agent of the table",
                    agent.id
                ));
            }
        }
        if faults.is_empty() { Ok(Self(agents)) } else { Err(faults) }
    }

    /// The agent that answers `intent`.
    pub fn for_intent(&self, intent: Intent) -> Option<&Agent> {
        self.0.iter().find(|a| a.intent == intent)
    }

    /// The agent with this id.
    pub fn by_id(&self, id: &AgentId) -> Option<&Agent> {
        self.0.iter().find(|a| &a.id == id)
    }

    /// All rows, in the table's order.
    pub fn iter(&self) -> impl Iterator<Item = &Agent> {
        self.0.iter()
    }
}

fn read_row(row: Row, faults: &mut Vec<String>) -> Option<Agent> {
    let mut id = |text: &str| {
        let id = AgentId::new(text);
        if id.is_none() {
            faults.push(format!("{text:?} is not a dapr app id"));
        }
        id
    };
    let app_id = id(&row.app_id)?;
    let fallback = match row.fallback.as_deref() {
        Some(text) => Some(id(text)?),
        None => None,
    };
    let token =
        |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !token(&row.method) {
        faults.push(format!("agent {app_id}: method {:?} is not a plain name", row.method));
    }
    for (name, ms) in
        [("connect_timeout_ms", row.connect_timeout_ms), ("first_byte_timeout_ms", row.first_byte_timeout_ms)]
    {
        if !(1..=30_000).contains(&ms) {
            faults.push(format!("agent {app_id}: {name} must be 1 to 30000, is {ms}"));
        }
    }
    Some(Agent {
        id: app_id,
        intent: row.intent,
        intent_alias: row.intent_alias,
        priority: row.priority,
        method: row.method,
        connect_timeout: Duration::from_millis(row.connect_timeout_ms),
        first_byte_timeout: Duration::from_millis(row.first_byte_timeout_ms),
        fallback,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_routes_as_designed() {
        let table = AgentTable::parse(EMBEDDED).unwrap();
        for (intent, id, priority) in [
            (Intent::SyntaxHelp, "debug-agent", Priority::High),
            (Intent::ConceptExplanation, "concepts-agent", Priority::Medium),
            (Intent::ExerciseRequest, "exercise-agent", Priority::Medium),
            (Intent::ProgressCheck, "progress-agent", Priority::Low),
            (Intent::None, "review-agent", Priority::High),
        ] {
            let agent = table.for_intent(intent).unwrap();
            assert_eq!((agent.id.as_str(), agent.priority), (id, priority));
        }
        let exercise = table.for_intent(Intent::ExerciseRequest).unwrap();
        assert_eq!(exercise.intent_alias.as_deref(), Some("practice_exercises"));
    }

    #[test]
    fn a_broken_table_names_all_its_faults() {
        let faults = AgentTable::parse(
            r#"[{"app_id":"Bad Id","intent":"none","priority":"low"},
                {"app_id":"a","intent":"syntax_help","priority":"low","method":"a/b","first_byte_timeout_ms":0},
                {"app_id":"a","intent":"syntax_help","priority":"low","fallback":"zz"}]"#,
        )
        .unwrap_err()
        .join("\n");
        for expected in [
            "\"Bad Id\"",
            "a/b",
            "first_byte_timeout_ms",
            "stands twice",
            "fallback zz",
            "more than one",
            "no agent for intent none",
        ] {
            assert!(faults.contains(expected), "{expected} in {faults}");
        }
        assert!(AgentTable::parse("{").unwrap_err()[0].starts_with("not an agent table"));
    }
}
