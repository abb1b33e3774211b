//! `triage-soak`: the long runs. Each prints its seed and its figures, and says what did not hold.

mod arguments;
mod kills;
mod ledger;
mod outage;
mod scripted;
mod students;
mod verdict;

use std::process::ExitCode;

use anyhow::Result;

use arguments::{Arguments, Command, Part};
use verdict::Verdict;

fn main() -> ExitCode {
    let verdicts = match arguments::parse(std::env::args_os()) {
        Ok(Command::Help) => {
            println!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Run(arguments)) => soak(&arguments),
        Err(error) => Err(error.context("see triage-soak --help")),
    };
    match verdicts {
        Ok(all_hold) => ExitCode::from(u8::from(!all_hold)),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs the parts that were asked for; whether everything held.
fn soak(arguments: &Arguments) -> Result<bool> {
    println!("{}\nseed {}\n", triage_load::machine::describe(), arguments.seed);
    let mut all_hold = true;
    for part in &arguments.parts {
        let verdict: Verdict = match part {
            Part::Kills => kills::run(arguments)?,
            Part::Outage => outage::run(arguments)?,
            Part::Students => students::in_scripted_time(arguments)?,
            Part::Redis => students::on_redis(arguments)?,
        };
        println!("{verdict}");
        all_hold &= verdict.holds();
    }
    println!("{}", if all_hold { "everything held" } else { "something did not hold, see above" });
    Ok(all_hold)
}
