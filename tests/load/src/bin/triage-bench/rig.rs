//! What every measurement needs: a host to launch, questions to ask, answers to check.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use triage_load::connection::{Answer, Connection, wire};
use triage_load::dapr_stand_in::{Asked, DaprStandIn, Manner, marker};
use triage_load::host_process::{HostProcess, Launch, StoreKind};
use triage_load::question::{Issuer, MESSAGES, Message, Question};
use triage_load::scratch::Scratch;
use triage_load::seed;

use crate::arguments::Arguments;

/// Requests before the first that counts: instances and connections are there then.
const WARM_UP: usize = 100;

/// What every measurement shares.
#[derive(Debug)]
pub struct Rig {
    /// The command line.
    pub arguments: Arguments,
    /// Who signs the tokens.
    pub issuer: Issuer,
}

/// A host that runs, with its directory.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub host: HostProcess,
    _scratch: Scratch,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.host.address()
    }
}

impl Rig {
    /// Out of the command line.
    pub fn new(arguments: Arguments) -> Self {
        Self { arguments, issuer: Issuer::new(seed::unix_now().as_secs()) }
    }

    /// Starts a host: with the stand-in component, or with `dapr` in its place. `adapt` adds to the
    /// launch.
    pub async fn host(
        &self,
        store: StoreKind,
        dapr: Option<&DaprStandIn>,
        adapt: impl FnOnce(Launch) -> Launch,
    ) -> Result<Running> {
        let scratch = Scratch::new("bench")?;
        let launch = Launch::new(&self.arguments.host, &self.arguments.manifest, &scratch, store)?
            .variable("jwt_keys", self.issuer.jwks())
            .variable("rate_limit_per_minute", "1000000");
        let launch = match dapr {
            Some(dapr) => launch.variable("dapr_url", format!("http://{}", dapr.address())),
            None => launch,
        };
        Ok(Running { host: adapt(launch).start().await?, _scratch: scratch })
    }

    /// Requests for each figure.
    pub fn requests(&self) -> usize {
        self.arguments.requests
    }

    /// Asks question number `n` of a rota over all agents, and checks the answer.
    pub async fn ask(&self, connection: &mut Connection, n: usize) -> Result<Answer> {
        let message = MESSAGES.get(n % MESSAGES.len()).ok_or_else(|| anyhow!("no messages"))?;
        let student = u32::try_from(n % 1_000)?;
        let request = wire(&Question::new(student, message.text).request(&self.issuer));
        let answer = connection.exchange(&request).await.map_err(|broken| broken.error)?;
        check(&answer, message)?;
        Ok(answer)
    }

    /// Asks until instances and connections are there.
    pub async fn warm_up(&self, connection: &mut Connection) -> Result<()> {
        for n in 0..WARM_UP {
            self.ask(connection, n).await?;
        }
        Ok(())
    }
}

/// An agent's side that serves every call after `delay` and takes every event at once.
pub async fn agents_after(delay: Duration) -> Result<DaprStandIn> {
    let script = move |asked: Asked<'_>| match asked {
        Asked::Agent { .. } => Manner::serve(delay),
        Asked::Event { .. } => Manner::serve(Duration::ZERO),
    };
    DaprStandIn::start(script).await
}

/// The id that an answer carries.
pub fn id(answer: &Answer) -> &str {
    answer.head.header("x-request-id").unwrap_or_default()
}

/// Whether this is the right agent's answer to this very request, framed as it must be.
fn check(answer: &Answer, message: &Message) -> Result<()> {
    let body = answer.json();
    let context = || format!("{}: {} {body}", message.text, answer.head.status);
    ensure!(answer.head.status == 200, "not answered: {}", context());
    ensure!(answer.head.header("content-length").is_some(), "no content-length: {}", context());
    ensure!(body["target_agent"] == message.agent, "wrong agent: {}", context());
    ensure!(body["request_id"] == id(answer), "another request's answer: {}", context());
    ensure!(body["agent_response"]["status"] == "success", "no agent's answer: {}", context());
    ensure!(body["degraded"].is_null(), "degraded: {}", context());
    let text = body["agent_response"]["response"]["text"].as_str().unwrap_or_default();
    // The stand-in component says the same to everybody; ours names the request.
    let ours = marker(message.agent, id(answer));
    ensure!(
        !text.contains(" to ") || !text.starts_with(message.agent) || text == ours,
        "another's answer: {}",
        context()
    );
    Ok(())
}
