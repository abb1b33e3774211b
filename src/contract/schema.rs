//! A cursor over a JSON value that notes every fault as `field.path: message`.
//!
//! Faults name fields and rules, never values: a value may be a student's question. Unknown member
//! names are the caller's, so they are redacted, shortened and stripped to harmless characters.

use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::privacy;

/// Where faults are gathered.
#[derive(Debug, Default)]
pub struct FaultList(RefCell<Vec<String>>);

/// More faults than this are not worth telling.
const MOST_FAULTS: usize = 50;

impl FaultList {
    /// Notes that the field at `path` breaks a rule.
    pub fn add(&self, path: &str, message: &str) {
        let mut faults = self.0.borrow_mut();
        if faults.len() < MOST_FAULTS {
            faults.push(format!("{path}: {message}"));
        }
    }

    /// The faults found, in the order of the checks.
    pub fn into_inner(self) -> Vec<String> {
        self.0.into_inner()
    }
}

/// An object at a path, whose members are taken one by one.
pub struct Object<'a> {
    path: String,
    members: &'a Map<String, Value>,
    faults: &'a FaultList,
}

impl<'a> Object<'a> {
    /// `value` as an object; a fault when it is not. Members outside `known` are faults.
    pub fn open(value: &'a Value, path: &str, known: &[&str], faults: &'a FaultList) -> Option<Self> {
        let Value::Object(members) = value else {
            faults.add(if path.is_empty() { "body" } else { path }, "must be an object");
            return None;
        };
        let object = Self { path: path.to_owned(), members, faults };
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            faults.add(&object.at(&harmless(name)), "unknown field");
        }
        Some(object)
    }

    /// The path of member `name`.
    pub fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Notes a fault of member `name`.
    pub fn fault(&self, name: &str, message: &str) {
        self.faults.add(&self.at(name), message);
    }

    /// The member, if it is there and not null.
    pub fn optional(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// The member; a fault when it is missing or null.
    pub fn required(&self, name: &str) -> Option<&'a Value> {
        match self.members.get(name) {
            None => self.fault(name, "is required"),
            Some(Value::Null) => self.fault(name, "must not be null"),
            Some(value) => return Some(value),
        }
        None
    }

    /// `value` as text; a fault when it is not.
    pub fn text(&self, name: &str, value: &'a Value) -> Option<&'a str> {
        let text = value.as_str();
        if text.is_none() {
            self.fault(name, "must be a string");
        }
        text
    }

    /// Optional number from 0 to 1.
    pub fn share(&self, name: &str) -> Option<f64> {
        let value = self.optional(name)?;
        let share = value.as_f64().filter(|number| (0.0..=1.0).contains(number));
        if share.is_none() {
            self.fault(name, "must be a number from 0 to 1");
        }
        share
    }
}

/// A caller's member name, fit for an error message.
fn harmless(name: &str) -> String {
    let redacted = privacy::redact(name);
    // A field's name has a digit or two; what has many may be a number of somebody's.
    let numbered = redacted.chars().filter(char::is_ascii_digit).count() > 4;
    let fits = |c: char| if numbered { c.is_ascii_alphabetic() } else { c.is_ascii_alphanumeric() };
    redacted.chars().take(40).map(|c| if fits(c) || "_-".contains(c) { c } else { '?' }).collect()
}
