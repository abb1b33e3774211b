//! Ten thousand students: what they leave in the store while they are active, and afterwards.

mod census;
mod session;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use futures::future::{join, join_all};
use serde_json::Value;
use triage_host::clock::VIRTUAL_START;
use triage_host::runtime_config::StoreConfig;
use triage_host::{App, Builder, RedisStandIn, Store};
use triage_load::question::{Issuer, maintenance};
use triage_load::{progress, seed};

use crate::arguments::Arguments;
use crate::scripted::Scripted;
use crate::verdict::Verdict;
use census::Census;
use session::Session;

/// Sessions begin within this time.
const ARRIVALS: Duration = Duration::from_secs(600);
/// After that the last of them are over, and so is everything but dead letters.
const REST: Duration = Duration::from_secs(900);
/// Maintenance runs so often: the bound on keys depends on it.
const CRON: Duration = Duration::from_secs(60);
/// The store is looked at so often.
const LOOK: Duration = Duration::from_secs(20);
/// Longer than anything is kept: dead letters seven days.
const EVERYTHING_EXPIRED: Duration = Duration::from_secs(9 * 86_400);
/// Keys that may stand in the store for ever, whoever asked: breakers and the outbox' head.
const MOST_SHARED: usize = 16;
/// Of a hundred calls of agents so many fail: after two retries there are some dead letters.
const FAILING: u32 = 30;
/// The same on Redis, where everybody asks within seconds: few enough that agents' breakers do not
/// refuse most of the questions.
const FAILING_AT_ONCE: u32 = 5;
/// Runs of maintenance that must be enough for everything; one lasts 20 s at most.
const MOST_RUNS: u32 = 60;
/// Requests at a time in real time.
const AT_A_TIME: usize = 16;

fn builder(arguments: &Arguments, sidecar: &Scripted, issuer: &Issuer) -> Builder {
    let builder = App::builder(&arguments.manifest).seed(arguments.seed).sidecar(sidecar.clone());
    builder.variable("jwt_keys", &issuer.jwks())
}

/// On SQLite, under virtual time.
pub fn in_scripted_time(arguments: &Arguments) -> Result<Verdict> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(scripted(arguments))
}

async fn scripted(arguments: &Arguments) -> Result<Verdict> {
    let sidecar = Scripted::new(arguments.seed, FAILING, 100);
    let issuer = Issuer::new(VIRTUAL_START.as_secs());
    let app = builder(arguments, &sidecar, &issuer).virtual_time().build().await?;
    let sessions: Vec<Session> =
        (0..arguments.students).map(|n| Session::plan(arguments.seed, n, ARRIVALS)).collect();
    let bar = progress::bar("students", (ARRIVALS + REST).as_secs());
    let (mut census, over) = (Census::default(), Cell::new(false));
    let looking = async {
        let mut next_sweep = CRON;
        while !over.get() {
            app.clock().advance(LOOK).await;
            census.look(&app).await?;
            if app.clock().elapsed() >= next_sweep {
                next_sweep += CRON;
                ensure!(app.request(maintenance()).await.status == 200, "maintenance failed");
            }
            bar.set_position(app.clock().elapsed().as_secs());
        }
        anyhow::Ok(())
    };
    let asking = async {
        let statuses = join_all(sessions.iter().map(|session| session.keep(&app, &issuer))).await;
        let left = (ARRIVALS + REST).saturating_sub(app.clock().elapsed());
        app.clock().advance(left).await;
        over.set(true);
        statuses.concat()
    };
    let (looked, statuses) = join(looking, asking).await;
    looked?;
    bar.finish_and_clear();
    let title = format!("{} students in scripted time, SQLite, seed {}", arguments.students, arguments.seed);
    let mut verdict = Verdict::new(title);
    verdict.figure("answers, by status", by_status(&statuses));
    census.report(&app, &sessions, &mut verdict);
    verdict.figure("keys left 10 minutes after the last question", kinds(&app.store().keys().await?));
    app.clock().advance(EVERYTHING_EXPIRED).await;
    report_rest(&app, &mut verdict).await?;
    Ok(verdict)
}

/// On Redis, in real time: all students ask once, then the wall clock jumps.
pub fn on_redis(arguments: &Arguments) -> Result<Verdict> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(redis(arguments))
}

async fn redis(arguments: &Arguments) -> Result<Verdict> {
    let (store, name) = match &arguments.redis {
        Some(url) => (Store::new("default", &StoreConfig::Redis(url.clone()))?, "Redis"),
        None => (RedisStandIn::start().context("a stand-in for Redis")?.store(), "a stand-in for Redis"),
    };
    ensure!(store.keys().await?.is_empty(), "the Redis database is not empty: name one that is");
    let sidecar = Scripted::new(arguments.seed, FAILING_AT_ONCE, 2);
    let issuer = Issuer::new(seed::unix_now().as_secs());
    let app = builder(arguments, &sidecar, &issuer).store(&store).build().await?;
    let sessions: Vec<Session> =
        (0..arguments.students).map(|n| Session::plan(arguments.seed, n, ARRIVALS)).collect();
    let bar = progress::bar("redis", u64::from(arguments.students));
    let asked = futures::stream::iter(&sessions).map(|session| {
        let (app, issuer, bar) = (&app, &issuer, &bar);
        async move {
            let status = session.ask_once(app, issuer).await;
            bar.inc(1);
            status
        }
    });
    let statuses: Vec<u16> = asked.buffer_unordered(AT_A_TIME).collect().await;
    bar.finish_and_clear();
    let mut verdict =
        Verdict::new(format!("{} students on {name}, seed {}", arguments.students, arguments.seed));
    verdict.figure("answers, by status", by_status(&statuses));
    let keys = store.keys().await?;
    verdict.figure("keys after one question each", kinds(&keys));
    let per_student = census::per_student(&app, &keys);
    verdict.figure(
        "  of one student, at most, dead letters aside",
        per_student.values().max().copied().unwrap_or_default(),
    );
    let once = i64::try_from(EVERYTHING_EXPIRED.as_secs())?;
    app.clock().set_offset(once);
    maintain(&app).await?;
    // What instances had left in the outbox was filed only now: its dead letters count from here.
    verdict.figure("keys left after maintenance nine days later", kinds(&store.keys().await?));
    app.clock().set_offset(once.saturating_mul(2));
    report_rest(&app, &mut verdict).await?;
    for key in store.keys().await? {
        // The database was empty before.
        store.delete(&key).await?;
    }
    Ok(verdict)
}

/// Maintenance until there is no more to do.
async fn maintain(app: &App) -> Result<()> {
    for run in 1.. {
        let answer = app.request(maintenance()).await;
        ensure!(answer.status == 200, "maintenance answered {}: {}", answer.status, answer.text());
        let summary: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        // One run more: the first one only ends what lets others end.
        if summary["more"] != true && run > 1 {
            break;
        }
        ensure!(run < MOST_RUNS, "maintenance has more to do after {run} runs: {summary}");
    }
    Ok(())
}

/// Maintenance when everything has expired: nothing of a student may be left.
async fn report_rest(app: &App, verdict: &mut Verdict) -> Result<()> {
    maintain(app).await?;
    let keys = app.store().keys().await?;
    verdict.figure("keys left after maintenance once everything has expired", kinds(&keys));
    let of_students: Vec<&String> = keys.iter().filter(|key| census::is_of_a_student(key)).collect();
    verdict.zero("  of them a student's", of_students.len(), of_students.iter().map(|key| (*key).clone()));
    let too_many = keys.len().saturating_sub(MOST_SHARED);
    verdict.zero(&format!("  more than the {MOST_SHARED} that all share"), too_many, keys.iter().cloned());
    let broken = app.take_violations();
    verdict.zero("rules of the runtime broken", broken.len(), broken.iter().map(ToString::to_string));
    Ok(())
}

fn by_status(statuses: &[u16]) -> String {
    counted(statuses.iter().map(ToString::to_string))
}

/// Keys by what they are: their first two words.
fn kinds(keys: &[String]) -> String {
    counted(keys.iter().map(|key| key.split(':').take(2).collect::<Vec<_>>().join(":")))
}

fn counted(names: impl Iterator<Item = String>) -> String {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_insert(0_usize) += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
    format!("{} ({})", counts.values().sum::<usize>(), parts.join(", "))
}
