//! Forms that are broken or say two things at once (RFC 6749 §3.2).

use crate::house::Ask;

use super::{Row, ask, form};

const TWICE: &str = "invalid_request";

pub(super) const ROWS: &[Row] = &[
    form(
        "nothing at all",
        "",
        400,
        "invalid_request",
        "Missing required parameter: grant_type",
    ),
    form(
        "bytes that are no text, as a value",
        "grant_type=%ff&{auth}",
        400,
        "invalid_request",
        "The body cannot be read: the form is not UTF-8",
    ),
    form(
        "an overlong slash in a name",
        "grant_type=client_credentials&%c0%af=x&{auth}",
        400,
        "invalid_request",
        "The body cannot be read: the form is not UTF-8",
    ),
    ask(
        "raw bytes that are no text",
        |_| Ask::token(&[]).body([b"grant_type=\xed\xa0\x80".as_slice()].concat()),
        400,
        "invalid_request",
        "The body cannot be read: the form is not UTF-8",
    ),
    form(
        "an escape that is none",
        "grant_type=client%5credentials%ZZ&{auth}",
        403,
        "unsupported_grant_type",
        "Unsupported grant type: client",
    ),
    form(
        "the grant twice, another each time",
        "grant_type=client_credentials&grant_type=password&{auth}",
        400,
        TWICE,
        "Parameter grant_type occurs more than once",
    ),
    form(
        "the grant twice, once in disguise",
        "grant_type=client_credentials&grant%5Ftype=client_credentials&{auth}",
        400,
        TWICE,
        "Parameter grant_type occurs more than once",
    ),
    form(
        "the right secret after a wrong one",
        "grant_type=client_credentials&audience={aud}&client_secret=wrong&{auth}",
        400,
        TWICE,
        "Parameter client_secret occurs more than once",
    ),
    form(
        "a parameter that nobody reads, twice",
        "grant_type=client_credentials&audience={aud}&{auth}&x=1&x=1",
        400,
        TWICE,
        "Parameter x occurs more than once",
    ),
    form(
        "an empty scope and then a full one",
        "grant_type=client_credentials&audience={aud}&{auth}&scope=&scope=read:messages",
        400,
        TWICE,
        "Parameter scope occurs more than once",
    ),
    form(
        "a name without a value, twice",
        "grant_type=client_credentials&audience={aud}&{auth}&y&y=",
        400,
        TWICE,
        "Parameter y occurs more than once",
    ),
    form(
        "values without names, twice",
        "grant_type=client_credentials&audience={aud}&{auth}&=1&=2",
        400,
        TWICE,
        "Parameter  occurs more than once",
    ),
    ask(
        "more parameters than any honest request has",
        |_| {
            let many: Vec<_> = (0..101).map(|number| format!("p{number}=1")).collect();
            Ask::token(&[]).body(many.join("&"))
        },
        400,
        "invalid_request",
        "The request has too many parameters",
    ),
    form(
        "a list in PHP's spelling",
        "grant_type[]=client_credentials&audience={aud}&{auth}",
        400,
        "invalid_request",
        "Missing required parameter: grant_type",
    ),
    form(
        "semicolons between the parameters",
        "grant_type=client_credentials;audience={aud};client_id={id}",
        403,
        "unsupported_grant_type",
        "Unsupported grant type: client_credentials;audience=",
    ),
    form(
        "line ends between the parameters",
        "grant_type=client_credentials\r\naudience={aud}\r\n",
        403,
        "unsupported_grant_type",
        "Unsupported grant type: client_credentials\r\n",
    ),
    form(
        "a name in capitals",
        "GRANT_TYPE=client_credentials&audience={aud}&{auth}",
        400,
        "invalid_request",
        "Missing required parameter: grant_type",
    ),
    form(
        "U+0000 after the grant",
        "grant_type=client_credentials%00&audience={aud}&{auth}",
        400,
        "invalid_request",
        "Parameter grant_type is too long or holds U+0000",
    ),
    form(
        "a header smuggled into what is repeated",
        "grant_type=x%0d%0aSet-Cookie:%20a%3Db&{auth}",
        403,
        "unsupported_grant_type",
        "Unsupported grant type: x\r\nSet-Cookie: a=b",
    ),
    form(
        "a script smuggled into what is repeated",
        "grant_type=%3Cscript%3Ealert(1)%3C/script%3E&{auth}",
        403,
        "unsupported_grant_type",
        "Unsupported grant type: <script>",
    ),
    form(
        "JSON that says it is a form",
        "{\"grant_type\":\"client_credentials\",\"client_id\":\"{id}\",\"client_secret\":\"{secret}\"}",
        400,
        "invalid_request",
        "Missing required parameter: grant_type",
    ),
    form(
        "a multipart body that says it is a form",
        "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--x--",
        400,
        "invalid_request",
        "Missing required parameter: grant_type",
    ),
    form(
        "a byte order mark before the form",
        "\u{feff}grant_type=client_credentials&audience={aud}&{auth}",
        400,
        "invalid_request",
        "Missing required parameter: grant_type",
    ),
];
