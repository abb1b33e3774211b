//! A warm `POST /api/v1/triage` with the stand-in sidecar: classification, breaker, limiter,
//! write-ahead record, the agent's answer, all of it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use futures::future::try_join_all;
use tokio::time::Instant;
use triage_load::connection::{Answer, Connection};
use triage_load::figures::{Table, Times, ms};
use triage_load::host_process::StoreKind;

use crate::disk;
use crate::report::Report;
use crate::rig::Rig;
use crate::segments;

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
        "two segments",
        "> 35 ms",
    ];
    let mut table = Table::new("a warm POST /api/v1/triage, stand-in sidecar", &headings);
    for store in [StoreKind::Memory, StoreKind::File] {
        let running = rig.host(store, None, |launch| launch).await?;
        rig.warm_up(&mut Connection::open(running.address()).await?).await?;
        for connections in [1, 16] {
            let began = Instant::now();
            let answers = ask(rig, running.address(), connections).await?;
            let rate = per_second(answers.len(), began.elapsed());
            let times: Times = answers.iter().map(|answer| answer.took).collect();
            let name = format!("{}, {connections}", store.as_str());
            let figures = [50, 95, 99].map(|percent| ms(times.percentile(percent)));
            let row = [name, times.len().to_string()].into_iter().chain(figures);
            table.row(row.chain([ms(times.longest()), rate]).chain(segments::figures(&answers)));
            if (store, connections) == (StoreKind::Memory, 1) {
                let median = times.percentile(50);
                report.aim("median of a warm request", "< 2 ms", format!("{} ms", ms(median)), median < AIM);
                classification(&answers, &mut table);
            }
        }
    }
    report.table(&table);
    println!(
        "  (a changing write to this disk: {} ms; the file store's figures hang on it)\n",
        ms(disk::write().await?)
    );
    Ok(())
}

async fn ask(rig: &Rig, address: SocketAddr, connections: usize) -> Result<Vec<Answer>> {
    let each = rig.requests().div_ceil(connections);
    let client = |number: usize| async move {
        let mut connection = Connection::open(address).await?;
        let mut answers = Vec::with_capacity(each);
        for n in 0..each {
            answers.push(rig.ask(&mut connection, number + n * connections).await?);
        }
        anyhow::Ok(answers)
    };
    Ok(try_join_all((0..connections).map(client)).await?.concat())
}

#[allow(clippy::cast_precision_loss, reason = "a number of requests")]
fn per_second(requests: usize, lasted: Duration) -> String {
    format!("{:.0}", requests as f64 / lasted.as_secs_f64())
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
