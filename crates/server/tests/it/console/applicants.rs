//! With which application the Test tab begins, and how one gets there with another.

use tokenhouse::registry::apis;
use tokenhouse::registry::client_grants::{self, NewClientGrant};
use tokenhouse::registry::clients::{self, Kind, NewClient};

use super::desk::Desk;
use crate::house::AUDIENCE;

#[tokio::test]
async fn the_test_application_that_was_made_with_the_api_comes_first() {
    let desk = Desk::new().await;
    let tenant = desk.house.tenant().await;
    let api = apis::api(&tenant, AUDIENCE).await.unwrap();
    let page = desk.page(&desk.test_tab().await).await;
    let first = |page: &str| {
        let (_, select) = page.split_once("<select id=\"application\"").unwrap();
        let (_, option) = select.split_once("<option value=\"").unwrap();
        option.split('"').next().unwrap().to_owned()
    };
    assert_eq!(first(&page), desk.house.samples.sample.client_id, "granted the most");
    let name = format!("{} (Test Application)", api.name.clone().unwrap());
    let new = NewClient::of_kind(Kind::MachineToMachine, name);
    let (along, _) = clients::create(&tenant, new).await.unwrap();
    let grant = NewClientGrant {
        client_id: along.id.clone(),
        audience: AUDIENCE.to_owned(),
        scopes: Vec::new(),
        allow_all_scopes: false,
    };
    client_grants::create(&tenant, grant).await.unwrap();
    assert_eq!(first(&desk.page(&desk.test_tab().await).await), along.id.as_str());
}

#[tokio::test]
async fn an_applications_page_leads_to_the_test_tab_with_it() {
    let desk = Desk::new().await;
    let id = desk.house.samples.reader.client_id.clone();
    let answer = desk.get(&format!("/console/applications/{id}/test")).await;
    let to = format!("{}?application={id}", desk.test_tab().await);
    assert_eq!((answer.status, answer.header("location")), (303, to.as_str()));
}
