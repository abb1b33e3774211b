//! Rules of the classifier as a whole; rules of its parts stand with the parts.

use super::*;
use proptest::prelude::*;

fn label(text: &str) -> Intent {
    let found = explain(text, &Context::default(), &Options::default());
    found.scores.iter().fold((Intent::None, -1.0), |a, b| if b.1 > a.1 { *b } else { a }).0
}

fn patterns(text: &str) -> Vec<String> {
    let options = Options { use_learned: false, ..Options::default() };
    explain(text, &Context::default(), &options).matches.into_iter().map(|m| m.pattern).collect()
}

#[test]
fn plain_requests_get_their_label() {
    let cases = [
        ("I keep getting KeyError in line 4 when I run my program", Intent::SyntaxHelp),
        ("Can you explain the difference between a list and a tuple?", Intent::ConceptExplanation),
        ("give me an exercise about dictionaries please", Intent::ExerciseRequest),
        ("how am I doing so far, what is my score?", Intent::ProgressCheck),
        ("thank you so much, bye!", Intent::None),
    ];
    for (text, intent) in cases {
        assert_eq!(label(text), intent, "{text}");
    }
}

/// What everybody types: a corpus full of hard messages once forgot these.
#[test]
fn short_plain_requests_are_answered() {
    let cases = [
        ("explain recursion please", Intent::ConceptExplanation),
        ("explain pointers to me", Intent::ConceptExplanation),
        ("how do loops work", Intent::ConceptExplanation),
        ("what does this do", Intent::ConceptExplanation),
        ("my code doesn't work", Intent::SyntaxHelp),
        ("fix my code", Intent::SyntaxHelp),
        ("syntax error", Intent::SyntaxHelp),
        ("how to reverse a string", Intent::SyntaxHelp),
        ("quiz me", Intent::ExerciseRequest),
        ("another exercise", Intent::ExerciseRequest),
        ("my score?", Intent::ProgressCheck),
        ("how am I doing", Intent::ProgressCheck),
    ];
    for (text, intent) in cases {
        let found = classify(text, &Context::default(), &Options::default());
        assert_eq!((found.intent, found.abstained), (intent, false), "{text}");
    }
    for text in ["help", "hi", "thanks"] {
        assert!(classify(text, &Context::default(), &Options::default()).abstained, "{text}");
    }
}

#[test]
fn keywords_do_not_repeat_each_other() {
    for text in [
        "why do I get IndexError: list index out of range in my loop?",
        "why do I get IndexError in my loop? why do\nI get IndexError in my\nloop?",
    ] {
        let keywords = classify(text, &Context::default(), &Options::default()).keywords;
        assert!(!keywords.is_empty());
        for (n, word) in keywords.iter().enumerate() {
            let inside =
                keywords.iter().enumerate().any(|(m, other)| m != n && other.contains(word.as_str()));
            assert!(!inside, "{word} in {keywords:?}");
        }
    }
}

/// What programmers write, what only looks like it, and what stands inside other words.
#[test]
fn the_regression_table_holds() {
    let all = |text: &str| explain(text, &Context::default(), &Options::default()).matches;
    for (text, found, not_found) in [
        ("I write C++ code", &["c++", "c"][..], &["c+"][..]),
        ("is C# like Java?", &["c#", "java"], &[]),
        ("the .NET runtime", &[".net"], &[]),
        ("what does i++ do", &["i++"], &["i+"]),
        ("when do I use == in an if", &["=="], &["=", "==="]),
        ("C+++ is no language", &["c"], &["c++", "++"]),
        ("we got an error", &["error"], &[]),
        ("we talked about terrorism", &["about"], &["error"]),
        ("she was terrorised", &[], &["error"]),
        ("a class in python", &["class"], &[]),
        ("a classical concert", &[], &["class"]),
        ("the mapping is fine", &["mapping"], &["map", "ping"]),
        ("제코드에서에러가나요", &["코드", "에러"], &[]),
        ("traceback이 나와요", &["traceback"], &[]),
        ("it doesn\u{2019}t work", &["doesn't work"], &[]),
        ("ｅｒｒｏｒ in ＬＩＮＥ", &["error", "in line"], &[]),
    ] {
        let matches: Vec<String> = all(text).into_iter().map(|m| m.pattern).collect();
        for pattern in found {
            assert!(matches.iter().any(|m| m == pattern), "{pattern} in {text}: {matches:?}");
        }
        for pattern in not_found {
            assert!(!matches.iter().any(|m| m == pattern), "{pattern} not in {text}: {matches:?}");
        }
    }
    for (text, word) in [("terrorism", "terrorism"), ("classical", "classical"), ("mapping", "mapping")] {
        for m in all(text) {
            assert_eq!(m.text, word, "nothing that is only a part of the word");
        }
    }
}

#[test]
fn curly_quotes_and_full_width_letters_match_their_plain_forms() {
    assert_eq!(patterns("it doesn\u{2019}t work"), patterns("it doesn't work"));
    assert_eq!(patterns("ｅｒｒｏｒ in ＬＩＮＥ"), patterns("error in line"));
    assert_eq!(patterns("EXPLAIN"), ["explain"]);
}

#[test]
fn korean_matches_without_blanks() {
    assert!(patterns("제코드에서에러가나요").contains(&"에러".to_owned()));
    assert!(patterns("traceback이 나와요").contains(&"traceback".to_owned()));
}

#[test]
fn spans_point_into_the_original_message() {
    let text = "  Ｅｒｒｏｒ!! it DOESN\u{2019}T   work";
    let found = explain(text, &Context::default(), &Options { use_learned: false, ..Options::default() });
    let texts: Vec<&str> = found.matches.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(texts, ["Ｅｒｒｏｒ", "DOESN\u{2019}T   work"]);
    for m in &found.matches {
        assert_eq!(text.get(m.start..m.end), Some(m.text.as_str()));
    }
}

#[test]
fn abstaining_reports_none_and_the_runner_up() {
    let strict = Options { threshold: 1.1, ..Options::default() };
    let decision = classify("give me an exercise about lists", &Context::default(), &strict);
    assert!(decision.abstained);
    assert_eq!(decision.intent, Intent::None);
    assert_eq!(decision.secondary.map(|(label, _)| label), Some(Intent::ExerciseRequest));
}

#[test]
fn circumstances_never_overrule_a_clear_message() {
    let clear = [
        ("give me a practice exercise on loops", Intent::ExerciseRequest),
        ("explain what a closure is", Intent::ConceptExplanation),
        ("my program crashes with a TypeError in line 3, how do I fix it", Intent::SyntaxHelp),
        ("what is my score so far", Intent::ProgressCheck),
    ];
    for (text, intent) in clear {
        for previous in Intent::ALL {
            for source in ["concepts", "review", "debug", "exercise", "progress"] {
                let context = Context {
                    agent_source: AgentSource::from_name(source),
                    previous_intent: Some(previous),
                    quiz_score: Some(0.0),
                    completion_score: Some(1.0),
                    quality_score: Some(0.0),
                    consistency_score: Some(1.0),
                    turn_number: Some(7),
                };
                assert_eq!(classify(text, &context, &Options::default()).intent, intent, "{text}");
            }
        }
    }
}

#[test]
fn odd_input_gets_an_answer() {
    let emojis = "\u{1f600}".repeat(5000);
    let letters = "a".repeat(5000);
    let cases = [
        "",
        " \n\t ",
        emojis.as_str(),
        letters.as_str(),
        "\0",
        "a\0b",
        "مرحبا كيف حالك",
        "\u{202e}gnp.exe",
        "\u{301}\u{301}",
    ];
    for text in cases {
        let found = explain(text, &Context::default(), &Options::default());
        assert!((0.0..=1.0).contains(&found.classification.confidence));
        assert!(found.classification.keywords.len() <= MAX_KEYWORDS);
    }
}

#[test]
fn without_a_letter_nothing_is_asked() {
    for text in [", ".repeat(100), "- ".repeat(100), "1 ".repeat(2_000), "?!?".into(), "5 > 3".into()] {
        let found = classify(&text, &Context::default(), &Options::default());
        assert!(found.abstained, "{text}: {found:?}");
    }
}

#[test]
fn signs_of_other_scripts_and_habits_are_folded() {
    for (text, folded) in [
        ("it doesn´t work", "it doesn't work"),
        ("안돼요。왜죠？", "안돼요. 왜죠?"),
        ("यह क्या है। बताओ", "यह क्या है. बताओ"),
        ("ما هي؟", "ما هي?"),
        ("er\u{2066}ror\u{2069}", "error"),
    ] {
        assert_eq!(normalize::normalize(text), folded);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_gets_probabilities_that_sum_to_one(text in "\\PC{0,200}|.{0,100}") {
        let found = explain(&text, &Context::default(), &Options::default());
        let sum: f64 = found.scores.iter().map(|s| s.1).sum();
        prop_assert!((sum - 1.0).abs() < 1e-9);
        for m in found.matches {
            prop_assert_eq!(text.get(m.start..m.end), Some(m.text.as_str()));
        }
    }

    #[test]
    fn normal_form_is_stable_and_equals_composition_of_the_whole(text in "\\PC{0,60}|.{0,60}") {
        use unicode_normalization::UnicodeNormalization;
        let once = normalize::normalize(&text);
        prop_assert_eq!(&normalize::normalize(&once), &once);
        // the one character that composition would take apart
        let composed: String = text.replace('´', "'").nfkc().collect();
        prop_assert_eq!(&normalize::normalize(&composed), &once);
    }

    #[test]
    fn explaining_decides_as_classifying(text in "[a-z' ?.!]{0,80}") {
        let context = Context::default();
        let options = Options::default();
        prop_assert_eq!(classify(&text, &context, &options), explain(&text, &context, &options).classification);
    }
}
