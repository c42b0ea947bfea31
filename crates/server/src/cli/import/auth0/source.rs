//! What Auth0's deploy CLI writes: a folder with a file for each thing, or one YAML file; and the markers in it that are
//! replaced on the way in.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use tokenhouse_protocol::jose::json;

use super::yaml;
use crate::cli::Failure;

/// Longest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Most files of a folder.
const MAX_FILES: usize = 20_000;
/// Kinds that move in: their folder, and their name in YAML.
pub(super) const KINDS: [(&str, &str); 8] = [
    ("tenant.json", "tenant"),
    ("pages", "pages"),
    ("attack-protection", "attackProtection"),
    ("resource-servers", "resourceServers"),
    ("clients", "clients"),
    ("grants", "clientGrants"),
    ("roles", "roles"),
    ("database-connections", "databases"),
];

/// What stands in place of the markers that the deploy CLI knows as keyword replacement.
#[derive(Args, Debug)]
#[command(next_help_heading = "Markers")]
pub(in crate::cli::import) struct Markers {
    /// Put VALUE in place of ##KEY## and, as JSON text, of @@KEY@@
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    replace: Vec<(String, String)>,
    /// The same for every member of this JSON file, as in AUTH0_KEYWORD_REPLACE_MAPPINGS
    #[arg(long, value_name = "FILE")]
    replacements: Option<PathBuf>,
}

/// A thing as it was exported.
#[derive(Debug)]
pub(super) struct Thing {
    /// Where it stands, for messages.
    pub(super) at: String,
    /// Its properties.
    pub(super) said: Map<String, Value>,
}

/// An export: by kind, in the order of [`KINDS`].
#[derive(Debug, Default)]
pub(in crate::cli::import) struct Export {
    /// The things of each kind.
    pub(super) kinds: [Vec<Thing>; 8],
    /// What there is no room for here, with where it stands.
    pub(super) foreign: Vec<String>,
}

/// Reads an export.
pub(in crate::cli::import) fn read(path: &Path, markers: &Markers) -> Result<Export, Failure> {
    let values = markers.values()?;
    let export = match path.is_dir() {
        true => folder(path, &values)?,
        false => yaml_file(path, &values)?,
    };
    if export.kinds.iter().all(Vec::is_empty) {
        let path = path.display();
        return Err(Failure(format!(
            "{path} holds nothing that an Auth0 export has (tenant.json, clients, resource-servers, …): name the folder or \
             the YAML file that `a0deploy export` wrote"
        )));
    }
    Ok(export)
}

fn folder(path: &Path, values: &Map<String, Value>) -> Result<Export, Failure> {
    let mut export = Export::default();
    for entry in sorted(path)? {
        let name = name_of(&entry);
        let Some(place) = KINDS.iter().position(|(folder, _)| *folder == name) else {
            if entry.is_dir() && !sorted(&entry)?.is_empty() && !name.starts_with('.') {
                export.foreign.push(name);
            }
            continue;
        };
        let files = match name.as_str() {
            "tenant.json" => vec![entry],
            // Each has a folder of its own, beside its scripts.
            "database-connections" => {
                let folders = sorted(&entry)?.into_iter().filter(|folder| folder.is_dir());
                folders
                    .map(|folder| folder.join("database.json"))
                    .filter(|file| file.is_file())
                    .collect()
            }
            _ => sorted(&entry)?
                .into_iter()
                .filter(|file| name_of(file).ends_with(".json"))
                .collect(),
        };
        for file in files {
            let mut said = object(&file, values)?;
            if name == "pages" && said.get("html").is_none() {
                // As older exports are: the page stands beside, under its name.
                let page = file.with_extension("html");
                if page.is_file() {
                    said.insert("html".into(), Value::String(format!("./{}", name_of(&page))));
                }
            }
            beside(&mut said, &file, values)?;
            if name == "attack-protection" {
                // One file for each protection: `brute-force-protection.json`.
                let kind = name_of(&file).trim_end_matches(".json").to_owned();
                said = Map::from_iter([(kind, Value::Object(said))]);
            }
            let at = file.strip_prefix(path).unwrap_or(&file).display().to_string();
            export.kinds[place].push(Thing { at, said });
        }
    }
    Ok(export)
}

fn yaml_file(path: &Path, values: &Map<String, Value>) -> Result<Export, Failure> {
    let text = replaced(&text_of(path)?, values, path)?;
    let shown = path.display();
    let root =
        yaml::read(&text).map_err(|error| Failure::because(format!("{shown} is no YAML that is read"), error))?;
    let Value::Object(root) = root else {
        return Err(Failure(format!("{shown} holds no object")));
    };
    let mut export = Export::default();
    for (name, value) in root {
        let Some(place) = KINDS.iter().position(|(_, known)| *known == name) else {
            let is_empty = match &value {
                Value::Array(items) => items.is_empty(),
                Value::Object(members) => members.is_empty(),
                other => other.is_null(),
            };
            if !is_empty {
                export.foreign.push(name);
            }
            continue;
        };
        let items = match value {
            Value::Array(items) => items,
            Value::Null => Vec::new(),
            other => vec![other],
        };
        for (number, item) in items.into_iter().enumerate() {
            let at = format!("{name}[{number}]");
            let Value::Object(mut said) = item else {
                return Err(Failure(format!("{shown}: {at} is no object")));
            };
            beside(&mut said, path, values)?;
            if name == "attackProtection" {
                said = said.into_iter().map(|(kind, value)| (kebab(&kind), value)).collect();
            }
            export.kinds[place].push(Thing { at, said });
        }
    }
    Ok(export)
}

impl Markers {
    fn values(&self) -> Result<Map<String, Value>, Failure> {
        let mut values = match &self.replacements {
            Some(file) => object(file, &Map::new())?,
            None => Map::new(),
        };
        for (key, value) in &self.replace {
            values.insert(key.clone(), Value::String(value.clone()));
        }
        Ok(values)
    }
}

/// Replaces the markers. One that nothing was said of is refused: imported as it stands it would be somebody's callback.
fn replaced(text: &str, values: &Map<String, Value>, path: &Path) -> Result<String, Failure> {
    let (out, mut missing) = with_values(text, values);
    if missing.is_empty() {
        return Ok(out);
    }
    missing.sort_unstable();
    missing.dedup();
    let all: Vec<String> = missing.iter().map(|key| format!("--replace {key}=…")).collect();
    Err(Failure(format!(
        "{} has markers of the deploy CLI's keyword replacement: say what stands in their place with {}",
        path.display(),
        all.join(" ")
    )))
}

/// A text with the values of its markers, and which markers nothing was said of: they stay as they stand.
fn with_values<'a>(text: &'a str, values: &Map<String, Value>) -> (String, Vec<&'a str>) {
    let mut out = String::with_capacity(text.len());
    let mut missing: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['#', '@']) {
        let sign = &rest[at..=at];
        let key = rest[at..].strip_prefix(&sign.repeat(2)).and_then(|after| {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
            (end > 0 && after[end..].starts_with(&sign.repeat(2))).then(|| &after[..end])
        });
        let Some(key) = key else {
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        };
        out.push_str(&rest[..at]);
        let end = at + key.len() + 4;
        match (values.get(key), sign) {
            (Some(Value::String(text)), "#") => {
                // Inside of quotes, as the deploy CLI puts it there.
                let quoted = Value::String(text.clone()).to_string();
                out.push_str(quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default());
            }
            (Some(value), _) => out.push_str(&value.to_string()),
            (None, _) => {
                out.push_str(&rest[at..end]);
                missing.push(key);
            }
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    (out, missing)
}

/// A page that stands in a file of its own, as in `./My app_custom_login_page.html` or, of YAML, `./pages/login.html`. What
/// looks like a marker and has no value stays: `@@config@@` is what Auth0 puts its own into.
fn beside(said: &mut Map<String, Value>, file: &Path, values: &Map<String, Value>) -> Result<(), Failure> {
    for member in ["custom_login_page", "html"] {
        let Some(Value::String(page)) = said.get(member) else {
            continue;
        };
        let Some(name) = page.strip_prefix("./") else {
            continue;
        };
        let (folder, name) = match name.strip_prefix("pages/") {
            Some(name) => (file.with_file_name("pages"), name),
            None => (file.parent().map(Path::to_owned).unwrap_or_default(), name),
        };
        if name.contains(['/', '\\']) || name.starts_with('.') {
            let file = file.display();
            return Err(Failure(format!(
                "{file} names the file {page}: it may name one beside itself alone"
            )));
        }
        let (page, _) = with_values(&text_of(&folder.join(name))?, values);
        said.insert(member.to_owned(), Value::String(page));
    }
    Ok(())
}

fn object(path: &Path, values: &Map<String, Value>) -> Result<Map<String, Value>, Failure> {
    let text = replaced(&text_of(path)?, values, path)?;
    let parsed = json::parse_object(text.as_bytes());
    parsed.map_err(|error| Failure::because(format!("{} is no JSON object", path.display()), error))
}

fn text_of(path: &Path) -> Result<String, Failure> {
    let cannot = |error: &dyn std::fmt::Display| Failure::because(format!("{} cannot be read", path.display()), error);
    let size = fs::metadata(path).map_err(|error| cannot(&error))?.len();
    if size > MAX_FILE_BYTES {
        return Err(cannot(&"it is larger than 16 MiB"));
    }
    fs::read_to_string(path).map_err(|error| cannot(&error))
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |error| Failure::because(format!("{} cannot be read", folder.display()), error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)?.take(MAX_FILES) {
        found.push(entry.map_err(cannot)?.path());
    }
    found.sort();
    Ok(found)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// `bruteForceProtection` as in the API's paths.
fn kebab(camel: &str) -> String {
    let mut out = String::new();
    for c in camel.chars() {
        if c.is_ascii_uppercase() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_replaced_and_the_missing_are_named() {
        let values = Map::from_iter([
            ("ENV".into(), Value::String("a \"quoted\" one".into())),
            ("LIST".into(), serde_json::json!(["x", 1])),
        ]);
        let replaced = |text: &str| replaced(text, &values, Path::new("x.json"));
        let text = r###"{"a": "##ENV##-api", "b": @@LIST@@, "c": @@ENV@@, "d": "# ## @@ a@@b ###x"}"###;
        let wanted =
            r###"{"a": "a \"quoted\" one-api", "b": ["x",1], "c": "a \"quoted\" one", "d": "# ## @@ a@@b ###x"}"###;
        assert_eq!(replaced(text).unwrap(), wanted);
        let missing = replaced("##B## @@A@@ ##B##").unwrap_err().0;
        assert!(missing.ends_with("--replace A=… --replace B=…"), "{missing}");
    }

    #[test]
    fn a_page_is_read_from_beside_its_file_alone() {
        for page in [
            "./../secret",
            "./a/b.html",
            "./.env",
            "./pages/../secret",
            "./pages/.env",
        ] {
            let mut said = Map::from_iter([("custom_login_page".into(), Value::String(page.into()))]);
            let file = Path::new("clients/a.json");
            assert!(beside(&mut said, file, &Map::new()).is_err(), "{page}");
        }
    }
}
