//! The Management API through its front door, as an administrator's application.

use serde_json::Value;

use tokenhouse::dev::seed::Application;

use crate::house::{Answer, Ask, House, ISSUER, with_secret};

mod absent;
mod answers;
mod client_grants;
mod clients;
mod connections;
mod credentials;
mod exports;
mod foreign_ids;
mod generated;
mod kept_of_users;
mod lists;
mod logs;
mod refusals;
mod resource_servers;
mod roles;
mod settings;
mod signing_keys;
mod snippets;
mod terraform;
mod tickets;
mod users;
mod writers;

/// An administrator at the default tenant's Management API.
pub(crate) struct Api<'a> {
    pub(crate) house: &'a House,
    pub(crate) token: String,
}

impl<'a> Api<'a> {
    /// With every scope.
    pub(crate) async fn of(house: &'a House) -> Self {
        Self::with(house, &house.samples.admin, None).await
    }

    /// With these scopes alone.
    pub(crate) async fn with_scopes(house: &'a House, scopes: &str) -> Self {
        Self::with(house, &house.samples.admin, Some(scopes)).await
    }

    /// As another application.
    pub(crate) async fn with(house: &'a House, application: &Application, scopes: Option<&str>) -> Self {
        let audience = format!("{ISSUER}api/v2/");
        let mut fields = vec![("grant_type", "client_credentials"), ("audience", audience.as_str())];
        fields.extend(scopes.map(|scopes| ("scope", scopes)));
        let token = house.post_form(&with_secret(application, &fields)).await.token().raw;
        Self { house, token }
    }

    /// A request below `/api/v2/`; `null` is no body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        self.house.ask(self.request(method, path, &body)).await
    }

    pub(crate) fn request(&self, method: &str, path: &str, body: &Value) -> Ask {
        let ask = Ask::new(method, &format!("/api/v2/{path}")).bearer(&self.token);
        match body {
            Value::Null => ask,
            body => ask.header("content-type", "application/json").body(body.to_string()),
        }
    }

    /// A `GET` that must be answered.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.expect(200, "GET", path, Value::Null).await
    }

    /// A request that must be answered with this status: its JSON, `null` for none.
    pub(crate) async fn expect(&self, status: u16, method: &str, path: &str, body: Value) -> Value {
        let answer = self.ask(method, path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        match answer.body.is_empty() {
            true => Value::Null,
            false => answer.json(),
        }
    }
}
