//! The first request of an instance against a later one. At low traffic every request is a first one.

use std::time::Duration;

use anyhow::Result;
use triage_load::connection::Connection;
use triage_load::figures::{Table, Times, ms};
use triage_load::host_process::StoreKind;

use crate::report::Report;
use crate::rig::{Rig, agents_after, id};

/// Between two requests, so that an instance that ends does not disturb the next.
const PAUSE: Duration = Duration::from_millis(5);
const AIM: Duration = Duration::from_millis(1);

/// Measures it. An agent of ours answers at once: the stand-in component would be fresh as well.
pub async fn measure(rig: &Rig, report: &mut Report) -> Result<()> {
    let mut table =
        Table::new("a fresh instance (total minus agent)", &["", "requests", "p50", "p95", "p99"]);
    let mut medians = Vec::new();
    for (name, reuse) in [("a later request", "100000"), ("the first request", "1")] {
        let dapr = agents_after(Duration::ZERO).await?;
        let option =
            |launch: triage_load::host_process::Launch| launch.option("--max-instance-reuse-count", reuse);
        let running = rig.host(StoreKind::Memory, Some(&dapr), option).await?;
        let mut connection = Connection::open(running.address()).await?;
        rig.warm_up(&mut connection).await?;
        let mut times = Vec::new();
        for n in 0..rig.requests() / 4 {
            tokio::time::sleep(PAUSE).await;
            let answer = rig.ask(&mut connection, n).await?;
            let agent = dapr.log().visits(id(&answer)).first().map_or(Duration::ZERO, |visit| visit.took());
            times.push(answer.took.saturating_sub(agent));
        }
        let times: Times = times.into_iter().collect();
        let figures = [50, 95, 99].map(|percent| ms(times.percentile(percent)));
        table.row([name.to_owned(), times.len().to_string()].into_iter().chain(figures));
        medians.push(times.percentile(50));
    }
    report.table(&table);
    if let [later, first] = medians.as_slice() {
        let costs = first.saturating_sub(*later);
        report.aim("what a fresh instance adds, median", "< 1 ms", format!("{} ms", ms(costs)), costs < AIM);
    }
    Ok(())
}
