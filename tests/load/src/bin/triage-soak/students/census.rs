//! Whose keys stand in the store.
//!
//! Keys name students by a keyed hash only. Whose a key is follows from the store's journal: the
//! request that first touched it carries the student's number.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use triage_host::App;

use super::session::Session;
use crate::verdict::Verdict;

/// Beginnings of keys that belong to one student: limiter, claims, stored answers, dead letters and
/// their replays.
const OF_A_STUDENT: [&str; 5] = ["n:rl:", "n:ic:", "v:id:", "v:dl:", "n:dc:"];
/// A dead letter stays for days.
const LETTER: &str = "v:dl:";

/// The stated bound, with maintenance once a minute.
const BOUND: &str = "3, and 2 for each idempotency key of the last 150 s, and 1 for each dead letter";
/// Limiter counters: this minute's, the one before until it is dropped, one that a pause left.
const LIMITER_KEYS: usize = 3;
/// A claim's slot (24 s), its grace (60 s) and a minute until maintenance comes; an answer's 60 s
/// are less.
const KEY_LIVES: Duration = Duration::from_secs(150);
/// A student counts as active until so long after the last question.
const ACTIVE: Duration = Duration::from_secs(60);

/// Whether `key` belongs to one student.
pub fn is_of_a_student(key: &str) -> bool {
    OF_A_STUDENT.iter().any(|start| key.starts_with(start))
}

/// The students' keys at a time.
struct Look {
    at: Duration,
    /// Numbers of keys in the census.
    keys: Vec<usize>,
    shared: usize,
}

/// What was seen.
#[derive(Default)]
pub struct Census {
    numbers: HashMap<String, usize>,
    looks: Vec<Look>,
}

impl Census {
    /// Looks at the store.
    pub async fn look(&mut self, app: &App) -> Result<()> {
        let all = app.store().keys().await?;
        let shared = all.iter().filter(|key| !is_of_a_student(key)).count();
        let mut keys = Vec::with_capacity(all.len());
        for key in all.into_iter().filter(|key| is_of_a_student(key)) {
            let next = self.numbers.len();
            keys.push(*self.numbers.entry(key).or_insert(next));
        }
        self.looks.push(Look { at: app.clock().elapsed(), keys, shared });
        Ok(())
    }

    /// The figures, and whether the bound holds.
    pub fn report(&self, app: &App, sessions: &[Session], verdict: &mut Verdict) {
        let owners = owners(app);
        let owner_of: HashMap<usize, (u32, bool)> = self
            .numbers
            .iter()
            .filter_map(|(key, number)| Some((*number, (*owners.get(key)?, key.starts_with(LETTER)))))
            .collect();
        let (mut most, mut sum, mut active, mut beyond) = (0, 0, 0, Vec::new());
        for look in &self.looks {
            let mut held: HashMap<u32, (usize, usize)> = HashMap::new();
            for (student, is_letter) in look.keys.iter().filter_map(|number| owner_of.get(number)) {
                let entry = held.entry(*student).or_default();
                entry.0 += 1;
                entry.1 += usize::from(*is_letter);
            }
            for session in sessions {
                let (keys, letters) = held.get(&session.student).copied().unwrap_or_default();
                if keys > LIMITER_KEYS + 2 * session.keys_used(look.at) + letters {
                    beyond.push(format!(
                        "student {}: {keys} keys at {} s",
                        session.student,
                        look.at.as_secs()
                    ));
                }
                most = most.max(keys);
                if session.is_active(look.at) {
                    active += 1;
                    sum += keys;
                }
            }
        }
        let most_at_once = self.looks.iter().map(|look| look.keys.len()).max().unwrap_or_default();
        let most_shared = self.looks.iter().map(|look| look.shared).max().unwrap_or_default();
        verdict.figure("students' keys in the store, most at a time", most_at_once);
        verdict.figure("shared keys in the store, most at a time", most_shared);
        verdict.figure("keys per student: most", most);
        verdict.figure("keys per active student: mean", mean(sum, active));
        verdict.figure("keys whose student is not known", self.numbers.len() - owner_of.len());
        verdict.figure("stated bound per student", BOUND);
        verdict.zero("times the bound was exceeded", beyond.len(), beyond);
    }
}

impl Session {
    /// Idempotency keys that may still stand in the store at `now`.
    fn keys_used(&self, now: Duration) -> usize {
        let recent = |at: &Duration| *at <= now && now.saturating_sub(*at) <= KEY_LIVES;
        self.questions.iter().filter(|(at, question)| question.key.is_some() && recent(at)).count()
    }

    fn is_active(&self, now: Duration) -> bool {
        let ends = self.questions.last().map_or(Duration::ZERO, |(at, _)| *at + ACTIVE);
        self.questions.first().is_some_and(|(at, _)| *at <= now) && now <= ends
    }
}

/// How many of `keys` each student holds. Without dead letters: the task that ends one request may
/// file those of others that were queued.
pub fn per_student(app: &App, keys: &[String]) -> HashMap<u32, usize> {
    let owners = owners(app);
    let mut held = HashMap::new();
    let of_students = keys.iter().filter(|key| is_of_a_student(key) && !key.starts_with(LETTER));
    for student in of_students.filter_map(|key| owners.get(key)) {
        *held.entry(*student).or_default() += 1;
    }
    held
}

/// The student of each key, by the first request that touched it.
fn owners(app: &App) -> HashMap<String, u32> {
    let mut owners = HashMap::new();
    for op in app.store_ops() {
        let student = op.request.and_then(|tag| tag.parse().ok());
        if let (Some(student), true) = (student, is_of_a_student(&op.key)) {
            owners.entry(op.key).or_insert(student);
        }
    }
    owners
}

#[allow(clippy::cast_precision_loss, reason = "counts of a run")]
fn mean(sum: usize, n: usize) -> String {
    format!("{:.2}", sum as f64 / n.max(1) as f64)
}
