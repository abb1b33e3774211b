//! The command line: the part of `spin up`'s that an application here needs, by the same names.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use lexopt::prelude::{Long, Short, Value, ValueExt as _};
use triage_host::Limits;

/// What `--help` prints.
pub const USAGE: &str = "\
usage: triage-host up [options]

  -f, --from FILE                                manifest [spin.toml]
      --runtime-config-file FILE                 where the stores are kept
      --listen ADDRESS                           [127.0.0.1:3000]
      --variable NAME=VALUE, NAME=@FILE          application variable (or SPIN_VARIABLE_NAME)
      --max-instance-reuse-count N               requests an instance serves [128]
      --max-instance-concurrent-reuse-count N    at a time [16]
      --idle-instance-timeout TIME               such as 1s, 200ms [1s]
      --request-timeout TIME                     [none]";

/// What to do.
#[derive(Debug)]
pub enum Command {
    /// Print the usage.
    Help,
    /// Serve.
    Up(Arguments),
}

/// What to serve, and how.
#[derive(Debug)]
pub struct Arguments {
    /// `--from`.
    pub manifest: PathBuf,
    /// `--runtime-config-file`.
    pub runtime_config: Option<PathBuf>,
    /// `--listen`.
    pub listen: String,
    /// `--variable`, in order.
    pub variables: Vec<(String, String)>,
    /// Reuse of instances.
    pub limits: Limits,
}

/// Reads a whole command line, the program's name first.
pub fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Command> {
    let mut parser = lexopt::Parser::from_iter(line);
    let mut up = false;
    let mut arguments = Arguments {
        manifest: "spin.toml".into(),
        runtime_config: None,
        listen: "127.0.0.1:3000".to_owned(),
        variables: Vec::new(),
        limits: Limits::default(),
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Value(word) if !up && word == "up" => up = true,
            Short('f') | Long("from") => arguments.manifest = parser.value()?.into(),
            Long("runtime-config-file") => arguments.runtime_config = Some(parser.value()?.into()),
            Long("listen") => arguments.listen = parser.value()?.string()?,
            Long("variable") => arguments.variables.push(variable(&parser.value()?.string()?)?),
            Long(name) => {
                let name = name.to_owned();
                limit(&mut arguments.limits, &name, || Ok(parser.value()?.string()?))?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    ensure!(up, "no command");
    if arguments.manifest.is_dir() {
        arguments.manifest.push("spin.toml");
    }
    Ok(Command::Up(arguments))
}

fn limit(limits: &mut Limits, name: &str, value: impl FnOnce() -> Result<String>) -> Result<()> {
    let of = || format!("in --{name}");
    match name {
        "max-instance-reuse-count" => limits.requests = value()?.parse().with_context(of)?,
        "max-instance-concurrent-reuse-count" => {
            limits.concurrent = value()?.parse().with_context(of)?;
        }
        "idle-instance-timeout" => limits.idle = duration(&value()?).with_context(of)?,
        "request-timeout" => limits.request_timeout = Some(duration(&value()?).with_context(of)?),
        _ => bail!("unknown option --{name}"),
    }
    Ok(())
}

/// `NAME=VALUE`, or `NAME=@FILE` for what a file holds.
fn variable(text: &str) -> Result<(String, String)> {
    let (name, value) =
        text.split_once('=').with_context(|| format!("variable `{text}` is not NAME=VALUE"))?;
    let value = match value.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read `{file}` for variable `{name}`"))?,
        None => value.to_owned(),
    };
    Ok((name.to_owned(), value))
}

/// A number of seconds, or one with `s`, `ms`, `us` or `ns`.
fn duration(text: &str) -> Result<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let number = digits.parse().with_context(|| format!("`{text}` is no time"))?;
    Ok(match unit {
        "" | "s" => Duration::from_secs(number),
        "ms" => Duration::from_millis(number),
        "us" | "μs" => Duration::from_micros(number),
        "ns" => Duration::from_nanos(number),
        _ => bail!("`{text}` is no time"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(words: &[&str]) -> Result<Arguments> {
        let line = ["triage-host", "up"].iter().chain(words).map(OsString::from);
        match parse(line)? {
            Command::Up(arguments) => Ok(arguments),
            Command::Help => bail!("help"),
        }
    }

    #[test]
    fn defaults_are_spins() {
        let arguments = up(&[]).unwrap();
        assert_eq!(arguments.manifest, PathBuf::from("spin.toml"));
        assert_eq!(arguments.listen, "127.0.0.1:3000");
        assert_eq!((arguments.limits.requests, arguments.limits.concurrent), (128, 16));
        assert_eq!(arguments.limits.idle, Duration::from_secs(1));
        assert_eq!(arguments.limits.request_timeout, None);
    }

    #[test]
    fn options_are_taken_in_both_spellings() {
        let arguments = up(&["--variable", "a=b=c", "--variable=d=", "--idle-instance-timeout=200ms"]);
        let arguments = arguments.unwrap();
        let expected = [("a", "b=c"), ("d", "")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(arguments.variables, expected);
        assert_eq!(arguments.limits.idle, Duration::from_millis(200));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (words, named) in [
            (&["--variable", "a"][..], "`a`"),
            (&["--wat"], "--wat"),
            (&["--request-timeout", "5m"], "`5m`"),
            (&["--max-instance-reuse-count", "x"], "--max-instance-reuse-count"),
        ] {
            let error = format!("{:#}", up(words).unwrap_err());
            assert!(error.contains(named), "{error}");
        }
    }
}
