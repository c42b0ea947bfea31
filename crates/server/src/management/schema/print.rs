//! A kind as JSON Schema (draft 2020-12, which OpenAPI 3.1 uses).

use serde_json::{Map, Value, json};

use super::{Body, Format, Kind, Property, Shape};

impl Body {
    /// The body's schema; `None` if there is none to send.
    pub fn schema(&self) -> Option<Value> {
        match self {
            Self::None => None,
            Self::Create(shape) | Self::Upload(shape) => Some(shape.schema(false)),
            Self::Change(shape) => Some(shape.schema(true)),
            Self::List(kind) => Some(kind.schema()),
        }
    }
}

impl Shape {
    fn schema(&self, is_change: bool) -> Value {
        let kept = self
            .properties
            .iter()
            .filter(|property| !(is_change && property.is_fixed));
        let mut schema = object_schema(kept, self.is_open, !is_change);
        for name in self.read_only {
            // Named so that generated clients do not send it.
            schema["properties"][name] = json!({ "readOnly": true, "not": {} });
        }
        schema
    }
}

impl Kind {
    /// Its schema.
    pub fn schema(&self) -> Value {
        match self {
            Self::Text { min, max, format } => {
                let mut schema = json!({ "type": "string", "minLength": min, "maxLength": max });
                match format {
                    Format::Any => {}
                    Format::ClientId => schema["pattern"] = json!("^[A-Za-z0-9_-]{1,64}$"),
                    Format::Name => schema["pattern"] = json!("^[^<>]*[^<>\\s][^<>]*$"),
                    Format::DateTime => schema["format"] = json!("date-time"),
                    Format::Url => schema["pattern"] = json!("^$|^[A-Za-z][A-Za-z0-9+.-]*:[^\\s<>\"]+$"),
                    Format::SecureUrl => schema["pattern"] = json!("^$|^https://[^\\s<>\"]+$"),
                    Format::Email => schema["pattern"] = json!("^$|^\\S+@[^@\\s]+$"),
                }
                schema
            }
            Self::Word(words) => json!({ "type": "string", "enum": words }),
            Self::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Self::Number => json!({ "type": "number", "minimum": 0 }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::List { of, min, max, is_set } => {
                json!({ "type": "array", "items": of.schema(), "minItems": min, "maxItems": max, "uniqueItems": is_set })
            }
            Self::Object(properties) => object_schema(properties.iter(), false, true),
            Self::Open(properties) => object_schema(properties.iter(), true, true),
            Self::Texts { max, max_chars } => json!({
                "type": "object", "maxProperties": max, "propertyNames": { "maxLength": max_chars },
                "additionalProperties": { "type": ["string", "null"], "maxLength": max_chars },
            }),
            Self::Anything => json!({}),
        }
    }
}

fn object_schema<'a>(properties: impl Iterator<Item = &'a Property>, is_open: bool, wants_all: bool) -> Value {
    let mut members = Map::new();
    let mut required = Vec::new();
    for property in properties {
        let mut schema = property.kind.schema();
        if property.is_required {
            required.push(property.name);
        } else if let Some(kind) = schema.get("type").cloned() {
            schema["type"] = json!([kind, "null"]);
            if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                words.push(Value::Null);
            }
        }
        if !property.note.is_empty() {
            schema["description"] = json!(property.note);
        }
        members.insert(property.name.into(), schema);
    }
    let mut schema = json!({ "type": "object", "properties": members, "additionalProperties": is_open });
    if wants_all && !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}
