//! Lists: bare, with totals, by checkpoint, filtered and projected (CONTRACT §4.1, "Lists"; §5.5).

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use tokenhouse::registry::clients::{self, Kind, NewClient};

use super::Api;
use crate::house::{House, ISSUER};

/// Applications beside the samples and the global one.
const MORE: u64 = 124;
/// All of them.
const ALL: u64 = MORE + 6;

#[tokio::test]
async fn a_bare_list_is_an_array_and_a_page_of_it_has_links() {
    let api = api().await;
    let bare = api.ask("GET", "clients", Value::Null).await;
    assert_eq!((bare.json().as_array().unwrap().len(), bare.header("link")), (50, ""));
    let page = api.ask("GET", "clients?page=1&per_page=60", Value::Null).await;
    assert_eq!(page.json().as_array().unwrap().len(), 60);
    let to = |page: u64, rel: &str| format!("<{ISSUER}api/v2/clients?per_page=60&page={page}>; rel=\"{rel}\"");
    assert_eq!(
        page.header("link"),
        [to(0, "first"), to(2, "next"), to(2, "last")].join(", ")
    );
}

#[tokio::test]
async fn a_list_with_totals_says_where_it_is_and_ends_empty() {
    let api = api().await;
    let page = api.get("clients?page=1&per_page=100&include_totals=true").await;
    assert_eq!(
        (&page["start"], &page["limit"], &page["total"]),
        (&json!(100), &json!(100), &json!(ALL))
    );
    assert_eq!(page["clients"].as_array().unwrap().len() as u64, ALL - 100);
    let past = api.get("clients?page=9&per_page=100&include_totals=true").await;
    assert_eq!((&past["clients"], &past["total"]), (&json!([]), &json!(ALL)));
    let none = api.get("clients?per_page=0&include_totals=true").await;
    assert_eq!((&none["clients"], &none["total"]), (&json!([]), &json!(ALL)));
}

#[tokio::test]
async fn checkpoints_pass_over_everything_once_and_the_last_page_has_no_next() {
    let api = api().await;
    let mut seen = Vec::new();
    let mut query = "clients?include_totals=true&per_page=50&take=65".to_owned();
    for expected in [65, 65, 0] {
        let page = api.get(&query).await;
        assert_eq!(page.as_object().unwrap().get("total"), None, "take wins");
        let clients = page["clients"].as_array().unwrap();
        seen.extend(clients.iter().map(|client| client["client_id"].to_string()));
        match page.get("next") {
            Some(next) => query = format!("clients?take=65&from={}", next.as_str().unwrap()),
            None => break,
        }
        assert_eq!(clients.len(), expected);
    }
    let all = seen.len();
    seen.dedup();
    assert_eq!((all as u64, seen.len()), (ALL, all));
}

#[tokio::test]
async fn filters_choose_and_are_counted() {
    let api = api().await;
    let total = async |query: &str| {
        let page = api
            .get(&format!("clients?include_totals=true&per_page=100&{query}"))
            .await;
        let listed = page["clients"].as_array().unwrap().len() as u64;
        let total = page["total"].as_u64().unwrap();
        assert_eq!(listed, total.min(100), "{query}");
        total
    };
    assert_eq!(total("is_global=true").await, 1);
    assert_eq!(total("is_global=false").await, ALL - 1);
    assert_eq!(total("app_type=spa").await, MORE / 2);
    assert_eq!(total("app_type=spa,non_interactive").await, ALL - 1);
    assert_eq!(total("app_type=native").await, 0);
    assert_eq!(total("is_first_party=false").await, 0);
    assert_eq!(total("q=client_grant.organization_id:org_1").await, 0);
    api.expect(400, "GET", "clients?q=name:x", Value::Null).await;
}

#[tokio::test]
async fn fields_choose_properties_or_leave_them_out() {
    let api = api().await;
    let names = |item: &Value| item.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let some = api.get("clients?fields=name,client_id,unknown&per_page=1").await;
    assert_eq!(names(&some[0]), ["client_id", "name"]);
    let others = api
        .get("clients?fields=name,client_secret&include_fields=false&take=1")
        .await;
    let others = names(&others["clients"][0]);
    assert!(others.contains(&"client_id".to_owned()) && !others.contains(&"name".to_owned()));
}

/// An administrator at a house with many applications.
async fn api() -> Api<'static> {
    static HOUSE: OnceCell<&House> = OnceCell::const_new();
    let house = HOUSE.get_or_init(|| {
        House::lasting(async |tenant| {
            for number in 0..MORE {
                let kind = [Kind::SinglePage, Kind::MachineToMachine][usize::from(number % 2 == 0)];
                clients::create(&tenant, NewClient::of_kind(kind, format!("n{number}")))
                    .await
                    .unwrap();
            }
        })
    });
    Api::of(house.await).await
}
