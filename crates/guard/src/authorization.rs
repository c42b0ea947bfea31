//! What a token must allow before a request may pass: scopes, permissions, or anything else that its claims can tell.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use tokenhouse_protocol::scope::is_scope_token;

use crate::error::{Denied, Reason};
use crate::token::AccessToken;

/// What a token must allow, beside being valid. Small ones compose: [`and`](Self::and), [`or`](Self::or).
///
/// ```
/// use tokenhouse_guard::Requirement;
/// # fn main() -> Result<(), tokenhouse_guard::InvalidRequirement> {
/// let editors = Requirement::scopes(["read:messages", "write:messages"])?
///     .or(Requirement::permissions(["edit:messages"])?)
///     .and(Requirement::claims("Only applications of the press may do this", |token| {
///         token.claims().get("https://example.com/team").is_some_and(|team| team == "press")
///     }));
/// # let _ = editors;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Requirement(Rule);

#[derive(Clone)]
enum Rule {
    Names(Claim, Wanted, Vec<String>),
    Holds(Reason, Arc<Predicate>),
    Every(Vec<Rule>),
    Either(Vec<Rule>),
}

type Predicate = dyn Fn(&AccessToken) -> bool + Send + Sync;

/// The claim in which names are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    Scope,
    Permissions,
}

/// How many of the names must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    All,
    Any,
}

impl Requirement {
    /// Nothing but a valid token; none at all where the layer is [optional](crate::GuardLayer::optional).
    pub fn nothing() -> Self {
        Self(Rule::Every(Vec::new()))
    }

    /// The token's `scope` has all of these.
    pub fn scopes(names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidRequirement> {
        Self::named(Claim::Scope, Wanted::All, names)
    }

    /// The token's `scope` has at least one of these.
    pub fn any_scope(names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidRequirement> {
        Self::named(Claim::Scope, Wanted::Any, names)
    }

    /// The token's `permissions` have all of these: what a user's roles allow at this API, whatever the application asked.
    pub fn permissions(names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidRequirement> {
        Self::named(Claim::Permissions, Wanted::All, names)
    }

    /// The token's `permissions` have at least one of these.
    pub fn any_permission(names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidRequirement> {
        Self::named(Claim::Permissions, Wanted::Any, names)
    }

    /// The token passes this test. `description` says to callers what is wrong when it does not, without a full stop.
    pub fn claims(
        description: impl Into<Cow<'static, str>>,
        holds: impl Fn(&AccessToken) -> bool + Send + Sync + 'static,
    ) -> Self {
        let reason = Reason::new(description, "The token is valid, but its claims do not allow this.");
        Self(Rule::Holds(reason, Arc::new(holds)))
    }

    /// Both this and `other`; refused in the words of the first that is not met.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(match self.0 {
            Rule::Every(mut rules) => {
                rules.push(other.0);
                Rule::Every(rules)
            }
            rule => Rule::Every(vec![rule, other.0]),
        })
    }

    /// This or `other`; refused in the words of the first, which should be what most callers come with.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(match self.0 {
            Rule::Either(mut rules) => {
                rules.push(other.0);
                Rule::Either(rules)
            }
            rule => Rule::Either(vec![rule, other.0]),
        })
    }

    /// Whether `token` allows it; if not, why: 403 `insufficient_scope` (RFC 6750 §3.1).
    pub fn check(&self, token: &AccessToken) -> Result<(), Denied> {
        self.0.check(token)
    }

    /// The scopes to ask the issuer for, as a challenge names them: of alternatives, the first.
    pub(crate) fn scopes_to_ask_for(&self) -> Vec<&str> {
        self.0.scopes()
    }

    /// Whether nothing but a valid token is wanted.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(&self.0, Rule::Every(rules) if rules.is_empty())
    }

    /// The scopes of a layer, which may hold names that no token can: then nothing passes.
    pub(crate) fn unchecked(claim: Claim, wanted: Wanted, names: Vec<String>) -> Self {
        Self(Rule::Names(claim, wanted, names))
    }

    fn named(
        claim: Claim,
        wanted: Wanted,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, InvalidRequirement> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.is_empty() {
            return Err(InvalidRequirement::Empty);
        }
        match names.iter().find(|name| !is_scope_token(name)) {
            Some(name) => Err(InvalidRequirement::Name(name.clone())),
            None => Ok(Self::unchecked(claim, wanted, names)),
        }
    }
}

impl Rule {
    fn check(&self, token: &AccessToken) -> Result<(), Denied> {
        match self {
            Self::Names(claim, wanted, names) => check_names(token, *claim, *wanted, names),
            Self::Holds(_, holds) if holds(token) => Ok(()),
            Self::Holds(reason, _) => Err(Denied::Forbidden(reason.clone())),
            Self::Every(rules) => rules.iter().try_for_each(|rule| rule.check(token)),
            Self::Either(rules) => {
                let mut first = Ok(());
                for rule in rules {
                    match rule.check(token) {
                        Ok(()) => return Ok(()),
                        Err(denied) => first = first.and(Err(denied)),
                    }
                }
                first
            }
        }
    }

    fn scopes(&self) -> Vec<&str> {
        match self {
            Self::Names(Claim::Scope, _, names) => names.iter().map(String::as_str).collect(),
            Self::Names(Claim::Permissions, ..) | Self::Holds(..) => Vec::new(),
            Self::Every(rules) => rules.iter().flat_map(Self::scopes).collect(),
            Self::Either(rules) => rules.first().map(Self::scopes).unwrap_or_default(),
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Names(claim, wanted, names) => write!(f, "{wanted:?} of {claim:?} {names:?}"),
            Self::Holds(reason, _) => write!(f, "{:?}", reason.description),
            Self::Every(rules) => f.debug_tuple("Every").field(rules).finish(),
            Self::Either(rules) => f.debug_tuple("Either").field(rules).finish(),
        }
    }
}

/// Looks for names in a claim. Of no names, all are there and none of any is.
pub(crate) fn check_names<C>(
    token: &AccessToken<C>,
    claim: Claim,
    wanted: Wanted,
    names: &[impl AsRef<str>],
) -> Result<(), Denied> {
    let held = match claim {
        Claim::Scope => token.scopes(),
        Claim::Permissions => token.permissions(),
    };
    let is_held = |name: &str| held.iter().any(|held| held == name);
    let met = match wanted {
        Wanted::All => names.iter().all(|name| is_held(name.as_ref())),
        Wanted::Any => names.iter().any(|name| is_held(name.as_ref())),
    };
    if met {
        return Ok(());
    }
    let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
    Err(match claim {
        Claim::Scope => Denied::InsufficientScope { required: names },
        // Auth0's guard has these words for a claim that lacks a value, with 401; but another token of the same user
        // would not help, and RFC 6750 §3.1 has 403 for privileges that are missing.
        Claim::Permissions => Denied::Forbidden(Reason::new(
            "Unexpected 'permissions' value",
            format!(
                "The user's permissions do not allow this: it takes {}. An administrator of the issuer can give them.",
                names.join(match wanted {
                    Wanted::All => " and ",
                    Wanted::Any => " or ",
                })
            ),
        )),
    })
}

/// A requirement that no token could meet, or that any would.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InvalidRequirement {
    /// No name was given.
    Empty,
    /// This cannot be one scope or permission (RFC 6749 §3.3).
    Name(String),
}

impl fmt::Display for InvalidRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                f.write_str("name at least one scope or permission; where any valid token may pass, require nothing")
            }
            Self::Name(name) => write!(
                f,
                "{name:?} cannot be one scope or permission: visible ASCII without spaces, quotes and backslashes; \
                 give several as a list"
            ),
        }
    }
}

impl std::error::Error for InvalidRequirement {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_token_could_meet_is_refused() {
        let none: [&str; 0] = [];
        assert_eq!(Requirement::scopes(none).unwrap_err(), InvalidRequirement::Empty);
        assert_eq!(
            Requirement::any_permission(none).unwrap_err(),
            InvalidRequirement::Empty
        );
        for name in ["", "read write", "a\"b", "é", "a\n"] {
            let refused = Requirement::any_scope(["read", name]).unwrap_err();
            assert_eq!(refused, InvalidRequirement::Name(name.into()));
        }
    }

    #[test]
    fn a_challenge_names_the_scopes_of_the_first_way_in() {
        let read = || Requirement::scopes(["read"]).unwrap();
        let write = Requirement::any_scope(["write", "admin"]).unwrap();
        let roles = Requirement::permissions(["editor"]).unwrap();
        assert_eq!(
            read().and(write.clone()).scopes_to_ask_for(),
            ["read", "write", "admin"]
        );
        assert_eq!(read().or(write).and(roles).scopes_to_ask_for(), ["read"]);
        assert!(Requirement::nothing().scopes_to_ask_for().is_empty());
    }
}
