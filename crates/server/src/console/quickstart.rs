//! The Quickstart: the five requests with this tenant's own values, each as code and each to be run from here.
//! `/console/quickstart`

use askama::Template;

use tokenhouse_protocol::id::ClientId;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Api, Page as StorePage};

use super::answer::{Done, Failure, Reply};
use super::applicants::{Applicant, applicants};
use super::code::{self, Choice, Code};
use super::decoded::Decoded;
use super::exchange::Exchange;
use super::explained::{Asking, Explanation};
use super::fields::Fields;
use super::frame::{Frame, Section};
use super::inside;
use super::judge::judge;
use super::kinds::{KINDS, Kind};
use super::outbound::{Answer, Failure as NoAnswer};
use super::visit::Visit;
use super::{sought, words};
use crate::registry::{apis, clients};
use crate::snippets::{Application, Language, MASKED_PASSWORD, MASKED_SECRET, MASKED_TOKEN, Quickstart, Values};

/// Most APIs to choose from.
pub(super) const MAX_APIS: u32 = 50;
/// So many applications are chosen from that there may be more, to be found by name.
const MANY: usize = 50;
/// Where the quickstart's API is, unless `dev` runs one.
pub(super) const API_URL: &str = "http://localhost:3010";

#[derive(Template)]
#[template(path = "quickstart.html")]
struct Page {
    frame: Frame,
    kinds: &'static [Kind],
    /// Id and name.
    apis: Vec<(String, String)>,
    identifier: String,
    applicants: Vec<Applicant>,
    /// Whether there may be more applications than those.
    has_more: bool,
    /// What was looked for among the applications, and was not found.
    not_found: Option<String>,
    asked: Asked,
    languages: Vec<Choice>,
    steps: Vec<Step>,
    decoded: Option<Decoded>,
}

/// One of the five requests.
struct Step {
    id: &'static str,
    title: &'static str,
    about: &'static str,
    asks_for_user: bool,
    can_run: bool,
    code: Option<Code>,
    problem: Option<String>,
    exchange: Option<Exchange>,
    explanation: Option<Explanation>,
}

/// What the form says.
#[derive(Clone, Debug, Default)]
struct Asked {
    api: String,
    application: String,
    api_url: String,
    username: String,
    access_token: String,
}

/// `GET /console/quickstart`
pub(crate) async fn get(visit: Visit) -> Result<Reply, Failure> {
    let mut asked = Asked::of(&visit.query);
    let named = sought::named(&visit, visit.query.text("find"), &asked.application).await?;
    asked.application = named.id;
    let mut page = Page::new(&visit, asked).await?;
    page.not_found = named.not_found;
    Ok(Reply::page(&page)?.remembering(code::language(&visit)))
}

/// `POST /console/quickstart`: runs one of the requests, or shows them in another language.
pub(crate) async fn post(visit: Visit) -> Result<Done, Failure> {
    let mut page = Page::new(&visit, Asked::of(&visit.form)).await?;
    if let Some(request) = Quickstart::named(visit.form.text("run")) {
        Box::pin(page.run(&visit, request)).await?;
    }
    let language = code::language(&visit);
    Ok(Done::unchanged(Reply::page(&page)?.remembering(language)))
}

impl Page {
    async fn new(visit: &Visit, mut asked: Asked) -> Result<Self, Failure> {
        let tenant = &visit.tenant;
        let rows = apis::apis(tenant, StorePage::first(MAX_APIS)).await?;
        let api = chosen(&rows, &asked.api);
        let applicants = match api {
            Some(api) => applicants(tenant, api, &asked.application).await?,
            None => Vec::new(),
        };
        let may_ask = |one: &Applicant| one.id == asked.application && (one.is_granted || one.asks_for_users);
        if !applicants.iter().any(may_ask) {
            asked.application = applicants.first().map(|first| first.id.clone()).unwrap_or_default();
        }
        if asked.api_url.is_empty() {
            asked.api_url = visit
                .app
                .trial()
                .sample_api
                .clone()
                .unwrap_or_else(|| API_URL.to_owned());
        }
        let identifier = api.map(|api| apis::identifier(tenant, api)).unwrap_or_default();
        asked.api = api.map(|api| api.id.to_string()).unwrap_or_default();
        let language = code::language(visit);
        let mut page = Self {
            frame: visit.frame(Section::Quickstart, words::navigation::QUICKSTART).await?,
            kinds: KINDS,
            apis: rows
                .iter()
                .map(|api| {
                    (
                        api.id.to_string(),
                        api.name.clone().unwrap_or_else(|| apis::identifier(tenant, api)),
                    )
                })
                .collect(),
            languages: code::choices(language),
            steps: Vec::new(),
            decoded: None,
            has_more: applicants.len() >= MANY,
            not_found: None,
            identifier,
            applicants,
            asked,
        };
        let masked = page.values(visit, None).await?;
        page.steps = Quickstart::ALL
            .map(|request| page.step(request, &masked, language))
            .into();
        page.decoded = Decoded::of(&page.asked.access_token, tenant.house.clock.now());
        Ok(page)
    }

    /// Makes a request with its real values, and keeps the token that comes out.
    async fn run(&mut self, visit: &Visit, request: Quickstart) -> Result<(), Failure> {
        let problem = self.run_step(visit, request).await?;
        if let Some(step) = self.steps.iter_mut().find(|step| step.id == request.id()) {
            step.problem = problem.or(step.problem.take());
        }
        Ok(())
    }

    async fn run_step(&mut self, visit: &Visit, request: Quickstart) -> Result<Option<String>, Failure> {
        let needs_token = matches!(request, Quickstart::GetPrivate | Quickstart::GetPrivateScoped);
        if needs_token && self.asked.access_token.is_empty() {
            return Ok(Some(words::problems::NEEDS_TOKEN.to_owned()));
        }
        if self.asker(request).is_some_and(|asker| asker.uses_keys) {
            return Ok(None);
        }
        if request == Quickstart::TokenPassword && visit.form.raw("password").is_empty() {
            return Ok(Some(words::problems::NEEDS_PASSWORD.to_owned()));
        }
        let real = self.values(visit, Some(request)).await?;
        let shown = self.values(visit, None).await?;
        let (real, shown) = match (request.request(&real), request.request(&shown)) {
            (Ok(real), Ok(shown)) => (real, shown),
            (Err(error), _) | (_, Err(error)) => return Ok(Some(format!("{error}."))),
        };
        let is_token = matches!(request, Quickstart::TokenClientCredentials | Quickstart::TokenPassword);
        let outcome: Result<Answer, NoAnswer> = match is_token {
            true => inside::ask(visit, &real).await,
            false => visit.app.trial().outbound.send(&real).await,
        };
        let mut explanation = None;
        if let Ok(answer) = &outcome {
            match is_token {
                true => {
                    explanation = self.why_refused(request, answer);
                    self.keep_token(visit, answer).await?;
                }
                false => {
                    let judgment = match real.token() {
                        Some(token) => Some(judge(&visit.tenant, token, Some(&self.identifier), &[]).await?),
                        None => None,
                    };
                    explanation = Some(Explanation::of(answer, judgment.as_ref()));
                }
            }
        }
        if let Some(step) = self.steps.iter_mut().find(|step| step.id == request.id()) {
            step.exchange = Some(Exchange::new(&shown, outcome.as_ref()));
            step.explanation = explanation;
        }
        Ok(None)
    }

    /// Keeps the access token of an answer, and shows the requests with it.
    async fn keep_token(&mut self, visit: &Visit, answer: &Answer) -> Result<(), Failure> {
        let body = answer
            .body
            .text()
            .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
        let token = body.as_ref().and_then(|body| body.get("access_token")?.as_str());
        let Some(token) = token else { return Ok(()) };
        token.clone_into(&mut self.asked.access_token);
        self.decoded = Decoded::of(token, visit.tenant.house.clock.now());
        let (language, masked) = (code::language(visit), self.values(visit, None).await?);
        let steps = Quickstart::ALL.map(|request| self.step(request, &masked, language));
        for (step, written) in self.steps.iter_mut().zip(steps) {
            step.code = written.code;
        }
        Ok(())
    }

    /// Why the token endpoint said no.
    fn why_refused(&self, request: Quickstart, answer: &Answer) -> Option<Explanation> {
        let body = answer.body.text()?;
        let body: serde_json::Value = serde_json::from_str(body).ok()?;
        let said = body.get("error_description").and_then(|said| said.as_str());
        let asking = Asking {
            application: self.asker(request).map_or("", |asker| &asker.id),
            api: &self.asked.api,
        };
        Some(Explanation::of_refusal(
            answer.refused?,
            said.unwrap_or_default(),
            asking,
        ))
    }

    /// The application that asks for the token of a request.
    fn asker(&self, request: Quickstart) -> Option<&Applicant> {
        let named = self.applicants.iter().find(|one| one.id == self.asked.application);
        match request {
            Quickstart::TokenClientCredentials => named,
            Quickstart::TokenPassword => named
                .filter(|named| named.asks_for_users)
                .or_else(|| self.applicants.iter().find(|one| one.asks_for_users)),
            Quickstart::GetPrivate | Quickstart::GetPrivateNoToken | Quickstart::GetPrivateScoped => None,
        }
    }

    /// A request as it stands on the page; one of an application that signs has no program here.
    fn step(&self, request: Quickstart, values: &Values, language: Language) -> Step {
        let step = Step::of(request, values, language);
        match self.asker(request).filter(|asker| asker.uses_keys) {
            None => step,
            Some(asker) => Step {
                problem: None,
                code: None,
                can_run: false,
                explanation: Some(Explanation::of_keys(&asker.id)),
                ..step
            },
        }
    }

    /// What the requests are made of: with the secret and the password for the one that is run, else with masks.
    async fn values(&self, visit: &Visit, run: Option<Quickstart>) -> Result<Values, Failure> {
        let tenant = &visit.tenant;
        let for_user = self.asker(Quickstart::TokenPassword);
        let of = async |id: Option<&str>| -> Result<Application, Failure> {
            let secret = match (id, run) {
                (Some(id), Some(_)) => clients::secret(tenant, &ClientId::new(id)).await?,
                (Some(_), None) => Some(Secret::new(MASKED_SECRET)),
                (None, _) => None,
            };
            Ok(Application {
                client_id: id.map(str::to_owned),
                client_secret: secret,
            })
        };
        let token = match (self.asked.access_token.as_str(), run) {
            ("", None) => Some(MASKED_TOKEN),
            ("", Some(_)) => None,
            (token, _) => Some(token),
        };
        let password = match run {
            Some(_) => visit.form.raw("password"),
            None => MASKED_PASSWORD,
        };
        let filled = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Ok(Values {
            issuer: Some(tenant.issuer.as_str().to_owned()),
            audience: filled(&self.identifier),
            application: of(filled(&self.asked.application).as_deref()).await?,
            password_application: of(for_user.map(|applicant| applicant.id.as_str())).await?,
            username: filled(&self.asked.username).or_else(|| run.is_none().then(|| "YOUR_USERNAME".to_owned())),
            password: Some(Secret::new(password)),
            scope: None,
            api_url: filled(&self.asked.api_url),
            access_token: token.map(Secret::new),
            ca_file: visit.app.trial().ca_file.clone(),
        })
    }
}

impl Step {
    fn of(request: Quickstart, values: &Values, language: Language) -> Self {
        let written = request.request(values);
        Self {
            id: request.id(),
            title: request.title(),
            about: about(request),
            asks_for_user: request == Quickstart::TokenPassword,
            can_run: true,
            problem: written.as_ref().err().map(|error| format!("{error}.")),
            code: written.ok().map(|request| Code::of(language, &request)),
            exchange: None,
            explanation: None,
        }
    }
}

impl Asked {
    fn of(fields: &Fields) -> Self {
        Self {
            api: fields.text("api").to_owned(),
            application: fields.text("application").to_owned(),
            api_url: fields.text("api_url").to_owned(),
            username: fields.text("username").to_owned(),
            access_token: fields.text("access_token").to_owned(),
        }
    }
}

/// The API that is named, else the first of the tenant's own.
pub(super) fn chosen<'a>(apis: &'a [Api], id: &str) -> Option<&'a Api> {
    let named = apis.iter().find(|api| api.id.as_str() == id);
    named
        .or_else(|| apis.iter().find(|api| !api.is_system))
        .or(apis.first())
}

/// What a request is for.
fn about(request: Quickstart) -> &'static str {
    match request {
        Quickstart::GetPrivateNoToken => words::quickstart::GET_PRIVATE_NO_TOKEN,
        Quickstart::TokenClientCredentials => words::quickstart::TOKEN_CLIENT_CREDENTIALS,
        Quickstart::GetPrivate => words::quickstart::GET_PRIVATE,
        Quickstart::GetPrivateScoped => words::quickstart::GET_PRIVATE_SCOPED,
        Quickstart::TokenPassword => words::quickstart::TOKEN_PASSWORD,
    }
}
