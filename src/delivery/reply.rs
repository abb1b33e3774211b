//! Reading an agent's JSON.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::outcome::Cause;
use crate::ports::Incoming;

/// Largest reply that is passed on, in bytes.
pub const MAX_REPLY: usize = 1024 * 1024;

/// An agent's answer, passed on as it came.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The JSON text.
    pub json: Box<RawValue>,
    /// Whether the agent itself says that it failed. It has answered all the same.
    pub agent_error: bool,
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
}

impl Reply {
    /// Reads a complete body.
    pub fn parse(body: Vec<u8>) -> Result<Self, Cause> {
        let text = String::from_utf8(body).map_err(|_| Cause::InvalidReply)?;
        let json = RawValue::from_string(text).map_err(|_| Cause::InvalidReply)?;
        let agent_error = serde_json::from_str::<Status<'_>>(json.get())
            .is_ok_and(|reply| reply.status.is_some_and(|status| status.get() == "\"error\""));
        Ok(Self { json, agent_error })
    }
}

/// Reads a body to its end, at most `limit` bytes of it.
pub async fn collect(body: &mut impl Incoming, limit: usize) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await.map_err(Cause::Transport)? {
        if bytes.len().saturating_add(piece.len()) > limit {
            return Err(Cause::ReplyTooLarge);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_own_error_is_an_answer() {
        for (body, agent_error) in [
            (r#"{"status":"error"}"#, true),
            (r#"{"status": "success", "x": {"status": "error"}}"#, false),
            (r#"{"status":{"error":1}}"#, false),
            ("[1]", false),
            ("7", false),
        ] {
            let reply = Reply::parse(body.into()).unwrap();
            assert_eq!((reply.json.get(), reply.agent_error), (body, agent_error));
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for body in [&b""[..], b"{", b"<html>", b"{} {}", &[0xff]] {
            assert_eq!(Reply::parse(body.to_vec()).unwrap_err(), Cause::InvalidReply);
        }
    }

    struct Pieces(Vec<Result<Option<Vec<u8>>, crate::ports::TransportFault>>);

    impl Incoming for Pieces {
        async fn next(&mut self) -> Result<Option<Vec<u8>>, crate::ports::TransportFault> {
            self.0.remove(0)
        }
    }

    #[test]
    fn a_body_is_read_to_its_end_its_limit_or_its_break() {
        use crate::ports::TransportFault::Broken;
        use futures_util::FutureExt as _;
        let read = |pieces| collect(&mut Pieces(pieces), 4).now_or_never().unwrap();
        let piece = |text: &str| Ok(Some(text.as_bytes().to_vec()));
        assert_eq!(read(vec![piece("ab"), piece("cd"), Ok(None)]), Ok(b"abcd".to_vec()));
        assert_eq!(read(vec![piece("ab"), piece("cde"), Ok(None)]), Err(Cause::ReplyTooLarge));
        assert_eq!(read(vec![piece("ab"), Err(Broken)]), Err(Cause::Transport(Broken)));
    }
}
