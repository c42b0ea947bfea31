//! An application as the directory keeps it: what the token endpoint asks of it, read once from its rows.

use serde_json::Value;

use tokenhouse_protocol::crypto::VerifyingKey;
use tokenhouse_protocol::id::{ApiId, ClientId};
use tokenhouse_protocol::jose::jwk::Jwk;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Client, ClientGrant, ClientKey, ClientSecret, Quota, StoreError};

use crate::quota::{self, LastSeen};
use crate::registry::client_keys;
use crate::registry::secrets::Digest;
use crate::tenant::Issuer;

/// An application as the token endpoint needs it: with its live secrets and its client grants.
#[derive(Debug)]
pub struct Application {
    /// The `client_id`.
    pub id: ClientId,
    /// What people call it.
    pub name: String,
    /// The grant types it may use, by their words on the wire.
    pub grant_types: Vec<String>,
    /// `token_endpoint_auth_method`; `none` makes it a public client.
    pub auth_method: Option<String>,
    /// `is_token_endpoint_ip_header_trusted`: it says its users' addresses in a header.
    pub trusts_ip_header: bool,
    /// Origins whose pages may read the token endpoint's answers.
    pub origins: Vec<String>,
    /// Digests of its secrets; several while one is being rotated.
    pub secrets: Vec<ApplicationSecret>,
    /// Whether it proves itself by assertions alone: then no secret counts (CONTRACT Decision 13).
    pub uses_assertions: bool,
    /// Whether its assertions may be for the token endpoint's URL, not for the issuer alone (CONTRACT Decision 13).
    pub may_name_token_endpoint: bool,
    /// The keys of its assertions.
    pub keys: Vec<ApplicationKey>,
    /// What it was granted, an API each.
    pub grants: Vec<ApplicationGrant>,
    /// `token_quota`, in place of the tenant's default one.
    pub quota: Option<Quota>,
    /// How much of a quota this node last saw used.
    pub quota_seen: LastSeen,
}

/// One secret of an application.
#[derive(Debug)]
pub struct ApplicationSecret {
    /// Its keyed digest.
    pub digest: Digest,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// One key of an application.
#[derive(Debug)]
pub struct ApplicationKey {
    /// The `kid` in the headers of its assertions.
    pub kid: String,
    /// What verifies them, by one algorithm.
    pub verifying: VerifyingKey,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// One client grant of an application (CONTRACT §4.5).
#[derive(Debug)]
pub struct ApplicationGrant {
    /// The API.
    pub api_id: ApiId,
    /// `client` for tokens of the application's own, `user` for those on a user's behalf.
    pub subject_type: String,
    /// The scopes, unless all.
    pub scopes: Vec<String>,
    /// Every scope of the API, now and later.
    pub allow_all_scopes: bool,
}

impl Application {
    /// Whether it can keep a secret (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.auth_method.as_deref() == Some("none")
    }

    /// Its grant for an API on its own behalf.
    pub fn client_grant(&self, api: &ApiId) -> Option<&ApplicationGrant> {
        self.grants
            .iter()
            .find(|grant| grant.api_id == *api && grant.subject_type == "client")
    }

    /// Its grant for an API on its users' behalf.
    pub fn user_grant(&self, api: &ApiId) -> Option<&ApplicationGrant> {
        self.grants
            .iter()
            .find(|grant| grant.api_id == *api && grant.subject_type == "user")
    }
}

impl Application {
    /// The application of these rows.
    pub(super) fn of(
        client: Client,
        secrets: Vec<ClientSecret>,
        keys: &[ClientKey],
        grants: Vec<ClientGrant>,
    ) -> Result<Self, StoreError> {
        let uses_assertions = client_keys::uses_assertions(&client);
        let may_name_token_endpoint = client_keys::may_name_token_endpoint(&client);
        let listed = keys.iter().filter(|key| client_keys::is_listed(&client, key));
        let keys = listed.map(ApplicationKey::of).collect::<Result<_, _>>()?;
        let quota = quota::read(client.rest.get("token_quota"));
        let ip_header = client.rest.get("is_token_endpoint_ip_header_trusted");
        let trusts_ip_header = ip_header.and_then(Value::as_bool).unwrap_or(false);
        let texts = |name: &str| {
            let list = client.rest.get(name).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(|text| text.as_str().map(str::to_owned))
        };
        // A page that may be called back is one of the application's own (CONTRACT §1.1).
        let callbacks = texts("callbacks").filter_map(|url| Some(Issuer::parse(&url).ok()?.origin()));
        let origins = texts("web_origins")
            .chain(texts("allowed_origins"))
            .chain(callbacks)
            .collect();
        Ok(Self {
            id: client.id,
            name: client.name,
            grant_types: client.grant_types,
            auth_method: client.token_endpoint_auth_method,
            trusts_ip_header,
            origins,
            uses_assertions,
            may_name_token_endpoint,
            keys,
            quota,
            quota_seen: LastSeen::default(),
            secrets: secrets
                .into_iter()
                .filter_map(|secret| {
                    Some(ApplicationSecret {
                        digest: Digest::from_text(&secret.digest)?,
                        expires_at: secret.expires_at,
                    })
                })
                .collect(),
            grants: grants
                .into_iter()
                .map(|grant| ApplicationGrant {
                    api_id: grant.api_id,
                    subject_type: grant.subject_type,
                    scopes: grant.scopes,
                    allow_all_scopes: grant.allow_all_scopes,
                })
                .collect(),
        })
    }
}

impl ApplicationKey {
    fn of(row: &ClientKey) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged(format!("the key {} of client {} is none", row.id, row.client_id));
        let jwk: Jwk = serde_json::from_value(Value::Object(row.jwk.clone())).map_err(|_| damaged())?;
        let algorithm = client_keys::algorithm(&row.algorithm).ok_or_else(damaged)?;
        let public = jwk.public_key().map_err(|_| damaged())?;
        Ok(Self {
            kid: row.kid.clone(),
            verifying: VerifyingKey::new(algorithm, &public).map_err(|_| damaged())?,
            expires_at: row.expires_at,
        })
    }
}
