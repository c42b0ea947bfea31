//! The checks of an access token, in their order (RFC 7519 §7.2, RFC 8725 §3, RFC 9068 §4). Whoever verifies and
//! whoever asks why go through the same list.

use std::sync::Arc;

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::jose::claims::Claims;
use tokenhouse_protocol::jose::jws::{JwsError, Parts};
use tokenhouse_protocol::time::Timestamp;

use self::checks::{
    algorithm, audience, binding, expiry, invalid, issued_at, issuer, key_in, not_before, profile, sentence, signature,
    token_type,
};
use crate::error::Denied;
use crate::keys::{Found, KeySet};
use crate::policy::{Policy, Trusted};
use crate::token::{AccessToken, Lifetime};

pub(crate) use self::headers::KnownHeaders;

mod checks;
mod headers;

/// The kind of access tokens that a guard takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Profile {
    /// As Auth0 makes them and most issuers do: `typ` is `JWT` or `at+jwt`. ID tokens are typed so as well, and nothing but
    /// their audience tells them apart: the API's identifier must be no application's client id.
    #[default]
    Auth0,
    /// As some issuers make them, Okta among them: the same, or without a `typ`.
    Untyped,
    /// RFC 9068 to the letter: `typ` is `at+jwt`; `iss`, `sub`, `client_id`, `jti`, `iat`, `exp` must be there.
    Rfc9068,
}

/// The check that a token can be read at all.
const FORM: &str = "form";
/// Whose token it is decides what else is demanded of it. So a stranger's token never makes us look for a key.
const ISSUER: &str = "issuer";
/// What is checked without a key.
const BEFORE_THE_KEY: [Row; 2] = [
    Row {
        name: "algorithm",
        check: algorithm,
        found: |token| token.parts.header.alg.clone(),
    },
    Row {
        name: "type",
        check: token_type,
        found: |token| token.parts.header.typ.clone().unwrap_or_default(),
    },
];
/// The one check that may have to wait: see [`keys_for`].
const KEY: &str = "key";
/// From here on the claims are the issuer's.
const SIGNATURE: &str = "signature";
/// What is checked of the issuer's claims.
const OF_THE_CLAIMS: [Row; 6] = [
    Row {
        name: "audience",
        check: audience,
        found: |token| token.claim("aud"),
    },
    Row {
        name: "expiry",
        check: expiry,
        found: |token| token.instant("exp"),
    },
    Row {
        name: "not before",
        check: not_before,
        found: |token| token.instant("nbf"),
    },
    Row {
        name: "issued at",
        check: issued_at,
        found: |token| token.instant("iat"),
    },
    Row {
        name: "profile",
        check: profile,
        found: |token| format!("{:?}", token.trusted.profile),
    },
    Row {
        name: "binding",
        check: binding,
        found: |_| "a plain bearer token".to_owned(),
    },
];

/// A check, and what to say of the token when it passed.
struct Row {
    name: &'static str,
    check: fn(&Examination<'_>) -> Result<(), Denied>,
    found: fn(&Examination<'_>) -> String,
}

/// One check of a token and how it went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// The check's name, for people.
    pub name: &'static str,
    /// How it went.
    pub outcome: Outcome,
}

/// How a check went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It passed; with what was found.
    Passed(String),
    /// It failed, and so the token is refused; with why.
    Failed(String),
    /// An earlier one failed.
    NotReached,
}

/// A refusal, and the check that made it.
pub(crate) struct Refused {
    pub(crate) check: &'static str,
    pub(crate) denied: Denied,
}

/// Makes the checks until one fails. The claims are true once this has passed.
pub(crate) async fn verify(policy: &Policy, token: &str) -> Result<AccessToken, Refused> {
    examine(policy, token, None).await
}

/// Makes the same checks and says how each went.
pub(crate) async fn inspect(policy: &Policy, token: &str) -> Vec<Check> {
    let mut passed = Vec::new();
    let result = examine(policy, token, Some(&mut passed)).await;
    let mut failure = result.err().map(|refused| match refused.denied {
        // Callers are not told the cause; whoever inspects a token is at home.
        Denied::Unavailable(unavailable) => unavailable.cause,
        other => other.to_string(),
    });
    let mut passed = passed.into_iter();
    let outcome = |_: &&'static str| match passed.next() {
        Some(found) => Outcome::Passed(found),
        None => failure.take().map_or(Outcome::NotReached, Outcome::Failed),
    };
    let rows = |rows: &'static [Row]| rows.iter().map(|row| row.name);
    let names: Vec<_> = [FORM, ISSUER]
        .into_iter()
        .chain(rows(&BEFORE_THE_KEY))
        .chain([KEY, SIGNATURE])
        .chain(rows(&OF_THE_CLAIMS))
        .collect();
    let outcomes: Vec<_> = names.iter().map(outcome).collect();
    names
        .into_iter()
        .zip(outcomes)
        .map(|(name, outcome)| Check { name, outcome })
        .collect()
}

async fn examine(policy: &Policy, token: &str, mut found: Option<&mut Vec<String>>) -> Result<AccessToken, Refused> {
    let by = |check: &'static str| move |denied: Denied| Refused { check, denied };
    let mut note = |text: &dyn Fn() -> String| {
        if let Some(found) = &mut found {
            found.push(text());
        }
    };
    let (parts, claims) = read(policy, token).map_err(by(FORM))?;
    note(&|| "a signed JWT".to_owned());
    let trusted = issuer(policy, &claims).map_err(by(ISSUER))?;
    let token = Examination {
        policy,
        trusted,
        algorithm: Algorithm::named(&parts.header.alg).ok(),
        parts,
        claims,
        now: policy.clock.now(),
    };
    note(&|| token.claim("iss"));
    for row in &BEFORE_THE_KEY {
        (row.check)(&token).map_err(by(row.name))?;
        note(&|| (row.found)(&token));
    }
    let keys = keys_for(&token).await.map_err(by(KEY))?;
    note(&|| {
        let kid = token.parts.header.kid.clone();
        kid.unwrap_or_else(|| "the only one of its algorithm".to_owned())
    });
    let key = signature(&token, &keys).map_err(by(SIGNATURE))?;
    note(&|| "verified".to_owned());
    for row in &OF_THE_CLAIMS {
        (row.check)(&token).map_err(by(row.name))?;
        note(&|| (row.found)(&token));
    }
    policy.headers.keep(&token.parts);
    let verified_by = keys.note(key, policy.place_of(trusted));
    let lifetime = token.lifetime();
    Ok(AccessToken::new(
        token.claims,
        Arc::clone(&policy.answers),
        lifetime,
        Some(verified_by),
    ))
}

/// Takes a token apart; what is in it is believed in nothing.
fn read<'t>(policy: &Policy, token: &'t str) -> Result<(Parts<'t>, Claims), Denied> {
    let parts = Parts::split_knowing(token, |encoded| policy.headers.find(encoded));
    let mut parts = parts.map_err(|error| match error {
        JwsError::Extension(name) => invalid(
            format!("Extension Header Parameter \"{name}\" is not recognized"),
            "Tokens with extensions are not taken.",
        ),
        other => invalid("Invalid Compact JWS", format!("{}.", sentence(&other.to_string()))),
    })?;
    let claims = Claims::read(std::mem::take(&mut parts.claims)).map_err(|error| {
        invalid(
            "JWT Claims Set must be a top-level JSON object",
            format!("{}.", sentence(&error.to_string())),
        )
    })?;
    Ok((parts, claims))
}

/// The keys held, if the token's is among them; otherwise those that the source finds on looking again.
async fn keys_for(token: &Examination<'_>) -> Result<Arc<KeySet>, Denied> {
    let held = token.trusted.keys.held_at(token.now);
    let keys = match held {
        Ok(held) if !matches!(key_in(token, &held), Found::Nothing) => held,
        Err(unavailable) if !token.policy.waits_when_cold => return Err(unavailable.into()),
        Ok(_) | Err(_) => token.trusted.keys.look_again().await?,
    };
    match key_in(token, &keys) {
        Found::One(_) | Found::Namesakes(_) => Ok(keys),
        Found::Nothing => Err(invalid(
            "no applicable key found in the JSON Web Key Set",
            "The issuer has no such key, or has revoked it. Ask for a new token.",
        )),
        Found::Several => Err(invalid(
            "multiple matching keys found in the JSON Web Key Set",
            "The token's header needs a \"kid\".",
        )),
    }
}

/// A token under examination: read, and believed in nothing.
struct Examination<'a> {
    policy: &'a Policy,
    /// What is demanded of the tokens of the issuer that it names.
    trusted: &'a Trusted,
    /// The algorithm named in the header, if it is one of ours.
    algorithm: Option<Algorithm>,
    parts: Parts<'a>,
    claims: Claims,
    now: Timestamp,
}

impl Examination<'_> {
    /// A claim as it was sent, for people.
    fn claim(&self, name: &str) -> String {
        let value = self.claims.members().get(name);
        value.map(ToString::to_string).unwrap_or_default()
    }

    /// A time, for people.
    fn instant(&self, name: &'static str) -> String {
        self.time(name)
            .map_or_else(|| "not stated".to_owned(), |time| time.to_string())
    }

    fn time(&self, name: &'static str) -> Option<Timestamp> {
        self.claims.time(name).ok().flatten()
    }

    /// From when to when it is valid.
    fn lifetime(&self) -> Lifetime {
        Lifetime {
            not_before: self.time("nbf"),
            expires_at: self.time("exp").unwrap_or(Timestamp::from_ms(0)),
            leeway_ms: self.policy.leeway_ms,
        }
    }
}
