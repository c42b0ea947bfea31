//! A machine that calls an API: gets a token with client credentials, shows what the API answers to it.
//!
//! `cargo run -p m2m-client -- http://localhost:4000/ CLIENT_ID CLIENT_SECRET https://api.example.com http://localhost:3010/api/private`

use std::error::Error;
use std::time::Duration;

use tokenhouse_client::TokenClient;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [issuer, client_id, client_secret, audience, url] = arguments.as_slice() else {
        return Err("arguments: ISSUER CLIENT_ID CLIENT_SECRET AUDIENCE URL".into());
    };
    let tokens = TokenClient::builder()
        .issuer(issuer)
        .credentials(client_id, client_secret)
        .audience(audience)
        .build()?;
    let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;

    // A program that runs for long asks for the token before each call: it is kept, and renewed when it is time.
    let token = tokens.token().await?;
    let response = http.get(url).bearer_auth(token.expose()).send().await?;
    println!("{}\n{}", response.status(), response.text().await?);
    Ok(())
}
