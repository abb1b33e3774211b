//! The labelled messages, and the rule that sets a twentieth of them aside.

use serde::Deserialize;
use std::path::Path;
use triage::intent::Intent;

/// One labelled message.
#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    /// What the student typed.
    pub text: String,
    /// The label by name.
    pub label: String,
    /// Language code, where known.
    #[serde(default)]
    pub lang: Option<String>,
    /// Where it comes from; the name of its file, if the line does not say.
    #[serde(default)]
    pub source: Option<String>,
}

impl Message {
    /// The label's number.
    #[must_use]
    pub fn number(&self) -> usize {
        Intent::from_str(&self.label).unwrap_or(Intent::None).index()
    }

    /// Whether the message belongs to the test split: every twentieth, by the hash of its text.
    #[must_use]
    pub fn is_test(&self) -> bool {
        hash(&self.text).is_multiple_of(20)
    }
}

/// FNV-1a, for splits that do not depend on order.
#[must_use]
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}

/// The messages of one file, one JSON object a line.
///
/// # Errors
/// Names the file and line that is not in form.
pub fn read(path: &Path) -> Result<Vec<Message>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut messages = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let at = || format!("{}:{}", path.display(), n + 1);
        let mut message: Message = serde_json::from_str(line).map_err(|e| format!("{}: {e}", at()))?;
        if Intent::from_str(&message.label).is_none() {
            return Err(format!("{}: unknown label {}", at(), message.label));
        }
        message.source.get_or_insert_with(|| stem(path));
        messages.push(message);
    }
    Ok(messages)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// All messages under `folder`, file by file in the order of names.
///
/// # Errors
/// Names what cannot be read.
pub fn read_all(folder: &Path) -> Result<Vec<Message>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|e| e.path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "jsonl"));
    paths.sort();
    paths.iter().map(|p| read(p)).collect::<Result<Vec<_>, _>>().map(|all| all.concat())
}
