//! Server-sent events (WHATWG HTML, "Server-sent events"): the few forms we write ourselves.

/// One event with one line of JSON as its data.
pub fn event(name: &str, json: &str) -> Vec<u8> {
    format!("event: {name}\ndata: {json}\n\n").into_bytes()
}

/// Ends whatever event a broken stream left unfinished: a blank line.
pub const BREAK: &[u8] = b"\n\n";

/// Whether a body that starts with `first` is JSON rather than an event stream. Dapr labels every
/// answer to a call that accepts a stream as one, so only the content tells.
pub fn is_json(first: &[u8]) -> bool {
    matches!(first.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
}

/// Keeps track of whether the bytes that went by end between two events.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tail {
    line_breaks: u8,
}

impl Tail {
    /// Takes note of bytes that were passed on.
    pub fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.line_breaks = match byte {
                b'\n' => self.line_breaks.saturating_add(1).min(2),
                b'\r' => self.line_breaks,
                _ => 0,
            };
        }
    }

    /// Whether a new event may start here.
    pub const fn between_events(self) -> bool {
        self.line_breaks >= 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_tells_json_from_events() {
        for (first, json) in [
            (&b"{\"a\":1}"[..], true),
            (b" \n[", true),
            (b"data: {}", false),
            (b"event: x", false),
            (b": {", false),
            (b"", false),
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
            (vec!["data: a\n"], false),
            (vec!["data: a\n\ndata"], false),
        ] {
            let mut tail = Tail::default();
            pieces.iter().for_each(|piece| tail.pass(piece.as_bytes()));
            assert_eq!(tail.between_events(), between, "{pieces:?}");
        }
    }
}
