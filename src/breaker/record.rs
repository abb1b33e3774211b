//! The stored form: one small versioned record with the breakers of all agents.
//!
//! One record for all, because a request must read it before it knows which agent it will need
//! (the read doubles as the store's health check), and because `GET /api/v1/agents` then costs one
//! read. Agents that never tripped do not stand in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Breaker;
use crate::agents::AgentId;

const VERSION: u8 = 1;

/// The breakers of all agents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records(BTreeMap<String, Breaker>);

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u8,
    agents: BTreeMap<String, Breaker>,
}

impl Records {
    /// Reads the stored bytes. What cannot be read, or has another version, counts as all closed:
    /// a breaker protects an agent, it must never be the reason that nobody is served.
    pub fn decode(bytes: &[u8]) -> Self {
        match serde_json::from_slice::<Stored>(bytes) {
            Ok(stored) if stored.v == VERSION => Self(stored.agents),
            _ => Self::default(),
        }
    }

    /// The bytes to store.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(&Stored { v: VERSION, agents: self.0.clone() }).unwrap_or_default()
    }

    /// The breaker of `agent`.
    pub fn of(&self, agent: &AgentId) -> Breaker {
        self.0.get(agent.as_str()).copied().unwrap_or_default()
    }

    /// Replaces the breaker of `agent`.
    pub fn put(&mut self, agent: &AgentId, breaker: Breaker) {
        self.0.insert(agent.as_str().to_owned(), breaker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_back() {
        let agent = AgentId::new("debug-agent").unwrap();
        let mut records = Records::default();
        records.put(&agent, Breaker { generation: 3, opened_at: Some(5) });
        assert_eq!(Records::decode(&records.encode()), records);
        assert_eq!(records.encode(), br#"{"v":1,"agents":{"debug-agent":{"g":3,"o":5}}}"#);
    }

    #[test]
    fn what_cannot_be_read_counts_as_closed() {
        for bytes in [&b""[..], b"{", b"null", br#"{"v":2,"agents":{"a":{"g":3,"o":5}}}"#, &[0xff; 8]] {
            assert_eq!(Records::decode(bytes), Records::default());
        }
    }
}
