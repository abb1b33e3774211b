//! Whether an answer comes in one TCP segment or in two.
//!
//! Spin's sockets keep Nagle's algorithm: the second small segment waits for the acknowledgement of
//! the first, which a client on a keep-alive connection delays by 40 ms. So a split is the dearest
//! thing that can happen to a small answer. What a handler awaits before it answers makes the
//! difference, hence the endpoints that await less.

use std::time::Duration;

use anyhow::{Result, ensure};
use http::Request;
use serde_json::json;
use triage_load::connection::{Answer, Connection, wire};
use triage_load::figures::{Table, Times, ms, percent};
use triage_load::host_process::StoreKind;
use triage_load::question::{MESSAGES, student};

use crate::report::Report;
use crate::rig::Rig;

/// A response slower than this waited for a delayed acknowledgement (40 ms on Linux), or for
/// something as bad.
const TRAP: Duration = Duration::from_millis(35);

/// Measures it: one keep-alive connection, store in memory.
pub async fn measure(rig: &Rig, report: &mut Report) -> Result<()> {
    let headings = ["", "requests", "median", "p95", "two segments", "> 35 ms"];
    let mut table = Table::new("answers in two segments, one connection, store in memory", &headings);
    let running = rig.host(StoreKind::Memory, None, |launch| launch).await?;
    let mut connection = Connection::open(running.address()).await?;
    rig.warm_up(&mut connection).await?;
    let (mut health, mut classify, mut triage) = (Vec::new(), Vec::new(), Vec::new());
    // In turns, so that all meet the same machine.
    for n in 0..rig.requests() / 4 {
        health.push(plain(&mut connection, &Request::get("/health").body(Vec::new())?).await?);
        classify.push(plain(&mut connection, &classification(rig, n)?).await?);
        triage.push(rig.ask(&mut connection, n).await?);
    }
    for (name, answers) in [
        ("GET /health: awaits nothing", &health),
        ("POST /api/v1/classify: the store", &classify),
        ("POST /api/v1/triage: the store, the agent", &triage),
    ] {
        let times: Times = answers.iter().map(|answer| answer.took).collect();
        let row =
            [name.to_owned(), times.len().to_string(), ms(times.percentile(50)), ms(times.percentile(95))];
        table.row(row.into_iter().chain(figures(answers)));
    }
    report.table(&table);
    let split = triage.iter().filter(|answer| answer.is_split()).count();
    report.aim("answers in two segments", "< 5 %", percent(split, triage.len()), split * 20 < triage.len());
    Ok(())
}

/// How many of `answers` came in two segments, and how many took too long.
pub fn figures(answers: &[Answer]) -> [String; 2] {
    let split = answers.iter().filter(|answer| answer.is_split()).count();
    let late = answers.iter().filter(|answer| answer.took > TRAP).count();
    [percent(split, answers.len()), late.to_string()]
}

fn classification(rig: &Rig, n: usize) -> Result<Request<Vec<u8>>> {
    let text = MESSAGES.get(n % MESSAGES.len()).map(|message| message.text);
    let token = rig.issuer.token(&student(u32::try_from(n % 1_000)?));
    let request = Request::post("/api/v1/classify")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    Ok(request.body(json!({ "query": text }).to_string().into_bytes())?)
}

async fn plain(connection: &mut Connection, request: &Request<Vec<u8>>) -> Result<Answer> {
    let answer = connection.exchange(&wire(request)).await.map_err(|broken| broken.error)?;
    ensure!(answer.head.status == 200, "{}: {} {}", request.uri(), answer.head.status, answer.json());
    Ok(answer)
}
