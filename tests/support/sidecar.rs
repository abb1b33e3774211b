//! A sidecar that does what the test says, and remembers what was published.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;
use triage_host::{Call, Reply, Upstream};

type Agent = Arc<dyn Fn(&Call, usize) -> Reply + Send + Sync>;
type Broker = Arc<dyn Fn(&Call) -> (bool, Reply) + Send + Sync>;

/// A scripted sidecar; clones are the same one.
#[derive(Clone)]
pub struct Sidecar(Arc<Mutex<State>>);

struct State {
    agent: Agent,
    broker: Broker,
    invoked: Vec<Call>,
    published: Vec<Published>,
}

/// An event the broker took.
#[derive(Clone, Debug)]
pub struct Published {
    /// Topic.
    pub topic: String,
    /// Partition key.
    pub key: String,
    /// The CloudEvent.
    pub event: Value,
}

impl Default for Sidecar {
    fn default() -> Self {
        Self::new(|_, _| good())
    }
}

/// What a healthy agent answers.
pub fn good() -> Reply {
    Reply::json(200, r#"{"status":"success","response":{"text":"look at line 3"}}"#)
}

impl Sidecar {
    /// Agents that answer with `agent`: the call, and how many came before it.
    pub fn new(agent: impl Fn(&Call, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self(Arc::new(Mutex::new(State {
            agent: Arc::new(agent),
            broker: Arc::new(|_| (true, Reply::new(204))),
            invoked: Vec::new(),
            published: Vec::new(),
        })))
    }

    /// From now on the agents answer so.
    pub fn agents(&self, agent: impl Fn(&Call, usize) -> Reply + Send + Sync + 'static) {
        self.lock().agent = Arc::new(agent);
    }

    /// From now on the broker takes an event or not, and Dapr answers so.
    pub fn broker(&self, broker: impl Fn(&Call) -> (bool, Reply) + Send + Sync + 'static) {
        self.lock().broker = Arc::new(broker);
    }

    /// The broker takes events again.
    pub fn broker_up(&self) {
        self.broker(|_| (true, Reply::new(204)));
    }

    /// Dapr's answer while the broker is away.
    pub fn broker_down(&self) {
        let body = r#"{"errorCode":"ERR_PUBSUB_PUBLISH_MESSAGE","message":"broker away"}"#;
        self.broker(move |_| (false, Reply::json(500, body)));
    }

    /// Calls of agents so far.
    pub fn invoked(&self) -> Vec<Call> {
        self.lock().invoked.clone()
    }

    /// How many calls of agents there were.
    pub fn calls(&self) -> usize {
        self.lock().invoked.len()
    }

    /// Forgets the calls of agents.
    pub fn forget_calls(&self) {
        self.lock().invoked.clear();
    }

    /// Events the broker took from `topic`.
    pub fn events(&self, topic: &str) -> Vec<Value> {
        self.lock().published.iter().filter(|p| p.topic == topic).map(|p| p.event.clone()).collect()
    }

    /// Everything the broker took.
    pub fn published(&self) -> Vec<Published> {
        self.lock().published.clone()
    }

    /// Outcomes of the audit events, in order.
    pub fn outcomes(&self) -> Vec<String> {
        let outcome = |event: &Value| event["data"]["outcome"].as_str().unwrap_or_default().to_owned();
        self.events("learning.events").iter().map(outcome).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panicked while scripting")
    }
}

impl Upstream for Sidecar {
    fn reply(&self, call: &Call) -> Reply {
        let path = call.path().to_owned();
        if path.starts_with("/v1.0/invoke/") {
            let (agent, before) = {
                let mut state = self.lock();
                state.invoked.push(call.clone());
                (Arc::clone(&state.agent), state.invoked.len() - 1)
            };
            return agent(call, before);
        }
        if path.starts_with("/v1.0/publish/") {
            return self.publish(call, &path);
        }
        Reply::new(204)
    }
}

impl Sidecar {
    fn publish(&self, call: &Call, path: &str) -> Reply {
        let broker = Arc::clone(&self.lock().broker);
        let (taken, reply) = broker(call);
        if taken {
            let query = call.uri.query().unwrap_or_default();
            self.lock().published.push(Published {
                topic: path.rsplit('/').next().unwrap_or_default().to_owned(),
                key: query.strip_prefix("metadata.partitionKey=").unwrap_or_default().to_owned(),
                event: serde_json::from_slice(&call.body).expect("an event is JSON"),
            });
        }
        reply
    }
}
