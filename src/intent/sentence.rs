//! Cuts a message into sentences, because where a phrase stands changes what it means.
//!
//! The request is usually in the last sentence or the first; code and tool output between them
//! are circumstances. One pass over the normal form; bounds are byte offsets into it.

/// More sentences than this are joined into the last.
pub const MAX_SENTENCES: usize = 48;
/// A line is code when at least one byte in this many is a code symbol.
const CODE_SHARE: usize = 8;

/// One sentence, or one line of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentence {
    /// One past its last byte.
    pub end: usize,
    /// Whether it ends with a question mark.
    pub question: bool,
    /// Whether it looks like code or tool output.
    pub code: bool,
    /// Words in it, roughly: blanks plus one.
    pub words: usize,
}

/// The sentences of `text`, a normal form; at least one, the last ends where the text ends.
#[must_use]
pub fn split(text: &str) -> Vec<Sentence> {
    let bytes = text.as_bytes();
    let mut cut = Cutter { sentences: Vec::with_capacity(8), fenced: false };
    let mut start = 0;
    let mut tally = Tally::default();
    for (at, &byte) in bytes.iter().enumerate() {
        tally.add(byte);
        let next = bytes.get(at.saturating_add(1)).copied();
        if ends(byte, next) {
            let end = at.saturating_add(1);
            let marks = text.get(start..end).unwrap_or_default();
            // "really?!" asks too
            let question = marks.trim_end_matches('!').ends_with('?');
            cut.push(text, start, end, question, tally);
            start = end;
            tally = Tally::default();
        }
    }
    if start < bytes.len() || cut.sentences.is_empty() {
        cut.push(text, start, bytes.len(), false, tally);
    }
    cut.sentences
}

/// Whether a sentence ends with `byte` when `next` follows; `list.append` and `!=` go on.
fn ends(byte: u8, next: Option<u8>) -> bool {
    match byte {
        b'\n' => true,
        b'?' | b'!' => !matches!(next, Some(b'=' | b'?' | b'!' | b'"' | b'\'' | b')')),
        b'.' => matches!(next, None | Some(b' ' | b'\n')),
        _ => false,
    }
}

/// What a stretch of text is made of.
#[derive(Clone, Copy, Default)]
struct Tally {
    bytes: usize,
    symbols: usize,
    blanks: usize,
}

impl Tally {
    fn add(&mut self, byte: u8) {
        self.bytes = self.bytes.saturating_add(1);
        match byte {
            b'(' | b')' | b'{' | b'}' | b'[' | b']' | b'=' | b';' | b'<' | b'>' | b'_' | b'"' => {
                self.symbols = self.symbols.saturating_add(1);
            }
            b' ' => self.blanks = self.blanks.saturating_add(1),
            _ => {}
        }
    }

    fn is_code(self) -> bool {
        self.symbols.saturating_mul(CODE_SHARE) >= self.bytes && self.symbols > 1
    }
}

struct Cutter {
    sentences: Vec<Sentence>,
    fenced: bool,
}

impl Cutter {
    fn push(&mut self, text: &str, start: usize, end: usize, question: bool, tally: Tally) {
        let body = text.get(start..end).unwrap_or_default().trim();
        let fence = body.contains("```");
        let code = self.fenced || fence || tally.is_code() || is_tool_output(body);
        if fence && body.matches("```").take(2).count() == 1 {
            self.fenced = !self.fenced;
        }
        let words = if body.is_empty() { 0 } else { tally.blanks.saturating_add(1) };
        let new = Sentence { end, question: question && !code, code, words };
        let full = self.sentences.len() >= MAX_SENTENCES;
        // a stretch without words, such as dots or a bullet, belongs to what stands before it
        let empty = !body.bytes().any(|b| b.is_ascii_alphanumeric() || !b.is_ascii());
        match self.sentences.last_mut() {
            Some(last) if full || empty => {
                last.end = end;
                last.question |= new.question;
                last.words = last.words.saturating_add(words);
            }
            _ => self.sentences.push(new),
        }
    }
}

/// Lines that tools print.
fn is_tool_output(line: &str) -> bool {
    ["traceback (most recent", "file \"", "at line", ">>> ", "$ ", "error: ", "warning: "]
        .iter()
        .any(|start| line.starts_with(start))
}
