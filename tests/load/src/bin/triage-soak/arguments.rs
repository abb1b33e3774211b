//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use lexopt::prelude::{Long, Short, Value, ValueExt as _};
use triage_load::seed;

/// What `--help` prints.
pub const USAGE: &str = "\
usage: triage-soak [kills] [outage] [students] [redis] [options]

  kills      the host killed with SIGKILL at random moments under load, over and over
  outage     the broker down for five minutes of scripted time under load
  students   ten thousand students in scripted time: what they leave in the store
  redis      the same on Redis (or a stand-in for it), in real time
             without a part: all of them

      --runs N        kills [200]
      --students N    [10000]
      --seed N        repeats a run [random]
      --redis URL     an empty Redis database [a stand-in]
      --from FILE     manifest [spin.toml]
      --host FILE     the binary triage-host [beside this one]";

/// What to do.
#[derive(Debug)]
pub enum Command {
    /// Print the usage.
    Help,
    /// Run.
    Run(Arguments),
}

/// One of the long runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// SIGKILL under load.
    Kills,
    /// The broker away.
    Outage,
    /// Keys in the store, SQLite.
    Students,
    /// Keys in the store, Redis.
    Redis,
}

/// What to run, and how.
#[derive(Debug)]
pub struct Arguments {
    /// The parts, in order.
    pub parts: Vec<Part>,
    /// How often the process is killed.
    pub runs: u64,
    /// How many students.
    pub students: u32,
    /// Where all randomness comes from.
    pub seed: u64,
    /// An empty Redis database.
    pub redis: Option<String>,
    /// The application's manifest.
    pub manifest: PathBuf,
    /// The binary `triage-host`.
    pub host: PathBuf,
}

/// Reads a whole command line, the program's name first.
pub fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Command> {
    let mut parser = lexopt::Parser::from_iter(line);
    let beside = std::env::current_exe().context("where this program is")?.with_file_name("triage-host");
    let mut arguments = Arguments {
        parts: Vec::new(),
        runs: 200,
        students: 10_000,
        seed: seed::fresh(),
        redis: None,
        manifest: "spin.toml".into(),
        host: beside,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("runs") => arguments.runs = parser.value()?.parse()?,
            Long("students") => arguments.students = parser.value()?.parse()?,
            Long("seed") => arguments.seed = parser.value()?.parse()?,
            Long("redis") => arguments.redis = Some(parser.value()?.string()?),
            Long("from") => arguments.manifest = parser.value()?.into(),
            Long("host") => arguments.host = parser.value()?.into(),
            Value(word) => arguments.parts.push(part(&word.string()?)?),
            other => return Err(other.unexpected().into()),
        }
    }
    if arguments.parts.is_empty() {
        arguments.parts = vec![Part::Kills, Part::Outage, Part::Students, Part::Redis];
    }
    Ok(Command::Run(arguments))
}

fn part(word: &str) -> Result<Part> {
    Ok(match word {
        "kills" => Part::Kills,
        "outage" => Part::Outage,
        "students" => Part::Students,
        "redis" => Part::Redis,
        _ => anyhow::bail!("unknown part `{word}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str]) -> Result<Arguments> {
        match parse(["triage-soak"].iter().chain(words).map(OsString::from))? {
            Command::Run(arguments) => Ok(arguments),
            Command::Help => anyhow::bail!("help"),
        }
    }

    #[test]
    fn without_words_everything_runs() {
        let arguments = run(&[]).unwrap();
        assert_eq!(arguments.parts, [Part::Kills, Part::Outage, Part::Students, Part::Redis]);
        assert_eq!((arguments.runs, arguments.students), (200, 10_000));
    }

    #[test]
    fn parts_and_options_are_taken_and_unknown_ones_named() {
        let arguments = run(&["outage", "--seed", "7", "--runs=3"]).unwrap();
        assert_eq!((arguments.parts.as_slice(), arguments.seed, arguments.runs), (&[Part::Outage][..], 7, 3));
        assert!(format!("{:#}", run(&["wat"]).unwrap_err()).contains("`wat`"));
    }
}
