//! What checking a token costs: a new RS256 one, one that comes back, none at all.
//!
//! The same question goes to two hosts in turns, so that whatever else the machine does meets all
//! three alike: one that checks tokens, and one that trusts the consumer header.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use http::Request;
use jwt_simple::prelude::{Claims, Duration as Lifetime, RS256KeyPair, RSAKeyPairLike as _};
use serde_json::json;
use triage_load::connection::{Connection, wire};
use triage_load::figures::{Table, Times, ms};
use triage_load::host_process::StoreKind;
use triage_load::progress;
use triage_load::question::{MESSAGES, student};

use crate::report::Report;
use crate::rig::{Rig, Running};

const AIM: Duration = Duration::from_micros(20);
/// Published with the tests: it signs for nobody.
const PRIVATE: &str = include_str!("../../../../fixtures/tokens/rs256.private.pem");
const PUBLIC: &str = include_str!("../../../../fixtures/tokens/rs256.public.pem");

/// Measures it.
pub async fn measure(rig: &Rig, report: &mut Report) -> Result<()> {
    let key = RS256KeyPair::from_pem(PRIVATE).context("the tests' key")?;
    let checks = rig.host(StoreKind::Memory, None, |launch| launch.variable("jwt_keys", PUBLIC)).await?;
    let trusts = rig
        .host(StoreKind::Memory, None, |launch| {
            launch.variable("features", r#"{"enable_jwt_validation":false}"#)
        })
        .await?;
    let returning = sign(&key, 0)?;
    let mut times: [Vec<Duration>; 3] = Default::default();
    let bar = progress::bar("tokens", rig.requests() as u64);
    let (mut to_checks, mut to_trusts) = (open(&checks).await?, open(&trusts).await?);
    for n in 0..rig.requests() {
        let new = sign(&key, n + 1)?;
        for (kind, token) in [(0, Some(&new)), (1, Some(&returning)), (2, None)] {
            let connection = if token.is_some() { &mut to_checks } else { &mut to_trusts };
            let took = ask(connection, token).await?;
            if let Some(times) = times.get_mut(kind).filter(|_| n >= rig.requests() / 10) {
                times.push(took);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let [new, known, none] = times.map(|times| times.into_iter().collect::<Times>());
    let mut table = Table::new("POST /api/v1/classify by its token", &["token", "requests", "median", "p95"]);
    for (name, times) in [("RS256, new", &new), ("RS256, returning", &known), ("not checked", &none)] {
        let figures = [50, 95].map(|percent| ms(times.percentile(percent)));
        table.row([name.to_owned(), times.len().to_string()].into_iter().chain(figures));
    }
    report.table(&table);
    let cost = known.percentile(50).saturating_sub(none.percentile(50));
    report.aim(
        "a returning RS256 token, median over not checking",
        "< 20 us",
        format!("{} us", cost.as_micros()),
        cost < AIM,
    );
    Ok(())
}

async fn open(host: &Running) -> Result<Connection> {
    let address: SocketAddr = host.address();
    Connection::open(address).await
}

fn sign(key: &RS256KeyPair, number: usize) -> Result<String> {
    let claims = Claims::with_custom_claims(json!({ "role": "student" }), Lifetime::from_hours(1))
        .with_issuer("learnflow-auth")
        .with_audience("learnflow-api")
        .with_subject(student(1))
        .with_jwt_id(number.to_string());
    key.sign(claims)
}

async fn ask(connection: &mut Connection, token: Option<&String>) -> Result<Duration> {
    let [message, ..] = MESSAGES;
    let request = Request::post("/api/v1/classify").header("host", "triage");
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request.header("x-consumer-username", student(1)),
    };
    let body = json!({ "query": message.text }).to_string().into_bytes();
    let request = request.header("content-type", "application/json").body(body)?;
    let answer = connection.exchange(&wire(&request)).await.map_err(|broken| broken.error)?;
    let decision = answer.json();
    ensure!(
        answer.head.status == 200 && decision["target_agent"] == message.agent,
        "not answered: {decision}"
    );
    Ok(answer.took)
}
