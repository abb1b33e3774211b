//! Size of the components.

use anyhow::{Context as _, Result};
use triage_load::figures::Table;

use crate::report::Report;
use crate::rig::Rig;

/// The classifier's data included.
const AIM_MB: f64 = 5.0;

/// Measures it.
pub fn measure(rig: &Rig, report: &mut Report) -> Result<()> {
    let root = rig.arguments.manifest.parent().unwrap_or(".".as_ref());
    let mut table = Table::new("components", &["", "MB"]);
    for name in ["triage", "sidecar"] {
        let path = root.join("target/wasm32-wasip2/release").join(format!("{name}.wasm"));
        let bytes = path.metadata().with_context(|| format!("{} (make build)", path.display()))?.len();
        #[allow(clippy::cast_precision_loss, reason = "a file's size")]
        let mb = bytes as f64 / 1e6;
        table.row([format!("{name}.wasm"), format!("{mb:.2}")]);
        if name == "triage" {
            report.aim(
                "size of triage.wasm",
                format!("< {AIM_MB:.0} MB"),
                format!("{mb:.2} MB"),
                mb < AIM_MB,
            );
        }
    }
    report.table(&table);
    Ok(())
}
