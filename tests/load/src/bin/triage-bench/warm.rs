//! A warm `POST /api/v1/triage` with the stand-in sidecar: classification, breaker, limiter,
//! write-ahead record, the agent's answer, all of it.

use std::time::Duration;

use anyhow::Result;
use futures::future::try_join_all;
use tokio::time::Instant;
use triage_load::connection::{Answer, Connection};
use triage_load::figures::{Table, Times, ms, percent};
use triage_load::host_process::StoreKind;

use crate::report::Report;
use crate::rig::Rig;

/// A response slower than this waited for a delayed acknowledgement (40 ms on Linux), or for
/// something as bad.
const TRAP: Duration = Duration::from_millis(35);
const AIM: Duration = Duration::from_millis(2);

/// Measures it.
pub async fn measure(rig: &Rig, report: &mut Report) -> Result<()> {
    let headings = [
        "store, connections",
        "requests",
        "median",
        "p95",
        "p99",
        "longest",
        "req/s",
        "in two segments",
        "> 35 ms",
    ];
    let mut table = Table::new("a warm POST /api/v1/triage, stand-in sidecar", &headings);
    for store in [StoreKind::Memory, StoreKind::File] {
        let running = rig.host(store, None, |launch| launch).await?;
        for connections in [1, 16] {
            let began = Instant::now();
            let answers = ask(rig, running.address(), connections).await?;
            let lasted = began.elapsed();
            let times: Times = answers.iter().map(|answer| answer.took).collect();
            let split = answers.iter().filter(|answer| answer.is_split()).count();
            let trapped = times.above(TRAP);
            #[allow(clippy::cast_precision_loss, reason = "a number of requests")]
            let rate = times.len() as f64 / lasted.as_secs_f64();
            table.row([
                format!("{}, {connections}", store.as_str()),
                times.len().to_string(),
                ms(times.percentile(50)),
                ms(times.percentile(95)),
                ms(times.percentile(99)),
                ms(times.longest()),
                format!("{rate:.0}"),
                percent(split, times.len()),
                trapped.to_string(),
            ]);
            if (store, connections) == (StoreKind::Memory, 1) {
                let median = times.percentile(50);
                report.aim("median of a warm request", "< 2 ms", format!("{} ms", ms(median)), median < AIM);
                let in_two = percent(split, times.len());
                report.aim("answers in two segments", "few", in_two, split * 20 < times.len());
                classification(&answers, &mut table);
            }
        }
    }
    report.table(&table);
    Ok(())
}

async fn ask(rig: &Rig, address: std::net::SocketAddr, connections: usize) -> Result<Vec<Answer>> {
    let each = rig.requests().div_ceil(connections);
    let client = |number: usize| async move {
        let mut connection = Connection::open(address).await?;
        if number == 0 {
            rig.warm_up(&mut connection).await?;
        }
        let mut answers = Vec::with_capacity(each);
        for n in 0..each {
            answers.push(rig.ask(&mut connection, number + n * connections).await?);
        }
        anyhow::Ok(answers)
    };
    Ok(try_join_all((0..connections).map(client)).await?.concat())
}

/// What the component itself says about the classifier's part.
fn classification(answers: &[Answer], table: &mut Table) {
    let said = |answer: &Answer| answer.json()["timing_ms"]["classification"].as_f64();
    let times: Times =
        answers.iter().filter_map(said).map(|ms| Duration::from_secs_f64(ms / 1_000.0)).collect();
    let figure = |percent| format!("{:.3}", times.percentile(percent).as_secs_f64() * 1_000.0);
    table.row([
        "  of it classification".to_owned(),
        times.len().to_string(),
        figure(50),
        figure(95),
        figure(99),
    ]);
}
