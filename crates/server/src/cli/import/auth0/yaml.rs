//! YAML (1.2, core schema) as JSON, so that one kind of value is checked. Bounded, since what comes in is a stranger's
//! file: no depth without end, and no alias that unfolds into gigabytes.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// How deep lists and objects may be nested.
const MAX_DEPTH: usize = 32;
/// Values in all, those that aliases repeat among them.
const MAX_VALUES: usize = 1_000_000;
/// Bytes of a text that count as one value more.
const BYTES_OF_A_VALUE: usize = 256;

/// Reads the one document of `text`. An error says where.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut reader = Reader {
        anchors: HashMap::new(),
        values_left: MAX_VALUES,
    };
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let at = |why: &str| format!("{why} (line {})", span.start.line());
        let done = match event {
            Event::SequenceStart(anchor, _) => {
                open.push(Open::List(Vec::new(), anchor));
                None
            }
            Event::MappingStart(anchor, _) => {
                open.push(Open::Object(Map::new(), None, anchor));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items, anchor)) => Some((Value::Array(items), anchor)),
                Some(Open::Object(members, _, anchor)) => Some((Value::Object(members), anchor)),
                None => return Err(at("a list or an object ends that never began")),
            },
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain && tag.is_none();
                let value = match is_plain {
                    true => plain(&text),
                    false => Value::String(text.into_owned()),
                };
                Some((value, anchor))
            }
            Event::Alias(anchor) => {
                let known = reader.anchors.get(&anchor).cloned();
                Some((known.ok_or_else(|| at("an alias comes before its anchor"))?, 0))
            }
            Event::DocumentStart(_) if root.is_some() => return Err(at("there is more than one document")),
            Event::DocumentStart(_) | Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {
                None
            }
        };
        if open.len() > MAX_DEPTH {
            return Err(at("it is nested too deeply"));
        }
        let Some((value, anchor)) = done else { continue };
        reader.take(&value, anchor).map_err(&at)?;
        match open.last_mut() {
            None => root = Some(value),
            Some(Open::List(items, _)) => items.push(value),
            Some(Open::Object(members, name, _)) => match (name.take(), value) {
                (Some(name), value) => {
                    if members.insert(name, value).is_some() {
                        return Err(at("a name stands twice in one object"));
                    }
                }
                (None, Value::String(text)) => *name = Some(text),
                (None, Value::Array(_) | Value::Object(_)) => return Err(at("a name is a text")),
                (None, other) => *name = Some(other.to_string()),
            },
        }
    }
    Ok(root.unwrap_or(Value::Null))
}

/// A list or an object whose end was not read yet, with its anchor.
enum Open {
    List(Vec<Value>, usize),
    /// And the name that waits for its value.
    Object(Map<String, Value>, Option<String>, usize),
}

struct Reader {
    anchors: HashMap<usize, Value>,
    values_left: usize,
}

impl Reader {
    /// Counts a value, and keeps it for aliases if it has an anchor.
    fn take(&mut self, value: &Value, anchor: usize) -> Result<(), &'static str> {
        // What a list holds was counted when it came; what an alias repeats comes as a whole.
        let size = count(value);
        self.values_left = self.values_left.checked_sub(size).ok_or("it holds too many values")?;
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(())
    }
}

/// How many values it is; a long text counts for several, since an alias repeats all of it.
fn count(value: &Value) -> usize {
    let of_text = |text: &str| text.len() / BYTES_OF_A_VALUE;
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(members) => {
            let of_members = members.iter().map(|(name, value)| of_text(name) + count(value));
            1 + of_members.sum::<usize>()
        }
        Value::String(text) => 1 + of_text(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}

/// A scalar without quotes, by the core schema (YAML 1.2.2 §10.3.2).
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let radix = |prefix: &str, radix: u32| {
        let digits = text.strip_prefix(prefix)?;
        i64::from_str_radix(digits, radix).ok()
    };
    let is_number = text
        .strip_prefix(['-', '+'])
        .unwrap_or(text)
        .starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let integer = text.parse().ok().or_else(|| radix("0x", 16)).or_else(|| radix("0o", 8));
    let number = match integer {
        Some(integer) => Some(Number::from(integer)),
        None => text.parse::<f64>().ok().and_then(Number::from_f64),
    };
    match number.filter(|_| is_number) {
        Some(number) => Value::Number(number),
        None => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_is_read_as_the_deploy_cli_writes_it() {
        let text = "clients:\n  - name: 'My \"app\"'\n    app_type: spa\n    callbacks: []\n    on: true\n    none:\n\
                    \x20   lifetime: 36000\n    version: \"22\"\n    ratio: -1.5\n    octal: 0o17\n    date: 2020-01-01\n\
                    \x20   html: |\n      <p>\n        a: b\n    folded: >-\n      one\n      two\ntenant: {}\n";
        let wanted = json!({
            "clients": [{
                "name": "My \"app\"", "app_type": "spa", "callbacks": [], "on": true, "none": null, "lifetime": 36000,
                "version": "22", "ratio": -1.5, "octal": 15, "date": "2020-01-01", "html": "<p>\n  a: b\n",
                "folded": "one two",
            }],
            "tenant": {},
        });
        assert_eq!(read(text).unwrap(), wanted);
        assert_eq!(
            read("a: &x [1, 2]\nb: *x\n").unwrap(),
            json!({"a": [1, 2], "b": [1, 2]})
        );
        assert_eq!(read("").unwrap(), Value::Null);
    }

    #[test]
    fn a_hostile_file_is_refused_before_it_takes_memory() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let before = level - 1;
            bomb.push_str(&format!(
                "a{level}: &a{level} [{}]\n",
                vec![format!("*a{before}"); 10].join(", ")
            ));
        }
        assert!(read(&bomb).unwrap_err().contains("too many"));
        // A text of a megabyte, repeated: few values, and a gigabyte.
        let text = "x".repeat(1024 * 1024);
        let texts = format!("- &a {text}\n{}", "- *a\n".repeat(1000));
        assert!(read(&texts).unwrap_err().contains("too many"));
        assert!(read(&"[".repeat(1000)).is_err());
        assert!(read("a: 1\na: 2\n").unwrap_err().contains("twice"));
        assert!(read("--- 1\n--- 2\n").unwrap_err().contains("more than one"));
        assert!(read("a: *x\n").is_err());
        assert!(read("[1, 2}").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[a-c&*\\[\\]{}:,'\"|>\\- \\n#!%]{0,60}") {
            let _ = read(&text);
        }
    }
}
