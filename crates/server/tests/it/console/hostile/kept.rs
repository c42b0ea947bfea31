//! What is kept in every field, as hostile as each takes it, by the doors that there are: the Management API, and the
//! registry where only an import or a seed could; and what those doors refuse.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use tokenhouse::registry::administrators::{self, NewAdministrator};
use tokenhouse::registry::client_grants::{self, NewClientGrant};
use tokenhouse::registry::client_keys::{self, NewClientKey};
use tokenhouse::registry::clients::{self, Kind, NewClient};
use tokenhouse::registry::connections::DEFAULT_CONNECTION;
use tokenhouse::registry::users::{self, NewUser};
use tokenhouse::registry::{apis, keys, roles};
use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::id::{ClientId, RoleId, UserId};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::KeyState;

use crate::house::{AUDIENCE, Ask, House, encoded};
use crate::management::Api;

/// Ends attributes, elements and scripts, is a template and a command, runs backwards, and is no ASCII. An `x-hit` in a
/// tag means that some of it was taken for more than text.
pub(super) const TEXT: &str = "\"'><x-hit onload=hit()></textarea><script>hit()</script><img src=x onerror=hit()>&lt;x-hit&gt; \
                    {}${7*7}$(id) \u{202e}gnp.exe\u{2066} \u{1f4a3}";
/// For names, which hold no `<`.
const NAME: &str = "\" x-hit='hit()' &lt;x-hit&gt; {} \u{202e}gnp\u{2066} \u{1f4a3}";
/// For what holds no blanks: names and addresses that people sign in with, ids of keys.
const WORD: &str = "\"'><x-hit/onload=hit()>&lt;x-hit&gt;{}\u{202e}\u{1f4a3}";
/// For ids, which are visible ASCII.
const ID: &str = "\"'><x-hit/onload=hit()>&lt;x-hit&gt;?a=b#c%2e/../{}";
/// For permissions (RFC 6749 §3.3).
const SCOPE: &str = "permission'><x-hit/onload=hit()>&lt;x-hit&gt;${7*7}";
/// An administrator's address.
pub(super) const ADMINISTRATOR: &str = "ada\"'x-hit=hit()&lt;x-hit&gt;{}\u{202e}\u{1f4a3}@a.example";
const SECRET: &str = "no-page-shows-this-secret";

/// What is kept: ids by which its pages are found, and what some page shows, as it stands there.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) clients: Vec<String>,
    pub(super) apis: Vec<String>,
    pub(super) users: Vec<String>,
    pub(super) keys: Vec<String>,
    pub(super) shown: Vec<String>,
}

/// The tenant's name, an application with a key, an API with a permission that it may ask for, and tokens of it.
pub(super) async fn keep_configuration(house: &House, kept: &mut Kept) {
    let (tenant, api) = (house.tenant().await, Api::of(house).await);
    // So that pages that begin with one API begin with ours.
    let sample = apis::api(&tenant, AUDIENCE).await.unwrap();
    apis::remove(&tenant, &sample.id).await.unwrap();
    let [name, description] = ["tenant", "describes"].map(|field| format!("{field}{TEXT}"));
    let changes = json!({"friendly_name": name});
    api.expect(200, "PATCH", "tenants/settings", changes).await;
    kept.shown.push(escaped(&name));

    let [name, key] = ["application", "key"].map(|field| format!("{field}{NAME}"));
    let (client, kid) = (ClientId::new(format!("client{ID}")), format!("kid{WORD}"));
    let new = NewClient::of_kind(Kind::MachineToMachine, name.as_str())
        .with_grant_types(&[GrantType::ClientCredentials, GrantType::Password]);
    let made = clients::create_as(&tenant, new, client.clone(), Secret::new(SECRET)).await;
    assert_eq!(made.unwrap().0.id, client);
    let metadata = format!("metadata{TEXT}");
    let changes = json!({
        "description": description, "client_metadata": {"kind": metadata},
        "token_quota": {"client_credentials": {"per_hour": 10}},
    });
    let path = format!("clients/{}", encoded(client.as_str()));
    api.expect(200, "PATCH", &path, changes).await;
    let (new, _) = NewClientKey::generate("ES256", Some(key.clone())).await.unwrap();
    let new = NewClientKey {
        kid: Some(kid.clone()),
        ..new
    };
    client_keys::keep(&tenant, &client, new).await.unwrap();
    kept.shown
        .extend([&name, &key, &description, &kid].map(|text| escaped(text)));
    kept.shown.push(in_json(&metadata));

    let (identifier, name, allows) = (
        format!("https://api.example/{TEXT}"),
        format!("api{NAME}"),
        format!("allows{TEXT}"),
    );
    let scopes = json!([{"value": SCOPE, "description": allows}]);
    let new = json!({"identifier": identifier, "name": name, "scopes": scopes});
    let made = api.expect(201, "POST", "resource-servers", new).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let grant = NewClientGrant {
        client_id: client.clone(),
        audience: identifier.clone(),
        scopes: vec![SCOPE.to_owned()],
        allow_all_scopes: false,
    };
    client_grants::create(&tenant, grant).await.unwrap();
    kept.shown
        .extend([&name, &identifier, &allows].map(|text| escaped(text)));
    // A command that is copied from a page runs nothing of it either.
    let in_shell = format!("--audience '{}'", identifier.replace('\'', r"'\''"));
    kept.shown
        .extend([escaped(SCOPE), escaped(client.as_str()), escaped(&in_shell)]);

    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", client.as_str()),
        ("client_secret", SECRET),
        ("audience", identifier.as_str()),
    ];
    house.post_form(&fields).await.token();
    house.app.house.store.fold_usage().await.unwrap();
    keys::rotate(&tenant, Algorithm::Rs256, true).await.unwrap();
    let previous = keys::keys(&tenant).await.unwrap().into_iter();
    let previous = previous.filter(|key| key.state == KeyState::Previous);
    kept.keys.extend(previous.map(|key| key.id.to_string()));
    kept.clients.push(client.to_string());
    kept.apis.push(id);
}

/// Users with all that is known of them, a role, an administrator, a connection.
pub(super) async fn keep_people(house: &House, kept: &mut Kept) {
    let (tenant, api) = (house.tenant().await, Api::of(house).await);
    let [role, text] = [format!("role{NAME}"), format!("describes a role{TEXT}")];
    let new = json!({"name": role, "description": text});
    let made = api.expect(200, "POST", "roles", new).await;
    let role_id = RoleId::new(made["id"].as_str().unwrap());
    kept.shown.extend([escaped(&role), in_json(&text)]);

    let email = format!("mail{WORD}@b.example");
    let [nickname, given, family, full, own, ours] = [
        "nickname",
        "given",
        "family",
        "full name",
        "their metadata",
        "our metadata",
    ]
    .map(|field| format!("{field}{TEXT}"));
    let new = json!({
        "connection": DEFAULT_CONNECTION, "password": "Correct horse 7", "email": email, "nickname": nickname,
        "given_name": given, "family_name": family, "name": full,
        "user_metadata": {"note": own}, "app_metadata": {"note": ours},
    });
    let made = api.expect(201, "POST", "users", new).await;
    let mailed = UserId::new(made["user_id"].as_str().unwrap());
    // No page shows it, and none is broken by it.
    let long = json!({"user_metadata": {"long": format!("{TEXT}{}", "W".repeat(10 * 1024))}});
    let path = format!("users/{}", encoded(mailed.as_str()));
    api.expect(200, "PATCH", &path, long).await;
    kept.shown.push(escaped(&email));
    kept.shown
        .extend([nickname, given, family, full, own, ours].map(|text| in_json(&text)));

    let username = format!("name{WORD}");
    let new = NewUser {
        connection: DEFAULT_CONNECTION.to_owned(),
        email: None,
        email_verified: false,
        username: Some(username.clone()),
        password: Secret::new("Correct horse 7"),
    };
    let named = UserId::new(format!("auth0|user{ID}"));
    users::create_as(&tenant, new, named.clone()).await.unwrap();
    kept.shown.extend([escaped(&username), escaped(named.as_str())]);
    for user in [mailed, named] {
        roles::assign(&tenant, &user, &role_id).await.unwrap();
        kept.users.push(user.to_string());
    }

    let new = NewAdministrator {
        email: format!("b{ADMINISTRATOR}"),
        name: Some(format!("administrator{NAME}")),
        password: None,
    };
    administrators::create(&tenant, new).await.unwrap();
    kept.shown
        .extend([ADMINISTRATOR.to_owned(), format!("b{ADMINISTRATOR}")].map(|text| escaped(&text)));

    let shown = format!("shown{TEXT}");
    let new = json!({"name": "letters-and-hyphens-alone", "strategy": "auth0", "display_name": shown});
    api.expect(201, "POST", "connections", new).await;
    kept.shown.push(in_json(&shown));
}

/// What fields refuse: markup in names and ids, blanks and quotes where there are none, and 10 KB. The log shows it.
pub(super) async fn refuse(house: &House, kept: &mut Kept) {
    let api = Api::of(house).await;
    let client = format!("clients/{}", house.samples.sample.client_id);
    let client = client.as_str();
    let long = "W".repeat(10 * 1024);
    let refused = format!("refused{TEXT}");
    let user = |name: &str, value: &str| {
        let mut new = json!({"connection": DEFAULT_CONNECTION, "password": "Correct horse 7", "email": "c@c.example"});
        new[name] = json!(value);
        ("POST", "users", new)
    };
    for (method, path, body) in [
        ("POST", "clients", json!({"name": refused})),
        ("POST", "clients", json!({"name": long})),
        ("PATCH", client, json!({"description": long})),
        ("PATCH", client, json!({"client_metadata": {"kind": long}})),
        ("PATCH", client, json!({"web_origins": [TEXT]})),
        ("PATCH", "tenants/settings", json!({"friendly_name": long})),
        ("POST", "resource-servers", json!({"identifier": long})),
        ("POST", "resource-servers", json!({"identifier": "urn:a", "name": TEXT})),
        (
            "POST",
            "resource-servers",
            json!({"identifier": "urn:a", "scopes": [{"value": TEXT}]}),
        ),
        (
            "POST",
            "resource-servers",
            json!({"identifier": "urn:a", "scopes": [{"value": "a", "description": long}]}),
        ),
        ("POST", "roles", json!({"name": TEXT})),
        ("POST", "roles", json!({"name": "a", "description": long})),
        ("POST", "connections", json!({"name": TEXT, "strategy": "auth0"})),
        user("email", TEXT),
        user("username", TEXT),
        user("nickname", &long),
        user("user_id", ID),
    ] {
        api.expect(400, method, path, body).await;
    }
    kept.shown.push(in_json(&refused));
}

/// What strangers leave in the log: wrong logins, by 10 KB too, and an application that nobody made.
pub(super) async fn keep_strangers(house: &House, kept: &mut Kept) {
    let [stranger, agent, sdk, audience, nobody] = ["stranger", "agent", "sdk", "audience", "nobody"]
        .map(|field| format!("{field}{}", if field == "agent" { ID } else { TEXT }));
    let long = "W".repeat(10 * 1024);
    let header = STANDARD.encode(json!({"name": sdk}).to_string());
    for username in [format!("{stranger}\r\ndata: <x-hit>\r\n\r\n"), long.clone()] {
        let fields = [
            ("username", username.as_str()),
            ("password", "wrong"),
            ("audience", audience.as_str()),
            ("scope", SCOPE),
        ];
        let ask = Ask::token(&house.password_fields(&fields))
            .header("user-agent", format!("{agent}{long}"))
            .header("auth0-client", &header);
        assert_eq!(house.ask(ask).await.status, 403);
    }
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", nobody.as_str()),
        ("client_secret", "wrong"),
        ("audience", audience.as_str()),
    ];
    assert_eq!(house.post_form(&fields).await.status, 401);
    kept.shown.extend([&stranger, &nobody].map(|text| escaped(text)));
    kept.shown.extend([&agent, &sdk, &audience].map(|text| in_json(text)));
    // Cut, and so said.
    kept.shown.push(format!("{}…", &long[..200]));
}

/// A text as pages write it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&#38;")
        .replace('<', "&#60;")
        .replace('>', "&#62;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

/// A text as the page of a line of the log writes it, within JSON.
fn in_json(text: &str) -> String {
    let json = json!(text).to_string();
    escaped(json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap())
}
