//! Reproduces the learned weights from phrases and corpus, byte for byte.
//!
//! Everything that could differ between two runs is fixed: the order of messages, the generator,
//! the order of additions, the exponential (from `libm`). Members are independent of each other,
//! so they may be trained in threads. Calibration is fitted on messages each fold had not seen.

use crate::calibrate;
use crate::corpus::{self, Message};
use crate::learned::{Kind, Learned, Row, UNIT};
use crate::lexicon::Patterns;
use crate::network::{C, D, Example, H, Network, Settings, X};
use crate::phrases::{self, Phrase};
use crate::progress::Progress;
use crate::random::Random;
use crate::teacher::Teacher;
use crate::thesaurus::Thesaurus;
use crate::transfer::{self, Varied};
use crate::vocabulary::{Limit, Limits};
use std::path::Path;
use triage::intent::boundary::Boundary;
use triage::intent::network::{MEMBERS, ROW_UNIT};
use triage::intent::normalize::normalize;
use triage::intent::shape::SHAPES;

/// Parts of the training split that take turns in calibration.
const FOLDS: u64 = 4;
/// Share of a message's target that is spread over all labels: no label is beyond doubt.
const SMOOTHING: f32 = 0.02;
/// Weight of the teacher against the label of a message.
const TEACHER: f32 = 0.7;
/// What a message counts that only the teacher has labelled.
const VARIANT: f32 = 0.4;
/// What the teacher counts, of that, for messages that are not in English: it hardly read any.
const FOREIGN: f32 = 0.2;
/// What a string must fulfil to become a pattern.
pub const LIMITS: Limits = Limits {
    words: Limit { messages: 2, telling: 1.7 },
    pairs: Limit { messages: 4, telling: 10.0 },
    runs: Limit { messages: 4, telling: 13.0 },
    dense: Limit { messages: 3, telling: 1.0 },
};

/// Trains on the corpus under `folder` (without its test split).
///
/// # Errors
/// Names what cannot be read.
pub fn train(folder: &Path, settings: &Settings) -> Result<Learned, String> {
    let phrases = phrases::read(&folder.join("intents"))?;
    let messages = corpus::read_all(&folder.join("corpus"))?;
    let (held_out, messages): (Vec<Message>, Vec<Message>) = messages.into_iter().partition(Message::is_test);
    let teacher = Teacher::read(&folder.join("teacher"))?;
    let varied = transfer::vary(&messages, &held_out, &Thesaurus::read(&folder.join("teacher"))?);
    let runs = (FOLDS as usize + 1) * MEMBERS;
    let progress = Progress::new(runs * settings.epochs);
    let mut unseen = Vec::new();
    for fold in 0..FOLDS {
        let held = |v: &Varied<'_>| corpus::hash(&v.message.text) / 16 % FOLDS == fold;
        let (test, rest): (Vec<_>, Vec<_>) = varied.iter().cloned().partition(held);
        let model = Model::fit(&phrases, &rest, &teacher, settings, &progress);
        unseen.extend(calibrate::unseen(test.into_iter().map(|v| v.message), |text| model.logits(text)));
    }
    let model = Model::fit(&phrases, &varied, &teacher, settings, &progress);
    progress.done();
    let mut by_hand = calibrate::unseen(messages.iter(), triage::intent::by_hand);
    let mut calibration = calibrate::fit(&mut unseen);
    calibration.extend(calibrate::fit(&mut by_hand));
    Ok(model.into_learned(calibration))
}

/// Patterns and trained members.
pub struct Model {
    patterns: Patterns,
    members: Vec<Network>,
}

impl Model {
    /// Mines the vocabulary of `messages` and trains all members on them.
    #[must_use]
    pub fn fit(
        phrases: &[Phrase],
        messages: &[Varied<'_>],
        teacher: &Teacher,
        settings: &Settings,
        progress: &Progress,
    ) -> Self {
        let texts: Vec<(String, usize)> =
            messages.iter().map(|v| (normalize(&v.message.text), v.message.number())).collect();
        let patterns = Patterns::mine(phrases, &texts, &LIMITS);
        let mut examples: Vec<Example> = texts
            .iter()
            .zip(messages)
            .map(|((text, _), v)| Example {
                rows: patterns.rows_of(text),
                target: target(v.message, teacher),
                weight: 1.0,
            })
            .collect();
        for varied in messages {
            let weight = VARIANT * trust(varied.message);
            examples.extend(varied.variants.iter().filter_map(|text| {
                let target = teacher.judge(text)?;
                Some(Example { rows: patterns.rows_of(&normalize(text)), target, weight })
            }));
        }
        let member = |seed: usize| {
            let mut random = Random(seed as u64 + 1);
            let mut network = Network::new(patterns.rows(), settings.init, &mut random);
            network.train(&examples, settings, &mut random, &|| progress.tick());
            network.quantise(ROW_UNIT, UNIT);
            network
        };
        let members = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..MEMBERS).map(|seed| scope.spawn(move || member(seed))).collect();
            handles.into_iter().map(|h| h.join().expect("training does not panic")).collect()
        });
        Self { patterns, members }
    }

    /// The mean log-odds of the members.
    #[must_use]
    pub fn logits(&self, text: &str) -> [f64; C] {
        let rows = self.patterns.rows_of(&normalize(text));
        let mut sum = [0.0; C];
        for member in &self.members {
            let out = member.forward(&rows, None).out;
            sum.iter_mut().zip(out).for_each(|(s, o)| *s += f64::from(o));
        }
        sum.map(|s| s / self.members.len() as f64)
    }

    /// The form that is written down.
    fn into_learned(self, calibration: Vec<f64>) -> Learned {
        let numbers = |at: usize| -> Vec<i8> {
            let row = |m: &Network| {
                m.rows.w[at * D..(at + 1) * D].iter().map(|w| (w * ROW_UNIT) as i8).collect::<Vec<_>>()
            };
            self.members.iter().flat_map(row).collect()
        };
        let patterns = self
            .patterns
            .vocabulary
            .iter()
            .map(|(text, b)| (Kind::Pattern(name(*b).to_owned()), text.clone()));
        let shapes = (0..SHAPES).map(|n| (Kind::Shape, n.to_string()));
        let groups = self.patterns.groups.iter().map(|g| (Kind::Group, g.clone()));
        let rows = patterns.chain(shapes).chain(groups).enumerate();
        let rows = rows.map(|(at, (kind, text))| Row { kind, text, numbers: numbers(at) }).collect();
        let weights = self.members.iter().flat_map(Network::layers).collect();
        Learned { rows, members: self.members.len(), weights, calibration }
    }
}

/// What a message should be given: its label, and what the teacher thinks of it.
fn target(message: &Message, teacher: &Teacher) -> [f32; C] {
    let mut target = [SMOOTHING / C as f32; C];
    target[message.number()] += 1.0 - SMOOTHING;
    if let Some(judged) = teacher.judge(&message.text) {
        for (t, q) in target.iter_mut().zip(judged) {
            *t += TEACHER * trust(message) * (q - *t);
        }
    }
    target
}

/// What the teacher's word about `message` counts.
fn trust(message: &Message) -> f32 {
    if message.lang.as_deref().is_none_or(|lang| lang == "en") { 1.0 } else { FOREIGN }
}

/// Name and length of each line of `network.tsv`, per member.
#[must_use]
pub fn columns() -> Vec<(String, usize)> {
    let mut columns: Vec<(String, usize)> = (0..X).map(|i| (format!("hidden.{i}"), H)).collect();
    columns.push(("hidden.bias".to_owned(), H));
    columns.extend((0..H).map(|i| (format!("label.{i}"), C)));
    columns.extend((0..X).map(|i| (format!("straight.{i}"), C)));
    columns.push(("label.bias".to_owned(), C));
    columns
}

fn name(boundary: Boundary) -> &'static str {
    match boundary {
        Boundary::Inside => "inside",
        Boundary::Start => "start",
        Boundary::End => "end",
        Boundary::Word => "word",
    }
}
