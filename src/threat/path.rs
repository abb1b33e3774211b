//! Paths that lead out of where files are looked for.
//!
//! `../../utils` is an import. An attack climbs to a file that every attacker knows, or hides its
//! climbing from a filter by encoding it.

use std::ops::Range;

use super::cursor::{Cursor, each};
use super::mention::any_used;
use super::message::Message;

/// Files and folders worth climbing to.
const TARGETS: [&str; 24] = [
    "etc/passwd",
    "etc/shadow",
    "etc/hosts",
    "etc/sudoers",
    "etc/group",
    "etc/ssh",
    "proc/self",
    "proc/version",
    "windows/",
    "winnt/",
    "win.ini",
    "boot.ini",
    ".ssh",
    "id_rsa",
    ".env",
    ".git/",
    ".aws/",
    ".bash_history",
    "wp-config",
    "web.config",
    "web-inf",
    "var/log",
    "root/",
    "secrets",
];

/// Spellings of `../` that only serve to pass a filter.
const ENCODED: [&str; 14] = [
    "%2e%2e%2f",
    "%2e%2e/",
    "..%2f",
    "%2e%2e%5c",
    "..%5c",
    "%252e%252e",
    "..%252f",
    "..%255c",
    "..%c0%af",
    "..%c1%9c",
    "%c0%ae%c0%ae",
    "....//",
    "....\\\\",
    "..;/",
];

/// Bytes of a path that are looked at.
const WINDOW: usize = 200;

/// Levels that no project has.
const MANY: usize = 6;

/// Whether `message` carries such a payload and uses it.
pub(super) fn used(message: &Message) -> bool {
    any_used(message, payloads(&message.text))
}

fn payloads(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = climbs(text).collect();
    for code in ENCODED {
        let places: Vec<usize> = each(text, code).collect();
        if let (true, Some(first), Some(last)) =
            (places.len() >= 2 || hits_target(text, &places), places.first(), places.last())
        {
            found.push(*first..word_end(text, *last));
        }
    }
    for scheme in
        ["file:///etc/", "file:///proc/", "file:///c:/windows", "file:///root", "file://localhost/etc/"]
    {
        found.extend(each(text, scheme).map(|at| at..word_end(text, at)));
    }
    found
}

/// Runs of `../` or `..\` that end at a target, or have too many levels.
fn climbs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut past = 0;
    text.match_indices("..").filter_map(move |(at, _)| {
        if at < past {
            return None;
        }
        let rest = text.get(at..)?;
        let tail = rest.trim_start_matches(['.', '/', '\\']);
        let length = rest.len().saturating_sub(tail.len());
        past = at.saturating_add(length);
        let climb = rest.get(..length)?;
        let levels = climb.matches("../").count().saturating_add(climb.matches("..\\").count());
        (levels >= MANY || (levels >= 2 && targeted(tail))).then(|| at..word_end(text, past))
    })
}

fn targeted(tail: &str) -> bool {
    let path = Cursor::new(tail, 0).window(WINDOW);
    let path = path.split_whitespace().next().unwrap_or_default().replace('\\', "/");
    TARGETS.iter().any(|target| path.contains(target))
}

/// Whether one of the places leads to a target in the same word.
fn hits_target(text: &str, places: &[usize]) -> bool {
    places.iter().any(|at| targeted(text.get(*at..).unwrap_or_default()))
}

fn word_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at.saturating_add(rest.split(char::is_whitespace).next().unwrap_or_default().len())
}
