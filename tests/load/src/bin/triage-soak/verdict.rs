//! What a long run found: figures, and what did not hold.

use std::fmt;

/// A run's figures.
#[derive(Debug)]
pub struct Verdict {
    title: String,
    figures: Vec<(String, String)>,
    broken: Vec<String>,
}

impl Verdict {
    /// Nothing found yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), figures: Vec::new(), broken: Vec::new() }
    }

    /// Adds a figure.
    pub fn figure(&mut self, name: impl Into<String>, value: impl fmt::Display) {
        self.figures.push((name.into(), value.to_string()));
    }

    /// Adds a figure that must be zero; `examples` name what was found.
    pub fn zero(&mut self, name: &str, found: usize, examples: impl IntoIterator<Item = String>) {
        self.figure(name, format!("{found} (must be 0)"));
        if found > 0 {
            let examples: Vec<String> = examples.into_iter().take(5).collect();
            self.broken.push(format!("{name}: {found}, such as {}", examples.join("; ")));
        }
    }

    /// Whether everything held.
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let width = self.figures.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, value) in &self.figures {
            writeln!(f, "  {name:<width$}  {value}")?;
        }
        for broken in &self.broken {
            writeln!(f, "  DOES NOT HOLD: {broken}")?;
        }
        Ok(())
    }
}
