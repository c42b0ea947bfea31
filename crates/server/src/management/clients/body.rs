//! What an application's properties may hold (CONTRACT §4.3). Those that are not named here are carried as they are
//! written, so that Terraform reads back what it wrote.

use crate::management::schema::{
    Format, Kind, LONG, Property, Shape, URL, anything, flag, formatted, integer, list, object, open, set, text, word,
};

/// The properties of an application.
pub(super) const SHAPE: Shape = Shape::open(PROPERTIES, READ_ONLY);
/// A credential that is made.
pub(super) const CREDENTIAL: Shape = Shape::of(CREDENTIAL_PROPERTIES);
/// A credential that is changed.
pub(super) const CREDENTIAL_CHANGE: Shape = Shape::of(&[formatted("expires_at", 0, 64, Format::DateTime)]);

/// The kinds of application.
pub(super) const APP_TYPES: &[&str] = &[
    "native",
    "spa",
    "regular_web",
    "non_interactive",
    "resource_server",
    "express_configuration",
    "rms",
    "box",
    "cloudbees",
    "concur",
    "dropbox",
    "mscrm",
    "echosign",
    "egnyte",
    "newrelic",
    "office365",
    "salesforce",
    "sentry",
    "sharepoint",
    "slack",
    "springcm",
    "zendesk",
    "zoom",
    "sso_integration",
    "oag",
];

/// What is ours to write.
const READ_ONLY: &[&str] = &[
    "client_id",
    "tenant",
    "global",
    "callback_url_template",
    "signing_keys",
    "created_at",
    "updated_at",
];
/// Most URLs of one list.
const URLS: usize = 100;
/// How many tokens by client credentials, in place of or as the tenant's default (CONTRACT §4.11).
pub(in crate::management) const TOKEN_QUOTA: &[Property] = &[object(
    "client_credentials",
    &[
        integer("per_hour", 1, MAX_QUOTA).note("Tokens in an hour that begins on the hour, UTC"),
        integer("per_day", 1, MAX_QUOTA).note("Tokens in a day, UTC"),
        flag("enforce").note("Whether more are refused, as it is from the start, or only counted"),
    ],
)
.required()];
const MAX_QUOTA: i64 = 2_147_483_647;
/// A hundred years, in seconds.
const MAX_S: i64 = 3_155_760_000;
const METHODS: &[&str] = &["none", "client_secret_post", "client_secret_basic"];
const GRANT_TYPE: Kind = Kind::Text {
    min: 1,
    max: 255,
    format: Format::Any,
};
const NAME: Kind = Kind::Text {
    min: 1,
    max: 255,
    format: Format::Any,
};

pub(in crate::management) static PROPERTIES: &[Property] = &[
    formatted("name", 1, 255, Format::Name)
        .required()
        .note("What people call the application"),
    text("description", 0, 140).note("What it is for, in 140 characters"),
    text("client_secret", 1, 1024)
        .secret()
        .note("What it proves itself with; made for it if it is not given"),
    Property::new("logo_uri", URL),
    word("app_type", APP_TYPES).note("The kind of application"),
    word("token_endpoint_auth_method", METHODS).note("How it proves itself at the token endpoint"),
    set("grant_types", &GRANT_TYPE, 50).note("The ways in which it may get tokens"),
    list("callbacks", &URL, URLS),
    list("allowed_origins", &URL, URLS),
    list("web_origins", &URL, URLS),
    list("allowed_logout_urls", &URL, URLS),
    list("client_aliases", &NAME, URLS),
    list("allowed_clients", &NAME, URLS),
    flag("is_first_party"),
    flag("oidc_conformant"),
    flag("sso"),
    flag("sso_disabled"),
    flag("cross_origin_auth"),
    flag("cross_origin_authentication"),
    Property::new("cross_origin_loc", URL),
    flag("custom_login_page_on"),
    text("custom_login_page", 0, LONG),
    text("custom_login_page_preview", 0, LONG),
    text("form_template", 0, LONG),
    flag("is_token_endpoint_ip_header_trusted"),
    flag("require_pushed_authorization_requests"),
    flag("require_proof_of_possession"),
    flag("skip_non_verifiable_callback_uri_confirmation_prompt"),
    formatted("initiate_login_uri", 0, 2048, Format::SecureUrl),
    integer("par_request_expiry", 10, 600),
    word(
        "compliance_level",
        &[
            "none",
            "fapi1_adv_pkj_par",
            "fapi1_adv_mtls_par",
            "fapi2_sp_pkj_mtls",
            "fapi2_sp_mtls_mtls",
        ],
    ),
    word("organization_usage", &["deny", "allow", "require"]),
    word(
        "organization_require_behavior",
        &["no_prompt", "pre_login_prompt", "post_login_prompt"],
    ),
    Property::new(
        "client_metadata",
        Kind::Texts {
            max: 10,
            max_chars: 255,
        },
    ),
    object(
        "jwt_configuration",
        &[
            integer("lifetime_in_seconds", 0, 2_592_000),
            flag("secret_encoded"),
            anything("scopes"),
            word("alg", &["HS256", "RS256", "RS512", "PS256"]),
        ],
    ),
    open(
        "refresh_token",
        &[
            word("rotation_type", &["rotating", "non-rotating"]),
            word("expiration_type", &["expiring", "non-expiring"]),
            integer("leeway", 0, MAX_S),
            integer("token_lifetime", 1, MAX_S),
            integer("idle_token_lifetime", 1, MAX_S),
            flag("infinite_token_lifetime"),
            flag("infinite_idle_token_lifetime"),
        ],
    ),
    open("token_quota", TOKEN_QUOTA).note("How many tokens it may be issued by client credentials"),
    open(
        "client_authentication_methods",
        &[open(
            "private_key_jwt",
            &[list("credentials", &Kind::Open(&[]), 10).required()],
        )],
    ),
    open("native_social_login", &[]),
    open("mobile", &[]),
    open("addons", &[]),
    open("session_transfer", &[]),
    open("oidc_logout", &[]),
    open("default_organization", &[]),
    open("signed_request_object", &[]),
    open("encryption_key", &[]).secret(),
];

static CREDENTIAL_PROPERTIES: &[Property] = &[
    word("credential_type", &["public_key"]).required(),
    text("name", 0, 128),
    text("pem", 1, 16_384)
        .required()
        .note("A public key or a certificate in PEM"),
    word("alg", &["RS256", "RS384", "PS256", "ES256", "EdDSA"]),
    text("kid", 1, 64),
    flag("parse_expiry_from_cert"),
    formatted("expires_at", 0, 64, Format::DateTime),
];
