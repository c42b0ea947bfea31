//! A JSON Schema in words: what a body or a parameter may hold.

use serde_json::Value;

use crate::console::words::schema;

/// The largest bound that is worth a word: more than that is only what fits a body.
const MAX_TOLD: u64 = 1_000_000;

/// A parameter, or a member of a body.
pub(super) struct Member {
    /// Its name; of a nested one `outer.inner`, of one in a list `outer[].inner`.
    pub(super) name: String,
    /// What it may hold.
    pub(super) kind: String,
    /// What it is; empty where nobody said.
    pub(super) note: String,
    /// Whether it must be there.
    pub(super) is_required: bool,
    /// `path` or `query`; empty in a body.
    pub(super) place: String,
}

impl Member {
    /// Whether it is a parameter of this place.
    pub(super) fn is_in(&self, place: &str) -> bool {
        self.place == place
    }

    fn of_body(name: &str, schema: &Value, is_required: bool) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind(schema),
            note: schema["description"].as_str().unwrap_or_default().to_owned(),
            is_required,
            place: String::new(),
        }
    }
}

/// A parameter of the document.
pub(super) fn parameter(entry: &Value) -> Option<Member> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    Some(Member {
        name: text("name")?.to_owned(),
        kind: kind(entry.get("schema")?),
        note: text("description").unwrap_or_default().to_owned(),
        is_required: entry.get("required") == Some(&Value::Bool(true)),
        place: text("in")?.to_owned(),
    })
}

/// Every member of a body, those that must be there first.
pub(super) fn members(schema: &Value) -> Vec<Member> {
    let mut found = Vec::new();
    if let Some(items) = schema.get("items") {
        match has_members(items) {
            true => collect("[].", items, &mut found),
            false => found.push(Member::of_body("[]", items, true)),
        }
        return found;
    }
    collect("", schema, &mut found);
    // Those inside stay below what they are in.
    let required: Vec<String> = found
        .iter()
        .filter(|member| member.is_required && head(&member.name) == member.name)
        .map(|member| member.name.clone())
        .collect();
    found.sort_by_key(|member| !required.iter().any(|name| name == head(&member.name)));
    found
}

/// What a schema allows.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        return match words.as_slice() {
            [one] => schema::only(one),
            words => schema::one_of(&words.join(", ")),
        };
    }
    match type_of(schema) {
        "string" if schema["format"] == "date-time" => schema::MOMENT.into(),
        "string" => match range(schema, "minLength", "maxLength") {
            Some(range) => schema::text_of(&range),
            None => schema::TEXT.into(),
        },
        "integer" => match range(schema, "minimum", "maximum") {
            Some(range) => schema::whole_number_of(&range),
            None => schema::WHOLE_NUMBER.into(),
        },
        "number" => schema::NUMBER.into(),
        "boolean" => schema::TRUE_OR_FALSE.into(),
        "array" => {
            let range = range(schema, "minItems", "maxItems");
            let list = range.map_or_else(|| schema::LIST.to_owned(), |range| schema::list_of(&range));
            match schema.get("items").map(kind).unwrap_or_default() {
                of if of.is_empty() || of == schema::ANYTHING => list,
                of => format!("{list}: {of}"),
            }
        }
        "object" if schema["additionalProperties"].is_object() => schema::TEXTS_BY_NAME.into(),
        "object" => schema::OBJECT.into(),
        _ => schema::ANYTHING.into(),
    }
}

/// How many or how long, where it is bounded by more than the size of a body.
fn range(schema: &Value, least: &str, most: &str) -> Option<String> {
    let number = |name: &str| schema.get(name).and_then(Value::as_u64);
    let most = number(most).filter(|most| *most <= MAX_TOLD)?;
    Some(match number(least).unwrap_or(0) {
        0 => schema::at_most(most),
        least if least == most => schema::exactly(most),
        least => schema::between(least, most),
    })
}

/// The type beside `null`, which every member may be that need not be there.
pub(super) fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(one)) => one,
        Some(Value::Array(several)) => several
            .iter()
            .filter_map(Value::as_str)
            .find(|one| *one != "null")
            .unwrap_or_default(),
        _ => "",
    }
}

/// Whether a member is ours to write.
pub(super) fn is_read_only(schema: &Value) -> bool {
    schema.get("readOnly") == Some(&Value::Bool(true))
}

fn collect(before: &str, schema: &Value, found: &mut Vec<Member>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    let required = schema.get("required").and_then(Value::as_array);
    for (name, property) in properties.iter().filter(|(_, property)| !is_read_only(property)) {
        let is_required = required.is_some_and(|all| all.iter().any(|one| one == name));
        found.push(Member::of_body(&format!("{before}{name}"), property, is_required));
        collect(&format!("{before}{name}."), property, found);
        if let Some(items) = property.get("items") {
            collect(&format!("{before}{name}[]."), items, found);
        }
    }
}

fn has_members(schema: &Value) -> bool {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .is_some_and(|members| !members.is_empty())
}

/// The outermost member of a name.
fn head(name: &str) -> &str {
    name.split(['.', '[']).next().unwrap_or_default()
}
