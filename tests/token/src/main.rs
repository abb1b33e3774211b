//! Prints a token signed with the published development key, for trying things out.
//!
//! `triage-token [student|instructor|admin]`: the token alone.
//! `triage-token curl URL`: a token and a request to paste.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use ct_codecs::{Base64UrlSafeNoPadding, Encoder};

/// The published development key; the component takes it with the stand-in sidecar only.
const SECRET: &[u8] = b"triage-development-key-never-use-in-production";
const STUDENT: &str = "student_0a1b2c3d-0000-4000-8000-00000000abcd";
const STAFF: &str = "staff_0a1b2c3d-0000-4000-8000-00000000beef";
const LIFETIME_S: u64 = 24 * 3600;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => println!("{}", token("student")),
        [role @ ("student" | "instructor" | "admin")] => println!("{}", token(role)),
        ["curl", url] => println!("{}", curl(url)),
        _ => {
            eprintln!("usage: triage-token [student|instructor|admin] | triage-token curl URL");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn token(role: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let sub = if role == "student" { STUDENT } else { STAFF };
    let header = encode(br#"{"alg":"HS256","typ":"JWT","kid":"development"}"#);
    let claims = format!(
        r#"{{"iss":"learnflow-auth","aud":"learnflow-api","sub":"{sub}","role":"{role}","iat":{now},"exp":{}}}"#,
        now + LIFETIME_S
    );
    let signed = format!("{header}.{}", encode(claims.as_bytes()));
    let signature = hmac_sha256::HMAC::mac(signed.as_bytes(), SECRET);
    format!("{signed}.{}", encode(&signature))
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlSafeNoPadding::encode_to_string(bytes).unwrap_or_default()
}

fn curl(url: &str) -> String {
    format!(
        r#"TOKEN={token}

curl -s {url}/api/v1/triage \
  -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \
  -d '{{"query": "why do I get IndexError: list index out of range in my loop?",
       "student_progress": {{"student_id": "{STUDENT}",
         "exercise_id": "ex_loops-1", "timestamp": "2026-01-01T12:00:00Z", "agent_source": "debug"}}}}'"#,
        token = token("student"),
    )
}
