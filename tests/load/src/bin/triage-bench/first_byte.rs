//! What a stream's first byte gains in delay against calling the agent directly.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use http::Request;
use triage_load::connection::{Answer, Connection, wire};
use triage_load::dapr_stand_in::{DaprStandIn, STREAM_EVENTS, marker};
use triage_load::figures::{Table, Times, ms};
use triage_load::host_process::StoreKind;
use triage_load::question::{MESSAGES, Question};

use crate::report::Report;
use crate::rig::{Rig, agents_after, id};

/// What the agent needs until its first event.
const AGENT: Duration = Duration::from_millis(20);

/// Measures it.
pub async fn measure(rig: &Rig, report: &mut Report) -> Result<()> {
    let dapr = agents_after(AGENT).await?;
    let running = rig.host(StoreKind::Memory, Some(&dapr), |launch| launch).await?;
    let mut direct = Connection::open(dapr.address()).await?;
    let mut through = Connection::open(running.address()).await?;
    rig.warm_up(&mut through).await?;
    let (mut direct_times, mut through_times) = (Vec::new(), Vec::new());
    // In turns, so that both meet the same machine.
    for n in 0..(rig.requests() / 10).max(1) {
        direct_times.push(call_directly(&mut direct, &dapr, n).await?);
        through_times.push(ask(rig, &mut through, &dapr, n).await?);
    }
    let (direct, through): (Times, Times) =
        (direct_times.into_iter().collect(), through_times.into_iter().collect());
    let mut table = Table::new(
        &format!("a stream's first byte, without the agent's {} ms", AGENT.as_millis()),
        &["", "streams", "p50", "p95", "p99"],
    );
    for (name, times) in [("the agent directly", &direct), ("through triage", &through)] {
        let figures = [50, 95, 99].map(|percent| ms(times.percentile(percent)));
        table.row([name.to_owned(), times.len().to_string()].into_iter().chain(figures));
    }
    let gains = [50, 95, 99]
        .map(|percent| ms(through.percentile(percent).saturating_sub(direct.percentile(percent))));
    table.row(["gained".to_owned(), String::new()].into_iter().chain(gains));
    report.table(&table);
    Ok(())
}

async fn call_directly(connection: &mut Connection, dapr: &DaprStandIn, n: usize) -> Result<Duration> {
    let id = format!("direct-{n}");
    let request = Request::post("/v1.0/invoke/debug-agent/method/process")
        .header("accept", "text/event-stream")
        .header("content-type", "application/json")
        .header("x-request-id", &id)
        .body(b"{}".to_vec())?;
    let answer = connection.exchange(&wire(&request)).await.map_err(|broken| broken.error)?;
    first_byte(&answer, dapr, &id)
}

async fn ask(rig: &Rig, connection: &mut Connection, dapr: &DaprStandIn, n: usize) -> Result<Duration> {
    let [message, ..] = MESSAGES;
    let question = Question { stream: true, ..Question::new(u32::try_from(n % 1_000)?, message.text) };
    let answer =
        connection.exchange(&wire(&question.request(&rig.issuer))).await.map_err(|broken| broken.error)?;
    ensure!(answer.head.header("content-type") == Some("text/event-stream"), "no stream: {}", answer.json());
    let text = String::from_utf8_lossy(&answer.body);
    let (decision, done) = (text.starts_with("event: decision\n"), text.contains("\nevent: done\n"));
    ensure!(decision && done, "a stream without beginning or end: {text}");
    first_byte(&answer, dapr, id(&answer))
}

/// When the agent's first event was there, without the time the agent took; all its events must be.
fn first_byte(answer: &Answer, dapr: &DaprStandIn, id: &str) -> Result<Duration> {
    let marker = marker("debug-agent", id);
    let text = String::from_utf8_lossy(&answer.body);
    let events = u64::try_from(text.matches(&marker).count())?;
    ensure!(events == STREAM_EVENTS, "{events} of {STREAM_EVENTS} events in {text}");
    let visits = dapr.log().visits(id);
    let agent = visits.first().context("the agent was not called")?.took();
    let arrived = answer.arrived(&marker).context("the agent's first event")?;
    Ok(arrived.saturating_sub(agent))
}
