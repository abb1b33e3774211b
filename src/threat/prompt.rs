//! Orders to a language model over the head of its operator.
//!
//! Recognised by grammar rather than by phrase: an imperative at the beginning of a clause, and in
//! its reach the thing it is about (`rules`) with a word that says whose or which (`rules`:
//! exercise sheets have rules too). "Ignore my last question", "how do bots ignore previous
//! instructions" and "forget the rules of task 3" lack one of them. So it is for seven languages;
//! beside them stand the marks of chat templates and of documents that pretend to end.

mod rules;
mod tokens;

use super::cursor::{Cursor, each};
use super::mention::{asks, has_question_mark, is_about_security, words};
use super::message::Message;
use rules::{RULES, Rule, may_begin};
use tokens::{Token, tokens};

/// Marks of chat templates: nobody types them by accident, and who asks about them quotes them.
const TEMPLATES: [&str; 12] = [
    "<|im_start|>",
    "<|system|>",
    "<|assistant|>",
    "<|start_header_id|>",
    "<|begin_of_text|>",
    "[inst]",
    "<<sys>>",
    "[system]:",
    "[system message]",
    "### system:",
    "### system prompt",
    "begin system prompt",
];

/// Parts of a prompt that an attacker pretends to close.
const PARTS: [&str; 14] = [
    "instructions",
    "instruction",
    "system",
    "system_prompt",
    "prompt",
    "user_input",
    "user_query",
    "user_message",
    "student_message",
    "student_input",
    "context",
    "query",
    "question",
    "input",
];

/// Words about models. In a question about them a payload is an example.
const MODELS: [&str; 18] = [
    "agents",
    "bot",
    "bots",
    "chatbot",
    "chatbots",
    "chatgpt",
    "gemini",
    "guardrails",
    "jailbreaking",
    "jailbreaks",
    "llama",
    "llm",
    "llms",
    "mistral",
    "models",
    "gpt",
    "챗봇",
    "모델",
];

/// Whether `message` carries such orders and does not only speak of them.
pub(super) fn used(message: &Message) -> bool {
    let text = message.text.as_str();
    if pretends(message) {
        return true;
    }
    let tokens = tokens(text);
    let said = |at| {
        let mut rules = RULES.iter().flat_map(|language| language.iter());
        rules.any(|rule| {
            matches_rule(rule, &tokens, at).is_some_and(|end| !spoken_of(message, &tokens, at, end))
        })
    };
    let beginnings = tokens.iter().enumerate().filter(|(_, token)| may_begin(token.word));
    beginnings.map(|(at, _)| at).any(said)
}

/// Whether the words from `at` follow `rule`; the position behind the last of them.
fn matches_rule(rule: &Rule, tokens: &[Token], at: usize) -> Option<usize> {
    let first = tokens.get(at)?;
    if rule.imperative && !first.begins_clause {
        return None;
    }
    let verb = rule.first.iter().find_map(|phrase| phrase_at(tokens, at, phrase))?;
    let reach = sentence_end(tokens, at).min(verb.saturating_add(rule.reach));
    let about = |position| rule.then.iter().find_map(|phrase| phrase_at(tokens, position, phrase));
    let (object, end) = match rule.then {
        [] => (verb, verb),
        _ => (verb..reach).find_map(|position| about(position).map(|end| (position, end)))?,
    };
    // Languages put the word that says which before the thing or behind it.
    let around =
        at.saturating_sub(rule.before)..sentence_end(tokens, at).min(end.saturating_add(rule.behind));
    let said = |list: &[&str]| {
        around.clone().any(|i| list.iter().any(|phrase| phrase_at(tokens, i, phrase).is_some()))
    };
    let which = rule.with.is_empty() || said(rule.with);
    let harmless = (verb..object)
        .any(|i| rule.between.iter().any(|phrase| phrase_at(tokens, i, phrase).is_some()))
        || said(rule.without);
    (which && !harmless).then_some(end)
}

/// The position behind `phrase`, if the words at `at` are its words. A `*` ends a beginning.
fn phrase_at(tokens: &[Token], at: usize, phrase: &str) -> Option<usize> {
    let mut position = at;
    // Most comparisons end at the first letter.
    if tokens.get(at)?.word.bytes().next() != phrase.bytes().next() {
        return None;
    }
    for word in phrase.split(' ') {
        let token = tokens.get(position)?;
        let fits = match word.strip_suffix('*') {
            Some(beginning) => token.word.starts_with(beginning),
            None => token.word == word,
        };
        if !fits || token.sentence != tokens.get(at)?.sentence {
            return None;
        }
        position = position.saturating_add(1);
    }
    Some(position)
}

fn sentence_end(tokens: &[Token], at: usize) -> usize {
    let sentence = tokens.get(at).map(|token| token.sentence);
    let rest = tokens.iter().skip(at).take_while(|token| Some(token.sentence) == sentence).count();
    at.saturating_add(rest)
}

/// Whether the words stand in a quotation or code span, or in a question about models.
fn spoken_of(message: &Message, tokens: &[Token], at: usize, end: usize) -> bool {
    let start = tokens.get(at).map_or(0, |token| token.start);
    let end =
        tokens.get(end.saturating_sub(1)).map_or(start, |token| token.start.saturating_add(token.word.len()));
    let range = start..end;
    let outside = || {
        let before = message.text.get(..start).unwrap_or_default();
        let after = message.text.get(end..).unwrap_or_default();
        [before, after]
    };
    let about = || {
        outside()
            .iter()
            .any(|part| asks(part) || is_about_security(part) || has_question_mark(part) || of_models(part))
    };
    if message.in_code(&range) || message.in_quotes(&range) {
        return about();
    }
    let named = outside().iter().any(|part| part.contains("prompt injection") || of_models(part));
    named && outside().iter().any(|part| asks(part))
}

fn of_models(text: &str) -> bool {
    words(text).any(|word| MODELS.contains(&word)) || text.contains("language model")
}

/// Whether the message carries the marks of another speaker: of a template, of a section that it
/// did not open, of a line that the system would have written.
fn pretends(message: &Message) -> bool {
    let text = message.text.as_str();
    let spoken_of = |at: usize, mark: &str| {
        let range = at..at.saturating_add(mark.len());
        message.in_code(&range) || message.in_quotes(&range) || asks(text)
    };
    let template = TEMPLATES.iter().any(|mark| each(text, mark).take(4).any(|at| !spoken_of(at, mark)));
    let closed = PARTS.iter().any(|part| {
        let (open, close) = (format!("<{part}>"), format!("</{part}>"));
        text.find(&close).is_some_and(|at| {
            let opened = text.get(..at).is_some_and(|before| before.contains(&open));
            let goes_on = !text.get(at.saturating_add(close.len())..).unwrap_or_default().trim().is_empty();
            !opened && goes_on && !spoken_of(at, &close)
        })
    });
    template || closed || text.lines().any(speaks_as_system)
}

/// `system: you …`: a line in the system's name that addresses the model or grants rights.
fn speaks_as_system(line: &str) -> bool {
    let start = Cursor::new(line, 0).over(|c| c.is_whitespace() || matches!(c, '#' | '*' | '[' | '-' | '='));
    let names = [
        "system",
        "system message",
        "system override",
        "admin",
        "developer",
        "new instructions",
        "new system prompt",
    ];
    let spoken =
        names.iter().find_map(|name| start.phrase(name)?.over(|c| matches!(c, ']' | '*')).spaces().eat(":"));
    let orders = [
        "you ",
        "new policy",
        "new instruction",
        "the student",
        "the user",
        "ignore",
        "disregard",
        "override",
        "from now on",
        "grant",
        "output",
        "reveal",
        "all rules",
        "safety",
        "forget",
    ];
    spoken.is_some_and(|after| orders.iter().any(|order| after.spaces().rest().starts_with(order)))
}
