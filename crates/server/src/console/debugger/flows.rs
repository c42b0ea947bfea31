//! The flows that the server has, as data: whoever adds one to the server adds its description here, and the Debugger
//! shows it. Each is one request.

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
    label: "Grant type",
    kind: Kind::Fixed("client_credentials"),
    hint: "",
};
const CLIENT: Field = Field {
    name: "client_id",
    label: "Client ID",
    kind: Kind::Client,
    hint: "",
};
const SECRET: Field = Field {
    name: "client_secret",
    label: "Client Secret",
    kind: Kind::ClientSecret,
    hint: "Left empty: the application's own, which the server knows.",
};
const AUDIENCE: Field = Field {
    name: "audience",
    label: "Audience",
    kind: Kind::Audience,
    hint: "The API's identifier, letter by letter.",
};
const SCOPE: Field = Field {
    name: "scope",
    label: "Scope",
    kind: Kind::Text,
    hint: "Separated by blanks. Left empty: all that was granted.",
};
const USERNAME: Field = Field {
    name: "username",
    label: "User name or e-mail",
    kind: Kind::Text,
    hint: "",
};
const PASSWORD: Field = Field {
    name: "password",
    label: "Password",
    kind: Kind::Password,
    hint: "",
};

const TOKENS: &str = "Tokens";
const PEOPLE: &str = "People";
const METADATA: &str = "Metadata";

/// Every flow, in the order in which they are listed.
pub(super) const FLOWS: &[Flow] = &[
    Flow {
        id: "client-credentials",
        name: "Client credentials",
        about: "An application asks for a token of its own, with its secret (RFC 6749 §4.4).",
        group: TOKENS,
        method: Method::Post,
        path: "oauth/token",
        fields: &[GRANT, CLIENT, SECRET, AUDIENCE, SCOPE],
    },
    Flow {
        id: "private-key-jwt",
        name: "Client credentials with a private key",
        about: "The same, but the application proves itself with an assertion that its own key signed: no secret travels \
                (RFC 7523 §2.2).",
        group: TOKENS,
        method: Method::Post,
        path: "oauth/token",
        fields: &[
            GRANT,
            CLIENT,
            Field {
                name: "client_assertion_type",
                label: "Assertion type",
                kind: Kind::Fixed("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                hint: "",
            },
            Field {
                name: "private_key",
                label: "Private key",
                kind: Kind::PrivateKey,
                hint: "PEM, PKCS#8. It signs one assertion here, good once and for a minute, and is forgotten: not kept, \
                       not logged, not shown again. Use a key that is for trying things out.",
            },
            Field {
                name: "kid",
                label: "Key ID",
                kind: Kind::KeyId,
                hint: "As it stands under the application's credentials. Left empty: every key of the application is \
                       tried.",
            },
            Field {
                name: "algorithm",
                label: "Algorithm",
                kind: Kind::KeyAlgorithm,
                hint: "",
            },
            Field {
                name: "client_assertion",
                label: "Or an assertion of your own",
                kind: Kind::Assertion,
                hint: "A JWT with iss and sub the client ID, aud the issuer, exp at most five minutes ahead and a new jti, \
                       signed with a key that is registered for the application. A private key above goes first.",
            },
            AUDIENCE,
            SCOPE,
        ],
    },
    Flow {
        id: "password",
        name: "Password",
        about: "An application asks for a token for a user who typed their password into it (RFC 6749 §4.3). Only for \
                applications that you trust as much as the server itself.",
        group: TOKENS,
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
                hint: "Separated by blanks. With openid an ID token comes along.",
                ..SCOPE
            },
        ],
    },
    Flow {
        id: "password-realm",
        name: "Password, in a named database",
        about: "The same, naming the database in which the user is looked up: Auth0's extension grant.",
        group: TOKENS,
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
                label: "Realm",
                kind: Kind::Text,
                hint: "The name of a database connection.",
            },
            CLIENT,
            SECRET,
            AUDIENCE,
            SCOPE,
        ],
    },
    Flow {
        id: "userinfo",
        name: "Userinfo",
        about: "The user's claims, for a token that was asked for with the scope openid (OpenID Connect Core §5.3).",
        group: PEOPLE,
        method: Method::Get,
        path: "userinfo",
        fields: &[Field {
            name: "Authorization",
            label: "Access token",
            kind: Kind::Bearer,
            hint: "One with the scope openid, from a password flow.",
        }],
    },
    Flow {
        id: "jwks",
        name: "Key set",
        about: "The public keys that APIs check tokens with (RFC 7517).",
        group: METADATA,
        method: Method::Get,
        path: ".well-known/jwks.json",
        fields: &[],
    },
    Flow {
        id: "openid-configuration",
        name: "OpenID configuration",
        about: "What this issuer has and where, as clients of OpenID Connect read it (Discovery §4).",
        group: METADATA,
        method: Method::Get,
        path: ".well-known/openid-configuration",
        fields: &[],
    },
    Flow {
        id: "oauth-authorization-server",
        name: "Authorization server metadata",
        about: "The same, where RFC 8414 puts it.",
        group: METADATA,
        method: Method::Get,
        path: ".well-known/oauth-authorization-server",
        fields: &[],
    },
];

/// The flow of this name.
pub(super) fn named(id: &str) -> Option<&'static Flow> {
    FLOWS.iter().find(|flow| flow.id == id)
}
