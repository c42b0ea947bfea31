//! Many who write the same at once: the last one wins, key by key, and everybody sees it.

use serde_json::{Value, json};

use super::Api;
use crate::house::{AUDIENCE, House};

#[tokio::test]
async fn fifty_writers_of_one_client_and_one_grant_lose_nothing() {
    let here = House::on_file().await;
    let there = here.second_node().await;
    let apis = [Api::of(&here).await, Api::of(&there).await];
    let client = format!("clients/{}", here.samples.reader.client_id);
    let query = format!(
        "client-grants?client_id={}&audience={AUDIENCE}",
        here.samples.reader.client_id
    );
    let grant = format!("client-grants/{}", apis[0].get(&query).await[0]["id"].as_str().unwrap());
    let before = revision(&here).await;
    let scopes = [json!(["read:messages"]), json!(["write:messages"])];
    let write = async |number: usize| {
        let api = &apis[number % 2];
        let change = json!({"client_metadata": {(number % 10).to_string(): number.to_string()}, "description": number.to_string()});
        api.expect(200, "PATCH", &client, change).await;
        let change = json!({"scope": scopes[number % 2]});
        api.expect(200, "PATCH", &grant, change).await;
    };
    let mut writers: Vec<_> = (0..50).map(|number| Box::pin(write(number))).collect();
    std::future::poll_fn(|context| {
        writers.retain_mut(|writer| writer.as_mut().poll(context).is_pending());
        match writers.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    assert_eq!(revision(&here).await, before + 100, "each is counted, none twice");
    let changes = here
        .app
        .house
        .store
        .changes_since(&here.tenant().await.id, before)
        .await
        .unwrap();
    let revisions: Vec<i64> = changes.unwrap().iter().map(|(revision, _)| *revision).collect();
    assert_eq!(revisions, (before + 1..=before + 100).collect::<Vec<_>>());

    let (seen, elsewhere) = (apis[0].get(&client).await, apis[1].get(&client).await);
    assert_eq!(seen, elsewhere);
    let metadata = seen["client_metadata"].as_object().unwrap();
    assert_eq!(metadata.len(), 10, "keys that others wrote are kept");
    for (name, value) in metadata {
        assert!(value.as_str().unwrap().ends_with(name.as_str()), "{name}: {value}");
    }
    // The other node has looked, as it does several times a second.
    here.app.catch_up().await.unwrap();
    there.app.catch_up().await.unwrap();
    let scope = apis[0].get(&grant).await["scope"][0].as_str().unwrap().to_owned();
    for house in [&here, &there] {
        assert_eq!(house.token(&house.samples.reader).await.text("scope"), scope);
    }
    let rows = here.logs().await;
    assert_eq!(
        rows.iter().filter(|row| row.kind == "sapi").count(),
        50 + 50,
        "every write has a row"
    );
    assert!(rows.iter().all(|row| row.kind != "fapi"));
}

async fn revision(house: &House) -> i64 {
    let id = house.tenant().await.id.clone();
    house.app.house.store.revisions(&[id]).await.unwrap()[0].1
}

#[tokio::test]
async fn a_client_that_is_deleted_while_it_is_written_stays_deleted() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = format!("clients/{}", house.samples.stranger.client_id);
    let write = api.ask("PATCH", &path, json!({"description": "late"}));
    let delete = api.ask("DELETE", &path, Value::Null);
    let (written, deleted) = tokio::join!(write, delete);
    assert!([200, 404].contains(&written.status), "{written:?}");
    assert_eq!(deleted.status, 204);
    api.expect(404, "GET", &path, Value::Null).await;
}
