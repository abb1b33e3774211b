//! A healthy request's own overhead: from the client's first byte to the answer's last, without the
//! time that the agent itself took.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use triage_load::connection::Connection;
use triage_load::dapr_stand_in::DaprStandIn;
use triage_load::figures::{Table, Times, ms};
use triage_load::host_process::StoreKind;

use crate::report::Report;
use crate::rig::{Rig, agents_after, id};

/// What the agent needs.
const AGENT: Duration = Duration::from_millis(20);

/// Measures it.
pub async fn measure(rig: &Rig, report: &mut Report) -> Result<()> {
    let title = format!("own overhead: total minus agent ({} ms)", AGENT.as_millis());
    let headings = ["store, connections", "requests", "p50", "p95", "p99", "longest"];
    let mut table = Table::new(&title, &headings);
    for store in [StoreKind::Memory, StoreKind::File] {
        let dapr = agents_after(AGENT).await?;
        let running = rig.host(store, Some(&dapr), |launch| launch).await?;
        for connections in [1, 16] {
            // One connection alone waits for the agent most of the time: fewer requests there.
            let each = if connections == 1 { rig.requests() / 4 } else { rig.requests() / connections };
            let clients = (0..connections)
                .map(|n| client(rig, &dapr, running.address(), (n, connections, each.max(1))));
            let times: Times = try_join_all(clients).await?.concat().into_iter().collect();
            table.row([
                format!("{}, {connections}", store.as_str()),
                times.len().to_string(),
                ms(times.percentile(50)),
                ms(times.percentile(95)),
                ms(times.percentile(99)),
                ms(times.longest()),
            ]);
        }
    }
    report.table(&table);
    Ok(())
}

async fn client(
    rig: &Rig,
    dapr: &DaprStandIn,
    address: SocketAddr,
    (number, step, each): (usize, usize, usize),
) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    for n in 0..5 {
        rig.ask(&mut connection, n).await?;
    }
    let mut times = Vec::with_capacity(each);
    for n in 0..each {
        let answer = rig.ask(&mut connection, number + n * step).await?;
        let visits = dapr.log().visits(id(&answer));
        ensure!(visits.len() == 1, "{} calls for one request", visits.len());
        let agent = visits.first().context("a visit")?.took();
        ensure!(agent >= AGENT, "the agent took {agent:?} only");
        times.push(answer.took.saturating_sub(agent));
    }
    Ok(times)
}
