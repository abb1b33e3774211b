//! How agents and broker are in one run: mostly well, at times not.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use triage_load::dapr_stand_in::{Act, Asked, Manner};
use triage_load::question::MESSAGES;
use triage_load::seed;

/// What the broker does in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broker {
    Up,
    /// Acknowledges after a long while.
    Slow,
    /// Takes nothing.
    Down,
    /// Takes everything; many acknowledgements are lost.
    Deaf,
}

/// One run's weather.
#[derive(Debug)]
pub struct Weather {
    random: StdRng,
    broker: Broker,
    /// App id of an agent that answers 503.
    failing: Option<&'static str>,
    troubles: bool,
}

impl Weather {
    /// Everything is well.
    pub fn fair(seed: u64) -> Self {
        let random = seed::stream(seed, "fair weather", 0);
        Self { random, broker: Broker::Up, failing: None, troubles: false }
    }

    /// The weather of run number `run`.
    pub fn of_run(seed: u64, run: u64) -> Self {
        let mut random = seed::stream(seed, "weather", run);
        let broker = match random.random_range(0..100) {
            0..60 => Broker::Up,
            60..75 => Broker::Slow,
            75..90 => Broker::Down,
            _ => Broker::Deaf,
        };
        let agent = MESSAGES.get(random.random_range(0..MESSAGES.len())).map(|message| message.agent);
        let failing = agent.filter(|_| random.random_bool(0.25));
        Self { random, broker, failing, troubles: true }
    }

    /// What the sidecar does now.
    pub fn manner(&mut self, asked: Asked<'_>) -> Manner {
        match asked {
            Asked::Agent { app } => self.agent(app),
            Asked::Event { .. } => self.event(),
        }
    }

    fn agent(&mut self, app: &str) -> Manner {
        let soon = self.ms(1, 15);
        if self.failing == Some(app) {
            return Manner::status(soon, 503);
        }
        let dice = if self.troubles { self.random.random_range(0..100) } else { 100 };
        match dice {
            // Above the deadline of these runs.
            0 => Manner::serve(self.ms(600, 700)),
            1 => Manner::status(soon, 400),
            2 => Manner { delay: soon, act: Act::Cut },
            _ => Manner::serve(soon),
        }
    }

    fn event(&mut self) -> Manner {
        let soon = self.ms(1, 15);
        match self.broker {
            Broker::Up => Manner::serve(soon),
            Broker::Slow => Manner::serve(self.ms(100, 1_500)),
            Broker::Down => Manner::status(soon, 500),
            Broker::Deaf if self.random.random_bool(0.3) => Manner { delay: soon, act: Act::Cut },
            Broker::Deaf => Manner::serve(soon),
        }
    }

    fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.random.random_range(from..to))
    }
}
