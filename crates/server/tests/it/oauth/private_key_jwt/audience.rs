//! Assertions for the token endpoint's URL in place of the issuer (CONTRACT Decision 13).

use std::sync::Arc;

use serde_json::{Value, json};

use tokenhouse::registry::client_keys;
use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};
use tokenhouse_protocol::jose::jws::Signer;

use super::{arranged, ask, claims, id, refused};
use crate::house::ISSUER;

#[tokio::test]
async fn the_token_endpoint_is_an_audience_only_where_the_application_may_name_it() {
    let (house, signer, _) = arranged().await;
    let tenant = house.tenant().await;
    let endpoint = format!("{ISSUER}oauth/token");
    let with_audience = |aud: Value| signer.sign(&claims(&house, &[("aud", aud)]));
    client_keys::let_name_token_endpoint(&tenant, &id(&house), true)
        .await
        .unwrap();
    for good in [endpoint.as_str(), ISSUER] {
        let answer = ask(&house, &with_audience(json!(good))).await;
        assert_eq!(answer.status, 200, "{good} {}", answer.body);
    }
    for wrong in [
        json!([endpoint]),
        json!(format!("{endpoint}/")),
        json!("https://other.example/oauth/token"),
        Value::Null,
    ] {
        refused(&ask(&house, &with_audience(wrong)).await, "must be the issuer");
    }
    client_keys::let_name_token_endpoint(&tenant, &id(&house), false)
        .await
        .unwrap();
    refused(
        &ask(&house, &with_audience(json!(endpoint))).await,
        "must be the issuer",
    );
}

#[tokio::test]
async fn a_stranger_does_not_learn_who_may_name_the_token_endpoint() {
    let (house, _, _) = arranged().await;
    client_keys::let_name_token_endpoint(&*house.tenant().await, &id(&house), true)
        .await
        .unwrap();
    let stranger = Arc::new(SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048));
    let stranger = Signer::new(stranger, None, "JWT");
    let answer = async |client: &str| {
        let changes = [
            ("iss", json!(client)),
            ("sub", json!(client)),
            ("aud", json!(format!("{ISSUER}oauth/token"))),
        ];
        ask(&house, &stranger.sign(&claims(&house, &changes))).await
    };
    let samples = &house.samples;
    let known = answer(&samples.sample.client_id).await;
    refused(&known, "No key of this client");
    for other in [samples.reader.client_id.as_str(), "nobody"] {
        assert_eq!(answer(other).await.body, known.body, "{other}");
    }
}
