//! The Debugger: every flow that the server has, as a form; the request that goes out, what comes back, the same as code,
//! and the tokens in it taken apart. `/console/debugger`, `/console/debugger/{flow}`

use askama::Template;
use serde_json::Value;

use tokenhouse_protocol::id::ClientId;
use tokenhouse_store::Page as StorePage;

use self::flows::{FLOWS, Flow, Kind};
use self::request::Purpose;
use super::answer::{Done, Failure, Reply};
use super::code::{self, Choice, Code};
use super::decoded::Decoded;
use super::exchange::{Exchange, written};
use super::explained::{Asking, Explanation};
use super::frame::{Frame, Section};
use super::inside;
use super::record::Record;
use super::visit::Visit;
use super::words;
use crate::registry::{apis, clients};

mod assertion;
mod flows;
mod request;

/// Most APIs and applications that are suggested.
const MAX_SUGGESTED: u32 = 50;

#[derive(Template)]
#[template(path = "debugger.html")]
struct ListPage {
    frame: Frame,
    /// A heading, and the flows below it.
    groups: Vec<(&'static str, Vec<&'static Flow>)>,
}

#[derive(Template)]
#[template(path = "flow.html")]
struct FlowPage {
    frame: Frame,
    flow: &'static Flow,
    values: Vec<String>,
    /// Client ids and names, identifiers and names, to choose from.
    clients: Vec<(String, String)>,
    apis: Vec<(String, String)>,
    languages: Vec<Choice>,
    is_form: bool,
    /// Whether the application shows its secret in a Basic header.
    is_basic: bool,
    shows_secrets: bool,
    problem: Option<String>,
    /// An assertion that was signed for this request.
    assertion: Option<String>,
    signed: Option<Decoded>,
    /// What an assertion can be signed with.
    algorithms: [&'static str; 5],
    request: String,
    code: Option<Code>,
    exchange: Option<Exchange>,
    explanation: Option<Explanation>,
    /// The tokens of the answer: name, text, and what is in it.
    tokens: Vec<(&'static str, String, Option<Decoded>)>,
}

/// `GET /console/debugger`
pub(crate) async fn get(visit: Visit) -> Result<Reply, Failure> {
    let mut groups: Vec<(&'static str, Vec<&'static Flow>)> = Vec::new();
    for flow in FLOWS {
        match groups.iter_mut().find(|(name, _)| *name == flow.group) {
            Some((_, flows)) => flows.push(flow),
            None => groups.push((flow.group, vec![flow])),
        }
    }
    let frame = visit.frame(Section::Debugger, words::navigation::DEBUGGER).await?;
    Reply::page(&ListPage { frame, groups })
}

/// `GET /console/debugger/{flow}`
pub(crate) async fn get_flow(visit: Visit) -> Result<Reply, Failure> {
    let flow = flows::named(visit.parameter("flow")).ok_or_else(Failure::missing)?;
    Reply::page(&FlowPage::new(&visit, flow).await?)
}

/// `POST /console/debugger/{flow}`: sends the request, as any client would, and counts like any client's.
pub(crate) async fn post_flow(visit: Visit) -> Result<Done, Failure> {
    let flow = flows::named(visit.parameter("flow")).ok_or_else(Failure::missing)?;
    let mut page = FlowPage::new(&visit, flow).await?;
    if visit.form.text("action") == "send" && page.problem.is_none() {
        page.send(&visit).await?;
    }
    let language = code::language(&visit);
    let reply = Reply::page(&page)?.remembering(language);
    match page.shows_secrets && page.uses_stored_secret() {
        false => Ok(Done::unchanged(reply)),
        true => {
            let client = ClientId::new(page.value("client_id"));
            Ok(Done::recorded(
                Record::reading(words::log::SECRET_IN_CODE).application(&client),
                reply,
            ))
        }
    }
}

impl FlowPage {
    async fn new(visit: &Visit, flow: &'static Flow) -> Result<Self, Failure> {
        let tenant = &visit.tenant;
        let clients = clients::clients(tenant, StorePage::first(MAX_SUGGESTED)).await?;
        let clients: Vec<_> = clients
            .into_iter()
            .map(|client| (client.id.to_string(), client.name))
            .collect();
        let apis = apis::apis(tenant, StorePage::first(MAX_SUGGESTED)).await?;
        let own = apis
            .iter()
            .find(|api| !api.is_system)
            .map(|api| apis::identifier(tenant, api));
        let own = own.unwrap_or_default();
        let apis: Vec<_> = apis
            .iter()
            .map(|api| (apis::identifier(tenant, api), api.name.clone().unwrap_or_default()))
            .collect();
        let is_first = visit.form.text("action").is_empty();
        let values = flow.fields.iter().map(|field| match field.kind {
            Kind::Fixed(value) => value.to_owned(),
            Kind::Audience if is_first => own.clone(),
            Kind::Client if is_first => visit.query.text("client_id").to_owned(),
            Kind::Password | Kind::ClientSecret => visit.form.raw(field.name).to_owned(),
            // It is read where it signs, and goes no further.
            Kind::PrivateKey => String::new(),
            Kind::Client
            | Kind::Audience
            | Kind::Text
            | Kind::Assertion
            | Kind::KeyId
            | Kind::KeyAlgorithm
            | Kind::Bearer => visit.form.text(field.name).to_owned(),
        });
        let values: Vec<_> = values.collect();
        let frame = visit.frame(Section::Debugger, flow.name).await?;
        let mut page = Self {
            frame: frame.below(words::navigation::DEBUGGER, "/console/debugger"),
            is_form: visit.form.text("encoding") == "form",
            is_basic: flow.has(Kind::ClientSecret) && visit.form.text("authentication") == "basic",
            assertion: None,
            signed: None,
            algorithms: assertion::CHOICES,
            explanation: None,
            shows_secrets: visit.form.is_ticked("secrets"),
            languages: code::choices(code::language(visit)),
            problem: None,
            request: String::new(),
            code: None,
            exchange: None,
            tokens: Vec::new(),
            flow,
            values,
            clients,
            apis,
        };
        if flow.has(Kind::PrivateKey) {
            page.sign(visit);
        }
        page.show(visit).await?;
        Ok(page)
    }

    /// Signs an assertion, where a key to sign it with was typed.
    fn sign(&mut self, visit: &Visit) {
        match assertion::sign(visit, self.value("client_id")) {
            Ok(signed) => {
                let now = visit.tenant.house.clock.now();
                self.signed = signed.as_ref().and_then(|signed| Decoded::of_assertion(signed, now));
                self.assertion = signed;
            }
            Err(why) => self.problem = Some(why),
        }
    }

    /// Writes the request down, its secrets masked unless they are asked for.
    async fn show(&mut self, visit: &Visit) -> Result<(), Failure> {
        let shown = self.request(visit, Purpose::Showing).await?;
        let program = self.request(visit, Purpose::Program).await?;
        match (shown, program) {
            (Ok(shown), Ok(program)) => {
                self.request = written(&shown);
                self.code = Some(Code::of(code::language(visit), &program));
            }
            (Err(error), _) | (_, Err(error)) => {
                self.problem.get_or_insert(format!("{error}."));
            }
        }
        Ok(())
    }

    async fn send(&mut self, visit: &Visit) -> Result<(), Failure> {
        let (real, shown) = (
            self.request(visit, Purpose::Sending).await?,
            self.request(visit, Purpose::Showing).await?,
        );
        let (Ok(real), Ok(shown)) = (real, shown) else {
            return Ok(());
        };
        let outcome = Box::pin(inside::ask(visit, &real)).await;
        let body = outcome.as_ref().ok().and_then(|answer| answer.body.text());
        let body: Value = body
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let now = visit.tenant.house.clock.now();
        for (name, title) in [
            ("access_token", words::flow::ACCESS_TOKEN),
            ("id_token", words::flow::ID_TOKEN),
        ] {
            if let Some(token) = body.get(name).and_then(Value::as_str) {
                self.tokens.push((title, token.to_owned(), Decoded::of(token, now)));
            }
        }
        if let Some(reason) = outcome.as_ref().ok().and_then(|answer| answer.refused) {
            let said = body.get("error_description").and_then(Value::as_str);
            let asking = Asking {
                application: self.value("client_id"),
                api: "",
            };
            self.explanation = Some(Explanation::of_refusal(reason, said.unwrap_or_default(), asking));
        }
        self.exchange = Some(Exchange::new(&shown, outcome.as_ref()));
        Ok(())
    }

    /// What is said in the field of this name.
    fn value(&self, name: &str) -> &str {
        let mut fields = self.flow.fields.iter().zip(&self.values);
        fields
            .find(|(field, _)| field.name == name)
            .map_or("", |(_, value)| value)
    }

    /// Whether the secret is the one that the server keeps.
    fn uses_stored_secret(&self) -> bool {
        let mut fields = self.flow.fields.iter().zip(&self.values);
        fields.any(|(field, value)| field.kind == Kind::ClientSecret && value.is_empty())
    }

    /// The fields that are typed, with their values.
    fn typed(&self) -> impl Iterator<Item = (&'static flows::Field, &String)> {
        let fields = self.flow.fields.iter().zip(&self.values);
        fields.filter(|(field, _)| !matches!(field.kind, Kind::Fixed(_)))
    }

    fn has_secrets(&self) -> bool {
        self.flow.fields.iter().any(|field| field.kind.is_secret())
    }
}
