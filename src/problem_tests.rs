use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// The request id of all samples.
pub const ID: &str = "01980f4e-8a00-7c3e-9d2b-0a1b2c3d4e5f";

/// A value of every variant; `openapi.json` shows the same ones.
pub fn samples() -> Vec<Problem> {
    let samples = vec![
        Problem::SchemaValidation(vec![
            "query: is required".into(),
            "student_progress.quiz_score: must be a number from 0 to 1".into(),
        ]),
        Problem::InvalidJwt,
        Problem::Forbidden("this needs another role"),
        Problem::NotFound,
        Problem::MethodNotAllowed("POST"),
        Problem::RequestTimeout,
        Problem::IdempotencyConflict("a request with this key is in flight"),
        Problem::PayloadTooLarge(65_536),
        Problem::UnsupportedMediaType,
        Problem::LowConfidence { fallback_agent: AgentId::new("review-agent").unwrap(), confidence: 0.41 },
        Problem::ContentBlocked(vec!["sql"]),
        Problem::RateLimited { retry_after: 42 },
        Problem::AgentUnavailable { circuit_breaker: "open", retry_after: 30, dead_lettered: true },
        Problem::AgentRejected,
        Problem::AgentInvalidReply { dead_lettered: true },
        Problem::ServiceUnavailable("key-value store".into()),
        Problem::DeadlineExceeded { dead_lettered: true },
    ];
    let variants: BTreeSet<usize> = samples.iter().map(variant).collect();
    assert_eq!(variants, (0..17).collect(), "a sample of every variant");
    samples
}

/// A number for each variant: a new one does not compile until it stands here, and then in
/// [`samples`].
const fn variant(problem: &Problem) -> usize {
    match problem {
        Problem::SchemaValidation(_) => 0,
        Problem::InvalidJwt => 1,
        Problem::Forbidden(_) => 2,
        Problem::NotFound => 3,
        Problem::MethodNotAllowed(_) => 4,
        Problem::RequestTimeout => 5,
        Problem::IdempotencyConflict(_) => 6,
        Problem::PayloadTooLarge(_) => 7,
        Problem::UnsupportedMediaType => 8,
        Problem::LowConfidence { .. } => 9,
        Problem::ContentBlocked(_) => 10,
        Problem::RateLimited { .. } => 11,
        Problem::AgentUnavailable { .. } => 12,
        Problem::AgentRejected => 13,
        Problem::AgentInvalidReply { .. } => 14,
        Problem::ServiceUnavailable(_) => 15,
        Problem::DeadlineExceeded { .. } => 16,
    }
}

/// The contract's table: status, error, further members, headers.
type Row = (u16, &'static str, &'static [&'static str], &'static [&'static str]);

const CONTRACT: [Row; 17] = [
    (400, "schema_validation_failed", &["details"], &[]),
    (401, "invalid_jwt", &["message"], &["www-authenticate"]),
    (403, "forbidden", &["message"], &[]),
    (404, "not_found", &[], &[]),
    (405, "method_not_allowed", &[], &["allow"]),
    (408, "request_timeout", &[], &[]),
    (409, "idempotency_conflict", &[], &[]),
    (413, "payload_too_large", &[], &[]),
    (415, "unsupported_media_type", &[], &[]),
    (422, "low_confidence", &["fallback_agent", "confidence"], &[]),
    (422, "content_blocked", &["flags"], &[]),
    (429, "rate_limited", &["retry_after"], &["retry-after"]),
    (502, "agent_unavailable", &["circuit_breaker", "fallback", "retry_after"], &["retry-after"]),
    (502, "agent_rejected", &[], &[]),
    (502, "agent_invalid_reply", &["fallback"], &[]),
    (503, "service_unavailable", &["message"], &[]),
    (504, "deadline_exceeded", &["fallback"], &[]),
];

/// RFC 9457's members, and the older contract's label.
const MEMBERS: [&str; 6] = ["type", "title", "status", "detail", "instance", "error"];

#[test]
fn every_problem_follows_the_contracts_table() {
    for (problem, (status, error, further, headers)) in samples().iter().zip(CONTRACT) {
        assert_eq!((problem.status(), problem.error()), (status, error));
        let document = problem.document(ID);
        let members: BTreeSet<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: BTreeSet<&str> = MEMBERS.iter().chain(further).copied().collect();
        assert_eq!(members, expected, "{error}");
        let sent: Vec<&str> = problem.headers().iter().map(|(name, _)| *name).collect();
        assert_eq!(sent, headers, "{error}");
    }
}

#[test]
fn every_document_has_the_members_of_rfc_9457() {
    for problem in samples() {
        let (error, document) = (problem.error(), problem.document(ID));
        assert_eq!(document["type"], format!("urn:learnflow:triage:problem:{error}"));
        assert_eq!(document["status"], problem.status(), "{error}");
        assert_eq!(document["error"], error);
        assert_eq!(document["instance"], format!("urn:uuid:{ID}"), "{error}");
        for name in ["title", "detail"] {
            let text = document[name].as_str().unwrap();
            assert!(!text.is_empty() && !text.ends_with('.'), "{name} of {error}: {text:?}");
        }
    }
}

#[test]
fn types_and_titles_tell_the_problems_apart() {
    let documents: Vec<Value> = samples().iter().map(|problem| problem.document(ID)).collect();
    for member in ["type", "title"] {
        let distinct: BTreeSet<&str> = documents.iter().map(|d| d[member].as_str().unwrap()).collect();
        assert_eq!(distinct.len(), documents.len(), "{member}");
    }
}

#[test]
fn a_title_does_not_depend_on_the_values() {
    for (one, other) in [
        (Problem::Forbidden("a"), Problem::Forbidden("b")),
        (Problem::RateLimited { retry_after: 1 }, Problem::RateLimited { retry_after: 2 }),
        (Problem::ServiceUnavailable("a".into()), Problem::ServiceUnavailable("b".into())),
    ] {
        assert_eq!(one.document(ID)["title"], other.document(ID)["title"]);
    }
}

#[test]
fn values_stand_where_they_are_designed_to_and_nowhere_else() {
    const MARK: &str = "h4nter2";
    let cases: [(Problem, &[&str]); 6] = [
        (Problem::SchemaValidation(vec![MARK.into()]), &["details"]),
        (Problem::Forbidden(MARK), &["detail", "message"]),
        (Problem::IdempotencyConflict(MARK), &["detail"]),
        (Problem::ContentBlocked(vec![MARK]), &["detail", "flags"]),
        (Problem::ServiceUnavailable(MARK.into()), &["detail", "message"]),
        (
            Problem::LowConfidence { fallback_agent: AgentId::new(MARK).unwrap(), confidence: 0.5 },
            &["fallback_agent"],
        ),
    ];
    for (problem, designed) in cases {
        let document = problem.document(ID);
        let shows: BTreeMap<&String, &Value> = document
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| value.to_string().contains(MARK))
            .collect();
        assert!(shows.keys().copied().eq(designed), "{}: {shows:?}", problem.error());
        assert!(problem.headers().iter().all(|(_, value)| !value.contains(MARK)), "{}", problem.error());
    }
}

#[test]
fn header_and_document_name_the_same_wait() {
    for problem in samples() {
        let header =
            problem.headers().into_iter().find(|(name, _)| *name == "retry-after").map(|(_, value)| value);
        let member = problem.document(ID).get("retry_after").map(ToString::to_string);
        assert_eq!(header, member, "{}", problem.error());
    }
}

#[test]
fn the_dead_letter_queue_is_named_only_when_the_request_is_in_it() {
    let of = |dead_lettered| {
        [
            Problem::AgentUnavailable { circuit_breaker: "closed", retry_after: 1, dead_lettered },
            Problem::AgentInvalidReply { dead_lettered },
            Problem::DeadlineExceeded { dead_lettered },
        ]
    };
    for (dead_lettered, fallback) in [(true, json!("dead_letter_queue")), (false, Value::Null)] {
        for problem in of(dead_lettered) {
            assert_eq!(problem.document(ID)["fallback"], fallback, "{}", problem.error());
        }
    }
}

#[test]
fn only_what_can_pass_is_worth_another_try() {
    let retryable: Vec<&str> = samples().iter().filter(|p| p.retryable()).map(Problem::error).collect();
    let expected = [
        "request_timeout",
        "rate_limited",
        "agent_unavailable",
        "agent_invalid_reply",
        "service_unavailable",
        "deadline_exceeded",
    ];
    assert_eq!(retryable, expected);
}

#[test]
fn every_error_has_a_section_of_its_own_in_the_documentation() {
    let page = include_str!("../docs/problems.md");
    let sections: BTreeMap<&str, &str> = page
        .split("\n## ")
        .skip(1)
        .map(|section| section.split_once('\n').expect("a heading and a text"))
        .collect();
    let samples = samples();
    for problem in &samples {
        let (status, error) = (problem.status(), problem.error());
        let text = sections.get(error).unwrap_or_else(|| panic!("docs/problems.md has no section {error}"));
        assert!(text.contains(&format!("Status {status}.")), "the status of {error}");
        let document = problem.document(ID);
        for member in document.as_object().unwrap().keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
            assert!(text.contains(&format!("`{member}`")), "{member} of {error}");
        }
        for (header, _) in problem.headers() {
            assert!(text.contains(&format!("`{header}`")), "{header} of {error}");
        }
    }
    let errors: BTreeSet<&str> = samples.iter().map(Problem::error).collect();
    assert_eq!(sections.into_keys().collect::<BTreeSet<_>>(), errors, "sections and errors");
}
