//! Server-sent events (WHATWG HTML, "Server-sent events"): the few forms we write ourselves.

/// One event with one line of JSON as its data.
pub fn event(name: &str, json: &str) -> Vec<u8> {
    format!("event: {name}\ndata: {json}\n\n").into_bytes()
}

/// Ends whatever event a broken stream left unfinished: a blank line.
pub const BREAK: &[u8] = b"\n\n";

/// Whether a body that starts with `first` is JSON rather than an event stream; `None` while that
/// cannot be told yet. Dapr labels every answer to a call that accepts a stream as one, so only the
/// content tells, and no field of a stream begins as a JSON value does.
pub fn is_json(first: &[u8]) -> Option<bool> {
    const LITERALS: [&[u8]; 3] = [b"true", b"false", b"null"];
    let text = first.trim_ascii_start();
    if matches!(text.first()?, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9') {
        return Some(true);
    }
    let word = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let may_go_on = word.len() == text.len() && LITERALS.iter().any(|literal| literal.starts_with(word));
    (!may_go_on).then(|| LITERALS.contains(&word))
}

/// Keeps track of whether the bytes that went by end between two events. A line ends with LF, CR,
/// or both.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tail {
    line_ends: u8,
    after_cr: bool,
}

impl Tail {
    /// Takes note of bytes that were passed on.
    pub fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.line_ends = match byte {
                b'\n' if self.after_cr => self.line_ends,
                b'\n' | b'\r' => self.line_ends.saturating_add(1).min(2),
                _ => 0,
            };
            self.after_cr = *byte == b'\r';
        }
    }

    /// Whether a new event may start here.
    pub const fn between_events(self) -> bool {
        self.line_ends >= 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_tells_json_from_events() {
        for (first, json) in [
            (&b"{\"a\":1}"[..], Some(true)),
            (b" \n[", Some(true)),
            (b"\"a", Some(true)),
            (b"-1", Some(true)),
            (b"null\n", Some(true)),
            (b"null", None),
            (b"fa", None),
            (b" \n", None),
            (b"", None),
            (b"falsely", Some(false)),
            (b"true: x", Some(false)),
            (b"data: {}", Some(false)),
            (b"event: x", Some(false)),
            (b": {", Some(false)),
            (b"\xef\xbb\xbfdata: x", Some(false)),
        ] {
            assert_eq!(is_json(first), json);
        }
    }

    #[test]
    fn a_blank_line_ends_an_event() {
        for (pieces, between) in [
            (vec!["data: a\n\n"], true),
            (vec!["data: a\r\n\r\n"], true),
            (vec!["data: a\n", "\n"], true),
            (vec!["data: a\r\r"], true),
            (vec!["data: a\r", "\n"], false),
            (vec!["data: a\n\r"], true),
            (vec!["data: a\n"], false),
            (vec!["data: a\n\ndata"], false),
        ] {
            let mut tail = Tail::default();
            pieces.iter().for_each(|piece| tail.pass(piece.as_bytes()));
            assert_eq!(tail.between_events(), between, "{pieces:?}");
        }
    }
}
