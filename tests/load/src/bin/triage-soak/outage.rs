//! The broker away for five minutes of scripted time under load, then back.
//!
//! The real component runs in process on the embedded host under virtual time. While the broker is
//! away it fails in three ways in turn. After its return there is no maintenance at first: later
//! requests alone must drain what waits, as far as they come. Then maintenance takes the rest.

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::{join, join_all};
use indicatif::ProgressBar;
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::Value;
use triage_host::App;
use triage_host::clock::VIRTUAL_START;
use triage_load::question::{Issuer, MESSAGES, Question, SMALL_TALK, maintenance};
use triage_load::{progress, seed};

use crate::arguments::Arguments;
use crate::ledger::{AUDIT, Ledger, Receipt};
use crate::scripted::{Broker, Scripted};
use crate::verdict::Verdict;

/// Clients at a time.
const CLIENTS: u64 = 24;
/// Students who ask.
const STUDENTS: u32 = 500;
/// Of a hundred calls of agents so many fail: retries succeed mostly, some do not, breakers open.
const FAILING: u32 = 35;
/// Maintenance runs so often, as a cron binding would have it.
const CRON_S: u64 = 30;
/// The scripted time: what the broker does, for so many seconds.
const SCRIPT: [(Broker, u64); 5] = [
    (Broker::Up, 60),
    (Broker::Refusing, 100),
    (Broker::Silent, 100),
    (Broker::Resetting, 100),
    (Broker::Up, 120),
];
/// Index of the part of [`SCRIPT`] after the broker's return.
const RETURNED: usize = 4;
/// Calls of maintenance until nothing may wait any more.
const MOST_SWEEPS: u32 = 200;

/// Runs it.
pub fn run(arguments: &Arguments) -> Result<Verdict> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(outage(arguments))
}

/// What the clients share.
struct Classroom<'a> {
    app: &'a App,
    issuer: &'a Issuer,
    ledger: &'a Ledger,
    over: &'a Cell<bool>,
}

async fn outage(arguments: &Arguments) -> Result<Verdict> {
    let seed = arguments.seed;
    let sidecar = Scripted::new(seed, FAILING, 200);
    let issuer = Issuer::new(VIRTUAL_START.as_secs());
    let builder = App::builder(&arguments.manifest).virtual_time().seed(seed).sidecar(sidecar.clone());
    let builder = builder.variable("jwt_keys", &issuer.jwks()).variable("rate_limit_per_minute", "1000000");
    let app = builder.build().await?;
    let (ledger, over) = (Ledger::default(), Cell::new(false));
    let room = Classroom { app: &app, issuer: &issuer, ledger: &ledger, over: &over };
    let bar = progress::bar("outage", SCRIPT.iter().map(|(_, seconds)| seconds).sum());
    let clients = (0..CLIENTS).map(|n| client(&room, seed::stream(seed, "outage client", n)));
    let (most_slots, _) = join(direct(&room, &sidecar, &bar), join_all(clients)).await;
    bar.finish_and_clear();
    let mut verdict = Verdict::new(format!("broker away for 300 s of scripted time, seed {seed}"));
    verdict.figure("instances that served", app.instances().get("triage").copied().unwrap_or_default());
    verdict.figure("most slots in the outbox at a time", most_slots?);
    let before = (sidecar.log().events(AUDIT).len(), ledger.missing(sidecar.log()));
    verdict.figure("events 120 s after its return, by later requests alone", before.0);
    verdict.figure("  still missing then", before.1);
    let (sweeps, published) = sweep(&app).await?;
    verdict.figure("calls of maintenance until nothing waited", sweeps);
    verdict.figure("  records they published", published);
    ledger.settle(sidecar.log(), &mut verdict);
    let broken = app.take_violations();
    verdict.zero("rules of the runtime broken", broken.len(), broken.iter().map(ToString::to_string));
    Ok(verdict)
}

/// Lets the script's time pass; the most slots that stood in the outbox.
async fn direct(room: &Classroom<'_>, sidecar: &Scripted, bar: &ProgressBar) -> Result<usize> {
    let mut most = 0;
    for (part, (broker, seconds)) in SCRIPT.into_iter().enumerate() {
        sidecar.broker(broker);
        for second in 1..=seconds {
            room.app.clock().advance(Duration::from_secs(1)).await;
            bar.set_message(format!("{} answers", room.ledger.answers()));
            bar.inc(1);
            if second % CRON_S == 0 && part != RETURNED {
                room.app.request(maintenance()).await;
                most = most.max(slots(room.app).await?);
            }
        }
    }
    room.over.set(true);
    Ok(most)
}

async fn slots(app: &App) -> Result<usize> {
    let is_slot = |key: &&String| key.strip_prefix("v:ob:").is_some_and(|rest| rest.contains(':'));
    Ok(app.store().keys().await?.iter().filter(is_slot).count())
}

/// Maintenance as cron calls it, until nothing waits: how often, and what it published.
async fn sweep(app: &App) -> Result<(u32, u64)> {
    let mut published = 0;
    for sweep in 1..=MOST_SWEEPS {
        app.clock().advance(Duration::from_secs(CRON_S)).await;
        let answer = app.request(maintenance()).await;
        let summary: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        ensure!(answer.status == 200, "maintenance answered {}: {summary}", answer.status);
        published += summary["published"].as_u64().unwrap_or_default();
        if summary["waiting"] == 0 && summary["more"] != true {
            return Ok((sweep, published));
        }
    }
    anyhow::bail!("slots still wait after {MOST_SWEEPS} calls of maintenance")
}

/// One client: asks every second and a half or so until it is over.
async fn client(room: &Classroom<'_>, mut random: StdRng) {
    while !room.over.get() {
        room.app.clock().advance(Duration::from_millis(random.random_range(500..2_500))).await;
        let at = room.app.clock().elapsed().as_secs();
        let question = question(&mut random);
        let response = room.app.request(question.request(room.issuer)).await;
        let place = format!("second {at}");
        if let Some(fault) = &response.fault {
            room.ledger.fault(format!("{place}: {fault:?}"));
            continue;
        }
        let body = serde_json::from_slice(&response.body).unwrap_or_default();
        let receipt = Receipt::new(response.status.as_u16(), |name| response.header(name), &body, place);
        room.ledger.received(Receipt { cut: response.broken.is_some(), ..receipt });
    }
}

fn question(random: &mut StdRng) -> Question {
    let student = random.random_range(0..STUDENTS);
    let message = MESSAGES.get(random.random_range(0..MESSAGES.len())).unwrap_or(&SMALL_TALK);
    let question = Question::new(student, message.text);
    match random.random_range(0..100) {
        0..12 => Question { stream: true, ..question },
        12..18 => Question { reject: true, text: Some(SMALL_TALK.text), ..question },
        18..22 => Question { text: None, ..question },
        _ => question,
    }
}
