//! Reads `spin.toml` (manifest version 2) into what this host needs of it.
//!
//! A key that Spin knows and this host cannot honour is an error that names the key and the
//! component: silently ignoring it would let a test pass that fails under Spin. Keys without any
//! effect at run time (`description`, `build`, `tool`, …) are accepted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

mod schema;

/// An application as its manifest describes it.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// `[application] name`.
    pub name: String,
    /// `[variables]`, by name.
    pub variables: BTreeMap<String, Variable>,
    /// `[[trigger.http]]`, in the order of the file.
    pub triggers: Vec<HttpTrigger>,
    /// `[component.X]`, by id.
    pub components: BTreeMap<String, Component>,
    /// Directory of the manifest; relative paths in it start here.
    pub root: PathBuf,
}

/// An application variable; without a default it is required.
#[derive(Clone, Debug, Default)]
pub struct Variable {
    /// The value when no provider has one.
    pub default: Option<String>,
    /// Not to be shown.
    pub secret: bool,
}

/// Where a component can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A pattern such as `/`, `/api/:id` or `/...`.
    Path(String),
    /// `{ private = true }`: only through `http://NAME.spin.internal`.
    Private,
}

/// One `[[trigger.http]]`.
#[derive(Clone, Debug)]
pub struct HttpTrigger {
    /// The route.
    pub route: Route,
    /// Id of the component that answers.
    pub component: String,
}

/// One `[component.X]`.
#[derive(Clone, Debug)]
pub struct Component {
    /// Path of the `.wasm`, absolute or relative to the working directory.
    pub source: PathBuf,
    /// Templates of the component's own variables, by name.
    pub variables: BTreeMap<String, String>,
    /// Environment variables of the guest.
    pub environment: BTreeMap<String, String>,
    /// Entries of `allowed_outbound_hosts`, templates unresolved.
    pub allowed_outbound_hosts: Vec<String>,
    /// Labels of the key-value stores it may open.
    pub key_value_stores: Vec<String>,
}

impl Manifest {
    /// Reads and checks the manifest at `path`.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, or holds a key or value that this host cannot honour.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read manifest {}", path.display()))?;
        let root = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Self::parse(&text, &root).with_context(|| format!("in manifest {}", path.display()))
    }

    /// Checks the manifest `text`, whose relative paths start at `root`.
    ///
    /// # Errors
    /// As [`Manifest::read`].
    pub fn parse(text: &str, root: &Path) -> Result<Self> {
        let file: schema::App = toml::from_str(text)?;
        ensure!(file.spin_manifest_version == 2, "spin_manifest_version must be 2");
        let mut components = BTreeMap::new();
        for (id, table) in file.component {
            let component = component(table, root).with_context(|| format!("in component `{id}`"))?;
            components.insert(id, component);
        }
        let manifest = Self {
            name: file.application.name,
            variables: variables(file.variables)?,
            triggers: triggers(file.trigger)?,
            components,
            root: root.to_owned(),
        };
        manifest.check_references()?;
        Ok(manifest)
    }

    fn check_references(&self) -> Result<()> {
        for trigger in &self.triggers {
            ensure!(
                self.components.contains_key(&trigger.component),
                "a trigger names component `{}`, which is not defined",
                trigger.component
            );
        }
        Ok(())
    }
}

fn variables(tables: BTreeMap<String, schema::Variable>) -> Result<BTreeMap<String, Variable>> {
    tables
        .into_iter()
        .map(|(name, variable)| {
            ensure!(
                variable.required != variable.default.is_some(),
                "variable `{name}` must be `required` or have a `default`"
            );
            let schema::Variable { default, secret, .. } = variable;
            Ok((name, Variable { default, secret }))
        })
        .collect()
}

fn triggers(tables: BTreeMap<String, Vec<toml::Table>>) -> Result<Vec<HttpTrigger>> {
    let mut triggers = Vec::new();
    for (kind, list) in tables {
        ensure!(kind == "http", "trigger type `{kind}` is not supported by this host");
        for (index, table) in list.into_iter().enumerate() {
            let at = || format!("in [[trigger.http]] number {}", index + 1);
            triggers.push(trigger(table).with_context(at)?);
        }
    }
    Ok(triggers)
}

fn trigger(table: toml::Table) -> Result<HttpTrigger> {
    let trigger: schema::HttpTrigger = table.try_into()?;
    if let Some(executor) = trigger.executor {
        ensure!(executor.kind == "http", "executor `{}` is not supported by this host", executor.kind);
    }
    let route = match trigger.route {
        schema::Route::Path(path) => Route::Path(path),
        schema::Route::Private { private: true } => Route::Private,
        schema::Route::Private { private: false } => {
            bail!("route must be a string pattern or `{{ private = true }}`")
        }
    };
    Ok(HttpTrigger { route, component: trigger.component })
}

fn component(table: toml::Table, root: &Path) -> Result<Component> {
    let component: schema::Component = table.try_into()?;
    for (key, value) in &component.unsupported {
        let empty = match value {
            toml::Value::Array(list) => list.is_empty(),
            toml::Value::Table(map) => map.is_empty(),
            _ => false,
        };
        ensure!(empty, "key `{key}` is not supported by this host");
    }
    let schema::Source::File(source) = component.source else {
        bail!("only a local file is supported as `source` by this host");
    };
    Ok(Component {
        source: root.join(source),
        variables: component.variables,
        environment: component.environment,
        allowed_outbound_hosts: component.allowed_outbound_hosts,
        key_value_stores: component.key_value_stores,
    })
}

#[cfg(test)]
mod tests;
