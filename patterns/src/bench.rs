//! Measures speed and checks the answers in the same run: a fast wrong answer is no answer.

use crate::corpus::{self, Message};
use crate::double_array::{self, Entry};
use crate::judge::quantile;
use crate::random::Random;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;
use triage::intent::automaton::Automaton;
use triage::intent::normalize::normalize;
use triage::intent::{Classification, Context, Options, classify, tables};

/// Length of the messages the time limits are about, in characters.
const LENGTH: usize = 300;
/// Longest message the component accepts, in characters.
const LONGEST: usize = 5000;
/// Limits: 95th percentile at 300 characters, worst case at 5 000, in microseconds.
const P95_US: f64 = 30.0;
const WORST_US: f64 = 2000.0;
/// Limit: time of a message with the shipped number of patterns against time with a tenth of them. The
/// next tenfold is printed and has no limit: its tables are six times as large as any that may ship, and
/// what they cost is what the caches have room for beside a machine's other work.
const TENFOLD: f64 = 1.3;

/// Runs everything on messages of the corpus under `folder`.
///
/// # Errors
/// Names the limit that was exceeded or the answer that changed.
pub fn run(folder: &Path) -> Result<(), String> {
    if tables::network().rows.is_empty() {
        return Err(
            "built without learned weights, which would be fast and wrong: make train first".to_owned()
        );
    }
    let messages = corpus::read_all(&folder.join("corpus"))?;
    let mut faults = Vec::new();
    let texts = stretched(&messages, LENGTH, 1000);
    let answers: Vec<Classification> = texts.iter().map(|t| decide(t)).collect();
    let times = times(&texts, 20);
    let (p50, p95) = (quantile(&times, 0.5), quantile(&times, 0.95));
    println!("classify, {LENGTH} characters: p50 {p50:.1} us, p95 {p95:.1} us (limit {P95_US})");
    check(&mut faults, "p95 at 300 characters", p95, P95_US);
    if texts.iter().map(|t| decide(t)).ne(answers) {
        faults.push("answers changed while measuring".to_owned());
    }
    linear(&messages);
    check(&mut faults, "a message with ten times the patterns", tenfold(&texts, p50), TENFOLD);
    for (name, text) in worst_cases(&messages) {
        let time = best_time(&text, 20);
        println!("worst case {name}, {LONGEST} characters: {time:.0} us (limit {WORST_US})");
        check(&mut faults, name, time, WORST_US);
    }
    sizes();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

fn decide(text: &str) -> Classification {
    classify(text, &Context::default(), &Options::default())
}

fn check(faults: &mut Vec<String>, name: &str, value: f64, limit: f64) {
    if value > limit {
        faults.push(format!("{name}: {value:.2} is over {limit}"));
    }
}

/// Texts of `length` characters, strung together from messages.
fn stretched(messages: &[Message], length: usize, count: usize) -> Vec<String> {
    let mut random = Random(7);
    let mut texts = Vec::with_capacity(count);
    for _ in 0..count {
        let mut text = String::new();
        while text.chars().count() < length {
            text.push_str(&messages[random.below(messages.len())].text);
            text.push(' ');
        }
        texts.push(text.chars().take(length).collect());
    }
    texts
}

/// The best of `rounds` times per text, in microseconds, sorted.
fn times(texts: &[String], rounds: usize) -> Vec<f64> {
    let mut times: Vec<f64> = texts.iter().map(|t| best_time(t, rounds)).collect();
    times.sort_by(f64::total_cmp);
    times
}

fn best_time(text: &str, rounds: usize) -> f64 {
    let time = |_| {
        let start = Instant::now();
        black_box(decide(black_box(text)));
        start.elapsed().as_secs_f64() * 1e6
    };
    (0..rounds).map(time).fold(f64::INFINITY, f64::min)
}

/// Prints the time per character at growing lengths.
fn linear(messages: &[Message]) {
    for length in [100, 300, 1000, 3000, LONGEST] {
        let texts = stretched(messages, length, 50);
        let p50 = quantile(&times(&texts, 10), 0.5);
        println!(
            "classify, {length} characters: p50 {p50:.1} us, {:.0} ns a character",
            1000.0 * p50 / length as f64
        );
    }
}

/// Prints what a scan and a message cost with a tenth of the shipped number of patterns, with that number
/// and with ten times as many; returns the ratio of the first two messages. All but the scan is as in a
/// message that takes `message` microseconds.
fn tenfold(texts: &[String], message: f64) -> f64 {
    let normal: Vec<String> = texts.iter().map(|t| normalize(t)).collect();
    let shipped = tables::lexicon().automaton;
    let rest = message - scan_time(&normal, &shipped);
    let shipped = shipped.links.len();
    let entries = words(&normal, 10 * shipped, 1);
    let scans = [shipped / 10, shipped, 10 * shipped].map(|count| {
        let tables = double_array::build(&entries[..count]);
        let (time, size) = (scan_time(&normal, &automaton(&tables)), tables.slots.len() * 8);
        println!(
            "with {count} patterns: scan {time:.2} us, message {:.2} us; {:.1} MB",
            rest + time,
            size as f64 / 1e6
        );
        time
    });
    let ratio = |few: f64, many: f64| (rest + many) / (rest + few);
    let [tenth, all, tenfold] = scans;
    println!(
        "ten times the patterns, up to what ships: message {:.2} times (limit {TENFOLD}), scan {:.2}",
        ratio(tenth, all),
        all / tenth
    );
    println!(
        "ten times what ships, more than can ship: message {:.2} times, scan {:.2}",
        ratio(all, tenfold),
        tenfold / all
    );
    ratio(tenth, all)
}

/// Patterns that look like words of the texts, one letter changed; most match nothing.
fn words(texts: &[String], count: usize, seed: u64) -> Vec<Entry> {
    let mut random = Random(seed);
    let mut entries = Vec::with_capacity(count);
    while entries.len() < count {
        let text = &texts[random.below(texts.len())];
        let words: Vec<&str> = text.split(' ').filter(|w| w.is_ascii() && w.len() > 2).collect();
        if words.is_empty() {
            continue;
        }
        let mut word =
            format!("{} {}", words[random.below(words.len())], words[random.below(words.len())]).into_bytes();
        word.truncate(40);
        let at = random.below(word.len());
        word[at] = b'a' + random.below(26) as u8;
        entries.push(Entry { text: String::from_utf8_lossy(&word).into_owned(), boundary: 3 });
    }
    entries
}

fn automaton(t: &double_array::Tables) -> Automaton<'_> {
    Automaton {
        classes: &t.classes,
        slots: &t.slots,
        ranks: &t.ranks,
        heads: &t.heads,
        links: &t.links,
        lengths: &t.lengths,
    }
}

fn scan_time(texts: &[String], automaton: &Automaton<'_>) -> f64 {
    let round = |_| {
        let start = Instant::now();
        for text in texts {
            automaton.scan(text, |m| {
                black_box(m);
            });
        }
        start.elapsed().as_secs_f64() * 1e6 / texts.len() as f64
    };
    (0..10).map(round).fold(f64::INFINITY, f64::min)
}

/// Inputs made to be slow.
fn worst_cases(messages: &[Message]) -> Vec<(&'static str, String)> {
    let repeat = |unit: &str| unit.chars().cycle().take(LONGEST).collect::<String>();
    vec![
        ("one letter", repeat("a")),
        ("phrases", repeat("how do i explain what is the error in my code ")),
        ("sentences", repeat("a. b? c! ")),
        ("line feeds", repeat("x\n")),
        ("emojis", repeat("\u{1f600}")),
        ("marks", repeat("a\u{301}\u{323}")),
        ("korean", repeat("에러가 나요 왜 그런가요 ")),
        ("messages", stretched(messages, LONGEST, 1).concat()),
    ]
}

fn sizes() {
    let lexicon = tables::lexicon();
    let a = lexicon.automaton;
    let automaton = a.classes.len()
        + a.slots.len() * 8
        + a.ranks.len() * 12
        + a.heads.len() * 4
        + a.links.len() * 4
        + a.lengths.len();
    let network = tables::network();
    let weights = network.rows.as_flattened().as_flattened().len() + network.weights.len() * 4;
    println!("{} patterns; automaton {automaton} bytes, weights {weights} bytes", a.links.len());
}
