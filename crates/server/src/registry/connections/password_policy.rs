//! How strong a password must be: what a database connection says of it, in Auth0's words (CONTRACT §4.10).

use serde_json::Value;

use tokenhouse_store::{Connection, User, normalise};

/// Shortest part of somebody's name that a password must not hold, in characters.
const MIN_NAME_CHARS: usize = 3;

/// `passwordPolicy` of a database connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordPolicy {
    /// One character.
    None,
    /// Six.
    Low,
    /// Eight: lower and upper case and a digit.
    Fair,
    /// Eight: three of lower case, upper case, digits, others.
    Good,
    /// Ten, the same, and no three alike in a row.
    Excellent,
}

impl PasswordPolicy {
    /// The policy of a connection; Auth0's default is `good`.
    pub fn of(connection: &Connection) -> Self {
        match connection.options.get("passwordPolicy").and_then(Value::as_str) {
            Some("none") => Self::None,
            Some("low") => Self::Low,
            Some("fair") => Self::Fair,
            Some("excellent") => Self::Excellent,
            Some(_) | None => Self::Good,
        }
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Fair => "fair",
            Self::Good => "good",
            Self::Excellent => "excellent",
        }
    }

    /// What a password must be.
    pub fn rule(self) -> &'static str {
        match self {
            Self::None => "at least 1 character",
            Self::Low => "at least 6 characters",
            Self::Fair => "at least 8 characters with lower case, upper case and a digit",
            Self::Good => "at least 8 characters with three of lower case, upper case, digits and others",
            Self::Excellent => {
                "at least 10 characters with three of lower case, upper case, digits and others, \
                 and no three alike in a row"
            }
        }
    }

    /// Whether `password` is strong enough.
    pub fn accepts(self, password: &str) -> bool {
        let has = |is: fn(char) -> bool| password.chars().any(is);
        let lower = has(char::is_lowercase);
        let upper = has(char::is_uppercase);
        let digit = has(char::is_numeric);
        let other = has(|c| !c.is_alphanumeric());
        let kinds = [lower, upper, digit, other].into_iter().filter(|kind| *kind).count();
        let length = password.chars().count();
        match self {
            Self::None => length >= 1,
            Self::Low => length >= 6,
            Self::Fair => length >= 8 && lower && upper && digit,
            Self::Good => length >= 8 && kinds >= 3,
            Self::Excellent => length >= 10 && kinds >= 3 && !has_three_alike(password),
        }
    }
}

/// All that a database connection asks of a password.
pub struct PasswordRules {
    policy: PasswordPolicy,
    min_chars: Option<usize>,
    dictionary: Vec<String>,
    refuses_names: bool,
}

impl PasswordRules {
    /// Those of a connection; Auth0's default where there is none.
    pub fn of(connection: Option<&Connection>) -> Self {
        let option = |pointer: [&str; 2]| {
            let value = connection.and_then(|connection| connection.options.get(pointer[0]));
            value.and_then(|value| value.get(pointer[1]))
        };
        let is_on = |name: &str| option([name, "enable"]).and_then(Value::as_bool).unwrap_or(false);
        let min_chars = option(["password_complexity_options", "min_length"]).and_then(Value::as_u64);
        let words = option(["password_dictionary", "dictionary"]).and_then(Value::as_array);
        Self {
            policy: connection.map_or(PasswordPolicy::Good, PasswordPolicy::of),
            min_chars: min_chars.and_then(|chars| usize::try_from(chars).ok()),
            dictionary: words
                .filter(|_| is_on("password_dictionary"))
                .into_iter()
                .flatten()
                .filter_map(|word| word.as_str().map(normalise))
                .collect(),
            refuses_names: is_on("password_no_personal_info"),
        }
    }

    /// What a password must be, for people: a sentence a rule, and none where anything goes.
    pub fn said(&self) -> Vec<String> {
        let mut said = Vec::new();
        if self.policy != PasswordPolicy::None {
            said.push(format!("It needs {}.", self.policy.rule()));
        }
        said.extend(
            self.min_chars
                .map(|chars| format!("It has at least {chars} characters.")),
        );
        if !self.dictionary.is_empty() {
            said.push("It is none of the passwords that are too common here.".into());
        }
        if self.refuses_names {
            said.push("It holds neither names nor addresses of yours.".into());
        }
        said
    }

    /// Why this cannot be the user's password; `None` if it can.
    pub fn refusal(&self, password: &str, user: &User) -> Option<String> {
        let weak = |what: &str| Some(format!("PasswordStrengthError: Password is too weak: it needs {what}"));
        if !self.policy.accepts(password) {
            return weak(self.policy.rule());
        }
        if let Some(min) = self.min_chars.filter(|min| password.chars().count() < *min) {
            return weak(&format!("at least {min} characters"));
        }
        let lower = normalise(password);
        if self.dictionary.contains(&lower) {
            return Some("PasswordDictionaryError: Password is too common: choose another".into());
        }
        if self.refuses_names && names(user).any(|name| lower.contains(&name)) {
            let text = "PasswordNoUserInfoError: Password contains user information: leave names and addresses out";
            return Some(text.into());
        }
        None
    }
}

/// What a user is called, in lower case.
fn names(user: &User) -> impl Iterator<Item = String> + '_ {
    let email = user.email.as_deref();
    let local_part = email.and_then(|email| email.split('@').next());
    let carried = ["name", "nickname", "given_name", "family_name"];
    let carried = carried.into_iter().filter_map(|name| user.rest.get(name)?.as_str());
    [email, local_part, user.username.as_deref()]
        .into_iter()
        .flatten()
        .chain(carried)
        .map(normalise)
        .filter(|name| name.chars().count() >= MIN_NAME_CHARS)
}

fn has_three_alike(password: &str) -> bool {
    let characters: Vec<char> = password.chars().collect();
    characters
        .windows(3)
        .any(|three| three[0] == three[1] && three[1] == three[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_accepts_what_its_rule_says() {
        use PasswordPolicy::{Excellent, Fair, Good, Low, None};
        for (policy, weak, strong) in [
            (None, "", "p"),
            (Low, "short", "longer"),
            (Fair, "lowercase1", "UPlower1"),
            (Good, "lowercase", "lower-case1"),
            (Excellent, "Aaa111bbb-", "Abc123def-"),
        ] {
            assert!(!policy.accepts(weak), "{policy:?} {weak}");
            assert!(policy.accepts(strong), "{policy:?} {strong}");
        }
    }

    #[test]
    fn where_anything_goes_nothing_is_said() {
        let rules = |policy| PasswordRules {
            policy,
            min_chars: None,
            dictionary: Vec::new(),
            refuses_names: false,
        };
        assert_eq!(rules(PasswordPolicy::None).said(), Vec::<String>::new());
        assert_eq!(rules(PasswordPolicy::Low).said(), ["It needs at least 6 characters."]);
    }
}
