//! How an application is shown, alone and in a list, and how a new one gets its first token.

use serde_json::Value;

use tokenhouse_protocol::grant::GrantType;

use super::{NAMES_TOKEN_ENDPOINT, SECRET};
use crate::cli::management::{Management, path};
use crate::cli::output::{fields, print, quoted, table, text};
use crate::cli::place::Place;
use crate::cli::{Failure, apis};
use crate::quota;

pub(super) async fn list(
    api: &Management,
    place: &Place,
    number: Option<usize>,
    reveals_secret: bool,
) -> Result<(), Failure> {
    let hidden = [("fields", SECRET), ("include_fields", "false")];
    let mut query = vec![("is_global", "false")];
    query.extend(hidden.into_iter().filter(|_| !reveals_secret));
    let found = api.all("clients", &query, number).await?;
    let names = ["client_id", "name", "app_type", "grant_types", SECRET];
    let shown = names.len() - usize::from(!reveals_secret);
    let rows: Vec<_> = found
        .iter()
        .map(|client| names[..shown].iter().map(|name| text(client, name)).collect())
        .collect();
    let heading = ["CLIENT ID", "NAME", "TYPE", "GRANT TYPES", "CLIENT SECRET"];
    place.print_list(
        &Value::Array(found),
        &heading[..shown],
        &rows,
        "There are no applications yet: `tokenhouse apps create NAME` makes one.",
    )
}

pub(super) async fn show(api: &Management, place: &Place, id: &str, reveals_secret: bool) -> Result<(), Failure> {
    let address = path(["clients", id]);
    let client = match reveals_secret {
        true => api.get(&address, &[]).await?,
        false => api.get_without(&address, SECRET).await?,
    };
    if place.is_json() {
        return place.print_json(&client);
    }
    print(&described(&client))?;
    if !uses_assertions(&client) {
        return Ok(());
    }
    let keys = api.get(&path(["clients", id, "credentials"]), &[]).await?;
    let row = |key: &Value| ["id", "kid", "alg", "name"].map(|name| text(key, name)).to_vec();
    let rows: Vec<_> = keys.as_array().into_iter().flatten().map(row).collect();
    match rows.is_empty() {
        true => Ok(()),
        false => print(&format!("\n{}", table(&["KEY", "KID", "ALGORITHM", "NAME"], &rows))),
    }
}

/// What is said of a secret that was made anew.
pub(super) fn rotated(place: &Place, client: &Value) -> Result<(), Failure> {
    if place.is_json() {
        return place.print_json(client);
    }
    print(&fields(&[
        ("Client ID", text(client, "client_id")),
        ("Client secret", text(client, SECRET)),
    ]))?;
    print("\nThe old secret is refused from now on.")
}

/// The ids of the keys that count.
pub(super) fn listed(client: &Value) -> Vec<String> {
    let keys = &client["client_authentication_methods"]["private_key_jwt"]["credentials"];
    keys.as_array()
        .into_iter()
        .flatten()
        .map(|key| text(key, "id"))
        .collect()
}

pub(super) fn described(client: &Value) -> String {
    let authenticates_by = match (uses_assertions(client), client[NAMES_TOKEN_ENDPOINT] == true) {
        (true, true) => "private_key_jwt; aud: the issuer or the token endpoint".into(),
        (true, false) => "private_key_jwt".into(),
        (false, _) => text(client, "token_endpoint_auth_method"),
    };
    let quota = quota::read(client.get("token_quota"));
    fields(&[
        ("Name", text(client, "name")),
        ("Client ID", text(client, "client_id")),
        ("Client secret", text(client, SECRET)),
        ("Description", text(client, "description")),
        ("Type", text(client, "app_type")),
        ("Grant types", text(client, "grant_types")),
        ("Authenticates by", authenticates_by),
        ("Origins", text(client, "web_origins")),
        ("Callbacks", text(client, "callbacks")),
        ("Logout URLs", text(client, "allowed_logout_urls")),
        (
            "Token quota",
            quota.map(|quota| quota::in_words(&quota)).unwrap_or_default(),
        ),
        ("Metadata", text(client, "client_metadata")),
    ])
}

/// How the new application gets its first token, in commands to be pasted.
pub(super) async fn next_steps(api: &Management, place: &Place, client: &Value) -> Result<String, Failure> {
    let (id, secret, flags) = (text(client, "client_id"), text(client, SECRET), place.flags());
    if secret.is_empty() {
        return Ok(format!(
            "\nIt keeps no secret: it names itself by its client ID alone, {id}."
        ));
    }
    let audience = apis::only_identifier(api)
        .await?
        .unwrap_or_else(|| "YOUR_API_IDENTIFIER".into());
    let ask = |grant_type: &str, more: &str| {
        format!(
            "  curl {} -d grant_type={grant_type} -d client_id={id} -d client_secret={secret} \\\n    \
             --data-urlencode {}{more}",
            quoted(&format!("{}oauth/token", api.issuer())),
            quoted(&format!("audience={audience}")),
        )
    };
    let grant_types: Vec<String> = serde_json::from_value(client["grant_types"].clone()).unwrap_or_default();
    let mut steps = Vec::new();
    if GrantType::ClientCredentials.is_allowed_by(&grant_types) {
        let grant = format!(
            "  tokenhouse grants create{flags} --app {id} --api {} --all-scopes",
            quoted(&audience)
        );
        steps.push(format!(
            "Let it use an API, then ask for a token:\n\n{grant}\n{}",
            ask("client_credentials", "")
        ));
    }
    if GrantType::Password.is_allowed_by(&grant_types) {
        let user = " -d username=EMAIL --data-urlencode password=PASSWORD";
        steps.push(format!("Ask for a token for a user:\n\n{}", ask("password", user)));
    }
    let again = format!("The secret is shown again by `tokenhouse apps show{flags} {id} --reveal-secret`.");
    steps.push(again);
    Ok(format!("\n{}", steps.join("\n\n")))
}

fn uses_assertions(client: &Value) -> bool {
    client["client_authentication_methods"]["private_key_jwt"].is_object()
}
