//! What the pages of tickets show and do.

use serde_json::{Value, json};

use super::{CONNECTION, NEW, OLD, RESET, VERIFY, choosing, chosen, link, made, patched, signs_in, user};
use crate::house::{Ask, House, encoded};
use crate::management::Api;
use crate::secrets::used;

#[tokio::test]
async fn a_ticket_lets_its_user_choose_a_password_once() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let email = "ada@tickets.example";
    let id = made(&api, email).await;
    let body = json!({"user_id": id, "mark_email_as_verified": true});
    let link = link(&api, RESET, body).await;
    assert!(link.starts_with("/u/reset-password?ticket=v1."), "{link}");
    // Looking uses nothing up, whoever looks.
    for _ in 0..2 {
        let page = house.get(&link).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(
            page.body.contains(email) && !page.body.contains("id=\"rules\""),
            "{}",
            page.body
        );
        assert!(page.body.contains("autocomplete=\"new-password\""));
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self';"));
        assert!(!page.body.contains("<script"), "{}", page.body);
    }
    assert_eq!(house.ask(Ask::new("HEAD", &link)).await.status, 200);
    let done = chosen(&house, &link).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(
        done.body.contains("<h1>Your password was changed</h1>"),
        "{}",
        done.body
    );
    assert!(signs_in(&house, email, NEW).await && !signs_in(&house, email, OLD).await);
    let after = user(&api, &id).await;
    assert_eq!(after["email_verified"], true);
    assert!(after["last_password_reset"].is_string(), "{after}");
    for answer in [house.get(&link).await, house.ask(choosing(&link, OLD, OLD)).await] {
        assert_eq!(answer.status, 410, "{}", answer.body);
        assert!(!answer.body.contains(email), "{}", answer.body);
    }
    assert!(signs_in(&house, email, NEW).await);
}

#[tokio::test]
async fn an_address_is_verified_by_following_its_link_once() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let id = made(&api, "ada@tickets.example").await;
    let link = link(&api, VERIFY, json!({"user_id": id, "ttl_sec": 0})).await;
    assert!(link.starts_with("/u/email-verification?ticket="), "{link}");
    // Programs look at links by HEAD before people see them.
    assert_eq!(house.ask(Ask::new("HEAD", &link)).await.status, 200);
    assert_eq!(user(&api, &id).await["email_verified"], false);
    let done = house.get(&format!("{link}&utm_source=mail")).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(done.body.contains("<h1>Your e-mail address is verified</h1>"));
    assert_eq!(done.header("referrer-policy"), "no-referrer");
    assert_eq!(user(&api, &id).await["email_verified"], true);
    assert_eq!(house.get(&link).await.status, 410);
    let nameless = json!({"connection": CONNECTION, "username": "grace", "password": OLD});
    let nameless = api.expect(201, "POST", "users", nameless).await["user_id"].clone();
    let refused = api.expect(400, "POST", VERIFY, json!({"user_id": nameless})).await;
    assert_eq!(refused["errorCode"], "invalid_body");
}

#[tokio::test]
async fn a_ticket_leads_on_to_its_url_with_what_became_of_it() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let id = made(&api, "ada+1@tickets.example").await;
    let url = "https://app.example/done?a=b#c";
    let body = json!({"user_id": id, "result_url": url, "includeEmailInRedirect": true, "ttl_sec": 60});
    let verify = link(&api, VERIFY, body.clone()).await;
    let reset = link(&api, RESET, body).await;
    let policy = house.get(&reset).await;
    let policy = policy.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https:;"), "{policy}");
    let done = house.get(&verify).await;
    assert_eq!(done.status, 302);
    assert_eq!(
        done.header("location"),
        "https://app.example/done?a=b&email=ada%2B1%40tickets%2Eexample&success=true&message=Your%20email%20was%20verified\
         %2E%20You%20can%20continue%20using%20the%20application%2E#c"
    );
    let again = house.get(&verify).await;
    assert_eq!(
        again.header("location"),
        "https://app.example/done?a=b&success=false&message=This%20URL%20can%20be%20used%20only%20once#c"
    );
    let changed = chosen(&house, &reset).await;
    assert_eq!((changed.status, changed.header("cache-control")), (302, "no-store"));
    let location = changed.header("location");
    let begins = "https://app.example/done?a=b&email=ada%2B1%40tickets%2Eexample&success=true&message=You%20can%20now";
    assert!(location.starts_with(begins), "{location}");
    house.advance_s(61);
    let late = house.get(&reset).await;
    assert_eq!(
        late.header("location"),
        "https://app.example/done?a=b&success=false&message=Access%20expired%2E#c"
    );
    // Without a URL the last page leads to the application's own login.
    let client = house.samples.sample.client_id.as_str();
    let login = json!({"initiate_login_uri": "https://app.example/login"});
    api.expect(200, "PATCH", &format!("clients/{client}"), login).await;
    let of_client = link(&api, RESET, json!({"user_id": id, "client_id": client})).await;
    let done = chosen(&house, &of_client).await;
    assert!(
        done.body.contains("href=\"https://app.example/login\""),
        "{}",
        done.body
    );
}

#[tokio::test]
async fn a_ticket_ends_with_its_time() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let id = made(&api, "ada@tickets.example").await;
    let usual = link(&api, RESET, json!({"user_id": id})).await;
    let short = link(&api, VERIFY, json!({"user_id": id, "ttl_sec": 30})).await;
    house.advance_s(31);
    let late = house.get(&short).await;
    assert_eq!(late.status, 410);
    assert!(late.body.contains("<h1>This link has expired</h1>"), "{}", late.body);
    assert_eq!(user(&api, &id).await["email_verified"], false);
    house.advance_s(432_000 - 31);
    assert_eq!(house.get(&usual).await.status, 200);
    house.advance_s(1);
    assert_eq!(house.get(&usual).await.status, 410);
    assert_eq!(chosen(&house, &usual).await.status, 410);
    assert!(signs_in(&house, "ada@tickets.example", OLD).await);
}

#[tokio::test]
async fn a_ticket_dies_with_what_it_was_made_for() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    for (number, change) in [
        json!({"password": "A-third-horse-3"}),
        json!({"email": "moved@tickets.example"}),
        json!({"blocked": true}),
        json!({"username": null, "email_verified": true}),
        Value::Null,
    ]
    .into_iter()
    .enumerate()
    {
        let id = made(&api, &format!("ada{number}@tickets.example")).await;
        let reset = link(&api, RESET, json!({"user_id": id})).await;
        let verify = link(&api, VERIFY, json!({"user_id": id})).await;
        match &change {
            Value::Null => drop(
                api.expect(204, "DELETE", &format!("users/{}", encoded(&id)), Value::Null)
                    .await,
            ),
            change => patched(&api, &id, change.clone()).await,
        }
        let says = |name: &str| change.get(name).is_some();
        // An address is no less theirs for a new password, nor a password for an address that was verified.
        let lives = (says("email_verified"), says("password"));
        let statuses = (house.get(&reset).await.status, chosen(&house, &reset).await.status);
        let expected = if lives.0 { 200 } else { 410 };
        assert_eq!(statuses, (expected, expected), "{change}");
        let expected = if lives.1 { 200 } else { 410 };
        assert_eq!(house.get(&verify).await.status, expected, "{change}");
    }
    // Whoever is let in again may use what is left.
    let id = made(&api, "grace@tickets.example").await;
    let reset = link(&api, RESET, json!({"user_id": id})).await;
    patched(&api, &id, json!({"blocked": true})).await;
    assert_eq!(chosen(&house, &reset).await.status, 410);
    patched(&api, &id, json!({"blocked": false})).await;
    assert_eq!(chosen(&house, &reset).await.status, 200);
}

#[tokio::test]
async fn of_two_who_use_a_ticket_at_once_one_is_refused() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let id = made(&api, "ada@tickets.example").await;
    let reset = link(&api, RESET, json!({"user_id": id})).await;
    let (one, two, three) = tokio::join!(
        chosen(&house, &reset),
        chosen(&house, &reset),
        house.ask(choosing(&reset, OLD, OLD))
    );
    let mut statuses = [one.status, two.status, three.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410, 410]);
}

#[tokio::test]
async fn a_password_that_may_not_be_shows_the_form_again_and_the_reason() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let connection = api.get("connections").await[0]["id"].as_str().unwrap().to_owned();
    let options = json!({"options": {
        "passwordPolicy": "fair", "password_no_personal_info": {"enable": true},
        "password_dictionary": {"enable": true, "dictionary": ["Too-common-1"]},
        "password_complexity_options": {"min_length": 12},
    }});
    api.expect(200, "PATCH", &format!("connections/{connection}"), options)
        .await;
    let (email, weak) = ("lovelace@tickets.example", "Lovelace-9-x-y-z");
    [weak, "A-fair-horse-4"].into_iter().for_each(used);
    let body = json!({"connection": CONNECTION, "email": email, "password": "A-fair-horse-4"});
    let id = api.expect(201, "POST", "users", body).await["user_id"].clone();
    let reset = link(&api, RESET, json!({"user_id": id})).await;
    let page = house.get(&reset).await;
    for rule in [
        "at least 8 characters",
        "at least 12 characters",
        "too common",
        "neither names",
    ] {
        assert!(page.body.contains(rule), "{rule}: {}", page.body);
    }
    for (password, again, reason) in [
        (NEW, OLD, "The two passwords are not the same"),
        ("", "", "Password is too weak"),
        ("short", "short", "Password is too weak: it needs at least 8"),
        ("Too-common-1", "Too-common-1", "Password is too common"),
        (weak, weak, "Password contains user information"),
    ] {
        let answer = house.ask(choosing(&reset, password, again)).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(answer.body.contains(reason), "{reason}: {}", answer.body);
        assert!(!answer.body.contains("Error:"), "{}", answer.body);
        assert!(
            password.is_empty() || !answer.body.contains(password),
            "{}",
            answer.body
        );
    }
    assert_eq!(chosen(&house, &reset).await.status, 200, "nothing was used up");
    let rows: Vec<_> = house.logs().await;
    let refused = rows.iter().filter(|row| row.kind == "fcp").count();
    assert_eq!(refused, 4, "the one that was mistyped was no try");
}
