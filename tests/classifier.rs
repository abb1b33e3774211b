//! The classifier in the component is the one that was measured natively, bit for bit.

use triage::intent::{Context, Options, classify};

use crate::support::*;

/// Messages of the corpus's test split, which differ in language, length and certainty.
fn messages() -> Vec<String> {
    let files = std::fs::read_dir(root().join("patterns/corpus")).unwrap().map(|file| file.unwrap().path());
    let mut texts: Vec<String> = files
        .flat_map(|file| {
            let lines = std::fs::read_to_string(file).unwrap();
            let text = |line| json_text(line, "text");
            lines.lines().step_by(97).map(text).collect::<Vec<_>>()
        })
        .collect();
    texts.sort_unstable();
    texts
}

fn json_text(line: &str, member: &str) -> String {
    let row: serde_json::Value = serde_json::from_str(line).unwrap();
    row[member].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_component_gives_the_same_bits_as_the_native_build() {
    let app = app_with(&Sidecar::default(), &[("rate_limit_per_minute", "1000000")]).await;
    let instance = app.instance("triage").await.unwrap();
    let texts = messages();
    assert!(texts.len() > 200, "{} messages", texts.len());
    for text in texts {
        let native = classify(&text, &Context::default(), &Options::default());
        let body = serde_json::json!({ "query": text }).to_string().into_bytes();
        let answer = instance.request(post("/api/v1/classify").body(body).unwrap()).await;
        let decision = json(&answer);
        assert_eq!(decision["intent_type"], native.intent.as_str(), "{text}");
        assert_eq!(decision["abstained"], native.abstained, "{text}");
        // Written to the last digit that tells two numbers apart.
        let digits = format!("\"confidence\":{},", serde_json::to_string(&native.confidence).unwrap());
        assert!(answer.text().contains(&digits), "{digits} in {}", answer.text());
    }
}
