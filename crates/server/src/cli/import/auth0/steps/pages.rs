//! Pages: that of the login is the global client's, the others are settings of the tenant. They are kept and come back as
//! they were; none of them is shown here.

use serde_json::{Map, Value, json};

use super::super::plan::{Plan, text};
use super::super::source::Thing;
use super::{member, subject};
use crate::cli::Failure;

/// The page of the login.
pub(in crate::cli) const LOGIN: &str = "login";
/// The pages that are settings: their names in an export, and in the settings.
pub(in crate::cli) const OF_SETTINGS: [(&str, &str); 3] = [
    ("guardian_multifactor", "guardian_mfa_page"),
    ("password_reset", "change_password"),
    ("error_page", "error_page"),
];

/// One of them.
pub(super) async fn page(plan: &mut Plan<'_>, thing: Thing) -> Result<(), Failure> {
    let name = member(&thing, "name");
    let Thing { at, said: mut wanted } = thing;
    wanted.remove("name");
    wanted.retain(|_, value| !value.is_null());
    let subject = subject("page", &name, &at);
    if name == LOGIN {
        let global = global_client(plan).await?;
        let path = format!("clients/{}", text(&global, "client_id"));
        let mut page = Map::new();
        for (name, of_client) in [("html", "custom_login_page"), ("enabled", "custom_login_page_on")] {
            if let Some(value) = wanted.remove(name) {
                page.insert(of_client.into(), value);
            }
        }
        plan.update(&subject, &path, &page, &global).await;
        return Ok(());
    }
    match OF_SETTINGS.iter().find(|(known, _)| *known == name) {
        Some((_, setting)) => {
            let settings = plan.get("tenants/settings", "").await?;
            let wanted = Map::from_iter([((*setting).to_owned(), Value::Object(wanted))]);
            plan.update(&subject, "tenants/settings", &wanted, &settings).await;
        }
        None => plan.note(format!("There is no page {name} here.")),
    }
    Ok(())
}

/// The tenant's global client, without its secret.
pub(in crate::cli) async fn global_client(plan: &Plan<'_>) -> Result<Value, Failure> {
    let query = "is_global=true&fields=client_secret&include_fields=false";
    let listed = plan.get("clients", query).await?;
    let first = listed.as_array().and_then(|listed| listed.first());
    Ok(first.cloned().unwrap_or_else(|| json!({})))
}
