//! The breakers in the store: admission, and what an outcome changes.

use super::{Admission, Breaker, Permit, Phase, Policy, Records, admit, after_failure, after_probe};
use crate::agents::AgentId;
use crate::ports::{Clock, KeyValue, UnixMillis};
use crate::store::{Store, Unavailable};

/// Key of the one record.
pub const RECORDS_KEY: &str = "v:breakers";

/// Whether a call may be made, and the state that said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Call; report the outcome under this permit.
    Admitted(Permit, Phase),
    /// Do not call before this many milliseconds have passed.
    Refused {
        /// Open, or half-open with another probe under way.
        phase: Phase,
        /// Milliseconds.
        retry_after_ms: u64,
    },
}

/// The breakers of all agents under one policy.
#[derive(Debug)]
pub struct Breakers<'a, P> {
    store: Store<'a, P>,
    clock: &'a P,
    policy: Policy,
}

impl<P> Clone for Breakers<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Breakers<'_, P> {}

impl<'a, P: KeyValue + Clock> Breakers<'a, P> {
    /// The breakers in `store`.
    pub const fn new(store: Store<'a, P>, clock: &'a P, policy: Policy) -> Self {
        Self { store, clock, policy }
    }

    /// The records as they stand now.
    pub async fn read(&self) -> Result<Records, Unavailable> {
        Ok(self.store.get(RECORDS_KEY).await?.map_or_else(Records::default, |bytes| Records::decode(&bytes)))
    }

    /// Whether `agent` may be called, going by `records`. Without a usable store the lease of a
    /// probe cannot be taken: then the call is admitted, as the breaker counts as closed.
    pub fn admit(&self, records: &Records, agent: &AgentId) -> Verdict {
        let now = self.clock.now();
        match admit(records.of(agent), &self.policy, now) {
            Admission::Go(permit) => Verdict::Admitted(permit, Phase::Closed),
            Admission::Refuse { retry_at } => {
                Verdict::Refused { phase: Phase::Open, retry_after_ms: retry_at.saturating_sub(now) }
            }
            Admission::ProbeIf { generation, slot, until } => {
                match self.store.increment(&probe_key(agent, generation, slot), 1) {
                    Ok(taken) if taken > 1 => {
                        Verdict::Refused { phase: Phase::HalfOpen, retry_after_ms: until.saturating_sub(now) }
                    }
                    _ => Verdict::Admitted(Permit { generation, probe: true }, Phase::HalfOpen),
                }
            }
        }
    }

    /// Notes a failure under `permit`; true when it opened the breaker.
    pub async fn failed(&self, agent: &AgentId, permit: Permit) -> Result<bool, Unavailable> {
        // Seconds or minutes have passed since the request's first read; a store that has fallen
        // silent meanwhile must not be met by the synchronous call.
        self.store.probe(RECORDS_KEY).await?;
        let failures = self.store.increment(&failures_key(agent, permit.generation), 1)?;
        if !permit.probe && failures < i64::from(self.policy.failures) {
            return Ok(false);
        }
        let now = self.clock.now();
        self.change(agent, |current| after_failure(current, permit, failures, &self.policy, now)).await
    }

    /// Notes a success under `permit`; true when it closed the breaker.
    ///
    /// A success ends a run of failures by deleting their count. That cannot erase a trip: the trip
    /// stands in the record, which only a probe of the same generation may close.
    pub async fn succeeded(&self, agent: &AgentId, permit: Permit) -> Result<bool, Unavailable> {
        if permit.probe {
            return self.change(agent, |current| after_probe(current, permit)).await;
        }
        let failures = failures_key(agent, permit.generation);
        if self.store.exists(&failures).await? {
            self.store.delete(&failures).await?;
        }
        Ok(false)
    }

    /// Closes the breaker of `agent`, whatever it was; true when it had not been closed.
    pub async fn reset(&self, agent: &AgentId) -> Result<bool, Unavailable> {
        let next =
            |current: Breaker| Breaker { generation: current.generation.saturating_add(1), opened_at: None };
        let was_open = self.read().await?.of(agent).opened_at.is_some();
        self.change(agent, |current| Some(next(current))).await?;
        Ok(was_open)
    }

    /// The state of `agent` now, going by `records`.
    pub fn phase(&self, records: &Records, agent: &AgentId) -> Phase {
        records.of(agent).phase(&self.policy, self.clock.now())
    }

    /// When the open breaker of `agent` lets a probe through.
    pub fn retry_at(&self, records: &Records, agent: &AgentId) -> Option<UnixMillis> {
        records.of(agent).retry_at(&self.policy, self.clock.now())
    }

    /// Failures counted in the present generation.
    pub async fn failures(&self, records: &Records, agent: &AgentId) -> Result<i64, Unavailable> {
        self.store.counter(&failures_key(agent, records.of(agent).generation)).await
    }

    /// Reads the records again, applies `step`, and writes them back. The record is read right
    /// before it is written, to keep the window small in which another instance's change would be
    /// lost.
    async fn change(
        &self,
        agent: &AgentId,
        step: impl FnOnce(Breaker) -> Option<Breaker>,
    ) -> Result<bool, Unavailable> {
        let mut records = self.read().await?;
        let current = records.of(agent);
        let Some(next) = step(current) else { return Ok(false) };
        records.put(agent, next);
        // The old generation's counter stays until maintenance clears it: should another agent's
        // change overwrite this one, the next failure finds it past the threshold and trips again.
        self.store.set(RECORDS_KEY, &records.encode()).await?;
        Ok(true)
    }
}

fn failures_key(agent: &AgentId, generation: u64) -> String {
    format!("n:bf:{generation}:{agent}")
}

fn probe_key(agent: &AgentId, generation: u64, slot: u64) -> String {
    format!("n:bp:{generation}:{slot}:{agent}")
}

/// Whether `key` is a counter of a generation that is over, going by `records`.
pub fn is_spent(key: &str, records: &Records) -> bool {
    let mut parts = key.split(':').skip(1);
    let (Some(kind), Some(generation), Some(agent)) = (parts.next(), parts.next(), key.rsplit(':').next())
    else {
        return false;
    };
    let (Ok(generation), Some(agent)) = (generation.parse::<u64>(), AgentId::new(agent)) else {
        return false;
    };
    matches!(kind, "bf" | "bp") && generation < records.of(&agent).generation
}
