//! Phrases and corpus keep their rules; what was learned fits the phrases it was learned with.

use std::path::Path;
use triage_patterns::vocabulary::{Limit, Limits};
use triage_patterns::{check, learned, lexicon, phrases};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn phrases_and_corpus_keep_their_rules() {
    let faults = check::faults(folder());
    assert!(faults.is_empty(), "{} faults, such as {:#?}", faults.len(), &faults[..faults.len().min(10)]);
}

#[test]
fn every_group_of_phrases_has_a_learned_row() {
    let phrases = phrases::read(&folder().join("intents")).expect("phrases are in form");
    let learned = learned::read(&folder().join("learned")).expect("weights are in form");
    let learned = learned.expect("weights are committed");
    for phrase in phrases {
        let row = learned.rows.iter().find(|r| r.kind == learned::Kind::Group && r.text == phrase.group);
        assert!(row.is_some(), "{}: run `make train`", phrase.group);
    }
}

#[test]
fn written_weights_read_back_as_they_were() {
    let learned = learned::read(&folder().join("learned")).expect("weights are in form");
    let learned = learned.expect("weights are committed");
    let text = std::fs::read_to_string(folder().join("learned/rows.tsv")).expect("committed");
    assert_eq!(learned::rows_text(&learned), text);
    let text = std::fs::read_to_string(folder().join("learned/network.tsv")).expect("committed");
    assert_eq!(learned::network_text(&learned, &triage_patterns::train::columns()), text);
}

#[test]
fn mining_finds_words_pairs_and_pieces_of_dense_scripts() {
    let texts = ["fix c++ now", "fix c++ 에러", "오류 에러 fix c++"].map(|text| (text.to_owned(), 0));
    let limit = |messages| Limit { messages, telling: 0.0 };
    let limits = Limits { words: limit(2), pairs: limit(3), runs: limit(3), dense: limit(2) };
    let patterns = lexicon::Patterns::mine(&[], &texts, &limits);
    let found: Vec<&str> = patterns.vocabulary.iter().map(|(t, _)| t.as_str()).collect();
    assert_eq!(found, ["++", "c", "c++", "fix", "fix c", "fix c++", "러", "에", "에러", "에러"]);
}

#[test]
fn what_stands_with_all_labels_alike_is_not_mined() {
    let texts = ["fix it", "fix that", "why it", "why that"];
    let texts: Vec<_> = texts.iter().enumerate().map(|(n, text)| ((*text).to_owned(), n / 2)).collect();
    let telling = Limit { messages: 2, telling: 1.0 };
    let limits = Limits { words: telling, pairs: telling, runs: telling, dense: telling };
    let patterns = lexicon::Patterns::mine(&[], &texts, &limits);
    let found: Vec<&str> = patterns.vocabulary.iter().map(|(t, _)| t.as_str()).collect();
    assert_eq!(found, ["fix", "why"]);
}
