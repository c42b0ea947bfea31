//! What holds of every language at once. That each program does what it should is tested by running it, in
//! `tests/snippets`.

use proptest::prelude::*;
use serde_json::{Value, json};

use tokenhouse_protocol::secret::Secret;

use super::*;

/// Every value set to the same text.
fn values(text: &str) -> Values {
    let application = Application {
        client_id: Some(text.into()),
        client_secret: Some(Secret::new(text)),
    };
    Values {
        issuer: Some("https://issuer.example".into()),
        audience: Some(text.into()),
        application: application.clone(),
        password_application: application,
        username: Some(text.into()),
        password: Some(Secret::new(text)),
        scope: Some(text.into()),
        api_url: Some("http://localhost:3010".into()),
        access_token: Some(Secret::new("token")),
        ca_file: Some("/ca.pem".into()),
    }
}

fn lines(program: &str) -> usize {
    program.lines().count()
}

/// Raw controls, but for line feeds and Go's own tabs.
fn raw_controls(language: Language, program: &str) -> Option<char> {
    let is_layout = |c: char| c == '\n' || (c == '\t' && language == Language::Go);
    program.chars().find(|&c| c.is_control() && !is_layout(c))
}

proptest! {
    #[test]
    fn no_value_brings_a_control_or_a_line_into_a_program(text in any::<String>()) {
        let (plain, hostile) = (values("x"), values(&text));
        for quickstart in Quickstart::ALL {
            let (plain, hostile) = (quickstart.request(&plain).unwrap(), quickstart.request(&hostile).unwrap());
            for language in Language::ALL {
                let program = language.render(&hostile);
                prop_assert_eq!(raw_controls(language, &program), None, "{:?}", language);
                prop_assert_eq!(lines(&program), lines(&language.render(&plain)), "{:?}", language);
                prop_assert!(program.is_ascii(), "{:?}", language);
            }
        }
        for collection in [postman_collection(&hostile), http_file(&hostile)] {
            prop_assert!(!collection.unwrap().contains(|c: char| c.is_control() && c != '\n'));
        }
    }

    #[test]
    fn no_url_token_header_or_path_brings_a_control_or_a_line(
        url in "https?://[a-z]{1,4}(:[0-9]{1,4})?/\\PC*\\pC*",
        token in "[ -~]*|\\PC*",
        header in "[ -~]*|\\PC*",
        path in any::<String>(),
    ) {
        let Ok(bare) = Request::new(Method::Delete, &url) else { return Ok(()) };
        let hostile = bare.clone().bearer(&token).unwrap_or(bare);
        let hostile = hostile.clone().header("x-a", &header).unwrap_or(hostile);
        let hostile = hostile.clone().ca_file(&path).unwrap_or(hostile);
        // The same parts, each of them harmless.
        let mut plain = Request::new(Method::Delete, if hostile.url.is_https { "https://h/" } else { "http://h/" }).unwrap();
        plain.bearer = hostile.bearer.as_ref().map(|_| "x".into());
        plain.headers = hostile.headers.iter().map(|_| ("x-a".into(), "x".into())).collect();
        plain.ca_file = hostile.ca_file.as_ref().map(|_| "/x".into());
        for language in Language::ALL {
            let program = language.render(&hostile);
            prop_assert_eq!(raw_controls(language, &program), None, "{:?}", language);
            prop_assert_eq!(lines(&program), lines(&language.render(&plain)), "{:?}", language);
        }
    }

    #[test]
    fn a_json_body_says_what_was_meant(text in any::<String>(), name in any::<String>()) {
        let members = vec![(name.clone(), json!({ "inner": [text, null, true, 7] })), (format!("{name}2"), json!(text))];
        let body = Body::Json(members);
        let written: Value = serde_json::from_str(&body.text(&['\'', '`', '$', '<', '#'])).unwrap();
        prop_assert_eq!(written, json!({ name.as_str(): { "inner": [text, null, true, 7] }, format!("{name}2"): text }));
    }
}

#[test]
fn a_page_that_holds_a_secret_says_so_and_no_other_does() {
    for quickstart in Quickstart::ALL {
        let request = quickstart.request(&values("x")).unwrap();
        let asks = matches!(
            quickstart,
            Quickstart::TokenClientCredentials | Quickstart::TokenPassword
        );
        for language in [Language::JQuery, Language::Fetch] {
            assert_eq!(
                language.render(&request).contains("WARNING"),
                asks,
                "{language:?} {quickstart:?}"
            );
        }
    }
}

#[test]
fn every_program_over_https_names_the_local_authority() {
    let request = Quickstart::TokenClientCredentials.request(&values("x")).unwrap();
    for language in Language::ALL {
        assert!(language.render(&request).contains("/ca.pem"), "{language:?}");
    }
}

#[test]
fn what_not_every_language_can_say_is_refused() {
    let request = || Request::new(Method::Get, "http://localhost/").unwrap();
    for url in [
        "localhost",
        "ftp://localhost/",
        "http://",
        "http://user:pw@localhost/",
        "http://localhost/#here",
        "http://localhost:70000/",
        "http://exämple/",
        "http://[::1/",
        "http://a b/",
    ] {
        assert!(Request::new(Method::Get, url).is_err(), "{url}");
    }
    for value in ["", "a\nb", "a\\b", "é", " a", "a "] {
        assert!(request().header("x-a", value).is_err(), "{value:?}");
    }
    for name in ["", "a b", "a:", "é", "Host", "content-type", "Content-Length"] {
        assert!(request().header(name, "x").is_err(), "{name:?}");
    }
    let twice = request().header("x-a", "1").unwrap().header("X-A", "2");
    assert!(twice.is_err());
    let two_credentials = request().bearer("a").unwrap().header("authorization", "Basic b");
    assert!(two_credentials.is_err());
    for token in ["", "a b", "a\n", "é"] {
        assert!(request().bearer(token).is_err(), "{token:?}");
    }
    for path in ["", "/a\nb", "/a\u{2028}b", "/a\u{202e}b"] {
        assert!(request().ca_file(path).is_err(), "{path:?}");
    }
    for number in [json!(1.5), json!(1_u64 << 53), json!({ "a": [i64::MIN] })] {
        let body = Body::Json(vec![("n".into(), number.clone())]);
        assert!(request().body(body).is_err(), "{number}");
    }
}

#[test]
fn a_url_keeps_what_it_means() {
    let url = |text: &str| Request::new(Method::Get, text).unwrap().url.as_str().to_owned();
    assert_eq!(url("http://localhost:3010"), "http://localhost:3010/");
    assert_eq!(url("https://[::1]:4000/a"), "https://[::1]:4000/a");
    assert_eq!(url("http://h?a=%41&b='é%"), "http://h/?a=%41&b=%27%C3%A9%25");
    assert_eq!(url("http://h/a b/{c}[d]\\"), "http://h/a%20b/%7Bc%7D%5Bd%5D%5C");
}

#[test]
fn a_collection_holds_no_secret_and_its_values_name_no_variable() {
    let mut values = values("secret-in-collection");
    values.audience = Some("{{password}}".into());
    values.username = Some("{{access_token}}".into());
    for id in [
        &mut values.application.client_id,
        &mut values.password_application.client_id,
    ] {
        *id = Some("id".into());
    }
    values.scope = None;
    for collection in [postman_collection(&values).unwrap(), http_file(&values).unwrap()] {
        assert!(!collection.contains("secret-in-collection"), "{collection}");
        for (variable, times) in [
            ("client_secret", 1),
            ("password_client_secret", 1),
            ("password", 1),
            ("access_token", 2),
        ] {
            let found = collection.matches(&format!("{{{{{variable}}}}}")).count();
            assert_eq!(found, times, "{variable} in {collection}");
        }
        assert!(
            Quickstart::ALL.iter().all(|request| collection.contains(request.id())),
            "{collection}"
        );
    }
}

#[test]
fn a_request_says_what_it_is_missing() {
    let missing = |request: Quickstart, values: &Values| match request.request(values) {
        Err(QuickstartError::Missing(of, field)) => Some((of, field)),
        Err(QuickstartError::Request(_)) | Ok(_) => None,
    };
    let none = Values::default();
    let first = [
        (Quickstart::GetPrivateNoToken, Field::ApiUrl),
        (Quickstart::GetPrivate, Field::AccessToken),
        (Quickstart::GetPrivateScoped, Field::AccessToken),
        (Quickstart::TokenClientCredentials, Field::ClientId),
        (Quickstart::TokenPassword, Field::ClientId),
    ];
    for (request, field) in first {
        assert_eq!(missing(request, &none), Some((request, field)));
    }
    let mut values = values("x");
    values.password = None;
    assert_eq!(
        missing(Quickstart::TokenPassword, &values),
        Some((Quickstart::TokenPassword, Field::Password))
    );
}

#[test]
fn languages_are_found_by_the_ids_that_they_have() {
    for language in Language::ALL {
        assert_eq!(Language::named(language.about().id), Some(language));
    }
    for request in Quickstart::ALL {
        assert_eq!(Quickstart::named(request.id()), Some(request));
    }
    assert_eq!(Language::named("cobol"), None);
}
