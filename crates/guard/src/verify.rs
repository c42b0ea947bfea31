//! The checks of an access token, in their order (RFC 7519 §7.2, RFC 8725 §3, RFC 9068 §4). Whoever verifies and
//! whoever asks why go through the same list.

use std::fmt;
use std::sync::Arc;

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::jose::claims::Claims;
use tokenhouse_protocol::jose::jws::{JwsError, Parts};
use tokenhouse_protocol::time::{Clock, Timestamp};

use self::checks::{
    algorithm, audience, binding, expiry, invalid, issued_at, issuer, not_before, profile, sentence, signature,
    token_type,
};
use crate::error::Denied;
use crate::keys::{Found, KeySet, KeySource};

mod checks;

/// The kind of access tokens that a guard takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Profile {
    /// As Auth0 makes them and most issuers do: `typ` is `JWT` or `at+jwt`.
    #[default]
    Auth0,
    /// RFC 9068 to the letter: `typ` is `at+jwt`; `iss`, `sub`, `client_id`, `jti`, `iat`, `exp` must be there.
    Rfc9068,
}

/// What a guard demands of tokens.
pub(crate) struct Policy {
    pub(crate) issuer: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) leeway_ms: i64,
    pub(crate) profile: Profile,
    pub(crate) clock: Clock,
    pub(crate) keys: Arc<dyn KeySource>,
}

/// The check that a token can be read at all, which makes the [`Examination`].
const FORM: &str = "form";
/// What is checked without a key. The issuer is among it, so that no stranger's token makes us look for a key.
const BEFORE_THE_KEY: [Row; 3] = [
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
    Row {
        name: "issuer",
        check: issuer,
        found: |token| token.claim("iss"),
    },
];
/// The one check that may have to wait: see [`Policy::keys_for`].
const KEY: &str = "key";
/// What is checked once the keys are there.
const WITH_THE_KEY: [Row; 7] = [
    Row {
        name: "signature",
        check: signature,
        found: |_| "verified".to_owned(),
    },
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
        found: |token| format!("{:?}", token.policy.profile),
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

impl Policy {
    /// Makes the checks until one fails. The claims are true once this has passed.
    pub(crate) async fn verify(&self, token: &str) -> Result<Claims, Denied> {
        self.examine(token, None).await
    }

    /// Makes the same checks and says how each went.
    pub(crate) async fn inspect(&self, token: &str) -> Vec<Check> {
        let mut passed = Vec::new();
        let result = self.examine(token, Some(&mut passed)).await;
        let mut failure = result.err().map(|denied| match denied {
            // Callers are not told the cause; whoever inspects a token is at home.
            Denied::Unavailable(unavailable) => unavailable.cause,
            Denied::NoToken
            | Denied::InvalidRequest(_)
            | Denied::InvalidToken(_)
            | Denied::InsufficientScope { .. } => denied.to_string(),
        });
        let mut passed = passed.into_iter();
        let outcome = |_: &&'static str| match passed.next() {
            Some(found) => Outcome::Passed(found),
            None => failure.take().map_or(Outcome::NotReached, Outcome::Failed),
        };
        let rows = |rows: &'static [Row]| rows.iter().map(|row| row.name);
        let names: Vec<_> = [FORM]
            .into_iter()
            .chain(rows(&BEFORE_THE_KEY))
            .chain([KEY])
            .chain(rows(&WITH_THE_KEY))
            .collect();
        let outcomes: Vec<_> = names.iter().map(outcome).collect();
        names
            .into_iter()
            .zip(outcomes)
            .map(|(name, outcome)| Check { name, outcome })
            .collect()
    }

    async fn examine(&self, token: &str, mut found: Option<&mut Vec<String>>) -> Result<Claims, Denied> {
        let mut note = |text: &dyn Fn() -> String| {
            if let Some(found) = &mut found {
                found.push(text());
            }
        };
        let mut token = Examination::new(self, token)?;
        note(&|| "a signed JWT".to_owned());
        for row in &BEFORE_THE_KEY {
            (row.check)(&token)?;
            note(&|| (row.found)(&token));
        }
        token.keys = self.keys_for(&token).await?;
        note(&|| {
            token
                .parts
                .header
                .kid
                .clone()
                .unwrap_or_else(|| "the only one of its algorithm".to_owned())
        });
        for row in &WITH_THE_KEY {
            (row.check)(&token)?;
            note(&|| (row.found)(&token));
        }
        Ok(token.claims)
    }

    /// The keys held, if the token's is among them; otherwise those that the source finds on looking again.
    async fn keys_for(&self, token: &Examination<'_>) -> Result<Arc<KeySet>, Denied> {
        let held = self
            .keys
            .held()
            .ok()
            .filter(|held| !matches!(token.key_in(held), Found::Nothing));
        let keys = match held {
            Some(held) => held,
            None => self.keys.look_again().await?,
        };
        match token.key_in(&keys) {
            Found::Keys(_) => Ok(keys),
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
}

/// A token under examination: read, and believed in nothing.
struct Examination<'a> {
    policy: &'a Policy,
    parts: Parts<'a>,
    claims: Claims,
    now: Timestamp,
    /// Empty until the key was found, so that no signature verifies before.
    keys: Arc<KeySet>,
}

impl<'a> Examination<'a> {
    fn new(policy: &'a Policy, token: &'a str) -> Result<Self, Denied> {
        let parts = Parts::split(token).map_err(|error| match error {
            JwsError::Extension(name) => invalid(
                format!("Extension Header Parameter \"{name}\" is not recognized"),
                "Tokens with extensions are not taken.",
            ),
            other => invalid("Invalid Compact JWS", format!("{}.", sentence(&other.to_string()))),
        })?;
        let claims = Claims::parse(&parts.claims).map_err(|error| {
            invalid(
                "JWT Claims Set must be a top-level JSON object",
                format!("{}.", sentence(&error.to_string())),
            )
        })?;
        Ok(Self {
            policy,
            parts,
            claims,
            now: policy.clock.now(),
            keys: Arc::default(),
        })
    }

    /// The algorithm named in the header, if it is one of ours.
    fn algorithm(&self) -> Option<Algorithm> {
        self.parts.header.alg.parse().ok()
    }

    fn key_in<'k>(&self, keys: &'k KeySet) -> Found<'k> {
        match self.algorithm() {
            Some(algorithm) => keys.find(self.parts.header.kid.as_deref(), algorithm),
            None => Found::Nothing,
        }
    }

    /// A claim as it was sent, for people.
    fn claim(&self, name: &str) -> String {
        self.claims
            .members()
            .get(name)
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// A time, for people.
    fn instant(&self, name: &'static str) -> String {
        self.claims
            .time(name)
            .ok()
            .flatten()
            .map_or_else(|| "not stated".to_owned(), |time| time.to_string())
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .field("algorithms", &self.algorithms)
            .field("leeway_ms", &self.leeway_ms)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
