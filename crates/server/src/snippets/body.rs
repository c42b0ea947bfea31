//! The text of a body. JSON is written with printable ASCII alone, and without the characters that a language's
//! literal would have to escape: whatever a value holds, what is left to quote is harmless.

use std::fmt::Write as _;

use serde_json::Value;

use super::request::Body;

/// How a language takes JSON.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    /// Characters of values that are written as `\uXXXX`, besides those that always are.
    pub(super) escaped: &'static [char],
    /// The text is not quoted but is an object of JavaScript, where the name `__proto__` has a meaning of its own.
    pub(super) is_javascript: bool,
}

impl Body {
    /// The text to send; JSON with a line for each member.
    pub(super) fn text(&self, escaped: &'static [char]) -> String {
        let dialect = Dialect {
            escaped,
            is_javascript: false,
        };
        match self {
            Self::Json(members) => object(members, dialect, ""),
            Self::Form(pairs) => form(pairs),
        }
    }
}

/// A JSON object with a line for each member; lines after the first begin with `indent`.
pub(super) fn object(members: &[(String, Value)], dialect: Dialect, indent: &str) -> String {
    if members.is_empty() {
        return "{}".into();
    }
    let lines: Vec<String> = members
        .iter()
        .map(|(name, value)| {
            let mut line = format!("{indent}  ");
            member(&mut line, name, value, dialect);
            line
        })
        .collect();
    format!("{{\n{}\n{indent}}}", lines.join(",\n"))
}

/// A text as JSON.
pub(super) fn string(out: &mut String, text: &str, escaped: &[char]) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' if !escaped.contains(&c) => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

fn member(out: &mut String, name: &str, value: &Value, dialect: Dialect) {
    let is_prototype = dialect.is_javascript && name == "__proto__";
    if is_prototype {
        out.push('[');
    }
    string(out, name, dialect.escaped);
    if is_prototype {
        out.push(']');
    }
    out.push_str(": ");
    write_value(out, value, dialect);
}

fn write_value(out: &mut String, value: &Value, dialect: Dialect) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
        Value::String(text) => string(out, text, dialect.escaped),
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_value(out, value, dialect);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                member(out, name, value, dialect);
            }
            out.push('}');
        }
    }
}

fn form(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", form_encoded(name), form_encoded(value)))
        .collect();
    pairs.join("&")
}

fn form_encoded(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}
