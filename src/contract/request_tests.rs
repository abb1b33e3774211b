use serde_json::json;

use super::*;

const NOW: UnixMillis = 1_767_225_600_000;

fn body() -> Value {
    json!({
        "query": "why does my loop never end?",
        "student_progress": {
            "student_id": "student_0a1b2c3d-0000-4000-8000-00000000abcd",
            "exercise_id": "ex_loops-1",
            "timestamp": "2026-01-01T00:00:00Z",
            "agent_source": "debug"
        }
    })
}

fn parse(value: &Value) -> Result<TriageRequest, Vec<String>> {
    TriageRequest::parse(value.to_string().as_bytes(), NOW)
}

/// The body with the member at `path` replaced (or removed, for `None`).
fn changed(path: &str, value: Option<Value>) -> Value {
    let mut body = body();
    let mut at = &mut body;
    let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
    for parent in parents.split('.').filter(|p| !p.is_empty()) {
        at = &mut at[parent];
    }
    match value {
        Some(value) => at[last] = value,
        None => drop(at.as_object_mut().unwrap().remove(last)),
    }
    body
}

#[test]
fn a_minimal_request_is_read() {
    let request = parse(&body()).unwrap();
    assert_eq!(request.query, "why does my loop never end?");
    assert_eq!(request.progress.source, AgentSource::Debug);
    assert_eq!(request.session, Session::default());
}

#[test]
fn all_optional_fields_are_read() {
    let mut body = body();
    body["timestamp"] = json!("2026-01-01T00:04:59Z");
    body["session_context"] = json!({"conversation_id": "6f1c1d9e-3f7b-4b7e-9a53-1f6f2b0c9d11", "turn_number": 3, "previous_intent": "exercise_request"});
    for name in ["completion_score", "quiz_score", "quality_score", "consistency_score"] {
        body["student_progress"][name] = json!(0.5);
    }
    body["student_progress"]["idempotency_key"] = json!("0123456789abcdef0123456789abcdef");
    body["student_progress"]["metadata"] = json!({"anything": [1, 2]});
    let request = parse(&body).unwrap();
    assert_eq!(request.session.turn_number, Some(3));
    assert_eq!(request.session.previous_intent, Some(Intent::ExerciseRequest));
    assert_eq!(request.progress.scores, [Some(0.5); 4]);
    assert!(request.progress.raw.contains_key("metadata"));
}

#[test]
fn nulls_stand_for_absent_optional_fields() {
    let mut body = body();
    body["session_context"] = Value::Null;
    body["student_progress"]["idempotency_key"] = Value::Null;
    body["student_progress"]["metadata"] = Value::Null;
    assert!(parse(&body).is_ok());
}

#[test]
fn each_broken_rule_names_its_field() {
    let cases: Vec<(&str, Option<Value>, &str)> = vec![
        ("query", None, "query: is required"),
        ("query", Some(Value::Null), "query: must not be null"),
        ("query", Some(json!(7)), "query: must be a string"),
        ("query", Some(json!(" \n\t\u{3000}")), "query: must not be empty"),
        ("query", Some(json!("ü".repeat(5_001))), "query: must be at most 5000"),
        ("student_progress", None, "student_progress: is required"),
        ("student_progress", Some(json!([])), "student_progress: must be an object"),
        (
            "student_progress.student_id",
            Some(json!("student_0A1B2C3D-0000-4000-8000-00000000abcd")),
            "student_progress.student_id: must be",
        ),
        (
            "student_progress.student_id",
            Some(json!("student_0a1b2c3d-0000-4000-8000-00000000abcd\n")),
            "student_progress.student_id: must be",
        ),
        ("student_progress.exercise_id", Some(json!("ex_")), "student_progress.exercise_id: must be"),
        ("student_progress.exercise_id", Some(json!("ex_a/b")), "student_progress.exercise_id: must be"),
        (
            "student_progress.timestamp",
            Some(json!("yesterday")),
            "student_progress.timestamp: must be an RFC 3339",
        ),
        (
            "student_progress.agent_source",
            Some(json!("chat")),
            "student_progress.agent_source: must be concepts",
        ),
        ("student_progress.agent_source", None, "student_progress.agent_source: is required"),
        ("student_progress.quiz_score", Some(json!(1.01)), "student_progress.quiz_score: must be a number"),
        ("student_progress.quiz_score", Some(json!("1")), "student_progress.quiz_score: must be a number"),
        (
            "student_progress.idempotency_key",
            Some(json!("ABCDEF")),
            "student_progress.idempotency_key: must be",
        ),
        ("student_progress.metadata", Some(json!("x")), "student_progress.metadata: must be null"),
        ("student_progress.grade", Some(json!(1)), "student_progress.grade: unknown field"),
        ("timestamp", Some(json!("2026-01-01T00:05:01Z")), "timestamp: must be within 5 minutes"),
        ("timestamp", Some(json!(5)), "timestamp: must be a string"),
        ("session_context", Some(json!("x")), "session_context: must be an object"),
        (
            "session_context",
            Some(json!({"conversation_id": "x"})),
            "session_context.conversation_id: must be a uuid",
        ),
        ("session_context", Some(json!({"turn_number": -1})), "session_context.turn_number: must be"),
        ("session_context", Some(json!({"turn_number": 1.5})), "session_context.turn_number: must be"),
        (
            "session_context",
            Some(json!({"previous_intent": "chat"})),
            "session_context.previous_intent: must be",
        ),
        ("extra<script>", Some(json!(1)), "extra?script?: unknown field"),
    ];
    for (path, value, expected) in cases {
        let faults = parse(&changed(path, value)).unwrap_err();
        assert!(faults.iter().any(|f| f.starts_with(expected)), "{path}: {faults:?}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let faults = parse(&json!({"query": "", "student_progress": {"quiz_score": 2}, "x": 1})).unwrap_err();
    assert_eq!(faults.len(), 7, "{faults:?}");
}

#[test]
fn faults_are_bounded_and_never_repeat_values() {
    let mut body = body();
    for i in 0..1_000 {
        body[format!("field{i}")] = json!("hunter2");
    }
    let faults = parse(&body).unwrap_err();
    assert_eq!(faults.len(), 50);
    assert!(!faults.concat().contains("hunter2"));
}

#[test]
fn five_thousand_scalar_values_are_enough_whatever_their_bytes() {
    assert!(parse(&changed("query", Some(json!("😀".repeat(5_000))))).is_ok());
}

#[test]
fn a_classify_request_needs_the_query_only() {
    let read = |value: Value| ClassifyRequest::parse(value.to_string().as_bytes());
    assert!(read(json!({"query": "hi"})).unwrap().progress.is_none());
    assert!(read(json!({"query": "hi", "timestamp": "2026-01-01T00:00:00Z"})).is_err());
    assert!(read(json!({"query": "hi", "student_progress": {}})).is_err());
}

#[test]
fn a_batch_holds_one_to_a_hundred_questions() {
    let read = |value: Value| ClassifyRequest::parse_batch(value.to_string().as_bytes());
    assert_eq!(read(json!({"queries": ["a", "b"]})).unwrap().len(), 2);
    assert_eq!(read(json!({"queries": ["a", " ", 3]})).unwrap_err().len(), 2);
    for bad in
        [json!({}), json!({"queries": []}), json!({"queries": "a"}), json!({"queries": vec!["a"; 101]})]
    {
        assert!(read(bad).is_err());
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = TriageRequest::parse(&bytes, NOW);
    }
}
