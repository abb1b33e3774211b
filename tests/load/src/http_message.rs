//! Reads an HTTP/1.1 answer out of the bytes that have arrived so far.

use anyhow::{Result, bail, ensure};

/// More headers than any answer of ours has.
const MOST_HEADERS: usize = 64;

/// The head of an answer.
#[derive(Clone, Debug)]
pub struct Head {
    /// Status code.
    pub status: u16,
    /// Names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// Bytes of the head, its blank line included.
    pub length: usize,
    framing: Framing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

impl Head {
    /// The head at the start of `raw`; `None` while it is incomplete.
    ///
    /// # Errors
    /// It is no head, or does not say where the body ends.
    pub fn parse(raw: &[u8]) -> Result<Option<Self>> {
        let mut slots = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Response::new(&mut slots);
        let httparse::Status::Complete(length) = parsed.parse(raw)? else { return Ok(None) };
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers: Vec<(String, String)> =
            parsed.headers.iter().map(|h| (h.name.to_ascii_lowercase(), text(h.value))).collect();
        let status = parsed.code.unwrap_or_default();
        let framing = framing(status, &headers)?;
        Ok(Some(Self { status, headers, length, framing }))
    }

    /// The first value of the header `name` (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The whole body out of `raw`, which starts with this head; `None` while it is incomplete.
    ///
    /// # Errors
    /// More bytes than the body has, or chunks that are none.
    pub fn body(&self, raw: &[u8]) -> Result<Option<Vec<u8>>> {
        let rest = raw.get(self.length..).unwrap_or_default();
        match self.framing {
            Framing::Length(length) => {
                ensure!(rest.len() <= length, "bytes after the end of the answer");
                Ok((rest.len() == length).then(|| rest.to_vec()))
            }
            Framing::Chunked => unchunk(rest),
        }
    }
}

fn framing(status: u16, headers: &[(String, String)]) -> Result<Framing> {
    let value = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if matches!(status, 204 | 304) {
        return Ok(Framing::Length(0));
    }
    if let Some(length) = value("content-length") {
        return Ok(Framing::Length(length.parse()?));
    }
    match value("transfer-encoding") {
        Some(coding) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        _ => bail!("answer {status} has neither content-length nor chunks"),
    }
}

/// The body of a chunked message without trailers; `None` while its last chunk is missing.
fn unchunk(mut rest: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let size = httparse::parse_chunk_size(rest).map_err(|_| anyhow::anyhow!("malformed chunk"))?;
        let httparse::Status::Complete((start, size)) = size else { return Ok(None) };
        let end = start + usize::try_from(size)?;
        let Some(data) = rest.get(start..end) else { return Ok(None) };
        if rest.len() < end + 2 {
            return Ok(None);
        }
        if size == 0 {
            return Ok(Some(body));
        }
        body.extend_from_slice(data);
        rest = rest.get(end + 2..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_with_its_last_byte_and_not_before() {
        for raw in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"[..],
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        ] {
            for end in 0..raw.len() {
                let part = &raw[..end];
                let body = Head::parse(part).unwrap().and_then(|head| head.body(part).unwrap());
                assert_eq!(body, None, "{end}");
            }
            let head = Head::parse(raw).unwrap().unwrap();
            assert_eq!((head.status, head.body(raw).unwrap().as_deref()), (200, Some(&b"hello"[..])));
        }
    }

    #[test]
    fn no_content_has_no_body_and_anything_else_must_say_its_length() {
        let raw = b"HTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(Head::parse(raw).unwrap().unwrap().body(raw).unwrap(), Some(Vec::new()));
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
