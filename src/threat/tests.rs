use proptest::prelude::*;
use serde_json::Value;

use super::*;

const TUNED: &str = include_str!("../../tests/fixtures/threats.json");

/// Written without looking at the rules, in seven languages. Of the 48 that came last, 44 attacks
/// were flagged and 1 of 60 honest messages when they were first tried.
const HELD_OUT: &str = include_str!("../../tests/fixtures/threats_held_out.json");

fn fixtures(text: &str) -> (Vec<String>, Vec<(Threat, String)>) {
    let value: Value = serde_json::from_str(text).unwrap();
    let honest = value["honest"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned());
    let attacks = value["attacks"].as_array().unwrap().iter().map(|attack| {
        let threat = Threat::from_name(attack["threat"].as_str().unwrap()).unwrap();
        (threat, attack["text"].as_str().unwrap().to_owned())
    });
    (honest.collect(), attacks.collect())
}

#[test]
fn honest_messages_about_attacks_are_not_flagged() {
    let (honest, _) = fixtures(TUNED);
    assert!(honest.len() >= 60);
    let flagged: Vec<_> =
        honest.iter().map(|text| (flags(text), text)).filter(|(flags, _)| !flags.is_empty()).collect();
    assert!(flagged.is_empty(), "{flagged:#?}");
}

#[test]
fn attacks_are_flagged_with_their_class() {
    let (_, attacks) = fixtures(TUNED);
    assert!(attacks.len() >= 60);
    let missed: Vec<_> = attacks.iter().filter(|(threat, text)| !flags(text).contains(threat)).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn what_was_written_without_looking_at_the_rules_is_told_apart_too() {
    let (honest, attacks) = fixtures(HELD_OUT);
    assert!(honest.len() >= 100 && attacks.len() >= 80);
    let flagged: Vec<_> = honest.iter().filter(|text| !flags(text).is_empty()).collect();
    assert!(flagged.is_empty(), "{flagged:#?}");
    let missed: Vec<_> = attacks.iter().filter(|(threat, text)| !flags(text).contains(threat)).collect();
    // Taken for a mention: a message with "hacker" in it is about attacks.
    let known = [(Threat::Shell, "x; chmod 777 /etc/passwd; useradd hacker".to_owned())];
    assert_eq!(missed, known.iter().collect::<Vec<_>>());
}

#[test]
fn classes_have_names_that_lead_back() {
    for threat in Threat::ALL {
        assert_eq!(Threat::from_name(threat.as_str()), Some(threat));
    }
    assert_eq!(Threat::from_name("SQL"), None);
    assert_eq!(Threat::from_name(""), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flags_are_distinct_sorted_and_the_same_every_time(text in "\\PC{0,300}") {
        let found = flags(&text);
        prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert_eq!(&found, &flags(&text));
    }
}
