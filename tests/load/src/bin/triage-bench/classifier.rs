//! What classifying takes in the component, by its own clock: batches of messages of 300 characters,
//! strung together from the corpus. `triage-patterns bench` measures the same natively.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use http::Request;
use serde_json::{Value, json};
use triage_load::connection::{Connection, wire};
use triage_load::figures::{Table, Times};
use triage_load::host_process::StoreKind;
use triage_load::question::student;

use crate::report::Report;
use crate::rig::Rig;

const AIM: Duration = Duration::from_micros(80);
const CORPUS: &str = "patterns/corpus/plain.jsonl";
const LENGTH: usize = 300;
/// Messages in a batch: as many as the component takes.
const BATCH: usize = 100;

/// Measures it.
pub async fn measure(rig: &Rig, report: &mut Report) -> Result<()> {
    let features = r#"{"enable_batch_processing":true}"#;
    let running = rig.host(StoreKind::Memory, None, |launch| launch.variable("features", features)).await?;
    let mut connection = Connection::open(running.address()).await?;
    let texts = texts(rig.requests().div_ceil(BATCH) * BATCH)?;
    let mut times = Vec::new();
    for batch in texts.chunks(BATCH) {
        let first = ask(rig, &mut connection, batch).await?;
        let again = ask(rig, &mut connection, batch).await?;
        ensure!(first.iter().map(what).eq(again.iter().map(what)), "two answers to the same messages");
        let said = again.iter().filter_map(|decision| decision["timing_ms"]["classification"].as_f64());
        times.extend(said.map(|ms| Duration::from_secs_f64(ms / 1_000.0)));
    }
    let count = times.len();
    let times: Times = times.into_iter().collect();
    let headings = ["us", "messages", "p50", "p95", "p99"];
    let mut table = Table::new("the classifier in the component, messages of 300 characters", &headings);
    let figures = [50, 95, 99].map(|percent| times.percentile(percent).as_micros().to_string());
    table.row(["in batches of 100".to_owned(), count.to_string()].into_iter().chain(figures));
    report.table(&table);
    let p95 = times.percentile(95);
    report.aim(
        "classifying 300 characters in wasm, p95",
        "< 80 us",
        format!("{} us", p95.as_micros()),
        p95 < AIM,
    );
    Ok(())
}

/// What must not depend on the run.
fn what(decision: &Value) -> (&Value, &Value) {
    (&decision["intent_type"], &decision["confidence"])
}

async fn ask(rig: &Rig, connection: &mut Connection, texts: &[String]) -> Result<Vec<Value>> {
    let token = rig.issuer.token(&student(1));
    let request = Request::post("/api/v1/classify/batch")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(json!({ "queries": texts }).to_string().into_bytes())?;
    let answer = connection.exchange(&wire(&request)).await.map_err(|broken| broken.error)?;
    ensure!(answer.head.status == 200, "{} {}", answer.head.status, answer.json());
    let decisions = answer.json()["decisions"].as_array().cloned().unwrap_or_default();
    ensure!(decisions.len() == texts.len(), "{} decisions about {} messages", decisions.len(), texts.len());
    Ok(decisions)
}

fn texts(count: usize) -> Result<Vec<String>> {
    let corpus = std::fs::read_to_string(Path::new(CORPUS)).context(CORPUS)?;
    let messages: Vec<Value> = corpus.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let mut messages = messages.iter().filter_map(|message| message["text"].as_str()).cycle();
    let mut text = || {
        let mut text = String::new();
        while text.chars().count() < LENGTH {
            text.push_str(messages.next()?);
            text.push(' ');
        }
        Some(text.chars().take(LENGTH).collect::<String>())
    };
    let texts: Vec<String> = std::iter::from_fn(&mut text).take(count).collect();
    ensure!(texts.len() == count, "{CORPUS} is empty");
    Ok(texts)
}
