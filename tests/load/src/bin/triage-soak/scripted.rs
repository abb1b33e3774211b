//! A sidecar in scripted time, for the embedded host in process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use triage_host::{Call, Reply, Upstream};
use triage_load::dapr_stand_in::{Log, marker};
use triage_load::seed;

/// What the broker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broker {
    /// Takes every event.
    Up,
    /// Dapr says that it cannot publish.
    Refusing,
    /// Dapr accepts the call and never answers.
    Silent,
    /// Dapr closes the connection.
    Resetting,
}

/// The sidecar; clones are the same one.
#[derive(Clone, Debug)]
pub struct Scripted(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    log: Log,
}

#[derive(Debug)]
struct State {
    random: StdRng,
    broker: Broker,
    /// Of a hundred calls of an agent so many fail.
    failing: u32,
    slowest_ms: u64,
}

impl Scripted {
    /// A sidecar that is well, but for `failing` of a hundred calls of agents, which get 503; agents
    /// need up to `slowest_ms`.
    pub fn new(seed: u64, failing: u32, slowest_ms: u64) -> Self {
        let state =
            State { random: seed::stream(seed, "sidecar", 0), broker: Broker::Up, failing, slowest_ms };
        Self(Arc::new(Inner { state: Mutex::new(state), log: Log::default() }))
    }

    /// From now on the broker does this.
    pub fn broker(&self, broker: Broker) {
        self.lock().broker = broker;
    }

    /// What arrived.
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn agent(&self, call: &Call, app: &str) -> Reply {
        let mut state = self.lock();
        let slowest = state.slowest_ms.max(1);
        let delay = Duration::from_millis(state.random.random_range(0..slowest));
        if state.random.random_range(0..100) < state.failing {
            return Reply::new(503).after(delay);
        }
        let text = marker(app, call.header("x-request-id").unwrap_or_default());
        if call.header("accept").is_some_and(|accept| accept.contains("event-stream")) {
            let event = |n: u32| format!("event: token\ndata: {{\"text\":\"{text}\",\"n\":{n}}}\n\n");
            let wait = Duration::from_millis(40);
            let reply = Reply::new(200).header("content-type", "text/event-stream").after(delay);
            return reply.chunk(Duration::ZERO, event(0)).chunk(wait, event(1)).chunk(wait, event(2));
        }
        let body = serde_json::json!({"status": "success", "response": {"text": text}});
        Reply::json(200, body.to_string()).after(delay)
    }

    fn event(&self, call: &Call, topic: &str) -> Reply {
        let mut state = self.lock();
        let delay = Duration::from_millis(state.random.random_range(1..20));
        match state.broker {
            Broker::Up => {
                self.0.log.arrived(topic, &call.body);
                Reply::new(204).after(delay)
            }
            Broker::Refusing => {
                Reply::json(500, r#"{"errorCode":"ERR_PUBSUB_PUBLISH_MESSAGE"}"#).after(delay)
            }
            Broker::Silent => Reply::never(),
            Broker::Resetting => Reply::reset().after(delay),
        }
    }
}

impl Upstream for Scripted {
    fn reply(&self, call: &Call) -> Reply {
        let segments: Vec<&str> = call.path().split('/').skip(1).collect();
        match segments.as_slice() {
            ["v1.0", "invoke", app, "method", _] => self.agent(call, app),
            ["v1.0", "publish", _, topic] => self.event(call, topic),
            _ => Reply::new(204),
        }
    }
}
