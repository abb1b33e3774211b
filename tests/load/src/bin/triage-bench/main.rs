//! `triage-bench`: what the component costs, on the embedded host over real sockets.
//!
//! Every answer is checked in the run that measures it. Aims that are missed are said, not failed:
//! they depend on the machine and on what else it does; a wrong answer fails.

mod arguments;
mod classifier;
mod disk;
mod first_byte;
mod fresh;
mod overhead;
mod refusal;
mod report;
mod rig;
mod segments;
mod size;
mod tokens;
mod warm;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use triage_load::interruption::unless_interrupted;
use triage_load::machine;

use arguments::{Arguments, Command, Part};
use report::Report;
use rig::Rig;

fn main() -> ExitCode {
    let outcome = match arguments::parse(std::env::args_os()) {
        Ok(Command::Help) => {
            println!("{}", arguments::USAGE);
            Ok(())
        }
        Ok(Command::Run(arguments)) => bench(arguments),
        Err(error) => Err(error.context("see triage-bench --help")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(arguments: Arguments) -> Result<()> {
    println!("{}", machine::describe());
    println!("host: {} (times in ms; client, agents and host share the cores)\n", arguments.host.display());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(unless_interrupted(measure(&Rig::new(arguments))))
}

async fn measure(rig: &Rig) -> Result<()> {
    let mut report = Report::default();
    for part in &rig.arguments.parts {
        match part {
            Part::Size => size::measure(rig, &mut report).context("size")?,
            Part::Warm => warm::measure(rig, &mut report).await.context("warm requests")?,
            Part::Segments => segments::measure(rig, &mut report).await.context("answers in two segments")?,
            Part::Overhead => overhead::measure(rig, &mut report).await.context("own overhead")?,
            Part::Refusal => refusal::measure(rig, &mut report).await.context("open breaker")?,
            Part::FirstByte => {
                first_byte::measure(rig, &mut report).await.context("first byte of a stream")?
            }
            Part::Fresh => fresh::measure(rig, &mut report).await.context("fresh instances")?,
            Part::Tokens => tokens::measure(rig, &mut report).await.context("tokens")?,
            Part::Classifier => classifier::measure(rig, &mut report).await.context("classifier")?,
        }
    }
    report.finish();
    Ok(())
}
