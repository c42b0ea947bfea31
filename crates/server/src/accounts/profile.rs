//! What is told of a user to those who may know it: the claims of ID tokens and of userinfo, by scope
//! (OpenID Connect Core §5.1, §5.4; order as in CONTRACT §1.8, §2.1).

use serde::Serialize;

use tokenhouse_protocol::scope::Scopes;
use tokenhouse_store::User;

/// A user's claims, each only if its scope was granted and the user has it.
#[derive(Serialize)]
pub struct Profile<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

impl<'a> Profile<'a> {
    /// The claims of `user` that `scopes` open.
    pub fn of(user: &'a User, scopes: &Scopes) -> Self {
        let profile = scopes.contains("profile");
        let email = user.email.as_deref().filter(|_| scopes.contains("email"));
        let text = |name: &str| {
            user.rest
                .get(name)
                .and_then(serde_json::Value::as_str)
                .filter(|_| profile)
        };
        let local_part = user.email.as_deref().and_then(|email| email.split('@').next());
        Self {
            nickname: text("nickname").or(local_part.filter(|_| profile)),
            name: text("name").or(user.email.as_deref().filter(|_| profile)),
            picture: text("picture"),
            updated_at: profile.then(|| user.updated_at.to_string()),
            email,
            email_verified: email.map(|_| user.email_verified),
        }
    }
}
