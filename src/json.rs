//! JSON from outside, read strictly: RFC 8259 with unique member names and a bound on depth.
//!
//! Two parsers that pick different values out of a repeated name are the start of many attacks
//! (RFC 8725 §2.4, RFC 8259 §4), so a repeated name is an error here, wherever it stands. So is a name that
//! `serde_json` keeps for itself: an object that begins with one is taken for another value, of any depth,
//! whenever the text is read again.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Objects and arrays inside each other.
pub const MAX_DEPTH: usize = 32;

/// Reads `bytes` as one JSON value. The message says what is wrong and where (line and column), and
/// never repeats the input.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict(MAX_DEPTH).deserialize(&mut reader).map_err(|e| describe(&e))?;
    reader.end().map_err(|e| describe(&e))?;
    Ok(value)
}

fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Eof => "ends too early",
        Category::Data if error.to_string().starts_with(REPEATED) => REPEATED,
        Category::Data if error.to_string().starts_with(TOO_DEEP) => TOO_DEEP,
        Category::Data if error.to_string().starts_with(RESERVED) => RESERVED,
        _ => "not JSON",
    };
    format!("{what} at line {} column {}", error.line(), error.column())
}

const REPEATED: &str = "member name stands twice";
const TOO_DEEP: &str = "nested too deep";
const RESERVED: &str = "member name is reserved";
/// How the names begin that `serde_json` gives a meaning of its own.
const PRIVATE: &str = "$serde_json::private::";

/// A value with so many levels left.
struct Strict(usize);

impl Strict {
    fn deeper<E: Error>(&self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom(TOO_DEEP))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.deeper()?)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(REPEATED));
            }
            if name.starts_with(PRIVATE) {
                return Err(A::Error::custom(RESERVED));
            }
            let value = map.next_value_seed(self.deeper()?)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ordinary_json_is_read_as_it_is() {
        let text = r#" {"a": [1, -2, 3.5, true, null, "ü\u00e9"], "b": {"c": {}}} "#;
        assert_eq!(
            parse(text.as_bytes()).unwrap(),
            json!({"a": [1, -2, 3.5, true, null, "üé"], "b": {"c": {}}})
        );
    }

    #[test]
    fn faults_are_told_without_the_input() {
        let deep = format!("{}{}", "[".repeat(MAX_DEPTH + 2), "]".repeat(MAX_DEPTH + 2));
        for (text, fault) in [
            (r#"{"a":1,"a":2}"#, REPEATED),
            (r#"{"x":{"a":1,"\u0061":2}}"#, REPEATED),
            (deep.as_str(), TOO_DEEP),
            (r#"{"a":{"$serde_json::private::RawValue":"[[1]]"}}"#, RESERVED),
            (r#"{"\u0024serde_json::private::Number":"1"}"#, RESERVED),
            ("{", "ends too early"),
            ("", "ends too early"),
            ("{} {}", "not JSON"),
            ("{'a':1}", "not JSON"),
            ("[1e999]", "not JSON"),
            ("[NaN]", "not JSON"),
            (r#""\ud800""#, "not JSON"),
            ("hunter2", "not JSON"),
        ] {
            let message = parse(text.as_bytes()).unwrap_err();
            assert!(message.starts_with(fault), "{text}: {message}");
            assert!(!message.contains("hunter2"));
        }
        assert_eq!(parse(&[0xff]).unwrap_err(), "not UTF-8");
    }

    #[test]
    fn a_hundred_thousand_brackets_do_not_overflow_the_stack() {
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
        assert!(parse(r#"{"a":"#.repeat(100_000).as_bytes()).is_err());
    }
}
