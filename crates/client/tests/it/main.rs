//! A client and an issuer in this process, on a clock that is moved: each file a kind of day.
#![expect(
    clippy::unwrap_used,
    reason = "every line here is a test's; clippy excuses only marked functions"
)]

use std::time::Duration;

use tokenhouse_client::TokenClient;
use tokenhouse_client::testing::TestIssuer;

mod attach;
mod credentials;
mod failing;
mod keeping;
mod layer;
mod limits;
mod middleware;

const DAY_MS: i64 = 86_400_000;
const API: &str = "https://api.example.com";

/// An issuer, and a client of it for the one API.
async fn house() -> (TestIssuer, TokenClient) {
    let issuer = TestIssuer::start().await.unwrap();
    let client = issuer.builder().audience(API).build().unwrap();
    (issuer, client)
}

/// The token that is handed out now.
async fn token(client: &TokenClient) -> String {
    client.token().await.unwrap().expose().to_owned()
}

/// Waits for what happens in the background, without holding it up.
async fn eventually(mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), looking).await.unwrap();
}

/// Lets what runs in the background get to where it waits, so that what must not happen had its chance.
async fn meanwhile() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
