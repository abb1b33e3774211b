//! Three places list the variables: the table in the code, `spin.toml`, and the documentation. They
//! say the same.

use std::collections::BTreeSet;

use super::{TABLE, Variable, flags};

const MANIFEST: &str = include_str!("../../spin.toml");
const PAGE: &str = include_str!("../../docs/configuration.md");

/// The lines of `[section]` in the manifest that say something.
fn section(name: &str) -> Vec<&'static str> {
    let header = format!("[{name}]");
    let body = MANIFEST.lines().skip_while(|line| *line != header).skip(1);
    body.take_while(|line| !line.starts_with('['))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// A variable as the manifest declares it: one line, `name = { default = "…", secret = true }`, the
/// default in either kind of quotes and without escapes.
fn declared(line: &'static str) -> (&'static str, &'static str, bool) {
    let (name, table) = line.split_once(" = { default = ").unwrap_or_else(|| panic!("{line}"));
    let quote = table.chars().next().unwrap();
    let (default, rest) = table[1..].split_once(quote).unwrap_or_else(|| panic!("{line}"));
    assert!(quote == '\'' || !default.contains('\\'), "an escape: {line}");
    match rest.trim() {
        "}" => (name, default, false),
        ", secret = true }" => (name, default, true),
        other => panic!("{name}: {other}"),
    }
}

/// The rows of the table in the section `heading` of the page, by their cells.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let body = PAGE.lines().skip_while(|line| *line != heading).skip(1);
    body.take_while(|line| !line.starts_with('#'))
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

/// How the page writes a default.
fn shown(variable: &Variable) -> String {
    match variable {
        Variable { name: "jwt_keys", .. } => "the published development key".to_owned(),
        Variable { default: "", .. } => "–".to_owned(),
        Variable { default, .. } => format!("`{default}`"),
    }
}

#[test]
fn the_manifest_declares_every_variable_with_the_codes_default() {
    let declared: BTreeSet<_> = section("variables").into_iter().map(declared).collect();
    let expected: BTreeSet<_> = TABLE.iter().map(|v| (v.name, v.default, v.secret)).collect();
    assert_eq!(declared, expected);
}

#[test]
fn the_manifest_passes_every_variable_to_the_component_under_its_own_name() {
    let passed: BTreeSet<String> =
        section("component.triage.variables").into_iter().map(str::to_owned).collect();
    let expected: BTreeSet<String> =
        TABLE.iter().map(|v| format!("{0} = \"{{{{ {0} }}}}\"", v.name)).collect();
    assert_eq!(passed, expected);
}

#[test]
fn the_page_documents_every_variable_with_its_default() {
    let rows = rows("## Variables");
    let documented: BTreeSet<(String, String, bool)> = rows
        .iter()
        .map(|row| {
            assert_eq!(row.len(), 4, "{row:?}");
            assert!(row[3].ends_with('.'), "a meaning: {row:?}");
            assert!(["yes", "no"].contains(&row[2]), "{row:?}");
            (row[0].trim_matches('`').to_owned(), row[1].to_owned(), row[2] == "yes")
        })
        .collect();
    assert_eq!(documented.len(), rows.len(), "no row twice");
    let expected: BTreeSet<_> = TABLE.iter().map(|v| (v.name.to_owned(), shown(v), v.secret)).collect();
    assert_eq!(documented, expected);
}

#[test]
fn the_page_documents_every_flag_with_its_default() {
    let rows = rows("## Flags");
    let documented: Vec<(&str, bool)> = rows
        .iter()
        .map(|row| {
            assert_eq!(row.len(), 3, "{row:?}");
            assert!(!row[2].is_empty() && ["on", "off"].contains(&row[1]), "{row:?}");
            (row[0].trim_matches('`'), row[1] == "on")
        })
        .collect();
    let expected: Vec<(&str, bool)> = flags::ALL.iter().map(|(_, name, default)| (*name, *default)).collect();
    assert_eq!(documented, expected);
}

#[test]
fn the_page_tells_how_to_set_them() {
    for way in ["SPIN_VARIABLE_", "--variable", "secretKeyRef"] {
        assert!(PAGE.contains(way), "{way}");
    }
}
