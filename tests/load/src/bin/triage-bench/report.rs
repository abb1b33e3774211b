//! Tables as they come, and the aims at the end.

use triage_load::figures::Table;
use triage_load::machine;

/// What was printed so far, as far as it is needed at the end.
#[derive(Debug, Default)]
pub struct Report {
    aims: Vec<[String; 4]>,
}

impl Report {
    /// Prints a table.
    pub fn table(&self, table: &Table) {
        println!("{table}");
    }

    /// Notes a figure that has an aim.
    pub fn aim(
        &mut self,
        what: impl Into<String>,
        aim: impl Into<String>,
        figure: impl Into<String>,
        met: bool,
    ) {
        let met = if met { "met" } else { "MISSED" };
        self.aims.push([what.into(), aim.into(), figure.into(), met.to_owned()]);
    }

    /// Prints the aims, and whether the machine had other things to do.
    pub fn finish(self) {
        if !self.aims.is_empty() {
            let mut table = Table::new("aims", &["figure", "aim", "measured", ""]);
            self.aims.into_iter().for_each(|row| table.row(row));
            println!("{table}");
        }
        #[allow(clippy::cast_precision_loss, reason = "a number of cores")]
        let busy = machine::load().is_some_and(|load| load > machine::cores() as f64 + 1.0);
        if busy {
            let load = machine::load().unwrap_or_default();
            println!(
                "note: load {load:.1} on {} cores: something else is running, the figures are worse than need be",
                machine::cores()
            );
        }
    }
}
