//! One student's session: a few questions with pauses, some of them under an idempotency key.

use std::time::Duration;

use http::Request;
use rand::RngExt as _;
use triage_host::{App, Tag};
use triage_load::question::{Issuer, MESSAGES, Question, SMALL_TALK};
use triage_load::seed;

/// Questions in a session.
const QUESTIONS: usize = 3;

/// What a student will ask, and when.
#[derive(Debug)]
pub struct Session {
    /// The student's number.
    pub student: u32,
    /// Questions with their times, since the application started.
    pub questions: Vec<(Duration, Question)>,
}

impl Session {
    /// A session that begins before `latest`.
    pub fn plan(seed: u64, student: u32, latest: Duration) -> Self {
        let mut random = seed::stream(seed, "session", u64::from(student));
        let mut at = latest.mul_f64(random.random_range(0.0..1.0));
        let questions = (0..QUESTIONS).map(|_| {
            let message = MESSAGES.get(random.random_range(0..MESSAGES.len())).unwrap_or(&SMALL_TALK);
            let key = random.random_bool(0.4).then(|| format!("{:016x}", random.random::<u64>()));
            let question = Question { key, ..Question::new(student, message.text) };
            let asked = at;
            at += Duration::from_millis(random.random_range(3_000..90_000));
            (asked, question)
        });
        Self { student, questions: questions.collect() }
    }

    /// Keeps the session; the statuses of the answers.
    pub async fn keep(&self, app: &App, issuer: &Issuer) -> Vec<u16> {
        let mut statuses = Vec::with_capacity(self.questions.len());
        for (at, question) in &self.questions {
            app.clock().advance(at.saturating_sub(app.clock().elapsed())).await;
            statuses.push(app.request(self.tagged(question, issuer)).await.status.as_u16());
        }
        statuses
    }

    /// Asks the first question now.
    pub async fn ask_once(&self, app: &App, issuer: &Issuer) -> u16 {
        match self.questions.first() {
            Some((_, question)) => app.request(self.tagged(question, issuer)).await.status.as_u16(),
            None => 0,
        }
    }

    /// The question, marked with the student: the store's journal then tells whose a key is.
    fn tagged(&self, question: &Question, issuer: &Issuer) -> Request<Vec<u8>> {
        let mut request = question.request(issuer);
        request.extensions_mut().insert(Tag(self.student.to_string()));
        request
    }
}
