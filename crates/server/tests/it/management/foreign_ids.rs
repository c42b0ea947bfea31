//! An administrator's own token, and the ids of another tenant's things in every parameter and body of the table: they
//! are as unknown as ids that nobody has, and nothing of the other tenant changes.

use serde_json::{Value, json};

use tokenhouse::dev::seed::seed;
use tokenhouse::management::endpoint::Endpoint;
use tokenhouse::management::endpoints;
use tokenhouse_protocol::id::TenantId;

use super::Api;
use super::generated::{right_body, with_segments};
use crate::house::{AUDIENCE, Answer, Ask, House, with_secret};
use crate::isolation::credentials::{OTHER_HOST, OTHER_ISSUER, other_tenant};

#[tokio::test]
async fn ids_of_another_tenant_are_as_unknown_as_ids_that_nobody_has() {
    let house = House::new().await;
    let other = Other::new(&house).await;
    let api = Api::of(&house).await;
    let before = other.revision().await;
    let mut tried = 0;
    for endpoint in endpoints().iter().filter(|endpoint| endpoint.path.contains('{')) {
        let Some(foreign) = other.path(endpoint) else { continue };
        let invented: Vec<_> = foreign.iter().map(|(part, id)| (*part, unlike(id))).collect();
        let of_other = asked(&house, endpoint, &api.token, &foreign).await;
        let of_nobody = asked(&house, endpoint, &api.token, &invented).await;
        let what = format!("{} {}: {of_other:?}", endpoint.method, endpoint.path);
        assert_eq!(of_other.status, of_nobody.status, "{what} {of_nobody:?}");
        assert_eq!(masked(&of_other, &foreign), masked(&of_nobody, &invented), "{what}");
        tried += 1;
    }
    assert!(tried > 40, "{tried}");
    assert_eq!(other.revision().await, before, "something was changed");
    // The ids were good, and still are.
    let mut read = 0;
    for endpoint in endpoints().iter().filter(|endpoint| endpoint.method == "GET") {
        if let Some(own) = other.path(endpoint).filter(|own| !own.is_empty()) {
            let ask = request(endpoint, &other.token, &own).host(OTHER_HOST);
            let answer = house.ask(ask).await;
            assert!(answer.status < 300, "{}: {answer:?}", endpoint.path);
            read += 1;
        }
    }
    assert!(read > 15, "{read}");
}

#[tokio::test]
async fn a_body_that_names_something_of_another_tenant_is_refused() {
    let house = House::new().await;
    let other = Other::new(&house).await;
    let api = Api::of(&house).await;
    let user = api.get("users").await[0]["user_id"].as_str().unwrap().to_owned();
    let role = api.expect(200, "POST", "roles", json!({"name": "Reader"})).await["id"].clone();
    let (user, role) = (user.replace('|', "%7C"), role.as_str().unwrap().to_owned());
    let client = &house.samples.sample.client_id;
    let before = other.revision().await;
    let permission =
        json!({"permissions": [{"resource_server_identifier": "FOREIGN_ID", "permission_name": "read:it"}]});
    let keyed = json!({"private_key_jwt": {"credentials": [{"id": "FOREIGN_ID"}]}});
    let (of_client, of_role) = (format!("clients/{client}"), format!("roles/{role}"));
    let bodies = [
        (
            "POST",
            "client-grants",
            &other.client,
            json!({"client_id": "FOREIGN_ID", "audience": AUDIENCE, "scope": []}),
        ),
        (
            "POST",
            "client-grants",
            &other.identifier,
            json!({"client_id": client, "audience": "FOREIGN_ID", "scope": []}),
        ),
        (
            "POST",
            &*format!("users/{user}/roles"),
            &other.role,
            json!({"roles": ["FOREIGN_ID"]}),
        ),
        (
            "POST",
            &*format!("{of_role}/users"),
            &other.user,
            json!({"users": ["FOREIGN_ID"]}),
        ),
        (
            "POST",
            &*format!("{of_role}/permissions"),
            &other.identifier,
            permission.clone(),
        ),
        (
            "POST",
            &*format!("users/{user}/permissions"),
            &other.identifier,
            permission,
        ),
        (
            "POST",
            "tickets/password-change",
            &other.user,
            json!({"user_id": "FOREIGN_ID"}),
        ),
        (
            "POST",
            "tickets/email-verification",
            &other.user,
            json!({"user_id": "FOREIGN_ID"}),
        ),
        (
            "POST",
            "tickets/password-change",
            &other.connection,
            json!({"connection_id": "FOREIGN_ID", "email": "theirs@example.org"}),
        ),
        (
            "PATCH",
            &*of_client,
            &other.credential,
            json!({"client_authentication_methods": keyed}),
        ),
    ];
    for (method, path, id, body) in bodies {
        let naming = |id: &str| serde_json::from_str(&body.to_string().replace("FOREIGN_ID", id)).unwrap();
        let of_other = api.ask(method, path, naming(id)).await;
        let of_nobody = api.ask(method, path, naming(&unlike(id))).await;
        assert!((400..500).contains(&of_other.status), "{method} {path}: {of_other:?}");
        assert_eq!(
            of_other.status, of_nobody.status,
            "{method} {path}: {of_other:?} {of_nobody:?}"
        );
    }
    let user = json!({"connection": "Others", "email": "new@example.org", "password": "Correct-horse-9"});
    let refused = api.ask("POST", "users", user).await;
    assert!((400..500).contains(&refused.status), "{refused:?}");
    assert_eq!(other.revision().await, before, "something was changed");
}

/// The second tenant: its administrator's token, and one id of everything that it holds.
struct Other<'a> {
    house: &'a House,
    token: String,
    client: String,
    credential: String,
    api: String,
    identifier: String,
    grant: String,
    user: String,
    role: String,
    connection: String,
    log: String,
    key: String,
    job: String,
}

impl<'a> Other<'a> {
    async fn new(house: &'a House) -> Self {
        let tenant = other_tenant(house).await;
        let samples = Box::pin(seed(&tenant, &[])).await.unwrap();
        let audience = format!("{OTHER_ISSUER}api/v2/");
        let fields = [("grant_type", "client_credentials"), ("audience", audience.as_str())];
        let ask = Ask::token(&with_secret(&samples.admin, &fields)).host(OTHER_HOST);
        let mut other = Self {
            house,
            token: house.ask(ask).await.token().raw,
            client: samples.sample.client_id.clone(),
            identifier: "https://others.example.org".into(),
            credential: String::new(),
            api: String::new(),
            grant: String::new(),
            user: String::new(),
            role: String::new(),
            connection: String::new(),
            log: String::new(),
            key: String::new(),
            job: String::new(),
        };
        let scopes = json!([{"value": "read:it"}]);
        let api = json!({"identifier": other.identifier, "scopes": scopes});
        other.api = other.made("resource-servers", &api, "id").await;
        let credential = json!({"credential_type": "public_key", "pem": super::credentials::pem()});
        other.credential = other
            .made(&format!("clients/{}/credentials", other.client), &credential, "id")
            .await;
        let grant = json!({"client_id": other.client, "audience": other.identifier, "scope": []});
        other.grant = other.made("client-grants", &grant, "id").await;
        let connection = json!({"name": "Others", "strategy": "auth0", "enabled_clients": [other.client]});
        other.connection = other.made("connections", &connection, "id").await;
        let user = json!({"connection": "Others", "email": "theirs@example.org", "password": "Correct-horse-9"});
        other.user = other.made("users", &user, "user_id").await;
        other.role = other.made("roles", &json!({"name": "Theirs"}), "id").await;
        other.job = other.imported().await;
        house.written().await;
        other.log = other.get("logs").await[0]["log_id"].as_str().unwrap().to_owned();
        other.key = other.get("keys/signing").await[0]["kid"].as_str().unwrap().to_owned();
        other
    }

    /// What stands in place of each parameter of the path; none where no parameter is an id of anything.
    fn path(&self, endpoint: &Endpoint) -> Option<Vec<(&'static str, String)>> {
        let first = endpoint.path.split('/').next().unwrap();
        let parameters = endpoint.path.split('/').filter(|part| part.starts_with('{'));
        let ids = parameters.map(|part| {
            let id = match (first, part) {
                ("clients", "{id}") => &self.client,
                ("clients", "{credential_id}") => &self.credential,
                ("resource-servers", "{id...}") => &self.api,
                ("client-grants", "{id}") => &self.grant,
                ("users" | "user-blocks", "{id}") => &self.user,
                ("roles", "{id}") => &self.role,
                ("connections", "{id}") => &self.connection,
                ("logs", "{id}") => &self.log,
                ("keys", "{kid}") => &self.key,
                ("jobs", "{id}") => &self.job,
                // Addresses, names of ours, and what nobody ever has one of.
                ("anomaly", "{ip}")
                | ("snippets", "{request}")
                | ("actions", "{trigger}")
                | ("email-templates", "{name}")
                | ("guardian" | "branding" | "prompts" | "risk-assessments", "{rest...}")
                | ("device-credentials" | "grants", "{id}") => return None,
                (first, part) => panic!("{first} … {part} is new: say here whose id it is"),
            };
            Some((part, id.clone()))
        });
        ids.collect()
    }

    /// Makes something: its id.
    async fn made(&self, path: &str, body: &Value, id: &str) -> String {
        let ask = Ask::new("POST", &format!("/api/v2/{path}"))
            .host(OTHER_HOST)
            .bearer(&self.token);
        let ask = ask.header("content-type", "application/json").body(body.to_string());
        let answer = self.house.ask(ask).await;
        assert!(answer.status < 300, "{path}: {answer:?}");
        answer.text(id)
    }

    /// Imports no users: the job's id.
    async fn imported(&self) -> String {
        let body = format!(
            "--XyZ\r\nContent-Disposition: form-data; name=\"connection_id\"\r\n\r\n{}\r\n--XyZ\r\n\
             Content-Disposition: form-data; name=\"users\"; filename=\"users.json\"\r\n\r\n[]\r\n--XyZ--\r\n",
            self.connection
        );
        let ask = Ask::new("POST", "/api/v2/jobs/users-imports")
            .host(OTHER_HOST)
            .bearer(&self.token);
        let ask = ask
            .header("content-type", "multipart/form-data; boundary=XyZ")
            .body(body);
        self.house.ask(ask).await.text("id")
    }

    async fn get(&self, path: &str) -> Value {
        let ask = Ask::get(&format!("/api/v2/{path}"))
            .host(OTHER_HOST)
            .bearer(&self.token);
        self.house.ask(ask).await.json()
    }

    async fn revision(&self) -> i64 {
        let id = TenantId::new("other");
        self.house.app.house.store.revisions(&[id]).await.unwrap()[0].1
    }
}

/// The endpoint, asked with a body that it takes.
async fn asked(house: &House, endpoint: &Endpoint, token: &str, ids: &[(&'static str, String)]) -> Answer {
    let ask = request(endpoint, token, ids);
    let body = right_body(&endpoint.body);
    let ask = match body {
        Value::Null => ask,
        body => ask.header("content-type", "application/json").body(body.to_string()),
    };
    house.ask(ask).await
}

fn request(endpoint: &Endpoint, token: &str, ids: &[(&'static str, String)]) -> Ask {
    let segment = |part: &str| {
        let id = ids.iter().find(|(name, _)| *name == part);
        id.map_or_else(|| "x".to_owned(), |(_, id)| id.replace('|', "%7C"))
    };
    with_segments(endpoint, segment).bearer(token)
}

/// An id of the same shape that nobody has.
fn unlike(id: &str) -> String {
    let mut id = id.to_owned();
    let last = id.pop().unwrap();
    id.push(if last == '0' { '1' } else { '0' });
    id
}

/// What was answered, without the ids that were asked for.
fn masked(answer: &Answer, ids: &[(&'static str, String)]) -> String {
    ids.iter().fold(answer.body.clone(), |body, (_, id)| {
        body.replace(id.as_str(), "FOREIGN_ID")
    })
}
