//! The configuration as a folder of JSON files, laid out as Auth0's deploy CLI does it: applications by name in place of
//! ids, and no secrets. The same tenant gives the same folder.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::cli::Failure;
use crate::cli::import::{LOGIN_PAGE, PAGES, Plan, global_client, segment, text};
use crate::cli::output::print;
use crate::cli::place::Place;
use crate::tenant::Tenant;

/// What is left out of each kind: ids, times, and what is the house's own.
const OF_CLIENTS: [&str; 8] = [
    "client_id",
    "client_secret",
    "tenant",
    "global",
    "signing_keys",
    "callback_url_template",
    "created_at",
    "updated_at",
];
const OF_APIS: [&str; 5] = ["id", "is_system", "signing_secret", "created_at", "updated_at"];
const PROTECTIONS: [&str; 3] = [
    "brute-force-protection",
    "breached-password-detection",
    "suspicious-ip-throttling",
];

/// Writes the folder.
pub(super) async fn export(tenant: &Arc<Tenant>, place: &Place, folder: &Path) -> Result<(), Failure> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let folder = folder.display();
        return Err(Failure(format!("{folder} is not empty: name another folder")));
    }
    let plan = Plan::new(tenant, true);
    let mut out = Folder {
        root: folder.to_owned(),
        written: Map::new(),
    };
    let mut settings = object(plan.get("tenants/settings", "").await?);
    settings.remove("sandbox_versions_available");
    for (page, setting) in PAGES {
        if let Some(Value::Object(said)) = settings.remove(setting) {
            out.page(page, said)?;
        }
    }
    out.put("tenant.json", "tenant", &settings)?;
    let global = global_client(&plan).await?;
    if let Some(html) = global.get("custom_login_page").filter(|html| html.is_string()) {
        let is_on = global.get("custom_login_page_on").cloned().unwrap_or(json!(true));
        out.page(LOGIN_PAGE, object(json!({ "enabled": is_on, "html": html })))?;
    }
    for kind in PROTECTIONS {
        let said = object(plan.get(&format!("attack-protection/{kind}"), "").await?);
        out.put(&format!("attack-protection/{kind}.json"), "attackProtection", &said)?;
    }
    for api in plan.all("resource-servers", "").await? {
        if api.get("is_system") != Some(&json!(true)) {
            let name = match text(&api, "name") {
                "" => text(&api, "identifier").to_owned(),
                name => name.to_owned(),
            };
            out.named(
                "resource-servers",
                &name,
                "resourceServers",
                &without(object(api), &OF_APIS),
            )?;
        }
    }
    let mut names: HashMap<String, String> = HashMap::new();
    let query = "&is_global=false&fields=client_secret&include_fields=false";
    for client in plan.all("clients", query).await? {
        let name = text(&client, "name").to_owned();
        if names.values().any(|known| *known == name) {
            return Err(Failure(format!(
                "two applications are called {name}, and this form knows them by their names: rename one"
            )));
        }
        names.insert(text(&client, "client_id").to_owned(), name.clone());
        out.named("clients", &name, "clients", &without(object(client), &OF_CLIENTS))?;
    }
    for grant in plan.all("client-grants", "").await? {
        let mut said = without(object(grant), &["id", "is_system", "created_at", "updated_at"]);
        let client = text_of(&said, "client_id");
        let client = names.get(&client).cloned().unwrap_or(client);
        said.insert("client_id".into(), json!(client));
        let kind = match text_of(&said, "subject_type").as_str() {
            "" | "client" => String::new(),
            other => format!("-{other}"),
        };
        let name = format!("{client}-{}{kind}", text_of(&said, "audience"));
        out.named("grants", &name, "clientGrants", &said)?;
    }
    for role in plan.all("roles", "").await? {
        let path = format!("roles/{}/permissions", segment(text(&role, "id")));
        let mut permissions = Vec::new();
        for permission in plan.all(&path, "").await? {
            permissions.push(json!({
                "permission_name": text(&permission, "permission_name"),
                "resource_server_identifier": text(&permission, "resource_server_identifier"),
            }));
        }
        permissions.sort_by_key(Value::to_string);
        let name = text(&role, "name").to_owned();
        let said = json!({ "name": name, "description": role.get("description"), "permissions": permissions });
        out.named("roles", &name, "roles", &object(said))?;
    }
    for connection in plan.all("connections", "").await? {
        let path = format!("connections/{}/clients", segment(text(&connection, "id")));
        let listed = plan.all_by_checkpoint(&path, "clients").await?;
        let named = listed.iter().filter_map(|client| names.get(text(client, "client_id")));
        let mut enabled: Vec<&String> = named.collect();
        enabled.sort_unstable();
        let enabled = json!(enabled);
        let mut said = without(object(connection), &["id", "provisioning_ticket_url"]);
        said.insert("enabled_clients".into(), enabled);
        let name = file_name(&text_of(&said, "name"));
        out.put(
            &format!("database-connections/{name}/database.json"),
            "databases",
            &said,
        )?;
    }
    match place.is_json() {
        true => place.print_json(&out.written.into()),
        false => {
            let counts: Vec<String> = out
                .written
                .iter()
                .map(|(kind, count)| format!("{kind} {count}"))
                .collect();
            print(&format!("{}: {}", folder.display(), counts.join(", ")))
        }
    }
}

struct Folder {
    root: PathBuf,
    /// How many files, by kind.
    written: Map<String, Value>,
}

impl Folder {
    fn named(&mut self, folder: &str, name: &str, kind: &str, said: &Map<String, Value>) -> Result<(), Failure> {
        self.put(&format!("{folder}/{}.json", file_name(name)), kind, said)
    }

    /// A page, whose text stands in a file of its own beside what is said of it.
    fn page(&mut self, name: &str, mut said: Map<String, Value>) -> Result<(), Failure> {
        if let Some(Value::String(html)) = said.get("html") {
            let html = html.clone();
            said.insert("html".into(), json!(format!("./{name}.html")));
            self.write(&format!("pages/{name}.html"), &html)?;
        }
        said.insert("name".into(), json!(name));
        self.put(&format!("pages/{name}.json"), "pages", &said)
    }

    fn put(&mut self, name: &str, kind: &str, said: &Map<String, Value>) -> Result<(), Failure> {
        self.write(name, &format!("{:#}\n", Value::Object(said.clone())))?;
        let before = self.written.get(kind).and_then(Value::as_u64).unwrap_or(0);
        self.written.insert(kind.into(), json!(before + 1));
        Ok(())
    }

    fn write(&self, name: &str, content: &str) -> Result<(), Failure> {
        let path = self.root.join(name);
        let cannot = |error| Failure::because(format!("{} cannot be written", path.display()), error);
        if path.exists() {
            let path = path.display();
            return Err(Failure(format!("two things would be written to {path}: rename one")));
        }
        fs::create_dir_all(path.parent().unwrap_or(&self.root)).map_err(cannot)?;
        fs::write(&path, content).map_err(cannot)
    }
}

/// A name as a file's: what leads elsewhere, or what some system refuses, is a dash.
fn file_name(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| {
            if c.is_control() || r#"/\:*?"<>|"#.contains(c) {
                '-'
            } else {
                c
            }
        })
        .collect();
    match safe.trim_start_matches('.') {
        "" => "-".to_owned(),
        safe => safe.chars().take(200).collect(),
    }
}

fn without(mut said: Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    said.retain(|name, _| !names.contains(&name.as_str()));
    said
}

fn text_of(said: &Map<String, Value>, name: &str) -> String {
    said.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
