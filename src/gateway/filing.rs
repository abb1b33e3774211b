//! Filing what happened: write-ahead before the answer, publish after it, keep what failed.

use std::rc::Rc;
use std::time::Duration;

use super::backlog;
use super::instance::Instance;
use crate::audit::{PAUSE, Published, Record, Ticket, send};
use crate::breaker::RECORDS_KEY;
use crate::config::Config;
use crate::dead_letter::{DEAD_LETTERS, DeadLetter, MOST_PER_DAY};
use crate::ports::{Platform, within};
use crate::sequence::Position;
use crate::store::SUSPENSION;

/// A record that is to be published after the answer.
#[derive(Debug)]
pub struct Job {
    /// What to publish.
    pub record: Record,
    /// What stands in the outbox for it, if anything does.
    pub ticket: Option<Ticket>,
}

impl Job {
    /// A job for `record`, which stands in the outbox under `ticket`.
    pub const fn new(record: Record, ticket: Option<Ticket>) -> Self {
        Self { record, ticket }
    }
}

/// How long an answer may wait for the broker when the outbox cannot be written.
const BEFORE_ANSWER: Duration = Duration::from_secs(1);

/// Writes a record to the outbox; `None` when that is not possible now.
pub async fn write_ahead<P: Platform>(instance: &Instance<P>, record: Record) -> Option<Ticket> {
    instance.outbox.append(instance.store(), &instance.platform, record).await.ok()
}

/// Makes sure `record` is not lost, before the answer: in the outbox (in the place of `ticket`), or
/// else published at once.
pub async fn secure<P: Platform>(
    instance: &Instance<P>,
    config: &Config,
    record: Record,
    ticket: Option<Ticket>,
) -> Secured {
    let kept = match ticket {
        Some(ticket) => {
            instance.outbox.renew(instance.store(), &instance.platform, ticket, record.clone()).await.ok()
        }
        None => write_ahead(instance, record.clone()).await,
    };
    match kept {
        Some(ticket) => Secured::Kept(Box::new(Job::new(record, Some(ticket)))),
        None => secure_by_publishing(instance, config, record).await,
    }
}

/// Publishes `record` before the answer, because the outbox could not take it.
pub async fn secure_by_publishing<P: Platform>(
    instance: &Instance<P>,
    config: &Config,
    record: Record,
) -> Secured {
    let publish = instance.publisher.publish(&instance.platform, &config.dapr, &record);
    let published = within(&instance.platform, BEFORE_ANSWER, publish).await;
    if published == Some(Published::Acknowledged) {
        return Secured::Published;
    }
    if published.is_none() {
        instance.publisher.pause(&instance.platform, &record.topic);
    }
    Secured::Unsafe(Box::new(Job::new(record, None)))
}

/// What became of a record that must not be lost.
#[derive(Debug)]
pub enum Secured {
    /// In the outbox; still to be published.
    Kept(Box<Job>),
    /// Published already.
    Published,
    /// Neither worked. It is tried once more after the answer, and lost with the instance.
    Unsafe(Box<Job>),
}

impl Secured {
    /// What is left to do after the answer.
    pub fn job(self) -> Option<Job> {
        match self {
            Self::Kept(job) | Self::Unsafe(job) => Some(*job),
            Self::Published => None,
        }
    }

    /// Whether the record may get lost.
    pub const fn is_unsafe(&self) -> bool {
        matches!(self, Self::Unsafe(_))
    }
}

/// Publishes `jobs` after the answer.
pub fn publish_later<P: Platform>(instance: &Rc<Instance<P>>, config: &Rc<Config>, jobs: Vec<Job>) {
    if jobs.is_empty() {
        return;
    }
    let (this, config) = (Rc::clone(instance), Rc::clone(config));
    instance.platform.spawn(async move {
        let mut filed = Vec::new();
        for job in jobs {
            publish_or_queue(&this, &config, job, &mut filed).await;
        }
        if filed.iter().any(|filed| matches!(filed, Filed::Published)) {
            backlog::drain_if_due(&this, &config).await;
        }
        let nowhere: Vec<_> = filed.into_iter().filter_map(Filed::nowhere).collect();
        if !nowhere.is_empty() {
            this.platform.sleep(SUSPENSION.max(PAUSE)).await;
            for job in nowhere {
                publish_at_last(&this, &config, *job).await;
            }
        }
    });
}

/// What became of a job.
enum Filed {
    /// The broker has it.
    Published,
    /// The outbox has it.
    Kept,
    /// Nobody has it: neither broker nor store could be used.
    Nowhere(Box<Job>),
}

impl Filed {
    fn nowhere(self) -> Option<Box<Job>> {
        match self {
            Self::Nowhere(job) => Some(job),
            Self::Published | Self::Kept => None,
        }
    }
}

/// Publishes `job` from a free place, and then whatever was queued meanwhile; without a free place
/// the job is queued, or kept in the outbox.
async fn publish_or_queue<P: Platform>(
    instance: &Instance<P>,
    config: &Config,
    job: Job,
    filed: &mut Vec<Filed>,
) {
    let Some(_place) = instance.publisher.place() else {
        if let Some(job) = instance.publisher.queue(job) {
            filed.push(keep(instance, job).await);
        }
        return;
    };
    let mut next = Some(job);
    while let Some(job) = next {
        filed.push(publish(instance, config, job).await);
        next = instance.publisher.next();
    }
}

async fn publish<P: Platform>(instance: &Instance<P>, config: &Config, mut job: Job) -> Filed {
    keep_for_replay(instance, &mut job.record).await;
    let published = instance.publisher.publish(&instance.platform, &config.dapr, &job.record).await;
    file(instance, job, published).await
}

/// The last try of a job that is nowhere. Whether broker and store are being left alone does not
/// matter any more: others may have renewed their pauses meanwhile.
async fn publish_at_last<P: Platform>(instance: &Instance<P>, config: &Config, mut job: Job) {
    keep_for_replay(instance, &mut job.record).await;
    let published = send(&instance.platform, &config.dapr, &job.record).await;
    if file(instance, job, published).await.nowhere().is_some() {
        instance.platform.log("{\"warning\":\"event neither published nor kept in its final form\"}");
    }
}

async fn file<P: Platform>(instance: &Instance<P>, job: Job, published: Published) -> Filed {
    if published == Published::Failed || job.record.keep {
        return keep(instance, job).await;
    }
    if let Some(ticket) = job.ticket {
        instance.outbox.settle(instance.store(), &instance.platform, ticket).await;
    }
    Filed::Published
}

/// Leaves the final form of a record in the outbox for whoever drains it, and word of it.
async fn keep<P: Platform>(instance: &Instance<P>, job: Job) -> Filed {
    let (store, platform) = (instance.store(), &instance.platform);
    // Publishing may have taken seconds: is the store still there to be asked synchronously?
    if store.probe(RECORDS_KEY).await.is_err() {
        return Filed::Nowhere(Box::new(job));
    }
    let record = job.record.clone();
    let kept = match job.ticket {
        Some(ticket) => instance.outbox.renew(store, platform, ticket, record).await,
        None => instance.outbox.append(store, platform, record).await,
    };
    if kept.is_err() {
        return Filed::Nowhere(Box::new(job));
    }
    backlog::note(instance).await;
    Filed::Kept
}

/// How often a stream's record is given a fresh date, so that nobody takes it for abandoned.
pub const REFRESH: Duration = Duration::from_secs(10);

/// Keeps a dead letter for replay before it is published: from then on it is in one place or the
/// other, whatever happens to this instance. What could not be kept stays marked.
pub async fn keep_for_replay<P: Platform>(instance: &Instance<P>, record: &mut Record) {
    if record.keep {
        record.keep = !keep_letter(instance, record).await;
    }
}

/// Keeps the dead letter that `record` carries, unless the day is full; false when it has to be
/// tried again.
async fn keep_letter<P: Platform>(instance: &Instance<P>, record: &Record) -> bool {
    let bucket = DEAD_LETTERS.bucket(instance.platform.now());
    let Ok(letter) = serde_json::from_value::<DeadLetter>(record.event.data.clone()) else { return true };
    if instance.letters_full_on.get() == Some(bucket) {
        return true;
    }
    let store = instance.store();
    if store.probe(RECORDS_KEY).await.is_err() {
        return false;
    }
    let Ok(number) = store.increment(&DEAD_LETTERS.counter(bucket), 1) else { return false };
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    if number > MOST_PER_DAY {
        instance.letters_full_on.set(Some(bucket));
        return true;
    }
    store.set(&DEAD_LETTERS.key(Position { bucket, number }), &letter.encode()).await.is_ok()
}
