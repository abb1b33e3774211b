//! An open breaker's answer: a 502 with event and dead letter secured, and no call.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use triage_load::connection::{Answer, Connection, wire};
use triage_load::dapr_stand_in::{Asked, DaprStandIn, Manner};
use triage_load::figures::{Table, Times, ms};
use triage_load::host_process::StoreKind;
use triage_load::question::{MESSAGES, Question};

use crate::report::Report;
use crate::rig::Rig;

const AIM: Duration = Duration::from_millis(5);
/// Questions until the breaker must be open.
const MOST_TRIES: u32 = 20;

/// Measures it.
pub async fn measure(rig: &Rig, report: &mut Report) -> Result<()> {
    let headings = ["store", "requests", "median", "p95", "p99", "longest"];
    let mut table = Table::new("an open breaker's answer (502, no call)", &headings);
    for store in [StoreKind::Memory, StoreKind::File] {
        let dapr = DaprStandIn::start(|asked| match asked {
            Asked::Agent { .. } => Manner::status(Duration::ZERO, 503),
            Asked::Event { .. } => Manner::serve(Duration::ZERO),
        });
        let dapr = dapr.await?;
        let running =
            rig.host(store, Some(&dapr), |launch| launch.variable("breaker_open_s", "3600")).await?;
        let mut connection = Connection::open(running.address()).await?;
        open(rig, &mut connection).await?;
        let calls = dapr.log().calls();
        let mut times = Vec::new();
        for n in 0..rig.requests() / 4 {
            let answer = ask(rig, &mut connection, u32::try_from(n % 1_000)?).await?;
            let body = answer.json();
            ensure!(answer.head.status == 502 && body["circuit_breaker"] == "open", "not refused: {body}");
            ensure!(body["fallback"] == "dead_letter_queue", "no dead letter: {body}");
            times.push(answer.took);
        }
        ensure!(dapr.log().calls() == calls, "an open breaker let a call through");
        let times: Times = times.into_iter().collect();
        let median = times.percentile(50);
        table.row([
            store.as_str().to_owned(),
            times.len().to_string(),
            ms(median),
            ms(times.percentile(95)),
            ms(times.percentile(99)),
            ms(times.longest()),
        ]);
        let what = format!("an open breaker's answer, median, {} store", store.as_str());
        report.aim(what, "< 5 ms", format!("{} ms", ms(median)), median < AIM);
    }
    report.table(&table);
    Ok(())
}

async fn ask(rig: &Rig, connection: &mut Connection, student: u32) -> Result<Answer> {
    let [message, ..] = MESSAGES;
    let request = wire(&Question::new(student, message.text).request(&rig.issuer));
    connection.exchange(&request).await.map_err(|broken| broken.error)
}

/// Asks until the breaker is open.
async fn open(rig: &Rig, connection: &mut Connection) -> Result<()> {
    for student in 0..MOST_TRIES {
        let answer = ask(rig, connection, student).await?;
        ensure!(answer.head.status == 502, "a failing agent answered {}", answer.head.status);
        if answer.json()["circuit_breaker"] == "open" {
            return Ok(());
        }
    }
    bail!("the breaker is not open after {MOST_TRIES} failed questions")
}
