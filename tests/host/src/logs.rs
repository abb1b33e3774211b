//! What guests write to stdout and stderr: kept by line for tests, or passed on with the
//! component's name in front.

use std::io::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::clock::Clock;

/// One line that a guest wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Time since the application started.
    pub at: Duration,
    /// Id of the component.
    pub component: String,
    /// Whether it went to stderr rather than stdout.
    pub stderr: bool,
    /// The line, without its end; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// Where all guests of an application write to.
#[derive(Debug)]
pub struct Logs {
    clock: Clock,
    /// `None`: lines are passed on instead of kept.
    kept: Option<Mutex<Vec<LogLine>>>,
}

impl Logs {
    pub(crate) fn keeping(clock: Clock) -> Self {
        Self { clock, kept: Some(Mutex::default()) }
    }

    pub(crate) fn passing_on(clock: Clock) -> Self {
        Self { clock, kept: None }
    }

    /// The lines so far; none when they are passed on.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        let Some(kept) = &self.kept else { return Vec::new() };
        kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds one line, of a guest or of the host itself on its behalf.
    pub(crate) fn line(&self, component: &str, stderr: bool, text: &str) {
        match &self.kept {
            Some(kept) => kept.lock().unwrap_or_else(PoisonError::into_inner).push(LogLine {
                at: self.clock.elapsed(),
                component: component.to_owned(),
                stderr,
                text: text.to_owned(),
            }),
            // A closed stdout must not end the host.
            None if stderr => drop(writeln!(std::io::stderr(), "[{component}] {text}")),
            None => drop(writeln!(std::io::stdout(), "[{component}] {text}")),
        }
    }
}

/// One guest's stdout or stderr.
#[derive(Clone)]
pub(crate) struct GuestOutput(Arc<Shared>);

struct Shared {
    logs: Arc<Logs>,
    component: Arc<str>,
    stderr: bool,
    partial: Mutex<Vec<u8>>,
}

impl GuestOutput {
    pub fn new(logs: Arc<Logs>, component: Arc<str>, stderr: bool) -> Self {
        Self(Arc::new(Shared { logs, component, stderr, partial: Mutex::default() }))
    }

    fn take(&self, bytes: &[u8]) {
        let mut partial = self.0.partial.lock().unwrap_or_else(PoisonError::into_inner);
        partial.extend_from_slice(bytes);
        while let Some(end) = partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = partial.drain(..=end).collect();
            self.0.line(line.strip_suffix(b"\n").unwrap_or(&line));
        }
    }
}

impl Shared {
    fn line(&self, bytes: &[u8]) {
        self.logs.line(&self.component, self.stderr, &String::from_utf8_lossy(bytes));
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let rest = std::mem::take(self.partial.get_mut().unwrap_or_else(PoisonError::into_inner));
        if !rest.is_empty() {
            self.line(&rest);
        }
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 * 1024)
    }
}

impl AsyncWrite for GuestOutput {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
