//! Removed users are looked for in the log twice: at once, and when the last request about them is over.

use tokenhouse_protocol::id::{TenantId, UserId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Forgetting, LogEntry, LogRow, Store, User};

use crate::place::{Place, both};
use crate::samples::{connection, entry, job, user, with_tenant};

both!(
    every_line_is_walked_by_at_once_and_again_when_it_is_settled,
    two_processes_take_each_step_once,
);

async fn forget(store: &Store, tenant: &TenantId, one: &User, now: Timestamp) -> UserId {
    let pseudonym = UserId::new(format!("deleted|{}", one.id));
    let mut tx = store.begin().await.unwrap();
    tx.forget_user(tenant, one, &pseudonym, now).await.unwrap();
    tx.commit().await.unwrap();
    pseudonym
}

/// Takes every step there is; every line of the user's gets their pseudonym. How many lines were seen.
async fn walk(store: &Store) -> usize {
    let mut seen = 0;
    while let Some(step) = store.forgetting().await.unwrap() {
        seen += step.rows.len();
        let rewritten = rewritten(&step);
        store.forgotten(&step, &rewritten).await.unwrap();
    }
    seen
}

fn rewritten(step: &Forgetting) -> Vec<LogRow> {
    let change = |row: &LogRow| {
        let user = step.users.iter().find(|user| Some(&user.id) == row.user_id.as_ref())?;
        let mut row = row.clone();
        row.user_id = Some(user.pseudonym.clone());
        row.address = None;
        row.body.clear();
        Some(row)
    };
    step.rows.iter().filter_map(change).collect()
}

async fn every_line_is_walked_by_at_once_and_again_when_it_is_settled(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let one = user(&connection("here"), Some("a@example.com"), Some("ada"));
    let of_user = |count: usize| {
        let line = LogEntry {
            user_id: Some(one.id.clone()),
            ..entry("a", place.clock.now())
        };
        vec![line; count]
    };
    for _ in 0..5 {
        store.commit(job(&tenant, of_user(300))).await.unwrap();
    }
    store
        .commit(job(&tenant, vec![entry("b", place.clock.now())]))
        .await
        .unwrap();
    let pseudonym = forget(&store, &tenant, &one, place.clock.now()).await;
    let waiting = store.forgetting().await.unwrap().unwrap();
    assert_eq!(waiting.users[0].names, ["a@example.com", "ada"]);
    assert_eq!(walk(&store).await, 1501);
    assert_eq!(walk(&store).await, 0, "nothing is due");
    // A request that began before the removal writes after it.
    place.clock.advance_ms(2000);
    store.commit(job(&tenant, of_user(1))).await.unwrap();
    assert_eq!(walk(&store).await, 0);
    place.clock.advance_ms(60_000);
    assert!(walk(&store).await >= 1);
    let rows = store.logs_after(&tenant, None, 10_000).await.unwrap();
    let of_nobody = rows.iter().filter(|row| row.user_id.is_none()).count();
    let of_pseudonym = rows.iter().filter(|row| row.user_id.as_ref() == Some(&pseudonym));
    assert_eq!((rows.len(), of_nobody, of_pseudonym.clone().count()), (1502, 1, 1501));
    assert!(
        of_pseudonym
            .clone()
            .all(|row| row.address.is_none() && row.body.is_empty())
    );
    place.clock.advance_ms(60_000);
    assert!(
        store.forgetting().await.unwrap().is_none(),
        "they are forgotten altogether"
    );
    store.close().await;
}

async fn two_processes_take_each_step_once(place: &Place) {
    let (here, there) = (place.open().await, place.open().await);
    let tenant = with_tenant(&here, "acme").await;
    let one = user(&connection("here"), Some("a@example.com"), None);
    here.commit(job(&tenant, vec![entry("a", place.clock.now()); 3]))
        .await
        .unwrap();
    forget(&here, &tenant, &one, place.clock.now()).await;
    let (first, second) = (
        here.forgetting().await.unwrap().unwrap(),
        there.forgetting().await.unwrap().unwrap(),
    );
    here.forgotten(&first, &[]).await.unwrap();
    let mut late = second.rows[0].clone();
    late.body.clear();
    late.address = Some("not written".into());
    there.forgotten(&second, &[late]).await.unwrap();
    let rows = here.logs_after(&tenant, None, 10).await.unwrap();
    assert!(rows.iter().all(|row| row.address.as_deref() != Some("not written")));
    here.close().await;
    there.close().await;
}
