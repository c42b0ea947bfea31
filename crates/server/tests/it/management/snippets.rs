//! `/snippets`: programs as data, with the tenant's address and what the caller says in them, and no secret.

use serde_json::Value;

use super::Api;
use crate::house::House;

#[tokio::test]
async fn every_request_is_a_program_in_every_language_with_the_callers_values_and_no_secret() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let listed = api.get("snippets").await;
    let ids = |name: &str| -> Vec<String> {
        let all = listed[name].as_array().unwrap().iter();
        all.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let (languages, requests) = (ids("languages"), ids("requests"));
    assert_eq!((languages.len(), requests.len()), (18, 5));
    let sample = &house.samples.sample;
    for language in &languages {
        for request in &requests {
            let path = format!(
                "snippets/{request}?language={language}&audience=https%3A%2F%2Fours.example&client_id={}",
                sample.client_id
            );
            let answer = api.get(&path).await;
            let code = answer["code"].as_str().unwrap();
            assert!(!code.contains(&sample.client_secret), "{language}, {request}");
            if request.starts_with("token-") {
                assert!(
                    code.contains(&sample.client_id) && code.contains("YOUR_CLIENT_SECRET"),
                    "{code}"
                );
                assert!(code.contains("ours.example"), "{code}");
            }
            assert_eq!(
                (&answer["language"], &answer["request"]),
                (&Value::from(language.as_str()), &Value::from(request.as_str()))
            );
        }
    }
}

#[tokio::test]
async fn a_snippet_that_cannot_be_written_is_refused_with_what_to_change() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    for (status, path) in [
        (404, "snippets/no-such-request?language=curl"),
        (400, "snippets/get-private"),
        (400, "snippets/get-private?language=cobol"),
        (400, "snippets/get-private?language=curl&api_url=ftp%3A%2F%2Fa.example"),
        (400, "snippets/token-password?language=curl&client_id=a%20b"),
    ] {
        let refused = api.expect(status, "GET", path, Value::Null).await;
        assert!(
            refused["message"].as_str().is_some_and(|text| text.len() > 10),
            "{path}: {refused}"
        );
    }
}
