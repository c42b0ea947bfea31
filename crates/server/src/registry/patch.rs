//! How a change of some properties meets those that are there: shallow, with `null` as delete (CONTRACT §4.1, §4.12).

use serde_json::{Map, Value};

/// Which properties are not simply replaced.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    /// Objects that keep what is not sent, at every depth (RFC 7396).
    pub(super) merged: &'static [&'static str],
    /// Metadata: keeps what is not sent, one level deep; `{}` clears it.
    pub(super) metadata: &'static [&'static str],
}

/// Applies `changes` to `properties`, a key at a time; what is not named stays.
pub(super) fn apply(properties: &mut Map<String, Value>, changes: Map<String, Value>, rules: Rules) {
    for (name, change) in changes {
        if change.is_null() {
            properties.remove(&name);
            continue;
        }
        let is_merged = rules.merged.contains(&name.as_str());
        let is_metadata = rules.metadata.contains(&name.as_str());
        match (properties.get_mut(&name), change) {
            (Some(old), Value::Object(change)) if is_merged => merge(old, change),
            (Some(Value::Object(old)), Value::Object(change)) if is_metadata => {
                if change.is_empty() {
                    old.clear();
                }
                apply(old, change, Rules::default());
            }
            (_, change) => {
                let change = if is_metadata || is_merged {
                    without_nulls(change)
                } else {
                    change
                };
                properties.insert(name, change);
            }
        }
    }
}

/// Removes what is as it is anyway, so that a change writes down no more than was said.
pub(super) fn forget_defaults(properties: &mut Map<String, Value>, defaults: &[(&str, Value)]) {
    properties.retain(|name, value| {
        !defaults
            .iter()
            .any(|(known, default)| known == name && default == value)
    });
}

/// RFC 7396 §2, for objects.
fn merge(old: &mut Value, change: Map<String, Value>) {
    let Value::Object(members) = old else {
        *old = without_nulls(Value::Object(change));
        return;
    };
    for (name, change) in change {
        match (members.get_mut(&name), change) {
            (_, Value::Null) => {
                members.remove(&name);
            }
            (Some(old), Value::Object(change)) => merge(old, change),
            (_, change) => {
                members.insert(name, without_nulls(change));
            }
        }
    }
}

/// What is new has nothing to delete.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn applied(before: Value, change: Value) -> Value {
        let rules = Rules {
            merged: &["jwt"],
            metadata: &["meta"],
        };
        let (Value::Object(mut before), Value::Object(change)) = (before, change) else {
            panic!("objects only");
        };
        apply(&mut before, change, rules);
        Value::Object(before)
    }

    #[test]
    fn a_key_is_replaced_whole_and_null_deletes_it() {
        let before = json!({"a": {"x": 1}, "b": 2, "c": 3});
        assert_eq!(
            applied(before, json!({"a": {"y": 2}, "b": null, "absent": null})),
            json!({"a": {"y": 2}, "c": 3})
        );
    }

    #[test]
    fn what_is_merged_keeps_what_was_not_sent_at_every_depth() {
        let before = json!({"jwt": {"alg": "RS256", "deep": {"x": 1, "y": 2}}});
        assert_eq!(
            applied(before, json!({"jwt": {"life": 5, "deep": {"x": null}}})),
            json!({"jwt": {"alg": "RS256", "life": 5, "deep": {"y": 2}}})
        );
        assert_eq!(
            applied(json!({}), json!({"jwt": {"a": null, "b": 1}})),
            json!({"jwt": {"b": 1}})
        );
    }

    #[test]
    fn metadata_merges_one_level_and_an_empty_object_clears_it() {
        let before = json!({"meta": {"a": {"x": 1}, "b": "2"}});
        assert_eq!(
            applied(before.clone(), json!({"meta": {"a": {"y": 1}, "b": null, "c": "3"}})),
            json!({"meta": {"a": {"y": 1}, "c": "3"}})
        );
        assert_eq!(applied(before, json!({"meta": {}})), json!({"meta": {}}));
        assert_eq!(applied(json!({}), json!({"meta": {"a": null}})), json!({"meta": {}}));
    }
}
