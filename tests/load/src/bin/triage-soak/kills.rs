//! The host killed with SIGKILL at random moments under load, over one store.
//!
//! Each run starts the real binary on the SQLite file that the run before left behind, puts load on
//! it from sixteen connections, and kills it. At the end it is started once more, maintenance is
//! called until nothing waits, and every answer that a client received must have its event.

mod load;
mod weather;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use triage_host::Store;
use triage_host::runtime_config::StoreConfig;
use triage_load::connection::{Connection, wire};
use triage_load::dapr_stand_in::{Asked, DaprStandIn};
use triage_load::host_process::{Launch, StoreKind};
use triage_load::interruption::unless_interrupted;
use triage_load::progress;
use triage_load::question::{Issuer, maintenance};
use triage_load::scratch::Scratch;
use triage_load::seed;

use crate::arguments::Arguments;
use crate::ledger::{AUDIT, Ledger};
use crate::verdict::Verdict;
use load::{Crew, Load};
use weather::Weather;

/// How long maintenance may need until nothing waits: slots are taken over when their owner has not
/// written for 40 s, and then every record is published.
const SWEEP_LIMIT: Duration = Duration::from_secs(600);
/// A process that answers this slowly is killed all the same.
const LIFE_LIMIT: Duration = Duration::from_secs(10);
/// Between two calls of maintenance.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Runs it.
pub fn run(arguments: &Arguments) -> Result<Verdict> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(unless_interrupted(campaign(arguments)))
}

async fn campaign(arguments: &Arguments) -> Result<Verdict> {
    let seed = arguments.seed;
    let mut scratch = Scratch::new("soak")?;
    let weather = Arc::new(Mutex::new(Weather::fair(seed)));
    let sky = Arc::clone(&weather);
    let lock = |weather: &Mutex<Weather>, asked: Asked<'_>| {
        weather.lock().unwrap_or_else(PoisonError::into_inner).manner(asked)
    };
    let dapr = DaprStandIn::start(move |asked| lock(&sky, asked)).await?;
    let crew =
        Arc::new(Crew { seed, issuer: Issuer::new(seed::unix_now().as_secs()), ledger: Ledger::default() });
    let launch = launch(arguments, &scratch, &dapr, &crew.issuer)?;
    let bar = progress::bar("kills", arguments.runs);
    for run in 0..arguments.runs {
        *weather.lock().unwrap_or_else(PoisonError::into_inner) = Weather::of_run(seed, run);
        one_run(&launch, &crew, run).await?;
        bar.set_message(format!("{} answers", crew.ledger.answers()));
        bar.inc(1);
    }
    bar.finish_and_clear();
    *weather.lock().unwrap_or_else(PoisonError::into_inner) = Weather::fair(seed);
    let before = dapr.log().events(AUDIT).len();
    let swept = sweep(&launch).await?;
    let mut verdict = Verdict::new(format!("SIGKILL: {} runs, seed {seed}", arguments.runs));
    crew.ledger.settle(dapr.log(), &mut verdict);
    let events = dapr.log().events(AUDIT);
    verdict.figure("audit events before the last maintenance", before);
    verdict.figure("records that maintenance published at the end", swept.published);
    let silent = dapr.log().visited().iter().filter(|id| !events.contains_key(*id)).count();
    verdict.figure("requests that reached an agent, got no answer and left no event, allowed", silent);
    let (keys, outbox) = keys_left(&launch).await?;
    verdict.figure("keys left in the store", keys);
    verdict.zero("outbox slots left in the store", outbox.len(), outbox.iter().cloned());
    if !verdict.holds() {
        scratch.keep();
        verdict.figure("store and log are kept in", scratch.path().display());
    }
    Ok(verdict)
}

fn launch(arguments: &Arguments, scratch: &Scratch, dapr: &DaprStandIn, issuer: &Issuer) -> Result<Launch> {
    let launch = Launch::new(&arguments.host, &arguments.manifest, scratch, StoreKind::File)?;
    Ok(launch
        .variable("dapr_url", format!("http://{}", dapr.address()))
        .variable("jwt_keys", issuer.jwks())
        .variable("rate_limit_per_minute", "1000000")
        // Short, so that a run sees breakers open and close again, and deadlines pass.
        .variable("breaker_open_s", "2")
        .variable("deadline_ms", "500"))
}

/// One life of the process.
async fn one_run(launch: &Launch, crew: &Arc<Crew>, run: u64) -> Result<()> {
    let mut random = seed::stream(crew.seed, "kill", run);
    let host = launch.start().await?;
    let load = crew.start(host.address(), run);
    let lives = life(&mut random);
    // In every sixth run maintenance is under way at some time, perhaps when the end comes.
    let sweeps = random.random_bool(1.0 / 6.0).then(|| random.random_range(0..=lives));
    let sweeping = sweeps.map(|answers| sweep_after(&load, host.address(), answers));
    load.reach(lives, LIFE_LIMIT).await;
    tokio::time::sleep(Duration::from_micros(random.random_range(0..20_000))).await;
    if random.random_bool(0.15) {
        // All answers are out; what goes on after them is hit.
        load.stop().await;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..30))).await;
    }
    load.killed();
    host.kill();
    load.stop().await;
    if let Some(sweeping) = sweeping {
        sweeping.await?;
    }
    Ok(())
}

/// How many answers the process lives for, rather than how long: that does not depend on the
/// machine. At times long enough for instances to be used up.
fn life(random: &mut StdRng) -> usize {
    let long = random.random_bool(0.1);
    random.random_range(if long { 250..1_000 } else { 0..250 })
}

/// Calls maintenance once, when so many answers are out.
fn sweep_after(load: &Load, address: SocketAddr, answers: usize) -> JoinHandle<()> {
    let reached = load.reach(answers, LIFE_LIMIT);
    tokio::spawn(async move {
        reached.await;
        let Ok(mut connection) = Connection::open(address).await else { return };
        // The process may be killed meanwhile: that is the point.
        let _ = connection.exchange(&wire(&maintenance())).await;
    })
}

/// What the last maintenance did.
struct Swept {
    published: u64,
}

/// Starts the host once more and calls maintenance until nothing waits.
async fn sweep(launch: &Launch) -> Result<Swept> {
    let host = launch.start().await?;
    let bar = progress::bar("sweeping", SWEEP_LIMIT.as_secs());
    let limit = Instant::now() + SWEEP_LIMIT;
    let mut connection = Connection::open(host.address()).await?;
    let mut published = 0;
    loop {
        let answer = connection.exchange(&wire(&maintenance())).await.map_err(|broken| broken.error)?;
        let summary: Value = answer.json();
        ensure!(answer.head.status == 200, "maintenance answered {}: {summary}", answer.head.status);
        published += summary["published"].as_u64().unwrap_or_default();
        let waiting = summary["waiting"].as_u64().unwrap_or_default();
        let more = summary["more"] == true;
        bar.set_message(format!("{waiting} slots wait, {published} records published"));
        bar.inc(1);
        if waiting == 0 && !more {
            bar.finish_and_clear();
            return Ok(Swept { published });
        }
        ensure!(Instant::now() < limit, "not done after {SWEEP_LIMIT:?} of maintenance: {summary}");
        if !more {
            tokio::time::sleep(SWEEP_EVERY).await;
        }
    }
}

/// How many keys the store holds, and those of them that are slots of the outbox.
async fn keys_left(launch: &Launch) -> Result<(usize, Vec<String>)> {
    let store = Store::new("default", &StoreConfig::SqliteFile(launch.store_file()))?;
    let keys = store.keys().await?;
    let is_slot = |key: &&String| key.strip_prefix("v:ob:").is_some_and(|rest| rest.contains(':'));
    let slots = keys.iter().filter(is_slot).cloned().collect();
    Ok((keys.len(), slots))
}
