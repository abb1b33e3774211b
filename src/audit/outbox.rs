//! One instance's part of the outbox: a slot it owns, rewritten in groups.
//!
//! An instance keeps everything of its requests that is not acknowledged in one slot and rewrites
//! the slot as a whole: new records in, acknowledged ones out. While one write is under way the
//! others wait, and the next write carries all of them (group commit), so sixteen waiting requests
//! cost two writes, not sixteen. An empty slot is deleted.
//!
//! A slot is sealed when it is full or old, and never written again by its owner: from
//! [`STALE_MS`](super::STALE_MS) after the last write on it belongs to whoever drains it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use super::record::{OUTBOX, Record, Slot};
use crate::ports::{Clock, KeyValue, Signals};
use crate::sequence::Position;
use crate::store::{Store, Unavailable};

/// A full slot takes no further records: it is rewritten as a whole.
const MOST_RECORDS: usize = 32;
/// The same in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// A slot takes records for so long after it was opened …
const OPEN_FOR: Duration = Duration::from_secs(30);
/// … and is never written later than this after its last write: well below the time at which
/// others may take it over.
const OWNED_FOR: Duration = Duration::from_secs(20);
/// Sealed slots remembered; more than that are left to maintenance.
const MOST_SEALED: usize = 64;

/// Names a record of this instance.
pub type Ticket = u64;

/// The outbox as one instance sees it. `B` is the bell of [`Signals`].
#[derive(Debug)]
pub struct Outbox<B>(RefCell<State<B>>);

impl<B> Default for Outbox<B> {
    fn default() -> Self {
        Self(RefCell::new(State {
            next_ticket: 0,
            slots_opened: 0,
            current: None,
            sealed: Vec::new(),
            writing: false,
            waiting: Vec::new(),
        }))
    }
}

#[derive(Debug)]
struct State<B> {
    next_ticket: Ticket,
    slots_opened: u64,
    current: Option<Current>,
    sealed: Vec<Sealed>,
    writing: bool,
    waiting: Vec<B>,
}

/// A change of one slot; versions of different slots have nothing to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    slot: u64,
    version: u64,
}

#[derive(Debug)]
struct Current {
    number: u64,
    key: String,
    bytes: usize,
    opened: Duration,
    written: Option<Duration>,
    records: BTreeMap<Ticket, Record>,
    /// Grows with every change that must reach the store …
    version: u64,
    /// … and what of it did, or could not.
    durable: u64,
    failed: Option<(u64, Unavailable)>,
}

#[derive(Debug)]
struct Sealed {
    key: String,
    unsettled: Vec<Ticket>,
}

/// What a request that needs a version to be durable does next.
enum Turn {
    Done(Result<(), Unavailable>),
    Wait,
    Lead { key: String, records: Vec<Record>, change: Change },
}

/// Ends a leader's turn however it ends: a request whose client hung up may be dropped in the
/// middle of a write, and must not leave the others waiting.
struct Leading<'a, B>(&'a Outbox<B>);

impl<B> Drop for Leading<'_, B> {
    fn drop(&mut self) {
        let mut state = self.0.0.borrow_mut();
        state.writing = false;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        // Dropped outside the borrow: a bell wakes somebody.
        drop(waiting);
    }
}

impl<B: 'static> Outbox<B> {
    /// Keeps `record`; completes when it would survive the end of this process.
    pub async fn append<P: KeyValue + Clock + Signals<Bell = B>>(
        &self,
        store: Store<'_, P>,
        clock: &P,
        record: Record,
    ) -> Result<Ticket, Unavailable> {
        self.open_slot(store, clock)?;
        let Some((ticket, change)) = self.0.borrow_mut().push(record) else {
            return Err(Unavailable::Suspended);
        };
        match self.durable(store, clock, change).await {
            Ok(()) => Ok(ticket),
            Err(fault) => {
                self.0.borrow_mut().remove(ticket);
                Err(fault)
            }
        }
    }

    /// Replaces what `ticket` stands for by `record` and gives it a fresh date; completes when that
    /// is durable. The ticket may change.
    pub async fn renew<P: KeyValue + Clock + Signals<Bell = B>>(
        &self,
        store: Store<'_, P>,
        clock: &P,
        ticket: Ticket,
        record: Record,
    ) -> Result<Ticket, Unavailable> {
        let change = self.0.borrow_mut().replace(ticket, clock.monotonic(), &record);
        match change {
            Some(change) => self.durable(store, clock, change).await.map(|()| ticket),
            None => {
                let renewed = self.append(store, clock, record).await?;
                self.settle(store, clock, ticket).await;
                Ok(renewed)
            }
        }
    }

    /// The event of `ticket` was acknowledged: its record ends.
    ///
    /// A fault is not reported: the record is then published once more by whoever drains the slot.
    pub async fn settle<P: KeyValue + Clock + Signals<Bell = B>>(
        &self,
        store: Store<'_, P>,
        clock: &P,
        ticket: Ticket,
    ) {
        let (emptied, abandoned) = {
            let mut state = self.0.borrow_mut();
            (state.take(ticket), state.settle_sealed(ticket))
        };
        if let Some(change) = emptied {
            let _ = self.durable(store, clock, change).await;
        }
        if let Some(key) = abandoned {
            let _ = store.delete(&key).await;
        }
    }

    /// Makes sure there is a slot that takes records.
    fn open_slot<P: KeyValue + Clock + Signals<Bell = B>>(
        &self,
        store: Store<'_, P>,
        clock: &P,
    ) -> Result<(), Unavailable> {
        let now = clock.monotonic();
        if self.0.borrow().takes_records(now) {
            return Ok(());
        }
        let bucket = OUTBOX.bucket(clock.now());
        let number = store.increment(&OUTBOX.counter(bucket), 1)?;
        let key = OUTBOX.key(Position { bucket, number: u64::try_from(number).unwrap_or(0) });
        self.0.borrow_mut().open(key, now);
        Ok(())
    }

    /// Completes when `change` is in the store, or could not be written.
    async fn durable<P: KeyValue + Clock + Signals<Bell = B>>(
        &self,
        store: Store<'_, P>,
        clock: &P,
        change: Change,
    ) -> Result<(), Unavailable> {
        loop {
            let turn = self.0.borrow_mut().turn(change);
            match turn {
                Turn::Done(result) => return result,
                Turn::Wait => {
                    let (bell, rung) = clock.signal();
                    self.0.borrow_mut().waiting.push(bell);
                    rung.await;
                }
                Turn::Lead { key, records, change } => {
                    let leading = Leading(self);
                    let result = if records.is_empty() {
                        store.delete(&key).await
                    } else {
                        store.set(&key, &Slot::new(clock.now(), records).encode()).await
                    };
                    self.0.borrow_mut().wrote(change, clock.monotonic(), result);
                    drop(leading);
                }
            }
        }
    }
}

impl<B> State<B> {
    fn takes_records(&self, now: Duration) -> bool {
        // A slot with changes under way is kept, full or not: those who wait belong to it.
        self.writing
            || self.current.as_ref().is_some_and(|slot| {
                let roomy = slot.records.len() < MOST_RECORDS && slot.bytes < MOST_BYTES;
                let young = now.saturating_sub(slot.opened) < OPEN_FOR;
                slot.is_owned(now)
                    && (slot.has_changes_under_way() || (roomy && young && slot.failed.is_none()))
            })
    }

    fn open(&mut self, key: String, now: Duration) {
        self.slots_opened = self.slots_opened.wrapping_add(1);
        let next = Current {
            number: self.slots_opened,
            key,
            bytes: 0,
            opened: now,
            written: None,
            records: BTreeMap::new(),
            version: 0,
            durable: 0,
            failed: None,
        };
        if let Some(old) = self.current.replace(next)
            && !old.records.is_empty()
        {
            self.sealed.push(Sealed { key: old.key, unsettled: old.records.into_keys().collect() });
            if self.sealed.len() > MOST_SEALED {
                self.sealed.remove(0);
            }
        }
    }

    fn push(&mut self, record: Record) -> Option<(Ticket, Change)> {
        let ticket = self.next_ticket;
        self.next_ticket = ticket.wrapping_add(1);
        let slot = self.current.as_mut()?;
        slot.bytes = slot.bytes.saturating_add(record.size());
        slot.records.insert(ticket, record);
        Some((ticket, slot.change()))
    }

    /// Replaces a record of the current slot; `None` when it stands elsewhere.
    fn replace(&mut self, ticket: Ticket, now: Duration, record: &Record) -> Option<Change> {
        let slot = self.current.as_mut().filter(|slot| slot.is_owned(now))?;
        record.clone_into(slot.records.get_mut(&ticket)?);
        Some(slot.change())
    }

    /// Takes a record out of the current slot; the change to write when that emptied it. With
    /// records left, the next write of theirs drops this one too.
    fn take(&mut self, ticket: Ticket) -> Option<Change> {
        let emptied = self.remove(ticket)?;
        emptied.then(|| self.current.as_mut().map(Current::change)).flatten()
    }

    /// Takes a record out of the current slot, and leaves it at that: a slot that could not be
    /// written is not to be written again. True when that emptied it.
    fn remove(&mut self, ticket: Ticket) -> Option<bool> {
        let slot = self.current.as_mut()?;
        slot.records.remove(&ticket)?;
        Some(slot.records.is_empty())
    }

    /// Takes a record out of a sealed slot; the key to delete when that was its last.
    fn settle_sealed(&mut self, ticket: Ticket) -> Option<String> {
        let index = self.sealed.iter().position(|slot| slot.unsettled.contains(&ticket))?;
        let slot = self.sealed.get_mut(index)?;
        slot.unsettled.retain(|other| *other != ticket);
        slot.unsettled.is_empty().then(|| self.sealed.remove(index).key)
    }

    fn turn(&mut self, change: Change) -> Turn {
        let writing = self.writing;
        let Some(slot) = self.current.as_ref().filter(|slot| slot.number == change.slot) else {
            // Only a slot without changes under way is ever replaced, so this is a caller's that is
            // beyond help; better to say so than to claim what is not.
            return Turn::Done(Err(Unavailable::Suspended));
        };
        if slot.durable >= change.version {
            return Turn::Done(Ok(()));
        }
        if let Some((upto, fault)) = &slot.failed
            && *upto >= change.version
        {
            return Turn::Done(Err(fault.clone()));
        }
        if writing {
            return Turn::Wait;
        }
        let records = slot.records.values().cloned().collect();
        let change = Change { slot: slot.number, version: slot.version };
        let lead = Turn::Lead { key: slot.key.clone(), records, change };
        self.writing = true;
        lead
    }

    fn wrote(&mut self, change: Change, now: Duration, result: Result<(), Unavailable>) {
        let Some(slot) = self.current.as_mut().filter(|slot| slot.number == change.slot) else { return };
        match result {
            Ok(()) => {
                slot.durable = slot.durable.max(change.version);
                slot.written = Some(now);
            }
            Err(fault) => slot.failed = Some((change.version, fault)),
        }
    }
}

impl Current {
    fn is_owned(&self, now: Duration) -> bool {
        self.written.is_none_or(|written| now.saturating_sub(written) < OWNED_FOR)
    }

    fn has_changes_under_way(&self) -> bool {
        let failed = self.failed.as_ref().map_or(0, |(upto, _)| *upto);
        self.version > self.durable.max(failed)
    }

    fn change(&mut self) -> Change {
        self.version = self.version.saturating_add(1);
        Change { slot: self.number, version: self.version }
    }
}
