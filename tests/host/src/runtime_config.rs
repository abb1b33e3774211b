//! Reads `runtime-config.toml`: which back end keeps the store behind a label.
//!
//! As in Spin the label `default` exists without being named, as the SQLite file
//! `.spin/sqlite_key_value.db` beside the manifest, and a relative `path` starts at the directory
//! of the runtime configuration file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// Where Spin keeps the store `default` when nothing else is said, relative to the manifest.
pub const DEFAULT_STORE: &str = ".spin/sqlite_key_value.db";

/// The back end of one store label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreConfig {
    /// `type = "spin"` with `path`: an SQLite file.
    SqliteFile(PathBuf),
    /// `type = "spin"` without `path`: SQLite in memory.
    SqliteMemory,
    /// `type = "redis"` with `url`.
    Redis(String),
}

/// Store back ends by label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// What the file says; `default` may be missing.
    pub stores: BTreeMap<String, StoreConfig>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum StoreTable {
    Spin { path: Option<PathBuf> },
    Redis { url: String },
}

impl RuntimeConfig {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, or holds a key this host does not know.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read runtime config {}", path.display()))?;
        let base = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, base).with_context(|| format!("in runtime config {}", path.display()))
    }

    /// Reads `text`, whose relative paths start at `base`.
    ///
    /// # Errors
    /// As [`RuntimeConfig::read`].
    pub fn parse(text: &str, base: &Path) -> Result<Self> {
        let mut file: toml::Table = toml::from_str(text)?;
        let stores = file.remove("key_value_store").unwrap_or(toml::Value::Table(toml::Table::new()));
        let unknown: Vec<&str> = file.keys().map(String::as_str).collect();
        ensure!(
            unknown.is_empty(),
            "runtime config key(s) not supported by this host: {}",
            unknown.join(", ")
        );
        let tables: BTreeMap<String, toml::Value> = stores.try_into()?;
        let mut config = Self::default();
        for (label, table) in tables {
            let store: StoreTable = table
                .try_into()
                .with_context(|| format!("could not configure key-value store with label `{label}`"))?;
            config.stores.insert(label, store.into_config(base));
        }
        Ok(config)
    }
}

impl StoreTable {
    fn into_config(self, base: &Path) -> StoreConfig {
        match self {
            Self::Spin { path: Some(path) } => StoreConfig::SqliteFile(base.join(path)),
            Self::Spin { path: None } => StoreConfig::SqliteMemory,
            Self::Redis { url } => StoreConfig::Redis(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RuntimeConfig> {
        RuntimeConfig::parse(text, Path::new("base"))
    }

    #[test]
    fn each_store_type_is_read() {
        let config = parse(
            r#"
            [key_value_store.default]
            type = "spin"
            path = "data/kv.db"
            [key_value_store.scratch]
            type = "spin"
            [key_value_store.shared]
            type = "redis"
            url = "redis://localhost:6379/1"
            "#,
        )
        .unwrap();
        let get = |label: &str| config.stores.get(label).unwrap().clone();
        assert_eq!(get("default"), StoreConfig::SqliteFile("base/data/kv.db".into()));
        assert_eq!(get("scratch"), StoreConfig::SqliteMemory);
        assert_eq!(get("shared"), StoreConfig::Redis("redis://localhost:6379/1".into()));
    }

    #[test]
    fn unknown_keys_and_types_are_errors_that_name_them() {
        for (text, named) in [
            ("[llm_compute]\ntype = \"x\"", "llm_compute"),
            ("[key_value_store.a]\ntype = \"azure\"", "`a`"),
            ("[key_value_store.a]\ntype = \"spin\"\npaht = \"x\"", "paht"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(named), "{error}");
        }
    }
}
