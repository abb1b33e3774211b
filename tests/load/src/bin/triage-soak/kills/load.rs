//! Sixteen connections that ask until they are stopped or the process is killed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;
use triage_load::connection::{Broken, Connection, Head, wire};
use triage_load::question::{Issuer, MESSAGES, Question, SMALL_TALK};
use triage_load::seed;

use crate::ledger::{Ledger, Receipt};

/// Connections at a time.
const CONNECTIONS: u64 = 16;
/// Students who ask.
const STUDENTS: u32 = 400;

/// What all runs share.
#[derive(Debug)]
pub struct Crew {
    /// Where all randomness comes from.
    pub seed: u64,
    /// Who signs the tokens.
    pub issuer: Issuer,
    /// What was received.
    pub ledger: Ledger,
}

/// The load on one life of the process.
#[derive(Debug)]
pub struct Load {
    state: Arc<State>,
    clients: tokio::sync::Mutex<JoinSet<()>>,
}

#[derive(Debug, Default)]
struct State {
    stopping: AtomicBool,
    killed: AtomicBool,
    answers: AtomicUsize,
}

impl Crew {
    /// Puts load on `address`.
    pub fn start(self: &Arc<Self>, address: SocketAddr, run: u64) -> Load {
        let state = Arc::new(State::default());
        let mut clients = JoinSet::new();
        for number in 0..CONNECTIONS {
            let client = Client {
                crew: Arc::clone(self),
                state: Arc::clone(&state),
                random: seed::stream(self.seed, "client", run * CONNECTIONS + number),
                place: format!("run {run}, connection {number}"),
                last_key: None,
            };
            clients.spawn(client.ask(address));
        }
        Load { state, clients: tokio::sync::Mutex::new(clients) }
    }
}

impl Load {
    /// Completes when so many answers of this life are out, or `limit` is over.
    pub fn reach(&self, answers: usize, limit: Duration) -> impl Future<Output = ()> + Send + 'static {
        let state = Arc::clone(&self.state);
        async move {
            let limit = Instant::now() + limit;
            while state.answers.load(Ordering::SeqCst) < answers && Instant::now() < limit {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }

    /// From now on a broken exchange is nobody's fault.
    pub fn killed(&self) {
        self.state.killed.store(true, Ordering::SeqCst);
    }

    /// Lets every connection finish what it is at, and waits for that.
    pub async fn stop(&self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        while self.clients.lock().await.join_next().await.is_some() {}
    }
}

struct Client {
    crew: Arc<Crew>,
    state: Arc<State>,
    random: StdRng,
    place: String,
    /// A key that was used, with its question: to be repeated.
    last_key: Option<Question>,
}

impl Client {
    async fn ask(mut self, address: SocketAddr) {
        let mut connection = match Connection::open(address).await {
            Ok(connection) => connection,
            Err(error) => return self.broke(&Broken { head: None, error }),
        };
        while !self.state.stopping.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(self.random.random_range(0..10))).await;
            let question = self.question();
            match connection.exchange(&wire(&question.request(&self.crew.issuer))).await {
                Ok(answer) => {
                    self.crew.ledger.received(self.receipt(&answer.head, &answer.json()));
                    self.state.answers.fetch_add(1, Ordering::SeqCst);
                }
                Err(broken) => return self.broke(&broken),
            }
        }
    }

    fn receipt(&self, head: &Head, body: &Value) -> Receipt {
        Receipt::new(head.status, |name| head.header(name), body, self.place.clone())
    }

    fn broke(&self, broken: &Broken) {
        let ledger = &self.crew.ledger;
        match &broken.head {
            // The rest of it is lost, but the client has an answer: its status and id.
            Some(head) => ledger.received(Receipt { cut: true, ..self.receipt(head, &Value::Null) }),
            None => ledger.unanswered(),
        }
        if !self.state.killed.load(Ordering::SeqCst) {
            ledger.fault(format!("{}: {:#}", self.place, broken.error));
        }
    }

    /// Something of everything: plain questions, streams, refusals, faulty ones, repeated keys.
    fn question(&mut self) -> Question {
        let student = self.random.random_range(0..STUDENTS);
        let message = MESSAGES.get(self.random.random_range(0..MESSAGES.len())).unwrap_or(&SMALL_TALK);
        let question = Question::new(student, message.text);
        match self.random.random_range(0..100) {
            0..12 => Question { stream: true, ..question },
            12..18 => Question { reject: true, text: Some(SMALL_TALK.text), ..question },
            18..22 => Question { text: None, ..question },
            22..26 => {
                let key = format!("{:016x}", self.random.random::<u64>());
                let keyed = Question { key: Some(key), ..question };
                self.last_key = Some(keyed.clone());
                keyed
            }
            26..30 => self.last_key.take().unwrap_or(question),
            _ => question,
        }
    }
}
