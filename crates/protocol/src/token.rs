//! The token endpoint's request and response (RFC 6749 §4.3.2, §4.4.2, §5.1; CONTRACT §1.1, §1.4):
//! what is asked, and the shape of success.

use serde::{Deserialize, Serialize};

use crate::error::reflected;
use crate::grant::GrantType;
use crate::parameters::{ParameterError, Parameters, SEVERAL_RESOURCES};
use crate::scope::Scopes;
use crate::secret::Secret;

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
    if parameters.is_list("resource") {
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
