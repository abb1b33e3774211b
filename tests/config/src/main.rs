//! Checks a set of variables the way the component will, without starting anything.
//!
//! `triage-config [NAME=VALUE | NAME=@FILE]...`: over `SPIN_VARIABLE_*` from the environment, over the
//! defaults of `spin.toml`. Prints every fault, never a secret.

use std::process::ExitCode;

use triage::config::{Config, Settings, TABLE};

fn main() -> ExitCode {
    match settings() {
        Err(message) => {
            eprintln!("{message}\nusage: triage-config [NAME=VALUE | NAME=@FILE]...");
            ExitCode::from(2)
        }
        Ok(settings) => match Config::read(&settings) {
            Ok(config) => {
                println!("ok: {:?}, sidecar {}", config.environment, config.dapr.url);
                ExitCode::SUCCESS
            }
            Err(faults) => {
                for (name, message) in faults.iter() {
                    println!("{name}: {message}");
                }
                ExitCode::FAILURE
            }
        },
    }
}

fn settings() -> Result<Settings, String> {
    let mut settings = Settings::default();
    for variable in TABLE {
        if let Ok(value) = std::env::var(format!("SPIN_VARIABLE_{}", variable.name.to_uppercase())) {
            settings = set(settings, variable.name, &value)?;
        }
    }
    for argument in std::env::args().skip(1) {
        let (name, value) = argument.split_once('=').ok_or(format!("not NAME=VALUE: {argument}"))?;
        let value = match value.strip_prefix('@') {
            Some(path) => std::fs::read_to_string(path).map_err(|e| format!("{name}: {path}: {e}"))?,
            None => value.to_owned(),
        };
        settings = set(settings, name, &value)?;
    }
    Ok(settings)
}

fn set(settings: Settings, name: &str, value: &str) -> Result<Settings, String> {
    settings.with(name, value).ok_or(format!("no such variable: {name}"))
}
