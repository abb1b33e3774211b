//! Ctrl-C and SIGTERM end a run in good order: the host must not outlive the program that started it.

use anyhow::{Result, bail};
use tokio::signal::unix::{SignalKind, signal};

/// Does `work`, unless a signal asks to end first.
///
/// # Errors
/// That of `work`, or the interruption.
pub async fn unless_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        outcome = work => outcome,
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    }
}
