//! The token endpoint's request: a body, form or JSON, and perhaps a Basic header. What is accepted, written again as
//! a form and as JSON, is accepted again and says the same.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

use tokenhouse_protocol::credentials::{self, ClientCredentials, JWT_BEARER, Proof};
use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::parameters::Parameters;
use tokenhouse_protocol::token::{Grant, TokenRequest};

fuzz_target!(|bytes: &[u8]| {
    let Some((how, rest)) = bytes.split_first() else { return };
    let (header, body) = match how & 2 {
        0 => (None, rest),
        _ => match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => (Some(&rest[..end]), &rest[end + 1..]),
            None => return,
        },
    };
    let parameters = match how & 1 {
        0 => Parameters::from_form(body),
        _ => Parameters::from_json(body),
    };
    let Ok(parameters) = parameters else { return };
    let Some(first) = read(header, &parameters) else { return };
    let fields = first.fields();
    let header = first.header();
    for (kind, written) in [("form", form(&fields)), ("JSON", json(&fields))] {
        let parameters = written.unwrap_or_else(|error| panic!("{kind}: {error:?}: {fields:?}"));
        let second = read(header.as_deref().map(str::as_bytes), &parameters)
            .unwrap_or_else(|| panic!("what was accepted is refused as {kind}: {fields:?}"));
        assert_eq!(second.fields(), fields, "{kind}");
        assert_eq!(second.header(), header, "{kind}");
    }
});

/// A request and who makes it.
struct Read {
    credentials: ClientCredentials,
    request: TokenRequest,
}

fn read(header: Option<&[u8]>, parameters: &Parameters) -> Option<Read> {
    // Each is read whatever becomes of the other.
    let credentials = credentials::read(header.into_iter(), parameters);
    let request = TokenRequest::read(parameters);
    Some(Read {
        credentials: credentials.ok()?,
        request: request.ok()?,
    })
}

impl Read {
    /// Every field of the body, in an order of our own.
    fn fields(&self) -> Vec<(&'static str, String)> {
        let TokenRequest { grant, audience, scope } = &self.request;
        let grant_type = self.request.grant_type();
        let mut fields = vec![("grant_type", grant_type.as_str().to_owned())];
        match grant {
            Grant::ClientCredentials => assert_eq!(grant_type, GrantType::ClientCredentials),
            Grant::Password(password) => {
                fields.push(("username", password.username.clone()));
                fields.push(("password", password.password.expose().to_owned()));
                fields.extend(password.realm.iter().map(|realm| ("realm", realm.clone())));
            }
        }
        fields.extend(audience.iter().map(|audience| ("audience", audience.clone())));
        // A scope of spaces asks for none, as an absent one does not: one space says so again.
        let scope = scope.as_ref().map(ToString::to_string);
        fields.extend(scope.map(|scope| ("scope", if scope.is_empty() { " ".to_owned() } else { scope })));
        fields.push(("client_id", self.credentials.client_id.as_str().to_owned()));
        match &self.credentials.proof {
            Proof::None => {}
            Proof::Secret(_) if self.credentials.by_header => {}
            Proof::Secret(secret) => fields.push(("client_secret", secret.expose().to_owned())),
            Proof::Assertion(assertion) => {
                fields.push(("client_assertion_type", JWT_BEARER.to_owned()));
                fields.push(("client_assertion", assertion.expose().to_owned()));
            }
        }
        fields
    }

    /// The Basic header, where the credentials came by one.
    fn header(&self) -> Option<String> {
        let secret = match &self.credentials.proof {
            Proof::Secret(secret) => secret.expose(),
            Proof::None | Proof::Assertion(_) => "",
        };
        let pair = format!("{}:{}", percent(self.credentials.client_id.as_str()), percent(secret));
        self.credentials
            .by_header
            .then(|| format!("Basic {}", STANDARD.encode(pair)))
    }
}

type Written = Result<Parameters, tokenhouse_protocol::parameters::ParameterError>;

fn form(fields: &[(&'static str, String)]) -> Written {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", percent(value)))
        .collect();
    Parameters::from_form(pairs.join("&").as_bytes())
}

fn json(fields: &[(&'static str, String)]) -> Written {
    let members: Map<String, Value> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
        .collect();
    Parameters::from_json(Value::from(members).to_string().as_bytes())
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
