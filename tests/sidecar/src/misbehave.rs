//! An agent's reply, spoilt in the way that was asked for.

use http::StatusCode;
use serde_json::{Value, json};

use crate::agent::{Agent, Question, Reply, refusal, teach};
use crate::answer::{Answer, Body, Ending, Piece, Wait};
use crate::event_stream;
use crate::simulate::{ALLOWED, Simulate};

/// Times nine bytes makes more than 1 MiB.
const HUGE: usize = 150_000;

/// What the agent sends instead of its usual answer.
pub(crate) fn misbehave(agent: &Agent, question: &Question<'_>, body: &Value, simulate: Simulate) -> Reply {
    let usual = || teach(agent, question, body);
    match simulate {
        Simulate::Status { status, retry_after } => Reply { retry_after, ..refused(agent, question, status) },
        Simulate::Slow(wait) => Reply { wait: Wait::For(wait), ..usual() },
        Simulate::Stall => Reply { wait: Wait::Forever, ..usual() },
        Simulate::Error => refusal(agent, question, body, "simulated"),
        Simulate::Invalid => no_json(),
        Simulate::Huge => huge(agent),
        Simulate::Cut => interrupted(usual(), Ending::Broken),
        Simulate::Truncate => Reply { declared_length: None, ..interrupted(usual(), Ending::Complete) },
        Simulate::Plain => teach(agent, &Question { stream: false, ..*question }, body),
    }
}

fn refused(agent: &Agent, question: &Question<'_>, status: StatusCode) -> Reply {
    let document = json!({
        "status": "error", "agent": agent.app_id, "error": "simulated", "request_id": question.request_id,
    });
    Reply::json(status, &document)
}

fn no_json() -> Reply {
    let page = b"<html><body>this is not JSON</body></html>".to_vec();
    Reply { body: Body::whole(page), ..Reply::json(StatusCode::OK, &Value::Null) }
}

fn huge(agent: &Agent) -> Reply {
    let document = json!({
        "status": "success", "agent": agent.app_id, "response": {"text": "all work ".repeat(HUGE)},
    });
    Reply::json(StatusCode::OK, &document)
}

/// The first half of a reply, under the length of the whole.
fn interrupted(reply: Reply, ending: Ending) -> Reply {
    if reply.body.pieces.len() > 1 {
        return Reply { body: event_stream::interrupted(reply.body, ending), ..reply };
    }
    let mut bytes = reply.body.bytes();
    let length = bytes.len();
    bytes.truncate(length / 2);
    let mut body = Body { ending, ..Body::whole(bytes) };
    // What was written gets a chance to arrive before the end does.
    body.pieces.push(Piece { after: event_stream::STEP, bytes: Vec::new() });
    Reply { body, declared_length: Some(length), ..reply }
}

/// The stand-in's own word to a developer: no agent's reply, so daprd's rules pass it by.
pub(crate) fn unknown_simulate(found: &str) -> Answer {
    let document = json!({
        "status": "error", "error": "unknown_simulate",
        "message": format!("student_context.metadata.simulate is {found:?}, allowed: {ALLOWED}"),
    });
    Answer::json(StatusCode::BAD_REQUEST, document.to_string().into_bytes())
}
