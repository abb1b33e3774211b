//! Compiles the patterns into tables that the component reads in place.
//!
//! Phrases and, where present, the learned weights become one automaton and one weight table in
//! `OUT_DIR`; a short source file there embeds them. Without the learned file the component
//! builds on the phrases alone, so that training can start from nothing.

use sha2::{Digest, Sha256};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "src/intent/boundary.rs"]
#[allow(
    dead_code,
    reason = "the build script names boundaries, it checks none"
)]
mod boundary;
#[path = "patterns/compile/double_array.rs"]
mod double_array;
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
        "src/intent/normalize.rs",
        "src/intent/boundary.rs",
    ] {
        println!("cargo::rerun-if-changed={path}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let phrases = phrases::read(Path::new("patterns/intents")).unwrap_or_else(|e| panic!("{e}"));
    let entries: Vec<Entry> = phrases.iter().map(entry).collect();
    let tables = double_array::build(&entries);
    let hand: Vec<[u8; 4]> = phrases.iter().map(hand_row).collect();
    write(&out, &tables, &hand).expect("OUT_DIR is writable");
}

fn entry(phrase: &phrases::Phrase) -> Entry {
    let boundary = Boundary::from_name(&phrase.boundary)
        .unwrap_or_else(|| panic!("{}: unknown boundary {}", phrase.group, phrase.boundary));
    Entry {
        text: normalize::normalize(&phrase.text),
        boundary: boundary as u8,
    }
}

/// Label, a spare byte, and the weight in hundredths.
fn hand_row(phrase: &phrases::Phrase) -> [u8; 4] {
    let [low, high] = phrase.weight.to_le_bytes();
    [phrase.label, 0, low, high]
}

/// Writes every table as a file, and the source that embeds them.
fn write(out: &Path, tables: &Tables, hand: &[[u8; 4]]) -> std::io::Result<()> {
    let files: [(&str, Vec<u8>); 7] = [
        ("CLASSES", tables.classes.clone()),
        ("SLOTS", tables.slots.concat()),
        ("RANKS", tables.ranks.concat()),
        ("HEADS", tables.heads.concat()),
        ("LINKS", tables.links.concat()),
        ("LENGTHS", tables.lengths.clone()),
        ("HAND", hand.concat()),
    ];
    let mut source = String::new();
    let mut hash = Sha256::new();
    for (name, bytes) in files {
        let path = out.join(format!("{name}.bin"));
        fs::write(&path, &bytes)?;
        hash.update(name);
        hash.update(&bytes);
        let _ = writeln!(
            source,
            "static {name}: Aligned<{}> = Aligned(*include_bytes!({:?}));",
            bytes.len(),
            path
        );
    }
    let digest = hash.finalize();
    let version: String = digest.iter().take(6).map(|b| format!("{b:02x}")).collect();
    let _ = writeln!(
        source,
        "/// Hash of all tables.\npub const VERSION: &str = \"{version}\";"
    );
    fs::write(out.join("tables.rs"), source)
}
