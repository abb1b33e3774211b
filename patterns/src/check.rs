//! The rules that phrases and corpus must keep; `make test` and `triage-patterns check` apply them.

use crate::corpus::{self, Message};
use crate::phrases::{self, Phrase};
use std::collections::HashMap;
use std::path::Path;
use triage::intent::boundary::Boundary;
use triage::intent::normalize::normalize;

/// No two messages may be more alike than this (Jaccard of character 5-grams).
const ALIKE: f64 = 0.6;
/// No two messages on different sides of the split may be more alike than this.
const ALIKE_ACROSS: f64 = 0.5;
/// At most this share of messages may begin with the same five words as another.
const SAME_START: f64 = 0.03;
/// The corpus holds at least this many messages.
const LEAST: usize = 8000;

/// Everything under `folder` that breaks a rule.
#[must_use]
pub fn faults(folder: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    match phrases::read(&folder.join("intents")) {
        Ok(phrases) => faults.extend(phrase_faults(&phrases)),
        Err(e) => faults.push(e),
    }
    match corpus::read_all(&folder.join("corpus")) {
        Ok(messages) => faults.extend(corpus_faults(&messages)),
        Err(e) => faults.push(e),
    }
    faults
}

/// Phrases are in normal form, sorted within their group, not repeated, and each in one label.
fn phrase_faults(phrases: &[Phrase]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut places: HashMap<&str, &str> = HashMap::new();
    for p in phrases {
        if normalize(&p.text) != p.text {
            faults.push(format!("{}: not in normal form: {:?}", p.group, p.text));
        }
        if p.reason.trim().is_empty() {
            faults.push(format!("{}: no reason given", p.group));
        }
        if Boundary::from_name(&p.boundary).is_none() {
            faults.push(format!("{}: unknown boundary {}", p.group, p.boundary));
        }
        if let Some(other) = places.insert(&p.text, &p.group) {
            faults.push(format!("{:?} is in {other} and in {}", p.text, p.group));
        }
    }
    for pair in phrases.windows(2) {
        if pair[0].group == pair[1].group && pair[0].text >= pair[1].text {
            faults.push(format!("{}: {:?} is not sorted", pair[1].group, pair[1].text));
        }
    }
    faults
}

fn corpus_faults(messages: &[Message]) -> Vec<String> {
    let mut faults = Vec::new();
    if messages.len() < LEAST {
        faults.push(format!("the corpus holds {} messages, fewer than {LEAST}", messages.len()));
    }
    let normal: Vec<String> = messages.iter().map(|m| normalize(&m.text)).collect();
    for (a, b, alike) in near_duplicates(&normal) {
        let across = messages[a].is_test() != messages[b].is_test();
        if alike > ALIKE || across && alike > ALIKE_ACROSS {
            faults.push(format!("alike by {alike:.2}: {:?} and {:?}", messages[a].text, messages[b].text));
        }
    }
    let share = same_start(&normal);
    if share > SAME_START {
        faults.push(format!("{:.1} % of the messages share their first five words", 100.0 * share));
    }
    faults
}

/// Share of the texts whose first five words begin another text too.
fn same_start(texts: &[String]) -> f64 {
    let start = |t: &String| {
        let words: Vec<&str> = t.split_whitespace().take(5).collect();
        (words.len() == 5).then(|| words.join(" "))
    };
    let mut counts: HashMap<String, usize> = HashMap::new();
    texts.iter().filter_map(start).for_each(|s| *counts.entry(s).or_default() += 1);
    let shared: usize = counts.values().filter(|n| **n > 1).sum();
    shared as f64 / texts.len().max(1) as f64
}

/// Pairs that are alike by more than [`ALIKE_ACROSS`]. Two sets that overlap that much share a
/// gram among the rarer half of each, so only those are indexed.
fn near_duplicates(texts: &[String]) -> Vec<(usize, usize, f64)> {
    let grams: Vec<Vec<u64>> = texts.iter().map(|t| grams(t)).collect();
    let mut counts: HashMap<u64, u32> = HashMap::new();
    grams.iter().flatten().for_each(|g| *counts.entry(*g).or_default() += 1);
    let mut index: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut found = Vec::new();
    for (b, set) in grams.iter().enumerate() {
        let mut rarest: Vec<(u32, u64)> = set.iter().map(|g| (counts[g], *g)).collect();
        rarest.sort_unstable();
        let prefix = set.len() - (set.len() as f64 * ALIKE_ACROSS).ceil() as usize + 1;
        let mut candidates: Vec<usize> = Vec::new();
        // a gram that occurs once has no partner
        for (_, gram) in rarest.iter().take(prefix).filter(|(count, _)| *count > 1) {
            let places = index.entry(*gram).or_default();
            candidates.extend(places.iter().filter(|a| {
                let (few, many) = (grams[**a].len().min(set.len()), grams[**a].len().max(set.len()));
                few as f64 > ALIKE_ACROSS * many as f64
            }));
            places.push(b);
        }
        candidates.sort_unstable();
        candidates.dedup();
        for a in candidates {
            let alike = jaccard(&grams[a], set);
            if alike > ALIKE_ACROSS {
                found.push((a, b, alike));
            }
        }
    }
    found
}

/// Hashes of all runs of five characters, each once.
fn grams(text: &str) -> Vec<u64> {
    let chars: Vec<char> = text.chars().collect();
    let runs = chars.windows(5.min(chars.len().max(1)));
    let mut grams: Vec<u64> = runs.map(|w| corpus::hash(&w.iter().collect::<String>())).collect();
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// Overlap of two sorted sets.
fn jaccard(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut both) = (0, 0, 0usize);
    while i < a.len() && j < b.len() {
        both += usize::from(a[i] == b[j]);
        let (step_a, step_b) = (a[i] <= b[j], b[j] <= a[i]);
        i += usize::from(step_a);
        j += usize::from(step_b);
    }
    both as f64 / (a.len() + b.len() - both).max(1) as f64
}
