//! Grants that there are not, that are not the client's, or that lack something; users who are not theirs.

use crate::house::Ask;

use super::{Row, ask, form, json};

const WRONG: &str = "Wrong email or password.";
const REALM: &str = "http://auth0.com/oauth/grant-type/password-realm";

pub(super) const ROWS: &[Row] = &[
    form(
        "an unknown grant",
        "grant_type=magic&{auth}",
        403,
        "unsupported_grant_type",
        "Unsupported grant type: magic",
    ),
    json(
        "a grant in capitals",
        "{\"grant_type\":\"CLIENT_CREDENTIALS\",\"audience\":\"{aud}\",\"client_id\":\"{id}\",\"client_secret\":\"{secret}\"}",
        403,
        "unsupported_grant_type",
        "Unsupported grant type: CLIENT_CREDENTIALS",
    ),
    form(
        "a blank before the grant",
        "grant_type=+client_credentials&audience={aud}&{auth}",
        403,
        "unsupported_grant_type",
        "Unsupported grant type:  client_credentials",
    ),
    form(
        "a code, which nobody has given",
        "grant_type=authorization_code&code=abc&redirect_uri=https://evil.example&{auth}",
        403,
        "unsupported_grant_type",
        "Unsupported grant type: authorization_code",
    ),
    ask(
        "a grant as long as the body may be",
        |_| Ask::token(&[("grant_type", &"x".repeat(60_000))]),
        403,
        "unsupported_grant_type",
        "Unsupported grant type: xxx",
    ),
    form(
        "a password by an application that may not",
        "grant_type=password&username=user@example.com&password=pwd&audience={aud}&{auth}",
        403,
        "unauthorized_client",
        "Grant type 'password' not allowed for the client.",
    ),
    form(
        "a password by a public application that may not",
        "grant_type=password&username=user@example.com&password=pwd&audience={aud}&client_id={public}",
        403,
        "unauthorized_client",
        "Grant type 'password' not allowed for the client.",
    ),
    form(
        "a password without the client's secret",
        "grant_type=password&username=user@example.com&password=pwd&client_id={id}",
        401,
        "access_denied",
        "Unauthorized",
    ),
    form(
        "no user",
        "grant_type=password&password=pwd&{pw}",
        400,
        "invalid_request",
        "Missing required parameter: username",
    ),
    form(
        "no password",
        "grant_type=password&username=user@example.com&{pw}",
        400,
        "invalid_request",
        "Missing required parameter: password",
    ),
    form(
        "an empty password",
        "grant_type=password&username=user@example.com&password=&{pw}",
        400,
        "invalid_request",
        "Missing required parameter: password",
    ),
    form(
        "U+0000 in the password",
        "grant_type=password&username=user@example.com&password=pwd%00&{pw}",
        400,
        "invalid_request",
        "Parameter password is too long or holds U+0000",
    ),
    form(
        "a wrong password",
        "grant_type=password&username=user@example.com&password=wrong&{pw}",
        403,
        "invalid_grant",
        WRONG,
    ),
    form(
        "a user who is not there",
        "grant_type=password&username=nobody@example.com&password=pwd&{pw}",
        403,
        "invalid_grant",
        WRONG,
    ),
    ask(
        "a password to keep the hash busy",
        |house| Ask::token(&house.password_fields(&[("password", &"p".repeat(50_000))])),
        403,
        "invalid_grant",
        WRONG,
    ),
    ask(
        "a name to fill the log",
        |house| Ask::token(&house.password_fields(&[("username", &"n".repeat(50_000))])),
        403,
        "invalid_grant",
        WRONG,
    ),
    form(
        "a pattern for every user",
        "grant_type=password&username=%25&password=pwd&{pw}",
        403,
        "invalid_grant",
        WRONG,
    ),
    ask(
        "SQL after the user",
        |house| Ask::token(&house.password_fields(&[("username", "user@example.com' or ''='")])),
        403,
        "invalid_grant",
        WRONG,
    ),
    ask(
        "letters that look like the user's",
        |house| Ask::token(&house.password_fields(&[("username", "u\u{455}er@example.com")])),
        403,
        "invalid_grant",
        WRONG,
    ),
    ask(
        "letters that become the user's in compatibility forms",
        |house| Ask::token(&house.password_fields(&[("username", "\u{ff55}\u{17f}er@example.com")])),
        403,
        "invalid_grant",
        WRONG,
    ),
    ask(
        "the user's id instead of a name, with the hash instead of a password",
        |house| {
            let hash = "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA";
            Ask::token(&house.password_fields(&[("username", "auth0|000000000000000000000000"), ("password", hash)]))
        },
        403,
        "invalid_grant",
        WRONG,
    ),
    ask(
        "no realm where one must be",
        |house| Ask::token(&house.password_fields(&[("grant_type", REALM)])),
        400,
        "invalid_request",
        "Missing required parameter: realm",
    ),
    ask(
        "a realm that there is not",
        |house| Ask::token(&house.password_fields(&[("grant_type", REALM), ("realm", "../users")])),
        400,
        "invalid_request",
        "Unknown realm ../users",
    ),
    ask(
        "the realm in small letters",
        |house| {
            let realm = "username-password-authentication";
            Ask::token(&house.password_fields(&[("grant_type", REALM), ("realm", realm)]))
        },
        400,
        "invalid_request",
        "Unknown realm username-password-authentication",
    ),
];
