//! `tokenhouse verify`: makes the guard's checks of an access token and says in words how each went.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use tokenhouse_guard::{Check, Guard, KeySet, LocalKeys, Outcome};

use super::Failure;
use super::output::{print, print_json, quoted};
use super::place::{DEFAULT_FOLDER, Running};
use crate::inspection;

/// Most bytes of standard input that are read: far more than any guard takes.
const MAX_INPUT_BYTES: u64 = 1 << 20;

#[derive(Args, Debug)]
#[command(after_help = "\
While `tokenhouse dev` runs, its issuer and its sample API are taken unless others are named. The exit code is 0 for a \
token that is accepted and 1 for one that is refused.

Examples:
  tokenhouse verify \"$TOKEN\" --scope read:messages
  pbpaste | tokenhouse verify - --issuer https://example.eu.auth0.com/ \\
    --audience https://api.example.com
  tokenhouse verify \"$TOKEN\" --jwks keys.json \\
    --audience https://api.example.com")]
pub(super) struct Arguments {
    /// The access token, or - to read it from standard input
    token: String,
    /// Whose tokens the API takes, exactly as in its tokens; its keys are fetched from there
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// A file with the issuer's key set, in place of fetching it; without --issuer the token's own is believed
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// The API's identifier
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,
    /// Trust this certificate authority beside the machine's own, PEM; that of a running `tokenhouse dev --https` is known
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// A scope that the token must have; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The data folder of `tokenhouse dev`
    #[arg(long, value_name = "DIR", default_value = DEFAULT_FOLDER)]
    data: PathBuf,
    /// Answer with JSON for programs
    #[arg(long)]
    json: bool,
}

/// What the token is checked against.
struct Expected {
    issuer: String,
    /// Nobody said which issuer: it is the token's own.
    is_issuer_believed: bool,
    audience: String,
    scopes: Vec<String>,
    ca_file: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let token = token(&arguments.token)?;
    let part = |index| inspection::part(&token, index).map(Value::Object);
    let (header, claims) = (part(0), part(1));
    let expected = Expected::of(&arguments, claims.as_ref())?;
    let guard = guard(&expected, arguments.jwks.as_deref())?;
    let checks = inspection::checks(&guard, &token, &expected.scopes).await;
    let is_accepted = inspection::is_accepted(&checks);
    if arguments.json {
        print_json(&json!({
            "accepted": is_accepted,
            "issuer": expected.issuer,
            "audience": expected.audience,
            "checks": checks.iter().map(view).collect::<Value>(),
            "header": header,
            "claims": claims,
        }))?;
    } else {
        print(&report(&expected, &checks, header.as_ref(), claims.as_ref()))?;
    }
    Ok(if is_accepted {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Expected {
    /// What was named, or else what the server that runs on the data folder says.
    fn of(arguments: &Arguments, claims: Option<&Value>) -> Result<Self, Failure> {
        let running = Running::in_folder(&arguments.data);
        let own = |name: &str| claims.and_then(|claims| claims.get(name)).and_then(Value::as_str);
        let believed = arguments
            .jwks
            .as_ref()
            .and(Some(own("iss").unwrap_or("(none)").to_owned()));
        let of_running = running.as_ref().map(|running| running.issuer.clone());
        let named = arguments.issuer.clone();
        let is_issuer_believed = named.is_none() && believed.is_some();
        let issuer = named.or(believed).or_else(|| of_running.clone()).ok_or_else(|| {
            let folder = arguments.data.display();
            Failure(format!(
                "whose token is it? Name the issuer with --issuer URL (no server runs on {folder})"
            ))
        })?;
        // The sample API's audience means nothing to another issuer.
        let (sample, ca_file) = running
            .filter(|running| running.issuer == issuer)
            .map(|running| (running.audience, running.ca_file))
            .unzip();
        let audience = arguments.audience.clone().or(sample).ok_or_else(|| {
            let hint = own("aud")
                .map(|aud| format!(" (this token says {})", quoted(aud)))
                .unwrap_or_default();
            Failure(format!(
                "which API is it for? Name its identifier with --audience{hint}"
            ))
        })?;
        Ok(Self {
            issuer,
            is_issuer_believed,
            audience,
            scopes: arguments.scopes.clone(),
            ca_file: arguments.ca_file.clone().or(ca_file.flatten()),
        })
    }
}

fn token(argument: &str) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument.trim().to_owned());
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MAX_INPUT_BYTES).read_to_string(&mut text);
    read.map_err(|error| Failure::because("the token cannot be read from standard input", error))?;
    Ok(text.trim().to_owned())
}

fn guard(expected: &Expected, jwks: Option<&Path>) -> Result<Guard, Failure> {
    let mut builder = Guard::builder()
        .issuer(expected.issuer.as_str())
        .audience(expected.audience.as_str());
    if let Some(file) = &expected.ca_file {
        builder = builder.ca_certificate(authority(file)?);
    }
    let Some(file) = jwks else { return Ok(builder.build()?) };
    let document =
        std::fs::read(file).map_err(|error| Failure::because(format_args!("cannot read {}", file.display()), error))?;
    let keys = KeySet::from_json(&document)
        .map_err(|error| Failure::because(format_args!("{} is no key set", file.display()), error))?;
    Ok(builder.keys(LocalKeys::fixed(keys)).build()?)
}

/// A certificate authority's file.
pub(super) fn authority(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::because(format_args!("cannot read {}", file.display()), error))
}

fn view(check: &Check) -> Value {
    let (outcome, detail) = match &check.outcome {
        Outcome::Passed(found) => ("passed", Some(found)),
        Outcome::Failed(why) => ("failed", Some(why)),
        Outcome::NotReached => ("not_reached", None),
    };
    json!({ "name": check.name, "outcome": outcome, "detail": detail })
}

fn report(expected: &Expected, checks: &[Check], header: Option<&Value>, claims: Option<&Value>) -> String {
    let mut lines = Vec::new();
    for (title, part) in [("Header", header), ("Claims", claims)] {
        lines.extend(part.map(|part| format!("{title}\n{part:#}\n")));
    }
    lines.push("Checks".to_owned());
    for check in checks {
        let name = check.name;
        lines.push(match &check.outcome {
            Outcome::Passed(_) if name == "issuer" && expected.is_issuer_believed => {
                format!("  ·  {name:<10}  not asked for: name it with --issuer")
            }
            Outcome::Passed(found) => format!("  ✓  {name:<10}  {found}").trim_end().to_owned(),
            Outcome::Failed(why) => format!("  ✗  {name:<10}  {why}"),
            Outcome::NotReached => format!("  ·  {name:<10}  not reached"),
        });
    }
    lines.push(String::new());
    lines.push(inspection::verdict(checks, &expected.audience));
    lines.join("\n")
}
