//! Requests and tokens.

use http::Request;
use http::request::Builder;
use serde_json::{Value, json};
use triage::config::DEVELOPMENT_SECRET;
use triage_host::clock::VIRTUAL_START;

/// The student of most tests.
pub const STUDENT: &str = "student_0a1b2c3d-0000-4000-8000-00000000abcd";
/// The member of staff of most tests.
pub const STAFF: &str = "staff_0a1b2c3d-0000-4000-8000-00000000beef";

/// A message each intent's patterns are sure of, with the agent it belongs to.
pub const CLEAR: [(&str, &str); 4] = [
    ("why do I get IndexError: list index out of range in my loop?", "debug-agent"),
    ("can you explain what the difference between a list and a tuple is?", "concepts-agent"),
    ("give me another exercise on dictionaries please", "exercise-agent"),
    ("what is my score in the loops module so far?", "progress-agent"),
];

/// A message that goes to the debug agent.
pub const STUCK: &str = CLEAR[0].0;

/// A token for `sub`, good for an hour of virtual time.
pub fn token_for(sub: &str, role: &str) -> String {
    let now = VIRTUAL_START.as_secs();
    sign(
        DEVELOPMENT_SECRET.as_bytes(),
        &json!({"alg": "HS256", "typ": "JWT", "kid": "development"}).to_string(),
        &json!({
            "iss": "learnflow-auth", "aud": "learnflow-api", "sub": sub, "role": role,
            "iat": now - 86_400, "exp": now + 86_400 * 30,
        })
        .to_string(),
    )
}

/// An HS256 token out of any header and claims.
pub fn sign(secret: &[u8], header: &str, claims: &str) -> String {
    use ct_codecs::{Base64UrlSafeNoPadding, Encoder};
    let encode = |bytes: &[u8]| Base64UrlSafeNoPadding::encode_to_string(bytes).expect("base64");
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
    let signature = hmac_sha256::HMAC::mac(signed.as_bytes(), secret);
    format!("{signed}.{}", encode(&signature))
}

/// Student number `n`.
pub fn student(n: u32) -> String {
    format!("student_0a1b2c3d-0000-4000-8000-{n:012x}")
}

/// A complete question.
pub fn body(query: &str) -> Value {
    body_of(query, STUDENT)
}

/// A complete question of `student`.
pub fn body_of(query: &str, student: &str) -> Value {
    json!({
        "query": query,
        "student_progress": {
            "student_id": student,
            "exercise_id": "ex_loops-1",
            "timestamp": "2026-01-15T12:00:00Z",
            "agent_source": "debug",
        }
    })
}

/// `POST path` with the student's token.
pub fn post(path: &str) -> Builder {
    post_as(path, STUDENT, "student")
}

/// `POST path` with a token for `sub`.
pub fn post_as(path: &str, sub: &str, role: &str) -> Builder {
    Request::post(path)
        .header("authorization", format!("Bearer {}", token_for(sub, role)))
        .header("content-type", "application/json")
}

/// `GET path` as staff.
pub fn get_as(path: &str, role: &str) -> Request<Vec<u8>> {
    Request::get(path)
        .header("authorization", format!("Bearer {}", token_for(STAFF, role)))
        .body(Vec::new())
        .expect("a request")
}

/// The student's question.
pub fn ask(query: &str) -> Request<Vec<u8>> {
    post("/api/v1/triage").body(body(query).to_string().into_bytes()).expect("a request")
}

/// The question of student number `n`.
pub fn ask_as(n: u32, query: &str) -> Request<Vec<u8>> {
    let sub = student(n);
    let body = body_of(query, &sub).to_string().into_bytes();
    post_as("/api/v1/triage", &sub, "student").body(body).expect("a request")
}

/// The student's question, asking for a stream.
pub fn ask_stream(query: &str) -> Request<Vec<u8>> {
    let body = body(query).to_string().into_bytes();
    post("/api/v1/triage").header("accept", "text/event-stream").body(body).expect("a request")
}

/// A run of maintenance.
pub fn maintenance() -> Request<Vec<u8>> {
    Request::post("/internal/maintenance").body(Vec::new()).expect("a request")
}
