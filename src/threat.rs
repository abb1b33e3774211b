//! Suspicions about a text: does it carry an attack on what stands behind us?
//!
//! A flag goes to the audit event and, as `x-triage-risk`, to the agent; the text itself is never
//! altered. Where a deployment blocks a class, a flag is a 422, so precision comes first: this is a
//! school for programmers, and they write about injections, paste their own SQL and scripts, and
//! ask what `rm -rf /` does. Each class therefore asks two questions:
//!
//! 1. Is there a *payload*: something built to break out of where it will be put, or to be carried
//!    out by whoever reads it? Ordinary SQL, HTML, shell lines and relative paths are not.
//! 2. Is it *used* or only *mentioned* (see `mention`): quoted, in a code span, part of a question,
//!    a lecture, a homework?
//!
//! Whoever attacks in the form of a question is let through; the agents must not rely on this.

mod cursor;
mod mention;
mod message;
mod path;
mod prompt;
mod script;
mod shell;
mod sql;

use message::Message;

/// A class of attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Threat {
    /// Breaks out of a string in an SQL statement.
    Sql,
    /// Runs in the browser of whoever looks at the text.
    Script,
    /// Runs as a command on a server.
    Shell,
    /// Leads to a file outside of where files are looked for.
    PathTraversal,
    /// Gives orders to a language model over the head of its operator.
    PromptInjection,
}

impl Threat {
    /// All classes, in their order.
    pub const ALL: [Self; 5] =
        [Self::Sql, Self::Script, Self::Shell, Self::PathTraversal, Self::PromptInjection];

    /// The closed name used in headers, events, metrics and the variable `block_flags`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::Script => "script",
            Self::Shell => "shell",
            Self::PathTraversal => "path_traversal",
            Self::PromptInjection => "prompt_injection",
        }
    }

    /// The class of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|threat| threat.as_str() == name)
    }
}

/// The classes that `text` is suspected of, each once, in the order of [`Threat::ALL`].
pub fn flags(text: &str) -> Vec<Threat> {
    let message = Message::read(text);
    Threat::ALL
        .into_iter()
        .filter(|threat| match threat {
            Threat::Sql => sql::used(&message),
            Threat::Script => script::used(&message),
            Threat::Shell => shell::used(&message),
            Threat::PathTraversal => path::used(&message),
            Threat::PromptInjection => prompt::used(&message),
        })
        .collect()
}

#[cfg(test)]
mod tests;
