//! Fits the calibration: scale and shifts under which the log-odds fit the labels best.
//!
//! Gradient descent on the weighted log-loss of messages the model had not seen; six numbers, so
//! nothing can be over-fitted. The weights undo what is artificial about the corpus: its labels are
//! brought to the shares expected in service, and messages written to mislead do not count, for a
//! corpus full of traps would teach a confidence lower than what students' messages deserve.

use crate::corpus::Message;
use triage::intent::Options;

/// Shares of the labels expected in service, in the order of their numbers.
const SHARES: [f64; 5] = [0.335, 0.335, 0.135, 0.135, 0.06];
/// How the names of batches begin whose messages were written to mislead.
const TRAPS: [&str; 3] = ["lures", "stories", "subtle"];

/// Log-odds of a message that the model behind them had not seen.
pub struct Unseen {
    /// The log-odds.
    pub logits: [f64; 5],
    /// The true label.
    pub label: usize,
    /// What the message counts.
    pub weight: f64,
}

/// `messages` with the log-odds that `judge` gives them.
pub fn unseen<'a>(
    messages: impl Iterator<Item = &'a Message>,
    judge: impl Fn(&str) -> [f64; 5],
) -> Vec<Unseen> {
    let natural = messages
        .filter(|m| !m.source.as_deref().is_some_and(|s| TRAPS.iter().any(|trap| s.starts_with(trap))));
    natural.map(|m| Unseen { logits: judge(&m.text), label: m.number(), weight: 1.0 }).collect()
}

/// Scale, then one shift per label.
#[must_use]
pub fn fit(unseen: &mut [Unseen]) -> Vec<f64> {
    weigh(unseen);
    let mut values = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    for _ in 0..600 {
        let slope = slope(unseen, &values);
        for (value, slope) in values.iter_mut().zip(slope) {
            *value -= 0.5 * slope;
        }
    }
    let sharper = sharpness(unseen, &values);
    values.iter().map(|v| v * sharper).collect()
}

/// How much further apart the log-odds should be, so that the confidence of what is *reported*
/// (`none` below the threshold) errs least over ten equal bins.
fn sharpness(unseen: &[Unseen], values: &[f64; 6]) -> f64 {
    let candidates = (0..=20u8).map(|n| 1.0 + f64::from(n) * 0.05);
    let error = |factor: f64| reported_error(unseen, &values.map(|v| v * factor));
    candidates.min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap_or(1.0)
}

/// The expected calibration error of reported labels.
fn reported_error(unseen: &[Unseen], values: &[f64; 6]) -> f64 {
    let threshold = Options::default().threshold;
    let mut bins = [0.0; 10];
    for u in unseen {
        let p = probabilities(u, values);
        let best = (0..5).fold(0, |best, c| if p[c] > p[best] { c } else { best });
        let reported = if p[best] < threshold { 4 } else { best };
        let right = f64::from(u8::from(reported == u.label));
        bins[((p[best] * 10.0) as usize).min(9)] += u.weight * (p[best] - right);
    }
    bins.iter().map(|b| b.abs()).sum()
}

fn probabilities(u: &Unseen, values: &[f64; 6]) -> [f64; 5] {
    let mut p = [0.0; 5];
    for c in 0..5 {
        p[c] = u.logits[c] * values[0] + values[c + 1];
    }
    let top = p.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let p = p.map(|p| libm::exp(p - top));
    let sum: f64 = p.iter().sum();
    p.map(|p| p / sum)
}

/// Gives labels their shares; all weights together make one.
fn weigh(unseen: &mut [Unseen]) {
    let mut counts = [0.0; 5];
    unseen.iter().for_each(|u| counts[u.label] += 1.0);
    unseen.iter_mut().for_each(|u| u.weight = SHARES[u.label] / counts[u.label]);
}

/// How the mean log-loss changes with each value.
fn slope(unseen: &[Unseen], values: &[f64; 6]) -> [f64; 6] {
    let mut slope = [0.0; 6];
    for u in unseen {
        let p = probabilities(u, values);
        for c in 0..5 {
            let error = p[c] - if c == u.label { 1.0 } else { 0.0 };
            slope[0] += u.weight * error * u.logits[c] / 4.0;
            slope[c + 1] += u.weight * error;
        }
    }
    slope
}
