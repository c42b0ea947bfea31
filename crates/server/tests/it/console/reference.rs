//! The API reference: what it says is what the OpenAPI document says, on pages that stay small.

use serde_json::Value;

use super::desk::{Desk, text_of};

/// Most of a page beside the stylesheet, the script and the icon, which all pages share (60 KB in all).
const MAX_PAGE_BYTES: usize = 30 * 1024;
const INDEX: &str = "/console/reference";

async fn document(desk: &Desk) -> Value {
    let answer = desk.get("/api/v2/openapi.json").await;
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn every_endpoint_of_the_document_is_on_a_small_page_with_its_permissions_and_properties() {
    let desk = Desk::new().await;
    let document = document(&desk).await;
    let index = desk.page(INDEX).await;
    assert!(index.len() <= MAX_PAGE_BYTES, "the index has {} bytes", index.len());
    for (path, methods) in document["paths"].as_object().unwrap() {
        let resource = path.split('/').nth(1).unwrap();
        for entry in methods.as_object().unwrap().values() {
            let id = entry["operationId"].as_str().unwrap();
            let link = match entry["x-absent"] == true {
                true => format!("of={resource}"),
                false => format!("of={resource}#{id}\""),
            };
            assert!(index.contains(&link), "the index has no {link}");
            let address = format!("{INDEX}/endpoints?of={resource}&code={id}&language=java");
            let page = desk.page(&address).await;
            assert!(page.len() <= MAX_PAGE_BYTES, "{address}: {} bytes", page.len());
            let text = text_of(&page);
            let scopes = entry["x-required-scopes"].as_array().unwrap();
            let schema = &entry["requestBody"]["content"]["application/json"]["schema"];
            let members = schema["properties"].as_object().into_iter().flatten();
            let written = members.filter(|(_, member)| member["readOnly"] != true);
            let parameters = entry["parameters"].as_array().unwrap().iter();
            let wanted = scopes.iter().map(|scope| scope.as_str().unwrap());
            let wanted = wanted.chain(written.map(|(name, _)| name.as_str()));
            for name in wanted.chain(parameters.map(|one| one["name"].as_str().unwrap())) {
                assert!(text.contains(name), "{address} does not name {name}");
            }
            let is_code = text.contains("java.net.http") || schema["type"] == "array";
            assert!(is_code, "{address} has no program");
        }
    }
}

#[tokio::test]
async fn a_request_is_shown_in_the_chosen_language_with_this_servers_address_and_no_secret() {
    let desk = Desk::new().await;
    let page = desk
        .page(&format!(
            "{INDEX}/endpoints?of=clients&code=post_clients&language=python"
        ))
        .await;
    let text = text_of(&page);
    for part in [
        "http.client",
        "localhost",
        "/api/v2/clients",
        "YOUR_NAME",
        "YOUR_ACCESS_TOKEN",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The language stays for the next page.
    assert!(text_of(&desk.page(&format!("{INDEX}/endpoints?of=roles")).await).contains("POST /roles"));
}

#[tokio::test]
async fn the_search_works_without_scripts() {
    let desk = Desk::new().await;
    let text = text_of(&desk.page(&format!("{INDEX}?q=rotate+client")).await);
    assert!(
        text.contains("/clients/{id}/rotate-secret") && !text.contains("/users/{id}"),
        "{text}"
    );
    let text = text_of(&desk.page(&format!("{INDEX}?q=no-such-thing")).await);
    assert!(text.contains("No endpoint has these words"), "{text}");
    for missing in ["endpoints", "endpoints?of=%3Cscript%3E"] {
        assert_eq!(desk.get(&format!("{INDEX}/{missing}")).await.status, 404, "{missing}");
    }
}
