//! Normaliser and classifier: any text has a normal form that is its own, spans that lie in the
//! text, and a decision.
#![no_main]

use libfuzzer_sys::fuzz_target;
use triage::intent::normalize::{Normalized, normalize};
use triage::intent::{Context, Options, classify, explain};

fuzz_target!(|text: &str| {
    let normal = normalize(text);
    assert_eq!(Normalized::with_map(text).text, normal, "both ways give one form");
    let decision = classify(text, &Context::default(), &Options::default());
    assert!((0.0..=1.0).contains(&decision.confidence));
    let explanation = explain(text, &Context::default(), &Options::default());
    assert_eq!(explanation.classification, decision, "explaining changes nothing");
    for found in explanation.matches {
        assert_eq!(text.get(found.start..found.end), Some(found.text.as_str()));
    }
});
