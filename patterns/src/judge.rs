//! Judges the shipped classifier, through the component's own path, on labelled messages.

use crate::corpus::Message;
use std::time::Instant;
use triage::intent::{Classification, Context, Intent, Options, classify};

/// One message with the decision about it.
pub struct Verdict {
    /// The message.
    pub message: Message,
    /// The decision at the default threshold.
    pub decision: Classification,
    /// How long it took, in microseconds.
    pub micros: f64,
}

impl Verdict {
    /// Whether the reported label is the true one; an abstention reports `none`.
    #[must_use]
    pub fn right(&self) -> bool {
        self.decision.intent.index() == self.message.number()
    }

    /// Whether the message asks for one of the four agents.
    #[must_use]
    pub fn is_intent(&self) -> bool {
        self.message.number() != Intent::None.index()
    }
}

/// Classifies all `messages`; each is timed on its second run, as in a warm instance.
#[must_use]
pub fn judge(messages: Vec<Message>, options: &Options) -> Vec<Verdict> {
    let context = Context::default();
    let verdict = |message: Message| {
        let _ = classify(&message.text, &context, options);
        let start = Instant::now();
        let decision = classify(&message.text, &context, options);
        let micros = start.elapsed().as_secs_f64() * 1e6;
        Verdict { message, decision, micros }
    };
    messages.into_iter().map(verdict).collect()
}

/// The figures of an evaluation; the fields are the keys of its last line.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Figures {
    /// Messages.
    pub n: usize,
    /// Share right of those that ask for an agent; an abstention is wrong.
    pub four_intent_accuracy: f64,
    /// Share right of all; an abstention counts as `none`.
    pub accuracy: f64,
    /// Mean F1 of the labels that occur.
    pub macro_f1: f64,
    /// Share of `none` that was recognised.
    pub none_recall: f64,
    /// Share not abstained.
    pub coverage: f64,
    /// Share right of what was not abstained.
    pub selective_accuracy: f64,
    /// Expected calibration error over ten equal bins.
    pub ece: f64,
    /// Area under the curve of confidence against being right.
    pub auroc: f64,
    /// Median time in microseconds.
    pub p50_us: f64,
    /// 95th percentile of the time in microseconds.
    pub p95_us: f64,
}

impl Figures {
    /// The figures of `verdicts`.
    #[must_use]
    pub fn of(verdicts: &[Verdict]) -> Self {
        let share = |of: &dyn Fn(&Verdict) -> bool, what: &dyn Fn(&Verdict) -> bool| {
            let n = verdicts.iter().filter(|v| of(v)).count();
            verdicts.iter().filter(|v| of(v) && what(v)).count() as f64 / n.max(1) as f64
        };
        let answered = |v: &Verdict| !v.decision.abstained;
        let mut times: Vec<f64> = verdicts.iter().map(|v| v.micros).collect();
        times.sort_by(f64::total_cmp);
        Self {
            n: verdicts.len(),
            four_intent_accuracy: share(&Verdict::is_intent, &Verdict::right),
            accuracy: share(&|_| true, &Verdict::right),
            macro_f1: macro_f1(verdicts),
            none_recall: share(&|v| !v.is_intent(), &Verdict::right),
            coverage: share(&|_| true, &answered),
            selective_accuracy: share(&answered, &Verdict::right),
            ece: bins(verdicts).iter().map(|b| b.n as f64 * (b.confidence - b.accuracy).abs()).sum::<f64>()
                / verdicts.len().max(1) as f64,
            auroc: auroc(verdicts),
            p50_us: quantile(&times, 0.5),
            p95_us: quantile(&times, 0.95),
        }
    }
}

/// The value below which a share of the sorted `values` lies.
#[must_use]
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let at = (share * values.len().saturating_sub(1) as f64).round() as usize;
    values.get(at).copied().unwrap_or(0.0)
}

/// Counts of true label (row) against reported label (column).
#[must_use]
pub fn confusion(verdicts: &[Verdict]) -> [[usize; 5]; 5] {
    let mut counts = [[0; 5]; 5];
    for v in verdicts {
        counts[v.message.number()][v.decision.intent.index()] += 1;
    }
    counts
}

fn macro_f1(verdicts: &[Verdict]) -> f64 {
    let counts = confusion(verdicts);
    let mut scores = Vec::new();
    for label in 0..5 {
        let truth: usize = counts[label].iter().sum();
        let reported: usize = counts.iter().map(|row| row[label]).sum();
        if truth > 0 {
            scores.push(2.0 * counts[label][label] as f64 / (truth + reported).max(1) as f64);
        }
    }
    scores.iter().sum::<f64>() / scores.len().max(1) as f64
}

/// One of ten equal ranges of confidence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bin {
    /// Messages in it.
    pub n: usize,
    /// Their mean confidence.
    pub confidence: f64,
    /// Share of them that is right.
    pub accuracy: f64,
}

/// Ten equal bins of confidence.
#[must_use]
pub fn bins(verdicts: &[Verdict]) -> [Bin; 10] {
    let mut bins = [Bin::default(); 10];
    for v in verdicts {
        let bin = &mut bins[((v.decision.confidence * 10.0) as usize).min(9)];
        bin.n += 1;
        bin.confidence += v.decision.confidence;
        bin.accuracy += f64::from(u8::from(v.right()));
    }
    bins.map(|b| {
        let n = b.n.max(1) as f64;
        Bin { n: b.n, confidence: b.confidence / n, accuracy: b.accuracy / n }
    })
}

/// The chance that a right answer has more confidence than a wrong one; ties count half.
fn auroc(verdicts: &[Verdict]) -> f64 {
    let of = |right: bool| verdicts.iter().filter(move |v| v.right() == right).map(|v| v.decision.confidence);
    let (right, wrong): (Vec<f64>, Vec<f64>) = (of(true).collect(), of(false).collect());
    let pair = |r: f64, w: f64| {
        if r > w { 1.0 } else { f64::from(u8::from(r == w)) / 2.0 }
    };
    let pairs = right.iter().flat_map(|r| wrong.iter().map(|w| pair(*r, *w)));
    // From a zero of its own: the sum of nothing is -0.0.
    pairs.fold(0.0, |sum, p| sum + p) / (right.len() * wrong.len()).max(1) as f64
}

/// The 95 % interval of a share (Wilson score).
#[must_use]
pub fn wilson(right: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (z, n) = (1.96, n as f64);
    let p = right as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    ((centre - spread) / scale, (centre + spread) / scale)
}
