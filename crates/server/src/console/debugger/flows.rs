//! The flows that the server has, as data: whoever adds one to the server adds its description here, and the Debugger
//! shows it. Each is one request.

use crate::console::words::{debugger, flows};
use crate::snippets::Method;

/// One request to the server, and what may be said in it.
pub(super) struct Flow {
    /// Its name in the address.
    pub(super) id: &'static str,
    /// What people call it.
    pub(super) name: &'static str,
    /// What it is for, in a sentence or two.
    pub(super) about: &'static str,
    /// Under which heading it is listed.
    pub(super) group: &'static str,
    pub(super) method: Method,
    /// Below the issuer, without the first slash.
    pub(super) path: &'static str,
    pub(super) fields: &'static [Field],
}

/// Something that may be said.
pub(super) struct Field {
    /// Its name on the wire; of a bearer token it is the header's.
    pub(super) name: &'static str,
    /// What people call it.
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    /// What to know about it; empty where it speaks for itself.
    pub(super) hint: &'static str,
}

/// How it is typed, and where it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Always this.
    Fixed(&'static str),
    /// A line.
    Text,
    /// An application's `client_id`.
    Client,
    /// An application's secret, which the server fills in where it is left empty.
    ClientSecret,
    /// A password.
    Password,
    /// An API's identifier.
    Audience,
    /// A signed assertion that is pasted; without one it is signed here with the private key.
    Assertion,
    /// The private key that signs the assertion: read for one request, never kept and never shown again. Not sent.
    PrivateKey,
    /// The `kid` of the assertion's header. Not sent by itself.
    KeyId,
    /// What the assertion is signed with. Not sent by itself.
    KeyAlgorithm,
    /// An access token, for the `Authorization` header.
    Bearer,
}

impl Flow {
    /// Whether it has a field of this kind.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.fields.iter().any(|field| field.kind == kind)
    }
}

impl Kind {
    /// Whether it is shown only when asked for.
    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::ClientSecret | Self::Password)
    }
}

const GRANT: Field = Field {
    name: "grant_type",
    label: flows::GRANT_TYPE,
    kind: Kind::Fixed("client_credentials"),
    hint: "",
};
const CLIENT: Field = Field {
    name: "client_id",
    label: flows::CLIENT_ID,
    kind: Kind::Client,
    hint: "",
};
const SECRET: Field = Field {
    name: "client_secret",
    label: flows::CLIENT_SECRET,
    kind: Kind::ClientSecret,
    hint: flows::CLIENT_SECRET_HINT,
};
const AUDIENCE: Field = Field {
    name: "audience",
    label: flows::AUDIENCE,
    kind: Kind::Audience,
    hint: flows::AUDIENCE_HINT,
};
const SCOPE: Field = Field {
    name: "scope",
    label: flows::SCOPE,
    kind: Kind::Text,
    hint: flows::SCOPE_HINT,
};
const USERNAME: Field = Field {
    name: "username",
    label: flows::USERNAME,
    kind: Kind::Text,
    hint: "",
};
const PASSWORD: Field = Field {
    name: "password",
    label: flows::PASSWORD_FIELD,
    kind: Kind::Password,
    hint: "",
};

/// Every flow, in the order in which they are listed.
pub(super) const FLOWS: &[Flow] = &[
    Flow {
        id: "client-credentials",
        name: flows::CLIENT_CREDENTIALS,
        about: flows::CLIENT_CREDENTIALS_ABOUT,
        group: debugger::TOKENS,
        method: Method::Post,
        path: "oauth/token",
        fields: &[GRANT, CLIENT, SECRET, AUDIENCE, SCOPE],
    },
    Flow {
        id: "private-key-jwt",
        name: flows::PRIVATE_KEY_JWT,
        about: flows::PRIVATE_KEY_JWT_ABOUT,
        group: debugger::TOKENS,
        method: Method::Post,
        path: "oauth/token",
        fields: &[
            GRANT,
            CLIENT,
            Field {
                name: "client_assertion_type",
                label: flows::ASSERTION_TYPE,
                kind: Kind::Fixed("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                hint: "",
            },
            Field {
                name: "private_key",
                label: flows::PRIVATE_KEY,
                kind: Kind::PrivateKey,
                hint: flows::PRIVATE_KEY_HINT,
            },
            Field {
                name: "kid",
                label: flows::KEY_ID,
                kind: Kind::KeyId,
                hint: flows::KEY_ID_HINT,
            },
            Field {
                name: "algorithm",
                label: flows::ALGORITHM,
                kind: Kind::KeyAlgorithm,
                hint: "",
            },
            Field {
                name: "client_assertion",
                label: flows::ASSERTION,
                kind: Kind::Assertion,
                hint: flows::ASSERTION_HINT,
            },
            AUDIENCE,
            SCOPE,
        ],
    },
    Flow {
        id: "password",
        name: flows::PASSWORD,
        about: flows::PASSWORD_ABOUT,
        group: debugger::TOKENS,
        method: Method::Post,
        path: "oauth/token",
        fields: &[
            Field {
                kind: Kind::Fixed("password"),
                ..GRANT
            },
            USERNAME,
            PASSWORD,
            CLIENT,
            SECRET,
            AUDIENCE,
            Field {
                hint: flows::SCOPE_OPENID_HINT,
                ..SCOPE
            },
        ],
    },
    Flow {
        id: "password-realm",
        name: flows::PASSWORD_REALM,
        about: flows::PASSWORD_REALM_ABOUT,
        group: debugger::TOKENS,
        method: Method::Post,
        path: "oauth/token",
        fields: &[
            Field {
                kind: Kind::Fixed("http://auth0.com/oauth/grant-type/password-realm"),
                ..GRANT
            },
            USERNAME,
            PASSWORD,
            Field {
                name: "realm",
                label: flows::REALM,
                kind: Kind::Text,
                hint: flows::REALM_HINT,
            },
            CLIENT,
            SECRET,
            AUDIENCE,
            SCOPE,
        ],
    },
    Flow {
        id: "userinfo",
        name: flows::USERINFO,
        about: flows::USERINFO_ABOUT,
        group: debugger::PEOPLE,
        method: Method::Get,
        path: "userinfo",
        fields: &[Field {
            name: "Authorization",
            label: flows::ACCESS_TOKEN,
            kind: Kind::Bearer,
            hint: flows::ACCESS_TOKEN_HINT,
        }],
    },
    Flow {
        id: "jwks",
        name: flows::JWKS,
        about: flows::JWKS_ABOUT,
        group: debugger::METADATA,
        method: Method::Get,
        path: ".well-known/jwks.json",
        fields: &[],
    },
    Flow {
        id: "openid-configuration",
        name: flows::OPENID,
        about: flows::OPENID_ABOUT,
        group: debugger::METADATA,
        method: Method::Get,
        path: ".well-known/openid-configuration",
        fields: &[],
    },
    Flow {
        id: "oauth-authorization-server",
        name: flows::METADATA,
        about: flows::METADATA_ABOUT,
        group: debugger::METADATA,
        method: Method::Get,
        path: ".well-known/oauth-authorization-server",
        fields: &[],
    },
];

/// The flow of this name.
pub(super) fn named(id: &str) -> Option<&'static Flow> {
    FLOWS.iter().find(|flow| flow.id == id)
}
