//! A progress bar on stderr; silent where stderr is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of `steps` steps.
#[must_use]
pub fn bar(title: &'static str, steps: u64) -> ProgressBar {
    let bar = ProgressBar::new(steps).with_prefix(title);
    // The template is ours; a wrong one would only cost the bar its looks.
    if let Ok(style) =
        ProgressStyle::with_template("{prefix:>9} {bar:32} {pos}/{len} {elapsed} (about {eta} left) {msg}")
    {
        bar.set_style(style);
    }
    bar
}
