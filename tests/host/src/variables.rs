//! Application variables, and the templates that pass them on to components and host lists.
//!
//! The order is Spin's: a value given at start (`--variable`), then the environment
//! (`SPIN_VARIABLE_NAME`), then the manifest's default. A component sees only what its own
//! `[component.X.variables]` names.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::manifest::{Manifest, Variable};

pub(crate) mod guest;
mod template;

pub use template::{Template, TemplateError};

/// Why a variable has no value; the cases of `spin:variables/variables.error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableError {
    /// The name breaks the rules for names.
    InvalidName(String),
    /// The component's manifest names no such variable.
    Undefined(String),
    /// No provider has a value for a required variable.
    Provider(String),
}

/// Resolves variables for all components of an application.
#[derive(Clone, Debug)]
pub struct Variables {
    application: BTreeMap<String, Variable>,
    components: BTreeMap<String, BTreeMap<String, Template>>,
    given: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
}

impl Variables {
    /// Takes the manifest's variables, the values `given` at start, and those of the `environment`
    /// (by variable name, as [`from_environment`] finds them).
    ///
    /// # Errors
    /// A bad name, a template that names an unknown variable, or a required variable without a value.
    pub fn new(
        manifest: &Manifest,
        given: BTreeMap<String, String>,
        environment: BTreeMap<String, String>,
    ) -> Result<Self> {
        for name in manifest.variables.keys() {
            check_name(name).map_err(anyhow::Error::msg)?;
        }
        let mut components = BTreeMap::new();
        for (id, component) in &manifest.components {
            let mut templates = BTreeMap::new();
            for (name, text) in &component.variables {
                check_name(name).map_err(anyhow::Error::msg)?;
                let template = Template::parse(text)?;
                for used in template.names() {
                    ensure!(
                        manifest.variables.contains_key(used),
                        "component `{id}`: variable `{name}` uses unknown variable `{used}`"
                    );
                }
                templates.insert(name.clone(), template);
            }
            components.insert(id.clone(), templates);
        }
        let application = manifest.variables.clone();
        let variables = Self { application, components, given, environment };
        variables.check_required()?;
        Ok(variables)
    }

    fn check_required(&self) -> Result<()> {
        let missing: Vec<&str> = self
            .application
            .keys()
            .filter(|name| self.application_value(name).is_err())
            .map(String::as_str)
            .collect();
        ensure!(missing.is_empty(), "no provider resolved required variable(s): {}", missing.join(", "));
        Ok(())
    }

    /// The value that `component` sees under `name`.
    ///
    /// # Errors
    /// The name is bad, or the component has no such variable.
    pub fn get(&self, component: &str, name: &str) -> Result<String, VariableError> {
        check_name(name).map_err(VariableError::InvalidName)?;
        let template = self
            .components
            .get(component)
            .and_then(|templates| templates.get(name))
            .ok_or_else(|| VariableError::Undefined(format!("no variable for {component:?}.{name:?}")))?;
        self.resolve(template)
    }

    /// Fills in a template with application variables.
    ///
    /// # Errors
    /// It names an unknown variable, or one without a value.
    pub fn resolve(&self, template: &Template) -> Result<String, VariableError> {
        template.fill(|name| self.application_value(name))
    }

    fn application_value(&self, name: &str) -> Result<String, VariableError> {
        let variable =
            self.application.get(name).ok_or_else(|| VariableError::InvalidName(name.to_owned()))?;
        self.given
            .get(name)
            .or_else(|| self.environment.get(name))
            .or(variable.default.as_ref())
            .cloned()
            .ok_or_else(|| {
                VariableError::Provider(format!("no provider resolved required variable {name:?}"))
            })
    }
}

/// The process environment's `SPIN_VARIABLE_*`, by variable name.
#[must_use]
pub fn from_environment() -> BTreeMap<String, String> {
    std::env::vars()
        .filter_map(|(key, value)| {
            let name = key.strip_prefix("SPIN_VARIABLE_")?.to_ascii_lowercase();
            Some((name, value))
        })
        .collect()
}

/// Names are lower-case letters, digits and single underscores, from a letter to a letter or digit.
fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let reason = if name.is_empty() {
        "must not be empty"
    } else if !name.chars().all(allowed) {
        "may contain only lower-case letters, numbers and underscores"
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must start with a lower-case letter"
    } else if name.ends_with('_') {
        "must end with a lower-case letter or digit"
    } else if name.contains("__") {
        "must not contain multiple consecutive underscores"
    } else {
        return Ok(());
    };
    Err(format!("{name:?}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const MANIFEST: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "t"
        [variables]
        host = { default = "localhost" }
        port = { required = true }
        [component.web]
        source = "web.wasm"
        [component.web.variables]
        url = "http://{{ host }}:{{port}}/"
    "#;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn variables(given: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Variables> {
        let manifest = Manifest::parse(MANIFEST, Path::new("."))?;
        Variables::new(&manifest, map(given), map(environment))
    }

    #[test]
    fn what_is_given_wins_over_the_environment_and_that_over_the_default() {
        let url = |given: &[_], environment: &[_]| {
            variables(given, environment).unwrap().get("web", "url").unwrap()
        };
        assert_eq!(url(&[("port", "1")], &[]), "http://localhost:1/");
        assert_eq!(url(&[], &[("port", "2"), ("host", "h")]), "http://h:2/");
        assert_eq!(url(&[("port", "3")], &[("port", "2")]), "http://localhost:3/");
    }

    #[test]
    fn a_required_variable_without_a_value_is_named_at_start() {
        let error = variables(&[], &[]).unwrap_err().to_string();
        assert!(error.ends_with("required variable(s): port"), "{error}");
    }

    #[test]
    fn a_component_sees_only_its_own_names() {
        let variables = variables(&[("port", "1")], &[]).unwrap();
        assert!(matches!(variables.get("web", "host"), Err(VariableError::Undefined(_))));
        assert!(matches!(variables.get("other", "url"), Err(VariableError::Undefined(_))));
        assert!(matches!(variables.get("web", "Url"), Err(VariableError::InvalidName(_))));
    }

    #[test]
    fn names_follow_the_rules() {
        for good in ["a", "a1", "a_b", "key1"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "1a", "a__b", "a_", "A", "a-b", "_a"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
