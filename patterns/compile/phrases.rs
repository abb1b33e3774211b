//! Reads the phrases teachers edit: one file per intent, groups of phrases with one reason each.

use serde::Deserialize;
use std::path::Path;

/// The intents in the order of their numbers; the file of an intent carries its name.
pub const LABELS: [&str; 5] =
    ["syntax_help", "concept_explanation", "exercise_request", "progress_check", "none"];

/// One phrase with what its group says about it.
pub struct Phrase {
    /// The phrase as written in the file.
    pub text: String,
    /// The number of its intent.
    pub label: u8,
    /// The boundary class by name.
    pub boundary: String,
    /// Hundredths of evidence for the label.
    pub weight: i16,
    /// Intent and name of the group.
    pub group: String,
    /// Number of the group among all groups of all files.
    pub group_number: u8,
    /// Why the phrase speaks for the label.
    #[allow(dead_code, reason = "the build script has no use for it")]
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    group: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    reason: String,
    boundary: String,
    weight: f64,
    phrases: Vec<String>,
}

/// All phrases under `folder`, in the order of labels, groups and lines.
///
/// # Errors
/// Names the file that is missing or not in form.
pub fn read(folder: &Path) -> Result<Vec<Phrase>, String> {
    let mut phrases = Vec::new();
    let mut group_number = 0u8;
    for (label, name) in (0u8..).zip(LABELS) {
        let path = folder.join(format!("{name}.toml"));
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let file: File = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        for group in file.group {
            for text in group.phrases {
                phrases.push(Phrase {
                    text,
                    label,
                    boundary: group.boundary.clone(),
                    weight: (group.weight * 100.0).round() as i16,
                    group: format!("{name}/{}", group.name),
                    group_number,
                    reason: group.reason.clone(),
                });
            }
            group_number = group_number.checked_add(1).ok_or("more than 255 groups")?;
        }
    }
    Ok(phrases)
}

/// What the component keeps of a phrase: label, group, and the weight in hundredths.
pub fn hand_row(phrase: &Phrase) -> [u8; 4] {
    let [low, high] = phrase.weight.to_le_bytes();
    [phrase.label, phrase.group_number, low, high]
}
