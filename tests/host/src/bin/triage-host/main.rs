//! `triage-host up`: serves a Spin application where Spin is not installed.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};
use triage_host::App;

mod arguments;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let outcome = match arguments::parse(std::env::args_os()) {
        Ok(Command::Help) => {
            println!("{}", arguments::USAGE);
            Ok(())
        }
        Ok(Command::Up(arguments)) => serve(arguments),
        Err(error) => Err(error.context("see triage-host --help")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(arguments: Arguments) -> Result<()> {
    let cache = arguments.manifest.parent().unwrap_or(".".as_ref()).join(".triage/cache");
    let mut builder = App::builder(&arguments.manifest).as_host().limits(arguments.limits).cache(cache);
    if let Some(path) = &arguments.runtime_config {
        builder = builder.runtime_config(path);
    }
    for (name, value) in &arguments.variables {
        builder = builder.variable(name, value);
    }
    let app = builder.build().await?;
    let (mut interrupted, mut terminated) = signals()?;
    let server = app.serve(&arguments.listen).await?;
    println!("Serving http://{}", server.address());
    for (route, component) in app.routes() {
        println!("  {component}: {route}");
    }
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    Ok(())
}

fn signals() -> Result<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)> {
    let listen = |kind| signal(kind).context("cannot listen to signals");
    Ok((listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?))
}
