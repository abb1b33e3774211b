//! Decides what a student wants: one of four intents, or none of them.
//!
//! A message is brought into normal form, an automaton finds every pattern in it, and a small
//! model over what was found gives a probability per label. The probability of the best label is
//! calibrated, so that `confidence` means P(correct); below the threshold, or when the best label
//! is [`Intent::None`], the classifier abstains.
//!
//! Values in, values out: no clock, no state, no input or output, and the same bits natively and
//! in wasm, because everything up to the last step is integer arithmetic.

pub mod automaton;
pub mod boundary;
pub mod calibration;
pub mod context;
pub mod evidence;
pub mod features;
mod keyword;
pub mod label;
pub mod network;
pub mod normalize;
pub mod sentence;
pub mod shape;
pub mod tables;

pub use context::{AgentSource, Context};
pub use label::Intent;

use calibration::Scores;
use evidence::Evidence;
use features::Reading;

/// At most this many keywords are reported.
const MAX_KEYWORDS: usize = 10;
/// Keywords are shorter than this, in bytes.
const MAX_KEYWORD_BYTES: usize = 50;

/// Symbols such as `==` count as keywords from this weight on, in hundredths of a log-odd.
const TELLING: i32 = 20;

/// What the caller decides about a classification.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Least confidence for an answer; below it the classifier abstains.
    pub threshold: f64,
    /// Whether learned weights count; without them the hand-written patterns decide alone.
    pub use_learned: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { threshold: 0.6, use_learned: true }
    }
}

/// The decision about one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// The intent; [`Intent::None`] when abstained.
    pub intent: Intent,
    /// P(the best label is right), 0 to 1.
    pub confidence: f64,
    /// Whether the confidence is below the threshold or the best label is none.
    pub abstained: bool,
    /// The runner-up with its probability; when abstained, the best of the four intents.
    pub secondary: Option<(Intent, f64)>,
    /// Words and phrases that spoke for the best label, strongest first, at most ten, none across another.
    pub keywords: Vec<String>,
}

/// A decision with everything that led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The decision.
    pub classification: Classification,
    /// Probability per label, in the order of [`Intent::ALL`].
    pub scores: [(Intent, f64); 5],
    /// The patterns that counted, in the order of the message.
    pub matches: Vec<PatternMatch>,
}

/// One pattern found in a message.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternMatch {
    /// The pattern, in normal form.
    pub pattern: String,
    /// The label it speaks for (or, with a negative weight, against).
    pub label: Intent,
    /// How much the label's log-odds would change with it, before calibration. Weights do not add up
    /// to a score: hidden units, biases and the other labels have their part.
    pub weight: f64,
    /// First byte of the match in the original message.
    pub start: usize,
    /// One past the last byte of the match in the original message.
    pub end: usize,
    /// The matched part of the original message.
    pub text: String,
}

/// Classifies `text`.
#[must_use]
pub fn classify(text: &str, context: &Context, options: &Options) -> Classification {
    let normal = normalize::normalize(text);
    let (scores, evidence) = score(&normal, context, options);
    decide(&normal, &scores, &evidence, options)
}

/// Classifies `text` and tells why; slower than [`classify`], same decision.
#[must_use]
pub fn explain(text: &str, context: &Context, options: &Options) -> Explanation {
    let normal = normalize::Normalized::with_map(text);
    let (scores, evidence) = score(&normal.text, context, options);
    let classification = decide(&normal.text, &scores, &evidence, options);
    let matches = evidence.iter().filter_map(|e| locate(e, text, &normal)).collect();
    Explanation { classification, scores: scores.by_label(), matches }
}

/// Names the patterns and weights in use: a hash of the data.
#[must_use]
pub const fn model_version() -> &'static str {
    tables::VERSION
}

/// The log-odds the phrases alone give to `text`, before calibration; for fitting it.
#[must_use]
pub fn by_hand(text: &str) -> [f64; 5] {
    let normal = normalize::normalize(text);
    let lexicon = tables::lexicon();
    let reading = lexicon.read(&normal);
    evidence::logits(&evidence::collect(&normal, &reading.phrases, lexicon.hand), &normal)
}

/// The scores of a normal form, and what spoke for or against the best label.
fn score(normal: &str, context: &Context, options: &Options) -> (Scores, Vec<Evidence>) {
    let lexicon = tables::lexicon();
    let network = tables::network();
    // Without a letter there is nothing to be sure of: a row of commas is no request.
    let has_letters = normal.chars().any(char::is_alphabetic);
    let reading = if has_letters { lexicon.read(normal) } else { Reading::default() };
    if options.use_learned && !network.is_empty() {
        let outcome = network.run(&reading.rows);
        let logits = tables::calibration(0).apply(outcome.logits);
        let scores = Scores::from_logits(context.shift(logits));
        let best = scores.best().0;
        let weights = network.contributions(&outcome, &reading.rows, best.index());
        (scores, evidence::learned(&reading.rows, &weights, best))
    } else {
        let evidence = evidence::collect(normal, &reading.phrases, lexicon.hand);
        let logits = tables::calibration(1).apply(evidence::logits(&evidence, normal));
        (Scores::from_logits(context.shift(logits)), evidence)
    }
}

fn decide(normal: &str, scores: &Scores, evidence: &[Evidence], options: &Options) -> Classification {
    let (best, confidence) = scores.best();
    let abstained = best == Intent::None || confidence < options.threshold;
    let secondary = if abstained { scores.best_intent() } else { scores.runner_up() };
    let intent = if abstained { Intent::None } else { best };
    let keywords = keywords(normal, best, evidence);
    Classification { intent, confidence, abstained, secondary: Some(secondary), keywords }
}

/// What spoke for `label`, strongest first; of those that overlap or are part of another only the strongest.
fn keywords(normal: &str, label: Intent, evidence: &[Evidence]) -> Vec<String> {
    let mut found: Vec<&Evidence> = evidence.iter().filter(|e| e.label == label && e.weight > 0).collect();
    found.sort_by_key(|e| (std::cmp::Reverse(e.weight), e.start));
    let mut kept: Vec<&Evidence> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    for e in found {
        let Some(word) = keyword::of(normal, e.start, e.end, e.weight > TELLING) else {
            continue;
        };
        let apart = kept.iter().all(|other| e.end <= other.start || other.end <= e.start);
        if !apart || word.len() >= MAX_KEYWORD_BYTES {
            continue;
        }
        let word = word.replace('\n', " ");
        if !words.iter().any(|w| w.contains(&word) || word.contains(w.as_str())) {
            words.push(word);
            kept.push(e);
        }
        if words.len() == MAX_KEYWORDS {
            break;
        }
    }
    words
}

fn locate(e: &Evidence, text: &str, normal: &normalize::Normalized) -> Option<PatternMatch> {
    let (start, end) = normal.source_span(e.start, e.end)?;
    Some(PatternMatch {
        pattern: normal.text.get(e.start..e.end)?.replace('\n', " "),
        label: e.label,
        weight: f64::from(e.weight) / 100.0,
        start,
        end,
        text: text.get(start..end)?.to_owned(),
    })
}

#[cfg(test)]
mod tests;
