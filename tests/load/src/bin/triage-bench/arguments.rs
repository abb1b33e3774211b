//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use lexopt::prelude::{Long, Short, Value, ValueExt as _};

/// What `--help` prints.
pub const USAGE: &str = "\
usage: triage-bench [size] [warm] [segments] [overhead] [breaker] [stream] [fresh]
                    [tokens] [classifier] [options]

  size       of the components
  warm       a warm request with the stand-in sidecar: times and throughput
  segments   how often an answer comes in two TCP segments, the second one late
  overhead   a healthy request without the agent's own time
  breaker    an open breaker's answer
  stream     what a stream's first byte gains in delay
  fresh      the first request of an instance against a later one
  tokens     a new RS256 token, one that comes back, none
  classifier the classifier's own time in the component, messages of 300 characters
             without a part: all of them

      --requests N    for each figure [2000]
      --from FILE     manifest [spin.toml]
      --host FILE     the binary triage-host [beside this one]";

/// What to do.
#[derive(Debug)]
pub enum Command {
    /// Print the usage.
    Help,
    /// Measure.
    Run(Arguments),
}

/// One group of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The `.wasm` files.
    Size,
    /// Warm requests.
    Warm,
    /// Answers in two segments.
    Segments,
    /// Total minus agent.
    Overhead,
    /// An open breaker.
    Refusal,
    /// A stream's first byte.
    FirstByte,
    /// Fresh instances.
    Fresh,
    /// Tokens.
    Tokens,
    /// The classifier in wasm.
    Classifier,
}

/// By the names of the command line.
const PARTS: [(&str, Part); 9] = [
    ("size", Part::Size),
    ("warm", Part::Warm),
    ("segments", Part::Segments),
    ("overhead", Part::Overhead),
    ("breaker", Part::Refusal),
    ("stream", Part::FirstByte),
    ("fresh", Part::Fresh),
    ("tokens", Part::Tokens),
    ("classifier", Part::Classifier),
];

/// What to measure, and how.
#[derive(Debug)]
pub struct Arguments {
    /// The parts, in order.
    pub parts: Vec<Part>,
    /// Requests for each figure.
    pub requests: usize,
    /// The application's manifest.
    pub manifest: PathBuf,
    /// The binary `triage-host`.
    pub host: PathBuf,
}

/// Reads a whole command line, the program's name first.
pub fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Command> {
    let mut parser = lexopt::Parser::from_iter(line);
    let beside = std::env::current_exe().context("where this program is")?.with_file_name("triage-host");
    let mut arguments =
        Arguments { parts: Vec::new(), requests: 2_000, manifest: "spin.toml".into(), host: beside };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("requests") => arguments.requests = parser.value()?.parse()?,
            Long("from") => arguments.manifest = parser.value()?.into(),
            Long("host") => arguments.host = parser.value()?.into(),
            Value(word) => {
                let word = word.string()?;
                let part = PARTS.iter().find(|(name, _)| *name == word).map(|(_, part)| *part);
                arguments.parts.push(part.with_context(|| format!("unknown part `{word}`"))?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    anyhow::ensure!(arguments.requests > 0, "--requests must be at least 1");
    if arguments.parts.is_empty() {
        arguments.parts = PARTS.iter().map(|(_, part)| *part).collect();
    }
    Ok(Command::Run(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str]) -> Result<Arguments> {
        match parse(["triage-bench"].iter().chain(words).map(OsString::from))? {
            Command::Run(arguments) => Ok(arguments),
            Command::Help => anyhow::bail!("help"),
        }
    }

    #[test]
    fn without_words_everything_is_measured() {
        let arguments = run(&[]).unwrap();
        assert_eq!((arguments.parts.len(), arguments.requests), (PARTS.len(), 2_000));
    }

    #[test]
    fn parts_are_taken_and_unknown_ones_named() {
        assert_eq!(run(&["stream", "warm"]).unwrap().parts, [Part::FirstByte, Part::Warm]);
        assert!(format!("{:#}", run(&["wat"]).unwrap_err()).contains("`wat`"));
        assert!(run(&["--requests", "0"]).is_err());
    }
}
