//! The token endpoint's request and response (RFC 6749 §4.3.2, §4.4.2, §5.1; CONTRACT §1.1, §1.4):
//! reading parameters strictly, and the shape of success.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::credentials::form_decoded;
use crate::error::reflected;
use crate::grant::GrantType;
use crate::jose::json;
use crate::scope::Scopes;
use crate::secret::Secret;

/// Most parameters that one request may carry.
const MAX_PARAMETERS: usize = 100;

/// The parameters of one request, from a form or from a JSON object, each name at most once.
#[derive(Clone, Debug)]
pub struct Parameters(Map<String, Value>);

/// Why a body gives no parameters, or a parameter no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ParameterError {
    /// The body is not what its content type says; the text says where.
    Malformed(String),
    /// A parameter occurs twice (RFC 6749 §3.2).
    Duplicate(String),
    /// There are more parameters than any honest request has.
    TooMany,
    /// A parameter is something else than text.
    NotText(&'static str),
    /// A parameter is longer than any can be, or holds U+0000.
    Unusable(&'static str),
    /// A required parameter is missing (RFC 6749 §5.2).
    Missing(&'static str),
    /// `grant_type` names none of ours.
    UnsupportedGrantType(String),
    /// A parameter that would change the token asks for something that this server does not have.
    Unsupported(&'static str),
    /// `scope` holds a character that scopes cannot hold.
    InvalidScope,
    /// `audience` and `resource` disagree, or there are several resources (RFC 8707 §2).
    InvalidTarget(&'static str),
}

impl Parameters {
    /// Reads `application/x-www-form-urlencoded`.
    pub fn from_form(body: &[u8]) -> Result<Self, ParameterError> {
        let mut parameters = Map::new();
        for pair in body.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let split = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let decoded =
                |bytes| form_decoded(bytes).ok_or_else(|| ParameterError::Malformed("the form is not UTF-8".into()));
            let name = decoded(&pair[..split])?;
            let value = decoded(pair.get(split + 1..).unwrap_or_default())?;
            if name == "resource" && parameters.contains_key(&name) {
                return Err(ParameterError::InvalidTarget(SEVERAL_RESOURCES));
            }
            if parameters.contains_key(&name) {
                return Err(ParameterError::Duplicate(reflected(&name)));
            }
            parameters.insert(name, Value::String(value));
            if parameters.len() > MAX_PARAMETERS {
                return Err(ParameterError::TooMany);
            }
        }
        Ok(Self(parameters))
    }

    /// Reads a JSON object; `null` is absent, as Auth0's SDKs expect (CONTRACT §1.1).
    pub fn from_json(body: &[u8]) -> Result<Self, ParameterError> {
        match json::parse(body) {
            Ok(Value::Object(parameters)) if parameters.len() > MAX_PARAMETERS => Err(ParameterError::TooMany),
            Ok(Value::Object(parameters)) => Ok(Self(parameters)),
            Ok(_) => Err(ParameterError::Malformed("the JSON is not an object".into())),
            Err(error) => Err(ParameterError::Malformed(error.to_string())),
        }
    }

    /// The value of `name`; absent, `null` and empty are all `None` (RFC 6749 §3.1).
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, ParameterError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.contains('\0') => Err(ParameterError::Unusable(name)),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ParameterError::NotText(name)),
        }
    }

    fn required(&self, name: &'static str) -> Result<&str, ParameterError> {
        self.text(name)?.ok_or(ParameterError::Missing(name))
    }
}

/// What is asked of the token endpoint, but for who asks it.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// What is redeemed.
    pub grant: Grant,
    /// The API, by its identifier: `audience`, or `resource` (RFC 8707), which name it alike.
    pub audience: Option<String>,
    /// The scopes asked for; `None` if the request does not say.
    pub scope: Option<Scopes>,
}

/// A grant type with what it brings along.
#[derive(Clone, Debug)]
pub enum Grant {
    /// RFC 6749 §4.4: nothing beside the client's own credentials.
    ClientCredentials,
    /// RFC 6749 §4.3.
    Password(PasswordGrant),
}

/// A user's name and password, and where they are to be looked up.
#[derive(Clone, Debug)]
pub struct PasswordGrant {
    /// E-mail address or user name, as typed.
    pub username: String,
    /// The password, as typed.
    pub password: Secret,
    /// The connection's name; `None` means the tenant's default directory.
    pub realm: Option<String>,
}

impl TokenRequest {
    /// Reads the request of a parsed body.
    pub fn read(parameters: &Parameters) -> Result<Self, ParameterError> {
        let word = parameters.required("grant_type")?;
        let grant_type: GrantType = word
            .parse()
            .map_err(|_| ParameterError::UnsupportedGrantType(reflected(word)))?;
        let grant = match grant_type {
            GrantType::ClientCredentials => Grant::ClientCredentials,
            GrantType::Password | GrantType::PasswordRealm => Grant::Password(PasswordGrant {
                username: parameters.required("username")?.to_owned(),
                password: Secret::new(parameters.required("password")?),
                realm: match grant_type {
                    GrantType::PasswordRealm => Some(parameters.required("realm")?.to_owned()),
                    GrantType::ClientCredentials | GrantType::Password => None,
                },
            }),
        };
        // A token without the organization that was asked for would be taken for one with it.
        if parameters.text("organization")?.is_some() {
            return Err(ParameterError::Unsupported("organization"));
        }
        let scope = parameters.text("scope")?.map(str::parse).transpose();
        Ok(Self {
            grant,
            audience: audience(parameters)?,
            scope: scope.map_err(|_| ParameterError::InvalidScope)?,
        })
    }

    /// The grant type that was asked for.
    pub fn grant_type(&self) -> GrantType {
        match &self.grant {
            Grant::ClientCredentials => GrantType::ClientCredentials,
            Grant::Password(PasswordGrant { realm: None, .. }) => GrantType::Password,
            Grant::Password(PasswordGrant { realm: Some(_), .. }) => GrantType::PasswordRealm,
        }
    }
}

/// `audience` and `resource` name the API alike; two different ones are an error (CONTRACT Decision 4).
fn audience(parameters: &Parameters) -> Result<Option<String>, ParameterError> {
    if matches!(parameters.0.get("resource"), Some(Value::Array(_))) {
        return Err(ParameterError::InvalidTarget(SEVERAL_RESOURCES));
    }
    match (parameters.text("audience")?, parameters.text("resource")?) {
        (Some(audience), Some(resource)) if audience != resource => Err(ParameterError::InvalidTarget(
            "audience and resource name different APIs. Send one of them, or the same in both.",
        )),
        (Some(named), _) | (None, Some(named)) => Ok(Some(named.to_owned())),
        (None, None) => Ok(None),
    }
}

const SEVERAL_RESOURCES: &str = "Several resource values. Ask for one token for each API.";

/// The token endpoint's success (RFC 6749 §5.1), its keys in Auth0's order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// A refresh token, when one was asked for and may be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// An ID token, when `openid` was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// The scopes of the access token; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Always `Bearer`.
    pub token_type: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn form(body: &str) -> Result<TokenRequest, ParameterError> {
        TokenRequest::read(&Parameters::from_form(body.as_bytes())?)
    }

    fn json(body: &str) -> Result<TokenRequest, ParameterError> {
        TokenRequest::read(&Parameters::from_json(body.as_bytes())?)
    }

    #[test]
    fn null_and_empty_are_absent() {
        let request = json(r#"{"grant_type":"client_credentials","audience":null,"scope":""}"#).unwrap();
        assert_eq!((request.audience, request.scope), (None, None));
    }

    #[test]
    fn unknown_parameters_may_be_anything() {
        assert!(json(r#"{"grant_type":"client_credentials","extra":{"a":[1]}}"#).is_ok());
    }

    #[test]
    fn known_parameters_must_be_text() {
        let number = json(r#"{"grant_type":"client_credentials","audience":1}"#);
        assert_eq!(number.err(), Some(ParameterError::NotText("audience")));
    }

    #[test]
    fn audience_and_resource_may_agree_but_not_differ() {
        let same = form("grant_type=client_credentials&audience=a&resource=a").unwrap();
        assert_eq!(same.audience.as_deref(), Some("a"));
        let differ = form("grant_type=client_credentials&audience=a&resource=b");
        assert!(matches!(differ, Err(ParameterError::InvalidTarget(_))));
        let several = form("grant_type=client_credentials&resource=a&resource=a");
        assert!(matches!(several, Err(ParameterError::InvalidTarget(_))));
    }

    #[test]
    fn a_repeated_parameter_is_refused() {
        assert_eq!(
            form("grant_type=a&grant_type=a").err(),
            Some(ParameterError::Duplicate("grant_type".into()))
        );
        assert!(matches!(
            json(r#"{"scope":"a","scope":"a"}"#),
            Err(ParameterError::Malformed(_))
        ));
    }

    #[test]
    fn a_realm_selects_the_realm_grant() {
        let request = form(
            "grant_type=http%3A%2F%2Fauth0.com%2Foauth%2Fgrant-type%2Fpassword-realm&username=u&password=p&realm=r",
        );
        assert_eq!(request.unwrap().grant_type(), GrantType::PasswordRealm);
        assert_eq!(
            form("grant_type=password&username=u&password=p&realm=r")
                .unwrap()
                .grant_type(),
            GrantType::Password
        );
    }

    proptest! {
        #[test]
        fn reading_never_panics(body in proptest::collection::vec(any::<u8>(), 0..256)) {
            for parameters in [Parameters::from_form(&body), Parameters::from_json(&body)].into_iter().flatten() {
                let _ = TokenRequest::read(&parameters);
            }
        }

        #[test]
        fn a_form_reads_as_it_was_written(audience in "\\PC{1,40}") {
            prop_assume!(!audience.contains('\0'));
            let encoded: String = audience.bytes().map(|b| format!("%{b:02x}")).collect();
            let request = form(&format!("grant_type=client_credentials&audience={encoded}")).unwrap();
            prop_assert_eq!(request.audience, Some(audience));
        }
    }
}
