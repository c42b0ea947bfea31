//! What `tokenhouse dev` tells: `dev.json` for programs, and a welcome for people, whose commands work
//! when they are pasted in order (curl and a POSIX shell, nothing else).

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use super::seed::{AUDIENCE, Applications, PASSWORD, USERNAME};
use crate::tenant::Issuer;

/// What is told of one start.
pub struct Told {
    /// `dev.json`.
    pub file: String,
    /// The same on one line, for programs that read stdout.
    pub line: String,
    /// The welcome, for people.
    pub welcome: String,
}

impl Told {
    /// Writes `facts` down.
    pub fn new(facts: &impl Serialize, welcome: String) -> Self {
        // Texts always serialise.
        Self {
            file: serde_json::to_string_pretty(facts).unwrap_or_default() + "\n",
            line: serde_json::to_string(facts).unwrap_or_default(),
            welcome,
        }
    }
}

/// Where everything is.
#[derive(Clone, Copy)]
pub struct Places<'a> {
    /// The issuer.
    pub issuer: &'a Issuer,
    /// The sample API.
    pub api_url: &'a str,
    /// The console, with a link that signs in once.
    pub console_url: &'a str,
    /// The local authority's certificate, if there is one.
    pub ca_file: Option<&'a Path>,
}

/// `dev.json`.
#[derive(Serialize)]
pub struct DevFile<'a> {
    issuer: &'a str,
    console_url: &'a str,
    token_url: String,
    jwks_url: String,
    api_url: &'a str,
    dev_url: String,
    audience: &'static str,
    applications: &'a Applications,
    management: Management<'a>,
    user: User,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<&'a Path>,
}

#[derive(Serialize)]
struct User {
    username: &'static str,
    password: &'static str,
}

/// The Management API, and the application that may do everything there.
#[derive(Serialize)]
struct Management<'a> {
    audience: String,
    client_id: &'a str,
    client_secret: &'a str,
}

/// One request of the welcome.
struct Step {
    title: &'static str,
    status: u16,
    commands: Vec<String>,
}

impl<'a> DevFile<'a> {
    /// What `dev.json` says.
    pub fn new(places: Places<'a>, applications: &'a Applications) -> Self {
        let Places {
            issuer,
            api_url,
            console_url,
            ca_file,
        } = places;
        Self {
            issuer: issuer.as_str(),
            console_url,
            token_url: issuer.url("oauth/token"),
            jwks_url: issuer.url(".well-known/jwks.json"),
            api_url,
            dev_url: issuer.url("dev/"),
            audience: AUDIENCE,
            applications,
            management: Management {
                audience: issuer.system_api(),
                client_id: &applications.admin.client_id,
                client_secret: &applications.admin.client_secret,
            },
            user: User {
                username: USERNAME,
                password: PASSWORD,
            },
            ca_file,
        }
    }

    /// All of it.
    pub fn told(&self) -> Told {
        Told::new(self, self.welcome())
    }

    fn welcome(&self) -> String {
        let mut text = format!(
            "Tokenhouse is ready. The console, signed in once by this link:\n\n  {}\n\n  Authorization server  {}\n  Sample API            {}\n  Audience              {}\n  \
             Sample user           {} / {}\n  Management API        {}   (credentials: `management` in dev.json)\n",
            self.console_url,
            self.issuer,
            self.api_url,
            self.audience,
            self.user.username,
            self.user.password,
            self.management.audience
        );
        if let Some(file) = self.ca_file {
            let file = file.display();
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  Local authority       {file}   (see `tokenhouse trust`)");
        }
        text.push_str("\nTry it: paste these into another terminal, in this order.\n\n");
        for (number, step) in (1..).zip(self.steps()) {
            let Step {
                title,
                status,
                commands,
            } = step;
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# {number}. {title}: expect {status}\n{}\n", commands.join("\n"));
        }
        text.push_str("Ctrl-C ends it; the next run finds everything as it was.\n");
        text
    }

    fn steps(&self) -> Vec<Step> {
        let sample = &self.applications.sample;
        let password = &self.applications.password;
        let (user, audience) = (&self.user, self.audience);
        let machine = format!(
            r#"{{"grant_type":"client_credentials","client_id":"{}","client_secret":"{}","audience":"{audience}"}}"#,
            sample.client_id, sample.client_secret
        );
        let without_read = machine.replace('}', r#","scope":"write:messages"}"#);
        let person = format!(
            r#"{{"grant_type":"password","username":"{}","password":"{}","audience":"{audience}","scope":"read:messages","client_id":"{}","client_secret":"{}"}}"#,
            user.username, user.password, password.client_id, password.client_secret
        );
        let step = |title, status, commands| Step {
            title,
            status,
            commands,
        };
        vec![
            step("The API without a token", 401, vec![self.call("/api/private", None)]),
            step("A token with client credentials", 200, self.token(&machine)),
            step(
                "The API with the token",
                200,
                vec![self.call("/api/private", Some("TOKEN"))],
            ),
            step(
                "What needs the scope read:messages",
                200,
                vec![self.call("/api/private-scoped", Some("TOKEN"))],
            ),
            step("A token without that scope", 200, self.token(&without_read)),
            step(
                "What needs it, with that token",
                403,
                vec![self.call("/api/private-scoped", Some("TOKEN"))],
            ),
            step("A token with a user's password", 200, self.token(&person)),
            step(
                "What needs it, as that user",
                200,
                vec![self.call("/api/private-scoped", Some("TOKEN"))],
            ),
        ]
    }

    /// Calls the API and prints the answer's body, then its status.
    fn call(&self, path: &str, token: Option<&str>) -> String {
        let header = token.map_or_else(String::new, |name| {
            format!(" --header \"authorization: Bearer ${name}\"")
        });
        format!("curl -s -w '\\n%{{http_code}}\\n' --url {}{path}{header}", self.api_url)
    }

    /// What makes curl trust the local authority, if it has to.
    fn trusting(&self) -> String {
        self.ca_file
            .map_or_else(String::new, |file| format!(" --cacert '{}'", file.display()))
    }

    /// Asks for a token, prints the answer's body and status, and keeps the token in `TOKEN`.
    fn token(&self, body: &str) -> Vec<String> {
        vec![
            format!(
                "ANSWER=$(curl -s{} -w '\\n%{{http_code}}' --url {} --header 'content-type: application/json' --data '{body}')",
                self.trusting(),
                self.token_url
            ),
            "TOKEN=$(printf '%s' \"$ANSWER\" | sed -n 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/p')".to_owned(),
            "printf '%s\\n' \"$ANSWER\"".to_owned(),
        ]
    }
}
