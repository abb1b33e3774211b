//! A list of configuration faults that names variables and never shows a secret.

use std::fmt;

/// Every fault found, in the order of the checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<(&'static str, String)>);

impl Faults {
    /// Notes that `variable` is wrong. `message` must not repeat a secret.
    pub fn add(&mut self, variable: &'static str, message: impl Into<String>) {
        self.0.push((variable, message.into()));
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `variable` is among them.
    pub fn names(&self, variable: &str) -> bool {
        self.0.iter().any(|(name, _)| *name == variable)
    }

    /// The names of the variables, each once: what a caller may know.
    pub fn names_only(&self) -> String {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        names.join(", ")
    }

    /// Variable and message of each fault.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, message)| (*name, message.as_str()))
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, message)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{name}: {message}")?;
        }
        Ok(())
    }
}
