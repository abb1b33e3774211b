//! Students, their tokens, and what they ask.

use ct_codecs::{Base64UrlSafeNoPadding, Encoder as _};
use http::Request;
use serde_json::{Value, json};

/// A message with the agent that must answer it.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// What the student types.
    pub text: &'static str,
    /// App id of the right agent.
    pub agent: &'static str,
}

/// Messages that no honest classifier gets wrong, one for each agent; the last one abstains.
pub const MESSAGES: [Message; 5] = [
    Message { text: "why do I get IndexError: list index out of range in my loop?", agent: "debug-agent" },
    Message {
        text: "can you explain what the difference between a list and a tuple is?",
        agent: "concepts-agent",
    },
    Message { text: "give me another exercise on dictionaries please", agent: "exercise-agent" },
    Message { text: "what is my score in the loops module so far?", agent: "progress-agent" },
    SMALL_TALK,
];

/// A message to abstain from.
pub const SMALL_TALK: Message = Message { text: "hello there, nice weather today", agent: "review-agent" };

/// Signs tokens with a key that is not the published one: that one works with the stand-in
/// component only.
#[derive(Clone, Debug)]
pub struct Issuer {
    secret: Vec<u8>,
    /// Unix seconds at which the tokens begin.
    now: u64,
}

impl Issuer {
    /// An issuer whose tokens are good for thirty days from `now` (Unix seconds).
    #[must_use]
    pub fn new(now: u64) -> Self {
        Self { secret: hmac_sha256::Hash::hash(b"the load programs' own key").to_vec(), now }
    }

    /// Its key, as the variable `jwt_keys` takes it.
    #[must_use]
    pub fn jwks(&self) -> String {
        json!({"keys": [{"kty": "oct", "alg": "HS256", "kid": "load", "k": encode(&self.secret)}]})
            .to_string()
    }

    /// A student's token.
    #[must_use]
    pub fn token(&self, subject: &str) -> String {
        let header = encode(br#"{"alg":"HS256","typ":"JWT","kid":"load"}"#);
        let claims = json!({
            "iss": "learnflow-auth", "aud": "learnflow-api", "sub": subject, "role": "student",
            "iat": self.now, "exp": self.now + 30 * 86_400,
        });
        let signed = format!("{header}.{}", encode(claims.to_string().as_bytes()));
        let signature = hmac_sha256::HMAC::mac(signed.as_bytes(), &self.secret);
        format!("{signed}.{}", encode(&signature))
    }
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlSafeNoPadding::encode_to_string(bytes).unwrap_or_default()
}

/// The id of student number `n`.
#[must_use]
pub fn student(n: u32) -> String {
    format!("student_0a1b2c3d-0000-4000-8000-{n:012x}")
}

/// A question in the making.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who asks.
    pub student: u32,
    /// What is asked; without a text the request is invalid (400).
    pub text: Option<&'static str>,
    /// Whether a stream is wanted.
    pub stream: bool,
    /// Whether abstaining is to be a 422.
    pub reject: bool,
    /// An idempotency key.
    pub key: Option<String>,
}

impl Question {
    /// `student` types `text`.
    #[must_use]
    pub fn new(student: u32, text: &'static str) -> Self {
        Self { student, text: Some(text), stream: false, reject: false, key: None }
    }

    /// The request, with a token of `issuer`.
    ///
    /// # Panics
    /// Never: its parts are ours.
    #[must_use]
    pub fn request(&self, issuer: &Issuer) -> Request<Vec<u8>> {
        let subject = student(self.student);
        let path = if self.reject { "/api/v1/triage?on_low_confidence=reject" } else { "/api/v1/triage" };
        let mut request = Request::post(path)
            .header("authorization", format!("Bearer {}", issuer.token(&subject)))
            .header("content-type", "application/json");
        if self.stream {
            request = request.header("accept", "text/event-stream");
        }
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        request.body(self.body(&subject).to_string().into_bytes()).expect("a request out of our own parts")
    }

    fn body(&self, subject: &str) -> Value {
        let mut body = json!({
            "student_progress": {
                "student_id": subject,
                "exercise_id": "ex_loops-1",
                "timestamp": "2026-01-15T12:00:00Z",
                "agent_source": "debug",
            }
        });
        if let (Some(text), Some(members)) = (self.text, body.as_object_mut()) {
            members.insert("query".to_owned(), text.into());
        }
        body
    }
}

/// One run of maintenance, as Dapr's cron binding asks for it.
///
/// # Panics
/// Never: its parts are ours.
#[must_use]
pub fn maintenance() -> Request<Vec<u8>> {
    Request::post("/internal/maintenance").body(Vec::new()).expect("a request out of our own parts")
}
