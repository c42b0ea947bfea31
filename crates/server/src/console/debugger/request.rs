//! The request of a flow, made of what its form says: as it is sent, as it is shown, as a program.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use tokenhouse_protocol::id::ClientId;

use super::FlowPage;
use super::flows::Kind;
use crate::console::answer::Failure;
use crate::console::link::encoded;
use crate::console::visit::Visit;
use crate::registry::clients;
use crate::snippets::{
    Body, MASKED_ASSERTION, MASKED_PASSWORD, MASKED_SECRET, MASKED_TOKEN, Method, Request, RequestError,
};

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// To be sent, with all that it needs.
    Sending,
    /// To be seen: secrets are masked unless they are asked for.
    Showing,
    /// To be run again and again elsewhere: an assertion, which is good once, is masked as well.
    Program,
}

impl FlowPage {
    /// The request for this purpose, or why there is none.
    pub(super) async fn request(
        &self,
        visit: &Visit,
        purpose: Purpose,
    ) -> Result<Result<Request, RequestError>, Failure> {
        let has_secrets = purpose == Purpose::Sending || self.shows_secrets;
        let mut said = Said::default();
        for (field, value) in self.flow.fields.iter().zip(&self.values) {
            let value = match (field.kind, value.as_str()) {
                (Kind::Bearer, "") => MASKED_TOKEN.to_owned(),
                (Kind::ClientSecret, "") if has_secrets => {
                    let client = ClientId::new(self.value("client_id"));
                    let stored = clients::secret(&visit.tenant, &client).await?;
                    stored.map(|secret| secret.expose().to_owned()).unwrap_or_default()
                }
                (Kind::ClientSecret, _) if !has_secrets => MASKED_SECRET.to_owned(),
                (Kind::Password, _) if !has_secrets => MASKED_PASSWORD.to_owned(),
                (Kind::Assertion, _) if purpose == Purpose::Program => MASKED_ASSERTION.to_owned(),
                (Kind::Assertion, pasted) => match &self.assertion {
                    Some(signed) => signed.clone(),
                    None if pasted.is_empty() && purpose == Purpose::Showing => MASKED_ASSERTION.to_owned(),
                    None => pasted.to_owned(),
                },
                (_, value) => value.to_owned(),
            };
            match field.kind {
                Kind::Bearer => said.bearer = Some(value),
                Kind::PrivateKey | Kind::KeyId | Kind::KeyAlgorithm => {}
                Kind::Client if self.is_basic => said.client_id = value,
                Kind::ClientSecret if self.is_basic => said.client_secret = value,
                Kind::Client
                | Kind::ClientSecret
                | Kind::Fixed(_)
                | Kind::Text
                | Kind::Password
                | Kind::Audience
                | Kind::Assertion => said.pairs.push((field.name, value)),
            }
        }
        Ok(self.request_of(visit, said, has_secrets))
    }

    fn request_of(&self, visit: &Visit, said: Said, has_secrets: bool) -> Result<Request, RequestError> {
        let mut request = Request::new(self.flow.method, &visit.tenant.issuer.url(self.flow.path))?;
        if let Some(token) = &said.bearer {
            request = request.bearer(token)?;
        }
        if self.is_basic {
            request = request.header("Authorization", &said.basic(has_secrets))?;
        }
        if self.flow.method == Method::Post {
            let pairs = said.pairs.into_iter().filter(|(_, value)| !value.is_empty());
            let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
            let body = match self.is_form {
                true => Body::Form(pairs.collect()),
                false => Body::Json(pairs.map(|(name, value)| (name, Value::from(value))).collect()),
            };
            request = request.body(body)?;
        }
        match &visit.app.trial().ca_file {
            Some(file) => request.ca_file(file),
            None => Ok(request),
        }
    }
}

/// What goes where.
#[derive(Default)]
struct Said {
    /// The body's, in their order.
    pairs: Vec<(&'static str, String)>,
    bearer: Option<String>,
    client_id: String,
    client_secret: String,
}

impl Said {
    /// The credentials of a Basic header (RFC 6749 §2.3.1), or what they are made of.
    fn basic(&self, has_secrets: bool) -> String {
        let pair = format!("{}:{}", encoded(&self.client_id), encoded(&self.client_secret));
        match has_secrets {
            true => format!("Basic {}", STANDARD.encode(pair)),
            false => format!("Basic base64({}:{MASKED_SECRET})", encoded(&self.client_id)),
        }
    }
}
