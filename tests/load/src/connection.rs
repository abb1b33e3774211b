//! One keep-alive HTTP/1.1 connection that remembers when each piece of an answer arrived.
//!
//! An ordinary client hides how an answer came: in one TCP segment or in two, the second of them
//! after the delayed acknowledgement of the first (40 ms on Linux). Here that is a figure.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

pub use crate::http_message::Head;

/// How long an answer may take; far above every deadline in play.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that is used for one request after the other.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status and headers.
    pub head: Head,
    /// The body, without its chunks' frames.
    pub body: Vec<u8>,
    /// When the request began to be sent.
    pub sent: Instant,
    /// From then to the last byte.
    pub took: Duration,
    raw: Vec<u8>,
    /// After each read: time since `sent`, bytes there were by then.
    arrivals: Vec<(Duration, usize)>,
}

/// An exchange that did not come to its end.
#[derive(Debug)]
pub struct Broken {
    /// The answer's head, if that had arrived.
    pub head: Option<Head>,
    /// What happened.
    pub error: anyhow::Error,
}

impl Answer {
    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether the answer came in more than one piece: at the read that completed the head,
    /// something of the body was still missing.
    #[must_use]
    pub fn is_split(&self) -> bool {
        let with_head = self.arrivals.iter().find(|(_, bytes)| *bytes >= self.head.length);
        with_head.is_some_and(|(_, bytes)| *bytes < self.raw.len())
    }

    /// When the first occurrence of `marker` was complete, after the request was sent.
    #[must_use]
    pub fn arrived(&self, marker: &str) -> Option<Duration> {
        let wanted = marker.as_bytes();
        let start = self.raw.windows(wanted.len()).position(|window| window == wanted)?;
        let end = start + wanted.len();
        self.arrivals.iter().find(|(_, bytes)| *bytes >= end).map(|(at, _)| *at)
    }
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream })
    }

    /// Sends `request` (see [`wire`]) and reads the whole answer.
    ///
    /// # Errors
    /// The connection broke, or the answer is no HTTP; the connection is of no use afterwards.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer, Broken> {
        let mut head = None;
        let exchanged = tokio::time::timeout(PATIENCE, self.converse(request, &mut head)).await;
        let outcome = exchanged.unwrap_or_else(|_| Err(anyhow::anyhow!("no answer within {PATIENCE:?}")));
        outcome.map_err(|error| Broken { head, error })
    }

    async fn converse(&mut self, request: &[u8], seen: &mut Option<Head>) -> anyhow::Result<Answer> {
        let sent = Instant::now();
        self.stream.write_all(request).await?;
        let (mut raw, mut arrivals) = (Vec::with_capacity(4096), Vec::new());
        loop {
            let read = self.stream.read_buf(&mut raw).await?;
            anyhow::ensure!(read > 0, "connection closed after {} bytes", raw.len());
            arrivals.push((sent.elapsed(), raw.len()));
            if seen.is_none() {
                *seen = Head::parse(&raw)?;
            }
            let Some(head) = seen.as_ref() else { continue };
            if let Some(body) = head.body(&raw)? {
                return Ok(Answer { head: head.clone(), body, sent, took: sent.elapsed(), raw, arrivals });
            }
        }
    }
}

/// The bytes of `request`, to be sent in one write.
#[must_use]
pub fn wire(request: &Request<Vec<u8>>) -> Vec<u8> {
    let mut bytes =
        format!("{} {} HTTP/1.1\r\nhost: localhost\r\n", request.method(), request.uri()).into_bytes();
    for (name, value) in request.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", request.body().len()).as_bytes());
    bytes.extend_from_slice(request.body());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer that arrived in these pieces, a millisecond apart.
    fn answer(pieces: &[&str]) -> Answer {
        let raw = pieces.concat().into_bytes();
        let mut bytes = 0;
        let arrival = |(n, piece): (u64, &&str)| {
            bytes += piece.len();
            (Duration::from_millis(n), bytes)
        };
        let arrivals = (1..).zip(pieces).map(arrival).collect();
        let head = Head::parse(&raw).unwrap().unwrap();
        let body = head.body(&raw).unwrap().unwrap();
        Answer { head, body, sent: Instant::now(), took: Duration::ZERO, raw, arrivals }
    }

    #[test]
    fn an_answer_in_two_pieces_is_split() {
        let (head, body) = ("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n", "abcd");
        assert!(!answer(&[&format!("{head}{body}")]).is_split());
        assert!(answer(&[head, body]).is_split());
        assert!(answer(&[&format!("{head}ab"), "cd"]).is_split());
    }

    #[test]
    fn a_marker_arrives_with_its_last_byte() {
        let answer = answer(&["HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\na", "bc", "def"]);
        for (marker, at) in [("a", Some(1)), ("bc", Some(2)), ("cd", Some(3)), ("x", None)] {
            assert_eq!(answer.arrived(marker), at.map(Duration::from_millis), "{marker}");
        }
    }
}
