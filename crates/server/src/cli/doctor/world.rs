//! The server as the world sees it: its metadata and its keys at the issuer's address, and its clock.

use std::path::Path;
use std::time::UNIX_EPOCH;

use reqwest::Url;
use reqwest::header::DATE;
use serde_json::Value;

use tokenhouse_protocol::discovery::OPENID_CONFIGURATION;
use tokenhouse_protocol::time::Timestamp;

use super::database::key_ids;
use super::{Report, span};
use crate::cli::Failure;
use crate::cli::http::{self, Answer};
use crate::cli::management::Management;
use crate::cli::remote::Remote;
use crate::tenant::Issuer;

/// How far two clocks may be apart: guards allow five seconds; and from when on tokens are refused for certain.
const APART_MS: i64 = 5_000;
const FAR_APART_MS: i64 = 60_000;

/// Asks for what anybody may: the ids of the published keys, if all went well.
pub(super) async fn look(
    report: &mut Report,
    issuer: &str,
    ca_file: Option<&Path>,
    now: Timestamp,
) -> Option<Vec<String>> {
    let unreachable = "Does the server run, does the name lead to it, is its certificate known here?";
    let issuer = match Issuer::parse(issuer) {
        Ok(issuer) => issuer,
        Err(why) => {
            report.fail("reachability", why, "Correct the issuer.");
            return None;
        }
    };
    let (found, issuer) = (
        document(&issuer.url(OPENID_CONFIGURATION), ca_file).await,
        issuer.as_str(),
    );
    let (answer, metadata) = match found {
        Ok(found) => found,
        Err(why) => {
            report.fail("reachability", format!("{issuer}: {why}"), unreachable);
            return None;
        }
    };
    if metadata["issuer"] != issuer {
        let named = metadata["issuer"].as_str().unwrap_or("nobody");
        report.fail(
            "reachability",
            format!("{issuer} says that it is {named}"),
            "Tokens are refused by whoever trusts the one and meets the other: make the names the same to the letter.",
        );
        return None;
    }
    look_at_clock(report, &answer, now);
    let address = metadata["jwks_uri"].as_str().unwrap_or_default();
    match document(address, ca_file).await {
        Ok((_, key_set)) => {
            let ids = key_ids(&key_set);
            report.ok("reachability", format!("{issuer} answers, with {} keys", ids.len()));
            Some(ids)
        }
        Err(why) => {
            report.fail("reachability", format!("{address}: {why}"), unreachable);
            None
        }
    }
}

/// Asks for what only an administrator's application may.
pub(super) async fn enter(report: &mut Report, server: &str, ca_file: Option<&Path>) {
    let asked = async {
        let api = Management::There(Box::new(Remote::new(server, ca_file)?));
        Ok::<_, Failure>(api.get("tenants/settings", &[("fields", "friendly_name")]).await?)
    };
    match asked.await {
        Ok(_) => report.ok("management", "the Management API lets you in"),
        Err(Failure(why)) => report.warn("management", why, "Only commands with --server need it."),
    }
}

async fn document(address: &str, ca_file: Option<&Path>) -> Result<(Answer, Value), String> {
    let url = Url::parse(address).map_err(|error| format!("{address:?} is no address: {error}"))?;
    let client = http::client(&url, ca_file).map_err(|Failure(why)| why)?;
    let answer = http::answer(client.get(url)).await?;
    if answer.status != 200 {
        return Err(format!("it answered {}", answer.status));
    }
    let document = serde_json::from_slice(&answer.body).map_err(|error| format!("it answered no JSON: {error}"))?;
    Ok((answer, document))
}

/// Compares the clock of the answer with ours, as far as its seconds tell.
fn look_at_clock(report: &mut Report, answer: &Answer, now: Timestamp) {
    let said = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
    let Some(there) = said.and_then(instant) else {
        return;
    };
    let apart_ms = there.ms() - now.ms();
    let advice = "Keep the clocks of servers, APIs and clients in step by NTP.";
    match apart_ms.abs() {
        0..APART_MS => report.ok("clock", "in step with the issuer's"),
        APART_MS..FAR_APART_MS => report.warn("clock", format!("{} from the issuer's", span(apart_ms)), advice),
        _ => report.fail(
            "clock",
            format!(
                "{} from the issuer's: tokens are refused as expired, or not valid yet",
                span(apart_ms)
            ),
            advice,
        ),
    }
}

/// An instant as a `Date` header has it (RFC 9110 §5.6.7).
fn instant(date: &str) -> Option<Timestamp> {
    let since = httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_seconds(i64::try_from(since.as_secs()).ok()?))
}
