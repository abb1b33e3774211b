//! What the agents answer.

use super::*;

const FULL: [&str; 6] = [
    "syntax_help",
    "concept_explanation",
    "exercise_request",
    "practice_exercises",
    "progress_check",
    "none",
];

fn body(intent: &str) -> Value {
    json!({"intent": intent, "confidence": 0.5, "query": "q", "student_context": {}, "routing_metadata": {}})
}

fn ask(app_id: &str, body: &Value, stream: bool) -> (u16, Reply) {
    let text = body.to_string();
    let question = Question {
        verb: &Method::POST,
        method: "process",
        body: text.as_bytes(),
        request_id: Some("r-1"),
        stream,
    };
    let reply = reply(Agent::named(app_id).unwrap(), &question).unwrap();
    (reply.status.as_u16(), reply)
}

fn document(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body.bytes()).unwrap()
}

#[test]
fn an_agent_answers_its_own_intents_and_refuses_the_others_with_200() {
    for agent in &AGENTS {
        for intent in FULL {
            let (status, reply) = ask(agent.app_id, &body(intent), false);
            let document = document(&reply);
            assert_eq!(status, 200);
            assert_eq!((&document["agent"], &document["intent"]), (&json!(agent.app_id), &json!(intent)));
            assert_eq!(document["request_id"], "r-1");
            if agent.intents.contains(&intent) {
                assert_eq!(document["status"], "success");
                assert!(document["response"]["text"].as_str().unwrap().len() > 200);
                assert!(!document["response"]["next_steps"].as_array().unwrap().is_empty());
            } else {
                assert_eq!(
                    (&document["status"], &document["error"]),
                    (&json!("error"), &json!("intent_not_supported"))
                );
            }
        }
    }
}

#[test]
fn only_the_review_agent_takes_what_triage_was_not_sure_about() {
    for agent in &AGENTS {
        let mut question = body("something_else");
        question["routing_metadata"]["abstained"] = true.into();
        let status = document(&ask(agent.app_id, &question, false).1)["status"].clone();
        assert_eq!(status == "success", agent.app_id == "review-agent", "{}", agent.app_id);
    }
}

#[test]
fn a_stream_tells_the_text_of_the_document_in_about_a_second() {
    for agent in &AGENTS {
        let (_, streamed) = ask(agent.app_id, &body(agent.intents[0]), true);
        let told: String = String::from_utf8(streamed.body.bytes())
            .unwrap()
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .filter_map(|data| {
                serde_json::from_str::<Value>(data).unwrap()["text"].as_str().map(str::to_owned)
            })
            .collect();
        let (_, plain) = ask(agent.app_id, &body(agent.intents[0]), false);
        assert_eq!(told, document(&plain)["response"]["text"].as_str().unwrap());
        let time: Duration = streamed.body.pieces.iter().map(|piece| piece.after).sum();
        assert!((500..1_500).contains(&time.as_millis()), "{} {time:?}", agent.app_id);
    }
}

#[test]
fn all_faults_of_a_body_are_named_at_once() {
    let cases = [
        (json!([]), vec!["body: expected a JSON object"]),
        (
            json!({"intent": 1, "confidence": 1.5, "query": "", "student_context": []}),
            vec![
                "intent: expected a string",
                "confidence: expected a number from 0 to 1",
                "query: expected a string that is not empty",
                "student_context: expected an object",
                "routing_metadata: expected an object",
            ],
        ),
    ];
    for (body, faults) in cases {
        let (status, reply) = ask("debug-agent", &body, false);
        assert_eq!((status, &document(&reply)["details"]), (400, &json!(faults)), "{body}");
    }
}

#[test]
fn a_misbehaving_agent_does_what_it_was_told() {
    let told = |simulate: &str| {
        let mut question = body("syntax_help");
        question["student_context"] = json!({"metadata": {"simulate": simulate}});
        ask("debug-agent", &question, false).1
    };
    assert_eq!(told("status:503").status, 503);
    assert_eq!(document(&told("error"))["status"], "error");
    assert!(serde_json::from_slice::<Value>(&told("invalid").body.bytes()).is_err());
    let huge = told("huge");
    assert!(huge.body.bytes().len() > 1 << 20 && document(&huge)["status"] == "success");
}

#[test]
fn an_agent_has_one_route_with_one_verb() {
    let agent = Agent::named("debug-agent").unwrap();
    let cases = [
        (Method::POST, "", 404),
        (Method::POST, "a/b", 404),
        (Method::GET, "process", 405),
        (Method::POST, "other", 400),
    ];
    for (verb, method, status) in cases {
        let question = Question { verb: &verb, method, body: b"", request_id: None, stream: false };
        assert_eq!(reply(agent, &question).unwrap().status, status, "{verb} {method}");
    }
}
