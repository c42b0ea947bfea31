//! What is told of a user to those who may know it: the claims of ID tokens and of userinfo, by scope
//! (OpenID Connect Core §5.1, §5.4; order as in CONTRACT §1.8, §2.1).

use serde::Serialize;

use tokenhouse_protocol::scope::Scopes;
use tokenhouse_store::User;

use crate::tenant::Issuer;

/// Letters of a picture.
const LETTERS: usize = 2;

/// A user's claims, each only if its scope was granted and the user has it.
#[derive(Serialize)]
pub struct Profile<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

impl<'a> Profile<'a> {
    /// The claims of `user` that `scopes` open.
    pub fn of(issuer: &Issuer, user: &'a User, scopes: &Scopes) -> Self {
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
            picture: profile.then(|| picture(issuer, user)),
            updated_at: profile.then(|| user.updated_at.to_string()),
            email,
            email_verified: email.map(|_| user.email_verified),
        }
    }
}

/// A user's picture: their own or, drawn by us, the first letters of what they are called; the address of neither says
/// who they are (CONTRACT, decision 17).
pub fn picture(issuer: &Issuer, user: &User) -> String {
    if let Some(own) = user.rest.get("picture").and_then(serde_json::Value::as_str) {
        return own.to_owned();
    }
    let called = user.email.as_deref().or(user.username.as_deref()).unwrap_or_default();
    let letters = called.chars().filter(char::is_ascii_alphanumeric).take(LETTERS);
    let letters: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    issuer.avatar(if letters.is_empty() { "user" } else { &letters })
}
