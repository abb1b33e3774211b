//! What one changing write to an SQLite file costs here: one fsync, whatever the component does.

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;
use triage_host::Store;
use triage_host::runtime_config::StoreConfig;
use triage_load::figures::Times;
use triage_load::scratch::Scratch;

const WRITES: u32 = 50;

/// The median.
pub async fn write() -> Result<Duration> {
    let scratch = Scratch::new("disk")?;
    let store = Store::new("default", &StoreConfig::SqliteFile(scratch.path().join("store.db")))?;
    let mut times = Vec::new();
    for n in 0..WRITES {
        let began = Instant::now();
        store.set("v:disk", &n.to_be_bytes()).await?;
        times.push(began.elapsed());
    }
    Ok(times.into_iter().collect::<Times>().percentile(50))
}
