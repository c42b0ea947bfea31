//! The seed file of `tokenhouse dev --seed FILE`: a whole tenant in TOML. What is not given is made or takes its default;
//! what is not known is refused with its line. `examples/seed.toml` shows every key.

use std::path::Path;

use serde::Deserialize;
use toml::Table;

use tokenhouse_protocol::secret::Secret;

use crate::cli::Failure;

/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// A seed, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SeedFile {
    /// Settings of the tenant, by their names on the wire.
    pub tenant: TenantPart,
    /// APIs.
    pub apis: Vec<ApiPart>,
    /// Applications, with their secrets and client grants.
    pub applications: Vec<ApplicationPart>,
    /// Roles, which users refer to by name.
    pub roles: Vec<RolePart>,
    /// Users.
    pub users: Vec<UserPart>,
    /// Signing keys: the first of an algorithm signs, the second is next.
    pub keys: Vec<KeyPart>,
}

/// `[tenant]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantPart {
    /// `auth0` or `rfc6749`.
    pub error_dialect: Option<String>,
    /// The API of requests that name none.
    pub default_audience: Option<String>,
    /// Whatever else a tenant chooses, by Auth0's names: `default_token_quota`, …
    pub settings: Table,
}

/// `[[apis]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiPart {
    /// Its id; made unless given.
    pub id: Option<String>,
    /// The `aud` of its tokens.
    pub identifier: String,
    /// What people call it.
    pub name: Option<String>,
    /// Its scopes.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// How its tokens are signed: RS256 unless given.
    pub signing_alg: Option<String>,
    /// Seconds that its tokens live: as the tenant's settings say, or a day, unless given.
    pub token_lifetime: Option<i64>,
    /// The shape of its tokens: `access_token` unless given.
    pub token_dialect: Option<String>,
    /// Whether a user's scopes are limited to the user's permissions.
    #[serde(default)]
    pub enforce_policies: bool,
    /// With HS256, what its tokens are signed with; made unless given.
    pub signing_secret: Option<Secret>,
    /// Whatever else it carries, by Auth0's names: `allow_offline_access`, …
    #[serde(default)]
    pub settings: Table,
}

/// `[[applications]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationPart {
    /// What people call it, and `dev.json`.
    pub name: String,
    /// Its id; made unless given.
    pub client_id: Option<String>,
    /// Its secret; made unless given.
    pub client_secret: Option<Secret>,
    /// `non_interactive`, `regular_web`, `spa` or `native`; `non_interactive` unless given.
    pub app_type: Option<String>,
    /// Its grant types; those of its type unless given.
    pub grant_types: Option<Vec<String>>,
    /// How it proves itself: `client_secret_post`, `client_secret_basic`, `none`, `private_key_jwt`; that of its type
    /// unless given.
    pub token_endpoint_auth_method: Option<String>,
    /// The keys by which it proves itself, in place of a secret.
    #[serde(default)]
    pub public_keys: Vec<PublicKeyPart>,
    /// Whatever else it carries, by Auth0's names: `callbacks`, `web_origins`, …
    #[serde(default)]
    pub settings: Table,
    /// `[[applications.grants]]`: its client grants.
    #[serde(default)]
    pub grants: Vec<GrantPart>,
}

/// `[[applications.public_keys]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeyPart {
    /// The public key: PEM of a key or a certificate, or a JWK.
    pub pem: String,
    /// The `kid` of its assertions; its thumbprint unless given.
    pub kid: Option<String>,
    /// The algorithm of its assertions; that of its kind unless given.
    pub alg: Option<String>,
}

/// `[[applications.grants]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantPart {
    /// The API; `management` is this tenant's Management API, whose identifier follows the port.
    pub audience: String,
    /// What may be had of it.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Every scope, now and later.
    #[serde(default)]
    pub all_scopes: bool,
}

/// `[[roles]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolePart {
    /// Its id; made unless given.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// What people read of it.
    pub description: Option<String>,
    /// `[[roles.permissions]]`: what it gives.
    #[serde(default)]
    pub permissions: Vec<PermissionsPart>,
}

/// `[[roles.permissions]]`, `[[users.permissions]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermissionsPart {
    /// The API.
    pub audience: String,
    /// Scopes of it.
    pub scopes: Vec<String>,
}

/// `[[users]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserPart {
    /// The id, `sub` in tokens; made unless given.
    pub user_id: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether it is known to be theirs.
    #[serde(default)]
    pub email_verified: bool,
    /// The user name.
    pub username: Option<String>,
    /// The password; any will do.
    pub password: Secret,
    /// The user's roles, by name.
    #[serde(default)]
    pub roles: Vec<String>,
    /// `[[users.permissions]]`: what the user may do beside.
    #[serde(default)]
    pub permissions: Vec<PermissionsPart>,
    /// Whether the user is kept out.
    #[serde(default)]
    pub blocked: bool,
    /// Whatever else is known of them, by Auth0's names: `app_metadata`, `user_metadata`, `name`, …
    #[serde(default)]
    pub settings: Table,
}

/// `[[keys]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyPart {
    /// Its `kid`.
    pub kid: String,
    /// Its algorithm.
    pub alg: String,
    /// The private key: PEM of PKCS#8.
    pub pem: Secret,
}

impl SeedFile {
    /// Reads a file. An error names the line, and repeats nothing of it: it may hold a secret.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let shown = file.display();
        let failed = |why: &dyn std::fmt::Display| Failure(format!("the seed {shown} cannot be read: {why}"));
        let size = std::fs::metadata(file).map_err(|error| failed(&error))?.len();
        if size > MAX_BYTES {
            return Err(failed(&"it is larger than 1 MiB"));
        }
        let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
        Self::parse(&text).map_err(|why| Failure(format!("the seed {shown}, {why}")))
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
            // "invalid type: string "…", expected …" would repeat the value.
            match error.message().rsplit_once(", expected ") {
                Some((_, expected)) if error.message().starts_with("invalid ") => {
                    format!("line {line}: expected {expected}")
                }
                Some(_) | None => format!("line {line}: {}", error.message()),
            }
        })
    }
}

impl std::fmt::Debug for KeyPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPart")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_without_its_value() {
        let text = "[[applications]]\nname = \"a\"\nclient_secrett = \"hidden-in-errors\"\n";
        let why = SeedFile::parse(text).unwrap_err();
        assert!(why.starts_with("line 3: unknown field `client_secrett`"), "{why}");
        assert!(!why.contains("hidden-in-errors"), "{why}");
    }

    #[test]
    fn the_wrong_kind_of_value_is_refused_with_its_line() {
        for (text, line) in [
            (
                "[[apis]]\nidentifier = \"a\"\ntoken_lifetime = \"1h\"\n",
                "line 3: expected i64",
            ),
            ("\n\n[[apis]]\nname = \"a\"\n", "line 3: missing field `identifier`"),
            ("[[users]]\nemail = \"a@b\n", "line 2: "),
        ] {
            let why = SeedFile::parse(text).unwrap_err();
            assert!(why.starts_with(line), "{why}");
        }
    }

    #[test]
    fn an_empty_file_is_a_seed_of_nothing() {
        assert!(SeedFile::parse("").unwrap().applications.is_empty());
    }
}
