//! The embedded host as a process of its own: started, and killed the hard way.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::time::Instant;

use crate::scratch::Scratch;

/// How long a start may take: the first one compiles the components.
const START_LIMIT: Duration = Duration::from_secs(180);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Where the store is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// SQLite in memory.
    Memory,
    /// An SQLite file: an fsync for each changing write.
    File,
}

impl StoreKind {
    /// For tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::File => "file",
        }
    }
}

/// What to start: the same each time.
#[derive(Debug)]
pub struct Launch {
    binary: PathBuf,
    manifest: PathBuf,
    runtime_config: PathBuf,
    log: PathBuf,
    variables: Vec<(String, String)>,
    options: Vec<String>,
}

impl Launch {
    /// The app of `manifest` on the host `binary`, with its store and log in `scratch`.
    ///
    /// # Errors
    /// Something is missing, or the runtime configuration cannot be written.
    pub fn new(binary: &Path, manifest: &Path, scratch: &Scratch, store: StoreKind) -> Result<Self> {
        for (file, remedy) in
            [(binary, "cargo build -p triage-host"), (manifest, "run from the repository's root")]
        {
            ensure!(file.is_file(), "no file {} ({remedy})", file.display());
        }
        let runtime_config = scratch.path().join("runtime-config.toml");
        let path = match store {
            StoreKind::Memory => "",
            StoreKind::File => "path = \"store.db\"\n",
        };
        std::fs::write(&runtime_config, format!("[key_value_store.default]\ntype = \"spin\"\n{path}"))?;
        Ok(Self {
            binary: binary.to_owned(),
            manifest: manifest.to_owned(),
            runtime_config,
            log: scratch.path().join("host.log"),
            variables: Vec::new(),
            options: Vec::new(),
        })
    }

    /// Sets a variable of the app.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Passes an option with its value to the host.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Where the SQLite file of [`StoreKind::File`] is.
    #[must_use]
    pub fn store_file(&self) -> PathBuf {
        self.runtime_config.with_file_name("store.db")
    }

    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// It ends at once, or does not listen in time; the error holds what it said.
    pub async fn start(&self) -> Result<HostProcess> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let said_before = log.metadata()?.len();
        let mut host = HostProcess { child: self.spawn(log)?, address: ([127, 0, 0, 1], 0).into() };
        let limit = Instant::now() + START_LIMIT;
        loop {
            let said = said_since(&self.log, said_before)?;
            if let Some(address) = said.lines().find_map(|line| line.strip_prefix("Serving http://")) {
                host.address = address.trim().parse().context("address the host listens on")?;
                return Ok(host);
            }
            if let Some(status) = host.child.try_wait()? {
                bail!("the host ended with {status}: {}", said.trim());
            }
            ensure!(
                Instant::now() < limit,
                "the host does not listen after {START_LIMIT:?}: {}",
                said.trim()
            );
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn spawn(&self, log: File) -> Result<Child> {
        let mut command = Command::new(&self.binary);
        command.arg("up").arg("--from").arg(&self.manifest).args(["--listen", "127.0.0.1:0"]);
        command.arg("--runtime-config-file").arg(&self.runtime_config).args(&self.options);
        for (name, value) in &self.variables {
            command.arg("--variable").arg(format!("{name}={value}"));
        }
        // Variables of the surrounding shell must not change what is measured.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SPIN_VARIABLE_"))
        {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command.spawn().with_context(|| format!("cannot start {}", self.binary.display()))
    }
}

/// What stands in the log after its first `before` bytes, up to a length that holds the greeting.
fn said_since(log: &Path, before: u64) -> Result<String> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(before))?;
    let mut bytes = Vec::new();
    file.take(16 * 1024).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A running host. Dropped, it is killed.
#[derive(Debug)]
pub struct HostProcess {
    child: Child,
    address: SocketAddr,
}

impl HostProcess {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// SIGKILL, now.
    pub fn kill(self) {}
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        // `Child::kill` is SIGKILL; it fails only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
