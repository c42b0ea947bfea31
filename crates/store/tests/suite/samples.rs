//! Records to write, full of what could be lost on the way.

use serde_json::{Map, Value, json};
use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::id::{ApiId, ClientGrantId, ClientId, ConnectionId, KeyId, TenantId, UserId, row_id};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{
    Added, Api, ApiScope, Client, ClientGrant, ClientSecret, Connection, Job, Key, KeyState, LogBody, LogEntry, Logins,
    Store, Tenant, User,
};

/// The time at which everything here was made.
pub(crate) const MADE: i64 = 1_794_999_000_123;

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(MADE + ms)
}

/// A JSON object with every kind of value, in no alphabetical order.
pub(crate) fn rest() -> Map<String, Value> {
    let value = json!({"z": null, "a": [1, -2, 3.5, true, "é \u{0} \u{202e}\""], "m": {"deep": {"er": []}}});
    value.as_object().unwrap().clone()
}

pub(crate) fn tenant(id: &str) -> Tenant {
    Tenant {
        id: TenantId::new(id),
        name: "Ünïcode 'quoted' tenant".into(),
        issuer: Some(format!("https://{id}.example.com/")),
        settings: rest(),
        created_at: at(0),
        updated_at: at(1),
    }
}

/// A store with a tenant of this name in it.
pub(crate) async fn with_tenant(store: &Store, id: &str) -> TenantId {
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_tenant(&tenant(id)).await.unwrap(), Added::Yes);
    tx.commit().await.unwrap();
    TenantId::new(id)
}

pub(crate) fn client() -> Client {
    Client {
        id: ClientId::generate(&Random::system()),
        name: "Sample application".into(),
        app_type: Some("non_interactive".into()),
        grant_types: vec!["password".into(), "client_credentials".into()],
        token_endpoint_auth_method: None,
        is_first_party: true,
        is_global: false,
        rest: rest(),
        created_at: at(2),
        updated_at: at(3),
    }
}

pub(crate) fn secret(client: &Client, age: i64) -> ClientSecret {
    ClientSecret {
        id: row_id(&Random::system()),
        client_id: client.id.clone(),
        digest: "digest".into(),
        sealed: Some("sealed".into()),
        created_at: at(-age),
        expires_at: None,
    }
}

pub(crate) fn api(identifier: Option<&str>) -> Api {
    Api {
        id: ApiId::generate(&Random::system()),
        identifier: identifier.map(Into::into),
        name: Some("Sample API".into()),
        signing_alg: "RS256".into(),
        token_lifetime_s: 86_400,
        token_lifetime_for_web_s: 7200,
        token_dialect: Some("access_token".into()),
        enforce_policies: false,
        allow_offline_access: true,
        is_system: identifier.is_none(),
        signing_secret_sealed: None,
        scopes: vec![
            ApiScope {
                value: "write:messages".into(),
                description: None,
            },
            ApiScope {
                value: "read:messages".into(),
                description: Some("Read".into()),
            },
        ],
        rest: rest(),
        created_at: at(4),
        updated_at: at(5),
    }
}

pub(crate) fn grant(client: &Client, api: &Api) -> ClientGrant {
    ClientGrant {
        id: ClientGrantId::generate(&Random::system()),
        client_id: client.id.clone(),
        api_id: api.id.clone(),
        subject_type: "client".into(),
        scopes: vec!["write:messages".into(), "read:messages".into()],
        allow_all_scopes: false,
        rest: rest(),
        created_at: at(6),
        updated_at: at(7),
    }
}

pub(crate) fn connection(name: &str) -> Connection {
    Connection {
        id: ConnectionId::generate(&Random::system()),
        name: name.into(),
        strategy: "auth0".into(),
        options: rest(),
        rest: Map::new(),
        created_at: at(8),
        updated_at: at(9),
    }
}

pub(crate) fn user(connection: &Connection, email: Option<&str>, username: Option<&str>) -> User {
    User {
        id: UserId::generate(&Random::system()),
        connection_id: connection.id.clone(),
        email: email.map(Into::into),
        email_verified: true,
        username: username.map(Into::into),
        password_hash: Some("$argon2id$…".into()),
        blocked: false,
        rest: rest(),
        logins: Logins::default(),
        created_at: at(10),
        updated_at: at(11),
    }
}

pub(crate) fn key(state: KeyState) -> Key {
    Key {
        id: KeyId::generate(&Random::system()),
        algorithm: "RS256".into(),
        state,
        private_sealed: "sealed".into(),
        public: rest(),
        created_at: at(12),
        current_at: None,
        previous_at: None,
        revoked_at: None,
    }
}

/// A row for a token that this client got.
pub(crate) fn entry(client: &str, at: Timestamp) -> LogEntry {
    LogEntry {
        at,
        kind: "seccft",
        client_id: Some(ClientId::new(client)),
        api_id: Some(ApiId::new("api")),
        user_id: None,
        grant: Some("client_credentials".into()),
        address: Some("127.0.0.1".into()),
        tokens: 1,
        repeats: 1,
        body: LogBody::of(&rest()),
    }
}

pub(crate) fn job(tenant: &TenantId, entries: Vec<LogEntry>) -> Job {
    Job {
        tenant: tenant.clone(),
        entries,
        uses: None,
        counts: None,
    }
}
