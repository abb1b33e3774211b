//! The double array finds exactly what the `aho-corasick` crate finds.

use aho_corasick::{AhoCorasick, MatchKind};
use triage::intent::automaton::{Automaton, Match};
use triage::intent::boundary::Boundary;
use triage::intent::normalize::normalize;
use triage::intent::tables;
use triage_patterns::corpus;
use triage_patterns::double_array::{self, Entry, Tables};
use triage_patterns::random::Random;
use triage_patterns::{learned, phrases};

/// Texts compared.
const TEXTS: usize = 4000;

fn view(t: &Tables) -> Automaton<'_> {
    Automaton {
        classes: &t.classes,
        slots: &t.slots,
        ranks: &t.ranks,
        heads: &t.heads,
        links: &t.links,
        lengths: &t.lengths,
    }
}

fn ours(automaton: &Automaton<'_>, text: &str) -> Vec<(u32, usize, usize)> {
    let mut found = Vec::new();
    automaton.scan(text, |Match { pattern, start, end }| found.push((pattern, start, end)));
    found.sort_unstable();
    found
}

fn theirs(entries: &[Entry], crate_: &AhoCorasick, text: &str) -> Vec<(u32, usize, usize)> {
    let blanks = text.replace('\n', " ");
    let overlapping = crate_.find_overlapping_iter(&blanks);
    let mut found: Vec<(u32, usize, usize)> = overlapping
        .map(|m| (m.pattern().as_u32(), m.start(), m.end()))
        .filter(|(p, start, end)| {
            Boundary::from_bits(entries[*p as usize].boundary).admits(text, *start, *end)
        })
        .collect();
    found.sort_unstable();
    found
}

fn compare(entries: &[Entry], texts: impl Iterator<Item = String>) {
    compare_with(&view(&double_array::build(entries)), entries, texts);
}

fn compare_with(automaton: &Automaton<'_>, entries: &[Entry], texts: impl Iterator<Item = String>) {
    let crate_ = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .build(entries.iter().map(|e| e.text.replace('\n', " ")))
        .expect("patterns fit");
    for text in texts {
        assert_eq!(ours(automaton, &text), theirs(entries, &crate_, &text), "{text:?}");
    }
}

/// Random strings over few letters, so that suffixes and overlaps abound.
fn random_text(random: &mut Random, longest: usize) -> String {
    let alphabet = ['a', 'b', 'c', ' ', '+', '\n', 'é', '에', '러', '_'];
    (0..=random.below(longest)).map(|_| alphabet[random.below(alphabet.len())]).collect()
}

#[test]
fn random_patterns_match_as_in_the_crate() {
    let mut random = Random(1);
    for _ in 0..40 {
        let entries: Vec<Entry> = (0..60)
            .map(|_| Entry {
                text: normalize(&format!("a{}", random_text(&mut random, 5))),
                boundary: random.below(4) as u8,
            })
            .collect();
        let texts: Vec<String> = (0..TEXTS / 40).map(|_| random_text(&mut random, 80)).collect();
        compare(&entries, texts.into_iter());
    }
}

#[test]
fn words_of_the_corpus_match_as_in_the_crate() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let messages = corpus::read_all(&folder).expect("the corpus is in form");
    let texts: Vec<String> = messages.iter().map(|m| normalize(&m.text)).collect();
    let mut words: Vec<&str> =
        texts.iter().flat_map(|t| t.split_whitespace()).filter(|w| w.len() < 40).collect();
    words.sort_unstable();
    words.dedup();
    let entry = |(n, w): (usize, &&str)| Entry { text: (*w).to_owned(), boundary: (n % 4) as u8 };
    let entries: Vec<Entry> = words.iter().step_by(3).enumerate().map(entry).collect();
    compare(&entries, texts.into_iter().step_by(5));
}

/// The tables in the component, not only those that are built here.
#[test]
fn what_ships_matches_as_in_the_crate() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let phrases = phrases::read(&folder.join("intents")).expect("the phrases are in form");
    let learned = learned::read(&folder.join("learned")).expect("the weights are in form").expect("trained");
    let number = |boundary: &str| Boundary::from_name(boundary).expect("a boundary class") as u8;
    let hand = phrases.iter().map(|p| Entry { text: normalize(&p.text), boundary: number(&p.boundary) });
    let rows = learned.rows.iter().filter_map(|row| match &row.kind {
        learned::Kind::Pattern(boundary) => {
            Some(Entry { text: row.text.clone(), boundary: number(boundary) })
        }
        learned::Kind::Shape | learned::Kind::Group => None,
    });
    let entries: Vec<Entry> = hand.chain(rows).collect();
    let messages = corpus::read_all(&folder.join("corpus")).expect("the corpus is in form");
    let texts = messages.iter().step_by(20).map(|m| normalize(&m.text));
    compare_with(&tables::lexicon().automaton, &entries, texts);
}
