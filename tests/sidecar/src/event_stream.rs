//! An agent's answer as server-sent events: the text in pieces, then `end`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Body, Ending, Piece};

/// Words in one event. With the lessons' length this makes a handful of events.
const WORDS: usize = 10;

/// Time between two events: a stream lasts about a second, long enough to see it arrive.
pub(crate) const STEP: Duration = Duration::from_millis(150);

/// Events `message` with the text, one `end` with everything else.
pub(crate) fn told(text: &str, end: &Value) -> Body {
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    let mut after = Duration::ZERO;
    let mut pieces: Vec<Piece> = Vec::new();
    for part in words.chunks(WORDS) {
        pieces.push(Piece { after, bytes: event("message", &json!({ "text": part.concat() })) });
        after = STEP;
    }
    pieces.push(Piece { after, bytes: event("end", end) });
    Body { pieces, ending: Ending::Complete }
}

/// The first events only.
pub(crate) fn interrupted(mut body: Body, ending: Ending) -> Body {
    body.pieces.truncate(2);
    body.pieces.push(Piece { after: STEP, bytes: Vec::new() });
    Body { ending, ..body }
}

fn event(name: &str, data: &Value) -> Vec<u8> {
    format!("event: {name}\ndata: {data}\n\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_join_to_the_text_and_end_comes_last() {
        let text = "one two three four five six seven eight nine ten eleven\ntwelve";
        let body = told(text, &json!({"status": "success"}));
        assert_eq!(body.pieces.len(), 3);
        assert_eq!(body.pieces[0].after, Duration::ZERO);
        let all = String::from_utf8(body.bytes()).unwrap();
        let told: String = all
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .filter_map(|data| {
                serde_json::from_str::<Value>(data).unwrap()["text"].as_str().map(str::to_owned)
            })
            .collect();
        assert_eq!(told, text);
        assert!(all.ends_with("event: end\ndata: {\"status\":\"success\"}\n\n"), "{all}");
    }
}
