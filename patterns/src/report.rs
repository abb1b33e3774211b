//! Prints an evaluation for people, and its figures as one line of JSON for machines.

use crate::judge::{Figures, Verdict, bins, confusion, wilson};
use std::collections::BTreeMap;
use triage::intent::{Context, Intent, Options, explain};

/// How many of the worst errors are shown.
const WORST: usize = 20;

/// Prints everything; the worst errors with their matches only when `show_errors`.
pub fn print(verdicts: &[Verdict], show_errors: bool) {
    let figures = Figures::of(verdicts);
    println!(
        "{} messages: accuracy {:.1} %, over the four intents {:.1} %, macro-F1 {:.3}",
        figures.n,
        100.0 * figures.accuracy,
        100.0 * figures.four_intent_accuracy,
        figures.macro_f1
    );
    groups("label", verdicts, |v| v.message.label.clone());
    groups("source", verdicts, |v| v.message.source.clone().unwrap_or_else(|| "-".to_owned()));
    groups("language", verdicts, |v| v.message.lang.clone().unwrap_or_else(|| "-".to_owned()));
    matrix(verdicts);
    thresholds(verdicts);
    calibration(verdicts);
    if show_errors {
        errors(verdicts);
    }
    println!("{}", serde_json::to_string(&figures).unwrap_or_default());
}

fn groups(title: &str, verdicts: &[Verdict], key: impl Fn(&Verdict) -> String) {
    let mut counts: BTreeMap<String, (usize, usize, usize, usize)> = BTreeMap::new();
    for v in verdicts {
        let c = counts.entry(key(v)).or_default();
        c.0 += 1;
        c.1 += usize::from(v.right());
        c.2 += usize::from(v.is_intent());
        c.3 += usize::from(v.is_intent() && v.right());
    }
    println!("\n{title:<22} {:>6} {:>7}  {:<15} {:>6} {:>7}", "n", "right", "95 % interval", "four", "right");
    for (name, (n, right, four, four_right)) in counts {
        let (low, high) = wilson(right, n);
        let share = 100.0 * right as f64 / n as f64;
        let four_share = 100.0 * four_right as f64 / four.max(1) as f64;
        println!(
            "{name:<22} {n:>6} {share:>6.1}%  {:>5.1} to {:>5.1} {four:>8} {four_share:>6.1}%",
            100.0 * low,
            100.0 * high
        );
    }
}

fn matrix(verdicts: &[Verdict]) {
    println!("\ntrue label \\ reported  syntax concept exercise progress none");
    for (label, row) in Intent::ALL.iter().zip(confusion(verdicts)) {
        println!(
            "{:<22} {:>6} {:>7} {:>8} {:>8} {:>4}",
            label.as_str(),
            row[0],
            row[1],
            row[2],
            row[3],
            row[4]
        );
    }
}

/// What other thresholds would have done; the decision at a threshold follows from the confidence.
fn thresholds(verdicts: &[Verdict]) {
    println!("\nthreshold  coverage  accuracy of answers  four intents");
    for threshold in [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95] {
        let options = Options { threshold, ..Options::default() };
        let context = Context::default();
        let again = |v: &Verdict| triage::intent::classify(&v.message.text, &context, &options);
        let decisions: Vec<_> = verdicts.iter().map(|v| (again(v), v)).collect();
        let answered: Vec<_> = decisions.iter().filter(|(d, _)| !d.abstained).collect();
        let right = answered.iter().filter(|(d, v)| d.intent.index() == v.message.number()).count();
        let four = verdicts.iter().filter(|v| v.is_intent()).count();
        let share = |a: usize, b: usize| 100.0 * a as f64 / b.max(1) as f64;
        println!(
            "{threshold:>9.2} {:>8.1}% {:>19.1}% {:>12.1}%",
            share(answered.len(), verdicts.len()),
            share(right, answered.len()),
            share(right, four)
        );
    }
}

fn calibration(verdicts: &[Verdict]) {
    println!("\nconfidence      n  mean  right");
    for (at, bin) in bins(verdicts).iter().enumerate() {
        println!(
            "{:.1} to {:.1} {:>6} {:>5.2} {:>6.2}",
            at as f64 / 10.0,
            (at + 1) as f64 / 10.0,
            bin.n,
            bin.confidence,
            bin.accuracy
        );
    }
}

fn errors(verdicts: &[Verdict]) {
    let mut wrong: Vec<&Verdict> = verdicts.iter().filter(|v| !v.right()).collect();
    wrong.sort_by(|a, b| b.decision.confidence.total_cmp(&a.decision.confidence));
    println!("\nthe {} worst errors", wrong.len().min(WORST));
    for v in wrong.iter().take(WORST) {
        println!(
            "\n{} taken for {} ({:.2}): {:?}",
            v.message.label,
            v.decision.intent.as_str(),
            v.decision.confidence,
            v.message.text
        );
        matches(&v.message.text, 8);
    }
}

/// Prints the strongest `most` matches of a message.
pub fn matches(text: &str, most: usize) {
    let found = explain(text, &Context::default(), &Options::default());
    let mut matches = found.matches;
    matches.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    for m in matches.iter().take(most) {
        println!("  {:+.2} {:<20} {:>4}..{:<4} {:?}", m.weight, m.label.as_str(), m.start, m.end, m.text);
    }
}

/// Prints label, confidence, runner-up and every match of a message.
pub fn explanation(text: &str) {
    let found = explain(text, &Context::default(), &Options::default());
    let decision = &found.classification;
    println!(
        "{} {:.3}{}",
        decision.intent.as_str(),
        decision.confidence,
        if decision.abstained { " (abstained)" } else { "" }
    );
    if let Some((label, p)) = decision.secondary {
        println!("runner-up {} {p:.3}", label.as_str());
    }
    for (label, p) in found.scores {
        println!("  {:<20} {p:.3}", label.as_str());
    }
    println!("keywords {:?}\nmatches: weight, label, bytes, text", decision.keywords);
    matches(text, usize::MAX);
}
