//! JSON from outside, read strictly.
//!
//! An object that names a member twice means different things to different readers, so it is refused
//! here, at any depth (RFC 7515 §4 asks it of headers, RFC 7519 §4 of claims). Nesting is bounded by
//! `serde_json` at 128 levels. This is the one file of the stage that names serde: tokens and key sets
//! are JSON by definition, no configuration passes here.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
pub(crate) use serde_json::{Map, Value};

/// Why text is not the JSON object it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Not JSON.
    Malformed,
    /// A member is named twice.
    Duplicate,
    /// JSON, but no object.
    NotAnObject,
}

/// The members of the object in `bytes`.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Unreadable> {
    match serde_json::from_slice::<Strict>(bytes) {
        Ok(Strict(Value::Object(members))) => Ok(members),
        Ok(Strict(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_))) => {
            Err(Unreadable::NotAnObject)
        }
        Err(error) if error.to_string().starts_with(DUPLICATE) => Err(Unreadable::Duplicate),
        Err(_) => Err(Unreadable::Malformed),
    }
}

/// The text of member `name`.
pub(crate) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

const DUPLICATE: &str = "duplicate member";

/// A value in which no object names a member twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom(DUPLICATE));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read_strictly() {
        let rows: &[(&str, Option<Unreadable>, &str)] = &[
            (r#"{"a":1,"b":{"a":2}}"#, None, "one name at two depths is two members"),
            (r#"{"a":1,"a":1}"#, Some(Unreadable::Duplicate), "named twice, even with one value"),
            (r#"{"a":1,"\u0061":2}"#, Some(Unreadable::Duplicate), "an escape does not hide the name"),
            (r#"{"a":[{"b":1,"b":2}]}"#, Some(Unreadable::Duplicate), "at any depth"),
            ("[]", Some(Unreadable::NotAnObject), "an array"),
            ("null", Some(Unreadable::NotAnObject), "null"),
            (r#"{"a":1}x"#, Some(Unreadable::Malformed), "text after the end"),
            (r#"{"a":1e999}"#, Some(Unreadable::Malformed), "a number beyond range"),
            (r#"{"a":NaN}"#, Some(Unreadable::Malformed), "not a number"),
            ("", Some(Unreadable::Malformed), "nothing"),
        ];
        for (text, expected, shows) in rows {
            assert_eq!(object(text.as_bytes()).err(), *expected, "{shows}: {text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(object(deep.as_bytes()).err(), Some(Unreadable::Malformed), "bounded depth");
    }
}
