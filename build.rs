//! Compiles the patterns into tables that the component reads in place.
//!
//! Phrases and, where present, the learned weights become one automaton and one weight table in
//! `OUT_DIR`; a short source file there embeds them. Without the learned file the component
//! builds on the phrases alone, so that training can start from nothing. The contract is embedded without
//! its indentation.

use sha2::{Digest, Sha256};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "src/intent/boundary.rs"]
#[allow(dead_code, reason = "the build script names boundaries, it checks none")]
mod boundary;
#[path = "patterns/compile/double_array.rs"]
mod double_array;
#[path = "patterns/compile/learned.rs"]
#[allow(dead_code, reason = "the build script writes no weights")]
mod learned;
#[path = "src/intent/normalize.rs"]
#[allow(dead_code, reason = "the build script needs no way back to the source")]
mod normalize;
#[path = "patterns/compile/phrases.rs"]
mod phrases;

use boundary::Boundary;
use double_array::{Entry, Tables};

fn main() {
    for path in [
        "build.rs",
        "patterns/compile",
        "patterns/intents",
        "patterns/learned",
        "src/contract/openapi.json",
        "src/intent/boundary.rs",
        "src/intent/normalize.rs",
    ] {
        println!("cargo::rerun-if-changed={path}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut phrases = phrases::read(Path::new("patterns/intents")).unwrap_or_else(|e| panic!("{e}"));
    let learned = learned::read(Path::new("patterns/learned")).unwrap_or_else(|e| panic!("{e}"));
    let learned = learned.unwrap_or_default();
    number_groups(&mut phrases, &learned);
    let mut entries: Vec<Entry> = phrases.iter().map(phrase_entry).collect();
    entries.extend(learned.rows.iter().filter_map(row_entry));
    let count = entries.len() - phrases.len();
    let tables = double_array::build(&entries);
    let hand: Vec<[u8; 4]> = phrases.iter().map(phrases::hand_row).collect();
    write(&out, &files(&tables, &hand, &learned), count).expect("OUT_DIR is writable");
    let contract = fs::read_to_string("src/contract/openapi.json").expect("the contract is there");
    fs::write(out.join("openapi.json"), compact(&contract)).expect("OUT_DIR is writable");
}

/// JSON without the white space between its tokens.
fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let kept = json.chars().filter(|c| {
        if *c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && *c == '\\' && !escaped;
        quoted || !c.is_ascii_whitespace()
    });
    kept.collect()
}

/// Gives phrases the numbers that their groups had in training; a group made since has no row.
fn number_groups(phrases: &mut [phrases::Phrase], learned: &learned::Learned) {
    let groups: Vec<&str> =
        learned.rows.iter().filter(|r| r.kind == learned::Kind::Group).map(|r| r.text.as_str()).collect();
    for phrase in phrases {
        let at = groups.iter().position(|g| *g == phrase.group);
        phrase.group_number = at.and_then(|n| u8::try_from(n).ok()).unwrap_or(u8::MAX);
    }
}

fn phrase_entry(phrase: &phrases::Phrase) -> Entry {
    Entry { text: normalize::normalize(&phrase.text), boundary: number(&phrase.boundary) }
}

/// The pattern of a row; shapes and groups have none.
fn row_entry(row: &learned::Row) -> Option<Entry> {
    match &row.kind {
        learned::Kind::Pattern(boundary) => {
            Some(Entry { text: row.text.clone(), boundary: number(boundary) })
        }
        learned::Kind::Shape | learned::Kind::Group => None,
    }
}

fn number(boundary: &str) -> u8 {
    Boundary::from_name(boundary).unwrap_or_else(|| panic!("unknown boundary {boundary}")) as u8
}

/// Every table by name.
fn files(tables: &Tables, hand: &[[u8; 4]], learned: &learned::Learned) -> Vec<(&'static str, Vec<u8>)> {
    let rows = learned.rows.iter().flat_map(|r| &r.numbers).map(|n| n.cast_unsigned()).collect();
    let weights = learned.weights.iter().flat_map(|w| w.to_le_bytes()).collect();
    let calibration = learned.calibration.iter().flat_map(|c| c.to_le_bytes()).collect();
    vec![
        ("CLASSES", tables.classes.clone()),
        ("SLOTS", tables.slots.concat()),
        ("RANKS", tables.ranks.concat()),
        ("HEADS", tables.heads.concat()),
        ("LINKS", tables.links.concat()),
        ("LENGTHS", tables.lengths.clone()),
        ("HAND", hand.concat()),
        ("ROWS", rows),
        ("WEIGHTS", weights),
        ("CALIBRATION", calibration),
    ]
}

/// Writes every table as a file, and the source that embeds them.
fn write(out: &Path, files: &[(&str, Vec<u8>)], learned: usize) -> std::io::Result<()> {
    let mut source = String::new();
    let mut hash = Sha256::new();
    for (name, bytes) in files {
        let path = out.join(format!("{name}.bin"));
        fs::write(&path, bytes)?;
        hash.update(name);
        hash.update(bytes);
        let length = bytes.len();
        let _ = writeln!(source, "static {name}: Aligned<{length}> = Aligned(*include_bytes!({path:?}));");
    }
    let digest = hash.finalize();
    let version: String = digest.iter().take(6).map(|b| format!("{b:02x}")).collect();
    let _ = writeln!(source, "const LEARNED: u32 = {learned};");
    let _ = writeln!(source, "/// Hash of all tables.\npub const VERSION: &str = \"{version}\";");
    fs::write(out.join("tables.rs"), source)
}
