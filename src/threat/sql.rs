//! SQL that breaks out of where a value was expected.
//!
//! A statement is no attack; students write them all day. An attack begins with a quote that
//! closes nothing in the message itself (`x' or 1=1`), or with a bare number where the message
//! begins (`1 or 1=1`), and goes on as SQL.

use std::ops::Range;

use super::cursor::{Cursor, is_word};
use super::mention::any_used;
use super::message::Message;

/// Statements that are stacked behind a `;`.
const STACKED: [&str; 26] = [
    "drop table",
    "drop database",
    "drop schema",
    "drop user",
    "drop view",
    "drop index",
    "delete from",
    "insert into",
    "truncate table",
    "alter table",
    "alter user",
    "alter database",
    "create table",
    "create user",
    "create login",
    "exec",
    "execute",
    "shutdown",
    "waitfor delay",
    "declare",
    "grant",
    "union select",
    "union all",
    "select",
    "merge into",
    "update",
];

/// Functions that are only called to see whether the injection works, or to read what is not shown.
const PROBES: [&str; 12] = [
    "sleep(",
    "benchmark(",
    "pg_sleep(",
    "(select",
    "exists(",
    "exists (",
    "ascii(",
    "substring(",
    "substr(",
    "extractvalue(",
    "updatexml(",
    "load_file(",
];

/// Whether `message` carries such a payload and uses it.
pub(super) fn used(message: &Message) -> bool {
    // In `/**/or/**/` a comment stands for a space.
    let bare = message.text.contains("/**/").then(|| Message::read(&message.text.replace("/**/", " ")));
    let message = bare.as_ref().unwrap_or(message);
    any_used(message, payloads(message))
}

fn payloads(message: &Message) -> Vec<Range<usize>> {
    let text = message.text.as_str();
    let broken_out = unopened_quotes(text).into_iter().filter_map(|(at, quote)| {
        let behind = Cursor::new(text, at.saturating_add(1)).few(|c| c == ')' || c == quote);
        let end = after_quote(behind).or_else(|| cut_off(text, at, behind))?;
        Some(at..end.at())
    });
    broken_out.chain(from_number(text)).chain(procedure(text)).collect()
}

/// The quotes that close nothing on their line. An apostrophe inside a word is no quote.
fn unopened_quotes(text: &str) -> Vec<(usize, char)> {
    let (mut found, mut single, mut double, mut before) = (Vec::new(), false, false, ' ');
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let apostrophe = before.is_alphabetic() && chars.peek().is_some_and(|(_, next)| next.is_alphabetic());
        let open = match c {
            '\n' => {
                (single, double) = (false, false);
                None
            }
            '\'' if !apostrophe => Some(&mut single),
            '"' => Some(&mut double),
            _ => None,
        };
        if let Some(open) = open {
            if !*open {
                found.push((at, c));
            }
            *open = !*open;
        }
        before = c;
    }
    found
}

/// What makes the text behind a quote SQL.
fn after_quote(behind: Cursor) -> Option<Cursor> {
    let start = behind.spaces();
    stacked(start)
        .or_else(|| start.any_word(&["or", "and", "xor"]).and_then(condition))
        .or_else(|| ["||", "&&"].iter().find_map(|sign| start.eat(sign)).and_then(condition))
        .or_else(|| {
            start.any_phrase(&["union select", "union all select", "union distinct select", "having 1"])
        })
        .or_else(|| start.phrase("order by")?.spaces().number().map(|(_, end)| end))
}

/// `; drop table`.
fn stacked(start: Cursor) -> Option<Cursor> {
    let statement = start.eat(";")?;
    let end = statement.any_phrase(&STACKED)?;
    // The words that are common ones too need more behind them.
    let vague = ["update", "select", "exec", "execute", "grant", "declare"];
    match statement.any_phrase(&vague) {
        Some(after) => after.spaces().over(|c| c == '@' || c == '*').name_or_end(),
        None => Some(end),
    }
}

impl<'a> Cursor<'a> {
    /// Over a name, if one stands here, or over nothing behind a `*`.
    fn name_or_end(self) -> Option<Self> {
        self.name().map(|(_, end)| end).or_else(|| self.phrase("from"))
    }
}

/// A condition that an injection adds: a comparison of two constants, or a probing function.
fn condition(start: Cursor) -> Option<Cursor> {
    let start = start.spaces();
    if let Some(end) = PROBES.iter().find_map(|probe| start.eat(probe)) {
        return Some(end);
    }
    let open = start.over(|c| c == '(' || c.is_whitespace());
    let open = open.word("not").map_or(open, Cursor::spaces);
    if let Some(end) = PROBES.iter().find_map(|probe| open.eat(probe)) {
        return Some(end);
    }
    let (left, after) = operand(open)?;
    let sign = ["=", "<>", "!=", "<", ">", " like "]
        .iter()
        .find_map(|sign| after.eat(sign).or(after.spaces().eat(sign)));
    match sign {
        Some(after) => {
            let (right, end) = operand(after.spaces())?;
            (left.same_kind(&right)).then_some(end)
        }
        // `or true --`, `or 1 --`.
        None => (left.is_true() && comment(after).is_some()).then_some(after),
    }
}

/// A constant in a comparison.
#[derive(Debug, PartialEq, Eq)]
enum Operand<'a> {
    Number(&'a str),
    /// Quoted, the closing quote often left to the statement around it.
    Quoted,
    Name(&'a str),
}

impl Operand<'_> {
    /// Two constants, or twice the same name: nothing that depends on a table.
    fn same_kind(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(left), Self::Name(right)) => left == right,
            (Self::Name(_), _) | (_, Self::Name(_)) => false,
            _ => true,
        }
    }

    fn is_true(&self) -> bool {
        matches!(self, Self::Number("1") | Self::Name("true"))
    }
}

fn operand(start: Cursor) -> Option<(Operand, Cursor)> {
    for quote in ['\'', '"'] {
        if let Some(inside) = start.eat(quote.encode_utf8(&mut [0; 4])) {
            let after = inside.over(|c| c != quote && (is_word(c) || c == ' '));
            let closed = after.over(|c| c == quote || c == ')');
            return Some((Operand::Quoted, closed));
        }
    }
    if let Some((digits, after)) = start.number()
        && !after.rest().starts_with(is_word)
    {
        return Some((Operand::Number(digits), after));
    }
    start.name().map(|(name, after)| (Operand::Name(name), after))
}

/// `--`, `#` or `/*`, which make the rest of the statement a comment.
fn comment(start: Cursor) -> Option<Cursor> {
    let start = start.over(|c| c.is_whitespace() || c == ')' || c == ';');
    ["--", "#", "/*"].iter().find_map(|mark| start.eat(mark))
}

/// `admin'--`: a short message that ends in a comment behind a name and its quote.
fn cut_off<'a>(text: &str, quote: usize, behind: Cursor<'a>) -> Option<Cursor<'a>> {
    let named = text.get(..quote).is_some_and(|before| before.ends_with(is_word));
    let end = comment(behind)?;
    let over =
        end.rest().trim_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '+' | '*' | '/')).is_empty();
    (named && over && text.split_whitespace().count() <= 3).then_some(end)
}

/// `1 or 1=1`, `-1 union select`, `1; drop table`: the message begins with the value itself.
fn from_number(text: &str) -> Option<Range<usize>> {
    let start = Cursor::new(text, 0).spaces().over(|c| c == '-');
    let (digits, after) = start.number().filter(|(digits, _)| digits.len() <= 8)?;
    let separated = after.rest().starts_with([' ', ';', ')', '\t', '\'']);
    let end = after_quote(after.over(|c| c == ')'))?;
    (separated && !digits.is_empty()).then_some(start.at()..end.at())
}

/// Commands of the server's own that no lesson calls by itself.
fn procedure(text: &str) -> Option<Range<usize>> {
    ["xp_cmdshell(", "xp_cmdshell '", "into outfile '/", "waitfor delay '", "into dumpfile '"]
        .iter()
        .find_map(|call| text.find(call).map(|at| at..at.saturating_add(call.len())))
}
