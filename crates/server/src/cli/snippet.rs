//! `tokenhouse snippet`: a request of the quickstart as a program in a language, with the reader's own values.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use serde::Deserialize;

use tokenhouse_protocol::secret::Secret;

use super::Failure;
use super::output::{print, print_program, remark, table};
use super::place::DEFAULT_FOLDER;
use crate::dev::folder::DEV_FILE;
use crate::snippets::{self, Application, Field, Language, Quickstart, QuickstartError, Values};

/// Most bytes of a file with a secret: more than any request may hold.
const MAX_SECRET_BYTES: u64 = 64 << 10;

#[derive(Args, Debug)]
#[command(after_help = "\
Each program is complete, prints the HTTP status and then the body, and says in its first lines how to run it. \
While `tokenhouse dev` runs, its addresses and samples are taken unless others are named.

Examples:
  tokenhouse snippet --language python \\
    --request token-client-credentials > request.py
  tokenhouse snippet --language go --request get-private \\
    --access-token-file token.txt
  tokenhouse snippet --format postman > tokenhouse.postman_collection.json
  tokenhouse snippet --list")]
pub(super) struct Arguments {
    /// The language of the program
    #[arg(
        long,
        required_unless_present_any = ["list", "format"],
        value_parser = PossibleValuesParser::new(Language::ALL.map(|language| language.about().id))
            .try_map(|id| Language::named(&id).ok_or("no such language"))
    )]
    language: Option<Language>,
    /// The request
    #[arg(
        long,
        required_unless_present_any = ["list", "format"],
        value_parser = PossibleValuesParser::new(Quickstart::ALL.map(Quickstart::id))
            .try_map(|id| Quickstart::named(&id).ok_or("no such request"))
    )]
    request: Option<Quickstart>,
    /// All five requests as a collection, in place of a program; secrets are left out and become variables
    #[arg(long, conflicts_with_all = ["language", "request"])]
    format: Option<Format>,
    /// Which languages and requests there are
    #[arg(long, conflicts_with_all = ["language", "request", "format"])]
    list: bool,
    /// The data folder of a running `tokenhouse dev` [default: ./tokenhouse-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A Postman collection, v2.1
    Postman,
    /// An .http file, as editors send it
    Http,
}

/// What the reader says in place of what the data folder says.
#[derive(Args, Debug)]
#[command(next_help_heading = "Values")]
struct Given {
    /// The issuer, as in its tokens
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The API's identifier
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,
    /// The application's client ID
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// The user's name
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// The scopes to ask for, separated by blanks
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// Where the API is, such as http://localhost:3010
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
    /// The local authority that the issuer's certificate is from, PEM
    #[arg(long, value_name = "FILE")]
    ca_file: Option<String>,
    #[command(flatten)]
    secrets: Secrets,
}

#[derive(Args)]
struct Secrets {
    /// The application's client secret; it stays in your shell's history, so prefer the file
    #[arg(long, value_name = "SECRET")]
    client_secret: Option<String>,
    /// A file with the client secret, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret")]
    client_secret_file: Option<PathBuf>,
    /// The user's password; it stays in your shell's history, so prefer the file
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// A file with the password, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    password_file: Option<PathBuf>,
    /// The access token
    #[arg(long, value_name = "TOKEN")]
    access_token: Option<String>,
    /// A file with the access token, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "access_token")]
    access_token_file: Option<PathBuf>,
}

/// Never the secrets.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

/// What `dev.json` says.
#[derive(Deserialize)]
struct Samples {
    issuer: String,
    audience: String,
    api_url: String,
    applications: Applications,
    user: User,
    ca_file: Option<String>,
}

#[derive(Deserialize)]
struct Applications {
    sample: Credentials,
    password: Credentials,
}

#[derive(Deserialize)]
struct Credentials {
    client_id: String,
    client_secret: Secret,
}

#[derive(Deserialize)]
struct User {
    username: String,
    password: Secret,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        language,
        request,
        format,
        list,
        data,
        given,
    } = arguments;
    if list {
        return print(&listed());
    }
    let values = given.values(data.as_deref())?;
    let text = match (format, language, request) {
        (Some(Format::Postman), ..) => snippets::postman_collection(&values),
        (Some(Format::Http), ..) => snippets::http_file(&values),
        (None, Some(language), Some(request)) => request.request(&values).map(|request| language.render(&request)),
        // clap asks for both.
        (None, ..) => return Err(Failure("name a --language and a --request: see --list".into())),
    };
    print_program(&text.map_err(|error| failure(&error))?)
}

impl Given {
    /// What was given, or else what the server that runs on the data folder says.
    fn values(self, folder: Option<&Path>) -> Result<Values, Failure> {
        let samples = Samples::of_folder(folder)?;
        // The samples mean nothing to another issuer.
        let same = |url: &str, other: &str| url.trim_end_matches('/') == other.trim_end_matches('/');
        let is_theirs = |samples: &Samples| self.issuer.as_ref().is_none_or(|issuer| same(issuer, &samples.issuer));
        let mut values = samples.filter(is_theirs).map(Samples::values).unwrap_or_default();
        let Secrets {
            client_secret,
            client_secret_file,
            password,
            password_file,
            access_token,
            access_token_file,
        } = self.secrets;
        if client_secret.is_some() || password.is_some() {
            remark(
                "Note: a secret on the command line stays in your shell's history; prefer --client-secret-file and \
                 --password-file.",
            );
        }
        // An application is one whole, and so is a user: the samples' secrets are nobody else's.
        let client_secret = secret(client_secret, client_secret_file.as_deref())?;
        for application in [&mut values.application, &mut values.password_application] {
            if self.client_id.is_some() {
                *application = Application {
                    client_id: self.client_id.clone(),
                    client_secret: None,
                };
            }
            application.client_secret = client_secret.clone().or(application.client_secret.take());
        }
        let password = secret(password, password_file.as_deref())?;
        if self.username.is_some() {
            values.password = None;
        }
        values.issuer = self.issuer.or(values.issuer);
        values.audience = self.audience.or(values.audience);
        values.username = self.username.or(values.username);
        values.password = password.or(values.password);
        values.scope = self.scope.or(values.scope);
        values.api_url = self.api_url.or(values.api_url);
        values.ca_file = self.ca_file.or(values.ca_file);
        values.access_token = secret(access_token, access_token_file.as_deref())?;
        Ok(values)
    }
}

impl Samples {
    /// What the `dev` that runs on the folder says; none if no folder was named and none runs on the usual one.
    fn of_folder(folder: Option<&Path>) -> Result<Option<Self>, Failure> {
        let file = folder.unwrap_or(Path::new(DEFAULT_FOLDER)).join(DEV_FILE);
        match (std::fs::read(&file), folder) {
            (Ok(text), _) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|error| Failure::because(format_args!("cannot understand {}", file.display()), error)),
            (Err(_), None) => Ok(None),
            (Err(_), Some(folder)) => {
                let folder = folder.display();
                Err(Failure(format!(
                    "no `tokenhouse dev` runs on {folder}: start it, or give the values themselves"
                )))
            }
        }
    }

    fn values(self) -> Values {
        let application = |credentials: Credentials| Application {
            client_id: Some(credentials.client_id),
            client_secret: Some(credentials.client_secret),
        };
        Values {
            issuer: Some(self.issuer),
            audience: Some(self.audience),
            application: application(self.applications.sample),
            password_application: application(self.applications.password),
            username: Some(self.user.username),
            password: Some(self.user.password),
            scope: None,
            api_url: Some(self.api_url),
            access_token: None,
            ca_file: self.ca_file,
        }
    }
}

/// A secret as it was given, or the first line break before the end of a file taken off.
fn secret(given: Option<String>, file: Option<&Path>) -> Result<Option<Secret>, Failure> {
    let Some(file) = file else {
        return Ok(given.map(Secret::new));
    };
    let failed =
        |error: io::Error| Failure::because(format_args!("cannot read a secret from {}", file.display()), error);
    let mut text = String::new();
    let source: &mut dyn io::Read = if file == Path::new("-") {
        &mut io::stdin().lock()
    } else {
        &mut File::open(file).map_err(failed)?
    };
    source
        .take(MAX_SECRET_BYTES)
        .read_to_string(&mut text)
        .map_err(failed)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Some(Secret::new(text.strip_suffix('\r').unwrap_or(text))))
}

/// What is missing, and how to give it.
fn failure(error: &QuickstartError) -> Failure {
    let flag = match error {
        QuickstartError::Request(_) => return Failure(error.to_string()),
        QuickstartError::Missing(_, Field::AccessToken) => {
            let hint = "--access-token-file FILE (- for standard input); the request token-client-credentials gets one";
            return Failure(format!("{error}: {hint}"));
        }
        QuickstartError::Missing(_, Field::Issuer) => "--issuer URL",
        QuickstartError::Missing(_, Field::Audience) => "--audience AUDIENCE",
        QuickstartError::Missing(_, Field::ClientId) => "--client-id ID",
        QuickstartError::Missing(_, Field::ClientSecret) => "--client-secret-file FILE (- for standard input)",
        QuickstartError::Missing(_, Field::Username) => "--username NAME",
        QuickstartError::Missing(_, Field::Password) => "--password-file FILE (- for standard input)",
        QuickstartError::Missing(_, Field::ApiUrl) => "--api-url URL",
    };
    Failure(format!(
        "{error}: {flag}, or --data DIR, the folder of a running `tokenhouse dev`"
    ))
}

fn listed() -> String {
    let languages = Language::ALL.map(|language| {
        let about = language.about();
        [about.id, about.name, about.file_name, about.needs]
            .map(str::to_owned)
            .to_vec()
    });
    let requests = Quickstart::ALL.map(|request| [request.id(), request.title()].map(str::to_owned).to_vec());
    format!(
        "{}\n\n{}",
        table(&["LANGUAGE", "NAME", "SAVE AS", "NEEDS"], &languages),
        table(&["REQUEST", "WHAT IT DOES"], &requests)
    )
}
