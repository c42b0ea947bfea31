//! An API's Test tab: a token for it, taken apart; the request that gets one, as code; and the call to the API with it,
//! sent from here, with what came back and why. `/console/apis/{id}/test`

use askama::Template;
use axum::body::Body as HttpBody;
use axum::http::{Response, header};

use tokenhouse_guard::Check;
use tokenhouse_protocol::id::ClientId;
use tokenhouse_store::Api;

use self::asking::{Asked, NotIssued};
use super::answer::{Done, Failure, Reply};
use super::applicants::{Applicant, applicants};
use super::code::{self, Choice, Code};
use super::decoded::Decoded;
use super::exchange::Exchange;
use super::explained::{Asking, Explanation};
use super::frame::{Frame, Section};
use super::judge::{Judgment, judge};
use super::record::Record;
use super::visit::Visit;
use super::{sought, words};
use crate::registry::apis;
use crate::snippets::{Language, Request};
use crate::web::answer::set;

mod asking;

/// So many applications are chosen from that there may be more, to be found by name.
const MANY: usize = 50;

#[derive(Template)]
#[template(path = "test_tab.html")]
struct Page {
    frame: Frame,
    api: String,
    path: String,
    identifier: String,
    asked: Asked,
    applicants: Vec<Applicant>,
    scopes: Vec<(String, bool)>,
    methods: [&'static str; 5],
    languages: Vec<Choice>,
    /// Why no token was issued, or why something typed cannot be used.
    problem: Option<String>,
    /// Why the token endpoint would refuse it.
    refused: Option<Explanation>,
    decoded: Option<Decoded>,
    /// Whether the application proves itself with a key, so that the code needs an assertion.
    uses_keys: bool,
    /// Whether there may be more applications than those to choose from.
    has_more: bool,
    /// What was looked for among the applications, and was not found.
    not_found: Option<String>,
    /// The request that gets a token; whether its secret is shown.
    token_code: Option<Code>,
    has_secret: bool,
    is_secret_shown: bool,
    call_code: Option<Code>,
    call: Option<Call>,
}

/// A call to the API, and why it was answered so.
struct Call {
    exchange: Exchange,
    explanation: Option<Explanation>,
    checks: Vec<Check>,
    verdict: Option<String>,
}

/// `GET /console/apis/{id}/test`: shows the form; nothing is issued by looking.
pub(crate) async fn get(visit: Visit) -> Result<Reply, Failure> {
    let api = apis::api(&visit.tenant, visit.parameter("id")).await?;
    let named = sought::named(&visit, visit.query.text("find"), visit.query.text("application")).await?;
    let applicants = applicants(&visit.tenant, &api, &named.id).await?;
    let asked = Asked::at_first(&visit, &api, &named.id, &applicants);
    let mut page = Page::new(&visit, &api, asked, applicants, None).await?;
    page.not_found = named.not_found;
    Reply::page(&page)
}

/// `POST /console/apis/{id}/test`: issues a token, shows the code in another language or with its secret, calls the API.
pub(crate) async fn post(visit: Visit) -> Result<Done, Failure> {
    let api = apis::api(&visit.tenant, visit.parameter("id")).await?;
    let mut asked = Asked::of(&visit.form);
    let applicants = applicants(&visit.tenant, &api, &asked.application).await?;
    let language = code::language(&visit);
    let shown = Record::reading(words::log::SECRET_IN_CODE)
        .application(&ClientId::new(asked.application.as_str()))
        .api(&api.id);
    match visit.form.text("action") {
        "issue" => {
            let issued = asking::issue(&visit, &api, &asked).await;
            let (token, not_issued) = match issued {
                Ok(token) => (token, None),
                Err(why) => (String::new(), Some(why)),
            };
            asked.access_token = token;
            let mut page = Page::new(&visit, &api, asked, applicants, None).await?;
            let reply = match not_issued {
                None => Reply::page(&page)?,
                Some(why) => {
                    page.explain(why);
                    Reply::refused(&page)?
                }
            };
            Ok(Done::unchanged(reply.remembering(language)))
        }
        "copy" if asking::has_secret(&visit, &asked).await? => {
            let text = match asking::token_request(&visit, &api, &asked, true).await? {
                Ok(request) => language.render(&request),
                Err(why) => {
                    return Err(Failure::new(
                        axum::http::StatusCode::CONFLICT,
                        words::failures::REFUSED,
                        why,
                    ));
                }
            };
            let mut response = Response::new(HttpBody::from(text));
            set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
            Ok(Done::recorded(shown, Reply::raw(response)))
        }
        "reveal" if asking::has_secret(&visit, &asked).await? => {
            let mut page = Page::new(&visit, &api, asked, applicants, None).await?;
            page.reveal(&visit, &api, language).await?;
            let reply = Reply::page(&page)?.remembering(language);
            match page.is_secret_shown {
                true => Ok(Done::recorded(shown, reply)),
                false => Ok(Done::unchanged(reply)),
            }
        }
        "call" => {
            let request = asked.call();
            let mut page = Page::new(&visit, &api, asked, applicants, None).await?;
            match request {
                Ok(request) => page.call = Some(Box::pin(Call::make(&visit, &page.identifier, &request)).await?),
                Err(error) => page.problem = Some(format!("{error}.")),
            }
            Ok(Done::unchanged(Reply::page(&page)?.remembering(language)))
        }
        _ => {
            let page = Page::new(&visit, &api, asked, applicants, None).await?;
            Ok(Done::unchanged(Reply::page(&page)?.remembering(language)))
        }
    }
}

impl Page {
    async fn new(
        visit: &Visit,
        api: &Api,
        asked: Asked,
        applicants: Vec<Applicant>,
        problem: Option<String>,
    ) -> Result<Self, Failure> {
        let tenant = &visit.tenant;
        let language = code::language(visit);
        let identifier = apis::identifier(tenant, api);
        let name = api.name.clone().unwrap_or_else(|| identifier.clone());
        let frame = visit.frame(Section::Apis, name.clone()).await?;
        let request = asking::token_request(visit, api, &asked, false).await?;
        let scopes = apis::scopes(api).into_iter().map(|scope| {
            let is_ticked = asked.scopes.contains(&scope);
            (scope, is_ticked)
        });
        Ok(Self {
            frame: frame.below(words::navigation::APIS, "/console/apis"),
            api: api.id.to_string(),
            path: format!("/console/apis/{}", api.id),
            scopes: scopes.collect(),
            methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
            languages: code::choices(language),
            decoded: Decoded::of(&asked.access_token, tenant.house.clock.now()),
            has_secret: asking::has_secret(visit, &asked).await?,
            uses_keys: applicants
                .iter()
                .any(|one| one.id == asked.application && one.uses_keys),
            refused: None,
            not_found: None,
            has_more: applicants.len() >= MANY,
            problem: problem.or_else(|| request.as_ref().err().filter(|_| !applicants.is_empty()).cloned()),
            token_code: request.ok().map(|request| Code::of(language, &request)),
            is_secret_shown: false,
            call_code: asked.call().ok().map(|request| Code::of(language, &request)),
            call: None,
            identifier,
            asked,
            applicants,
        })
    }

    /// What the token was asked for with, in a line.
    fn asked_in_short(&self) -> String {
        let asked = &self.asked;
        let named = self.applicants.iter().find(|one| one.id == asked.application);
        let name = named.map_or(asked.application.as_str(), |one| &one.name);
        let whom = if asked.for_user {
            &asked.username
        } else {
            words::test_tab::FOR_ITSELF
        };
        match asked.scopes.as_slice() {
            [] => format!("{name}, {whom}"),
            scopes => format!("{name}, {whom}, {}", scopes.join(" ")),
        }
    }

    /// Says why no token was issued.
    fn explain(&mut self, why: NotIssued) {
        match why {
            NotIssued::Incomplete(text) => self.problem = Some(text.to_owned()),
            NotIssued::Refused(refusal) => {
                let asking = Asking {
                    application: &self.asked.application,
                    api: &self.api,
                };
                self.refused = Some(Explanation::of_refusal(refusal.reason, &refusal.text, asking));
            }
        }
    }

    async fn reveal(&mut self, visit: &Visit, api: &Api, language: Language) -> Result<(), Failure> {
        match asking::token_request(visit, api, &self.asked, true).await? {
            Ok(request) => {
                self.token_code = Some(Code::of(language, &request));
                self.is_secret_shown = true;
            }
            Err(why) => self.problem = Some(why),
        }
        Ok(())
    }
}

impl Call {
    async fn make(visit: &Visit, identifier: &str, request: &Request) -> Result<Self, Failure> {
        let outcome = visit.app.trial().outbound.send(request).await;
        let judgment = match request.token() {
            Some(token) => Some(judge(&visit.tenant, token, Some(identifier), &[]).await?),
            None => None,
        };
        Ok(Self {
            exchange: Exchange::new(request, outcome.as_ref()),
            explanation: outcome
                .as_ref()
                .ok()
                .map(|answer| Explanation::of(answer, judgment.as_ref())),
            verdict: judgment.as_ref().map(|Judgment { verdict, .. }| verdict.clone()),
            checks: judgment.map(|judgment| judgment.checks).unwrap_or_default(),
        })
    }
}
