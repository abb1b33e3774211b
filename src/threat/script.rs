//! Markup that runs in the browser of whoever looks at it.
//!
//! Students paste pages with scripts and handlers, so a script is none by itself. An attack shows
//! that it works (`alert(1)`, `alert(document.domain)`), takes something along (`document.cookie`
//! into an address), hides in an address (`javascript:`), or breaks out of an attribute (`">`).

use std::ops::Range;

use super::cursor::{Cursor, each, is_word, tail};
use super::mention::any_used;
use super::message::Message;

/// Bytes of a tag or script that are looked at.
const WINDOW: usize = 400;

/// Arguments of `alert` and its like that are there to prove something.
const PROOFS: [&str; 16] = [
    "1)",
    "0)",
    "1337)",
    "'1'",
    "\"1\"",
    "`1`",
    "'xss",
    "\"xss",
    "`xss",
    "/xss/",
    "document.",
    "window.origin",
    "origin)",
    "string.fromcharcode",
    "location",
    "localstorage",
];

/// Events that somebody causes, as exercises have them.
const USER_EVENTS: [&str; 10] = [
    "onclick",
    "ondblclick",
    "onsubmit",
    "onchange",
    "oninput",
    "onkeyup",
    "onkeydown",
    "onkeypress",
    "onselect",
    "onreset",
];

/// Whether `message` carries such a payload and uses it.
pub(super) fn used(message: &Message) -> bool {
    any_used(message, payloads(&message.text))
}

fn payloads(text: &str) -> Vec<Range<usize>> {
    let scripts = each(text, "<script").filter_map(|at| script(text, at));
    let handlers = each(text, "on").filter_map(|at| handler(text, at));
    let addresses = each(text, "javascript:").filter_map(|at| address(text, at));
    let documents = [
        "data:text/html;base64,",
        "data:text/html,<",
        "srcdoc=\"<script",
        "srcdoc='<script",
        "srcdoc=<script",
    ];
    let embedded =
        documents.iter().flat_map(|mark| each(text, mark).map(|at| at..at.saturating_add(mark.len())));
    scripts.chain(handlers).chain(addresses).chain(embedded).collect()
}

/// A `<script` at `at` that proves something, sends something away, or comes from elsewhere without quotes.
fn script(text: &str, at: usize) -> Option<Range<usize>> {
    let window = Cursor::new(text, at).window(WINDOW);
    let body = window.split("</script").next().unwrap_or_default();
    let (tag, code) = body.split_once('>').unwrap_or((body, ""));
    // In a whole page an address without quotes is a matter of style.
    let page = ["<html", "<head", "<!doctype"].iter().any(|mark| text.contains(mark));
    let foreign = tag.contains("src=http") || tag.contains("src=//") || tag.contains("src =http");
    let before = tail(text, at, WINDOW);
    let ends_value = before.trim_end().ends_with("\">") || before.trim_end().ends_with("'>");
    let broken_out = ends_value && !before.contains('<');
    ((foreign && !page) || broken_out || proves(code) || sends_away(code))
        .then(|| at..at.saturating_add(body.len()))
}

/// An event handler (`onerror=`, `onload =`) at `at`, in a tag or behind a quote that ends a value.
fn handler(text: &str, at: usize) -> Option<Range<usize>> {
    let before = tail(text, at, WINDOW);
    if before.ends_with(is_word) {
        return None;
    }
    let (name, after) = Cursor::new(text, at).name()?;
    let value = after.spaces().eat("=")?.spaces();
    let quoted = value.rest().starts_with(['"', '\'']);
    let code = value.window(WINDOW).split('>').next().unwrap_or_default();
    let opened = before.rfind('<').filter(|open| !before.get(*open..).unwrap_or_default().contains('>'));
    let opened = opened.map(|open| at.saturating_sub(before.len().saturating_sub(open)));
    let injected = opened.is_none()
        && before.trim_end().ends_with(['"', '\''])
        && before.split_whitespace().nth(2).is_none();
    let bare_call =
        !quoted && ["alert(", "alert`", "prompt(", "confirm(", "eval("].iter().any(|f| code.starts_with(f));
    // What a button does when it is clicked may be `alert(1)`; what happens by itself is a proof.
    let by_user = USER_EVENTS.contains(&name);
    let shows = if by_user { code.contains("document.domain") } else { proves(code) || bare_call };
    let hostile = shows || sends_away(code) || (injected && code.contains("alert"));
    let start = opened.or(injected.then_some(at))?;
    (name.len() >= 5 && hostile).then(|| start..value.at().saturating_add(code.len()))
}

/// A `javascript:` address at `at` that does something.
fn address(text: &str, at: usize) -> Option<Range<usize>> {
    let code = Cursor::new(text, at.saturating_add("javascript:".len())).window(WINDOW);
    let code = code.split(['>', '\n']).next().unwrap_or_default();
    let acts = [
        "alert(",
        "alert`",
        "prompt(",
        "confirm(",
        "eval(",
        "fetch(",
        "parent.",
        "document.",
        "window.",
        "location",
    ];
    let in_markup = {
        let before = tail(text, at, WINDOW);
        before.contains('<') && before.trim_end_matches(['"', '\'', ' ']).ends_with('=')
    };
    let alone = text.trim_start().starts_with("javascript:");
    ((in_markup || alone) && acts.iter().any(|act| code.trim_start().starts_with(act)))
        .then(|| at..at.saturating_add("javascript:".len()).saturating_add(code.len()))
}

/// Whether `code` only shows that it ran.
fn proves(code: &str) -> bool {
    ["alert(", "prompt(", "confirm(", "alert`"].iter().any(|call| {
        each(code, call).any(|at| {
            let argument = Cursor::new(code, at.saturating_add(call.len())).spaces().rest();
            *call == "alert`" || PROOFS.iter().any(|proof| argument.starts_with(proof))
        })
    })
}

/// Whether `code` appends what belongs to the reader to an address: `'…?c=' + document.cookie`. To
/// read storage and to call a server are both ordinary.
fn sends_away(code: &str) -> bool {
    let encoders = ["encodeuricomponent(", "btoa(", "escape(", "json.stringify("];
    let appended = |at: usize| {
        let mut before = tail(code, at, WINDOW).trim_end();
        for encoder in encoders {
            before = before.strip_suffix(encoder).unwrap_or(before).trim_end();
        }
        let address = match before.strip_suffix('+') {
            Some(left) => left.trim_end().strip_suffix(['\'', '"', '`']),
            None => before.strip_suffix("${"),
        };
        address.is_some_and(|address| address.ends_with(['=', '?', '/', '&', ':']))
    };
    let sources = ["document.cookie", "localstorage", "sessionstorage"];
    let taken = sources.iter().flat_map(|source| each(code, source)).any(appended);
    taken || code.contains("eval(atob(") || code.contains("eval(string.fromcharcode")
}
