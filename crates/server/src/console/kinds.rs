//! One short page for each kind of application: how it gets a token and sends it, with what this server has today.
//! `/console/quickstart/{kind}`

use askama::Template;

use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::Page as StorePage;

use super::answer::{Failure, Reply};
use super::applicants::applicants;
use super::code::{self, Choice, Code};
use super::frame::{Frame, Section};
use super::quickstart::{API_URL, MAX_APIS, chosen};
use super::visit::Visit;
use super::words;
use crate::registry::apis;
use crate::snippets::{Application, Language, MASKED_SECRET, MASKED_TOKEN, Quickstart, Values, shell};

/// A kind of application.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Its name in the address.
    pub(crate) id: &'static str,
    /// What people call it.
    pub(crate) name: &'static str,
    /// What it is, in a sentence.
    pub(crate) about: &'static str,
    /// Whether it gets its tokens from this server in the way it should.
    pub(crate) is_served: bool,
}

/// The kinds, in the order in which they are listed.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        id: "machine-to-machine",
        name: words::kind::MACHINE,
        about: words::kind::MACHINE_ABOUT,
        is_served: true,
    },
    Kind {
        id: "regular-web",
        name: words::kind::WEB,
        about: words::kind::WEB_ABOUT,
        is_served: false,
    },
    Kind {
        id: "spa",
        name: words::kind::SPA,
        about: words::kind::SPA_ABOUT,
        is_served: false,
    },
    Kind {
        id: "native",
        name: words::kind::NATIVE,
        about: words::kind::NATIVE_ABOUT,
        is_served: false,
    },
    Kind {
        id: "command-line",
        name: words::kind::COMMAND_LINE,
        about: words::kind::COMMAND_LINE_ABOUT,
        is_served: true,
    },
];

#[derive(Template)]
#[template(path = "kind.html")]
struct Page {
    frame: Frame,
    kind: &'static Kind,
    issuer: String,
    token_endpoint: String,
    /// The API and the application that stand in the programs; empty where the tenant has none.
    identifier: String,
    api: String,
    application: String,
    client_id: String,
    /// The two as words of a command, which runs nothing of them.
    identifier_word: String,
    client_id_word: String,
    languages: Vec<Choice>,
    programs: Vec<Program>,
}

/// What a request does, in a language.
struct Program {
    /// What it is copied by.
    id: String,
    title: &'static str,
    language: &'static str,
    code: Code,
}

/// What a program does, and in which language if that is the kind's alone.
type Step = (Quickstart, Option<Language>);

impl Kind {
    /// The requests that it makes today, with the language where only one makes sense.
    fn steps(&self) -> &'static [Step] {
        match self.id {
            "spa" => &[(Quickstart::GetPrivate, Some(Language::Fetch))],
            "native" => &[
                (Quickstart::GetPrivate, Some(Language::Swift)),
                (Quickstart::GetPrivate, Some(Language::Kotlin)),
            ],
            "command-line" => &[
                (Quickstart::TokenClientCredentials, Some(Language::Curl)),
                (Quickstart::GetPrivate, Some(Language::Curl)),
            ],
            _ => &[
                (Quickstart::TokenClientCredentials, None),
                (Quickstart::GetPrivate, None),
            ],
        }
    }

    /// Whether its programs come in the language that the reader picks.
    pub(crate) fn has_languages(&self) -> bool {
        self.steps().iter().any(|(_, language)| language.is_none())
    }
}

/// `GET /console/quickstart/{kind}`
pub(crate) async fn get(visit: Visit) -> Result<Reply, Failure> {
    let id = visit.parameter("kind");
    let kind = KINDS.iter().find(|kind| kind.id == id).ok_or_else(Failure::missing)?;
    let frame = visit.frame(Section::Quickstart, kind.name).await?;
    let tenant = &visit.tenant;
    let rows = apis::apis(tenant, StorePage::first(MAX_APIS)).await?;
    let api = chosen(&rows, "");
    let applicant = match api {
        Some(api) => applicants(tenant, api, "")
            .await?
            .into_iter()
            .find(|one| !one.uses_keys),
        None => None,
    };
    let identifier = api.map(|api| apis::identifier(tenant, api)).unwrap_or_default();
    let filled = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let client_id = applicant.as_ref().map(|one| one.id.clone()).unwrap_or_default();
    let trial = visit.app.trial();
    let values = Values {
        issuer: Some(tenant.issuer.as_str().to_owned()),
        audience: filled(&identifier),
        application: Application {
            client_id: filled(&client_id),
            client_secret: Some(Secret::new(MASKED_SECRET)),
        },
        api_url: Some(trial.sample_api.clone().unwrap_or_else(|| API_URL.to_owned())),
        access_token: Some(Secret::new(MASKED_TOKEN)),
        ca_file: trial.ca_file.clone(),
        ..Values::default()
    };
    let picked = code::language(&visit);
    let programs = kind
        .steps()
        .iter()
        .enumerate()
        .filter_map(|(place, (request, language))| {
            let written = request.request(&values).ok()?;
            let language = language.unwrap_or(picked);
            Some(Program {
                id: format!("program-{place}"),
                title: request.title(),
                language: language.about().name,
                code: Code::of(language, &written),
            })
        });
    let reply = Reply::page(&Page {
        programs: programs.collect(),
        languages: code::choices(picked),
        api: api.map(|api| api.id.to_string()).unwrap_or_default(),
        application: applicant.map(|one| one.name).unwrap_or_default(),
        identifier_word: shell(&identifier),
        client_id_word: shell(&client_id),
        identifier,
        client_id,
        frame: frame.below(words::navigation::QUICKSTART, "/console/quickstart"),
        issuer: visit.tenant.issuer.as_str().to_owned(),
        token_endpoint: visit.tenant.issuer.url("oauth/token"),
        kind,
    })?;
    Ok(reply.remembering(picked))
}
