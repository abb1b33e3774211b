//! Text with `{{ name }}` in it.

use std::fmt;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

/// `{{` without `}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError;

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unmatched '{{' in template")
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// Splits `text` into its parts.
    ///
    /// # Errors
    /// A brace pair is not closed.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or(TemplateError)?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Name(name.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The names it uses.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Whether it uses no name.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.names().next().is_none()
    }

    /// Puts in the values that `value` finds.
    ///
    /// # Errors
    /// The first error of `value`.
    pub fn fill<E>(&self, mut value: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Ok(text.clone()),
                Part::Name(name) => value(name),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_text_is_kept() {
        for (text, filled) in
            [("", ""), ("a", "a"), ("a-{{ x }}-b", "a-<x>-b"), ("{{x}}{{ y }}", "<x><y>"), ("}} {", "}} {")]
        {
            let template = Template::parse(text).unwrap();
            let got: Result<_, TemplateError> = template.fill(|name| Ok(format!("<{name}>")));
            assert_eq!(got.unwrap(), filled, "{text}");
        }
    }

    #[test]
    fn an_open_brace_pair_is_an_error() {
        assert_eq!(Template::parse("{{ a }} {{ b"), Err(TemplateError));
    }
}
