//! Usage as a CSV file, which is sent as it is read, day by day. `/console/usage/file`

use std::collections::BTreeMap;
use std::sync::Arc;

use tokenhouse_protocol::id::{ApiId, ClientId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{StoreError, UsageSum};

use super::super::answer::{Failure, Reply};
use super::super::file::{Pieces, streamed};
use super::super::visit::Visit;
use super::super::words;
use super::{DAY_MS, Span, day, identifiers};
use crate::tenant::Tenant;
use crate::web::csv::csv_line;

/// Lines of a piece.
const STEP: usize = 500;

/// `GET /console/usage/file`: a line for each day, application, API and grant.
pub(crate) async fn get(visit: Visit) -> Result<Reply, Failure> {
    let tenant = visit.tenant.clone();
    let span = Span::of(&visit.query, tenant.house.clock.now());
    let span = span.ok_or_else(|| Failure::bad_request(words::problems::BAD_DAYS))?;
    let identifiers = identifiers(&tenant).await?;
    let name = format!("usage-{}-{}.csv", day(span.from), day(span.to));
    let (reply, pieces) = streamed("text/csv; charset=utf-8", &name);
    tokio::spawn(async move {
        let head = csv_line(["date", "client_id", "client_name", "audience", "grant_type", "tokens"]);
        if !pieces.piece(head).await {
            return;
        }
        let mut at = span.from;
        while at <= span.to {
            match send_day(&tenant, &identifiers, at, &pieces).await {
                Ok(true) => at = at.plus_ms(DAY_MS),
                Ok(false) => return,
                Err(error) => return pieces.fail(error).await,
            }
        }
    });
    Ok(reply)
}

/// Sends the lines of a day: whether anybody reads on.
async fn send_day(
    tenant: &Arc<Tenant>,
    identifiers: &BTreeMap<String, String>,
    at: Timestamp,
    pieces: &Pieces,
) -> Result<bool, StoreError> {
    let store = &tenant.house.store;
    let sums = store.usage_sums(&tenant.id, at, at.plus_ms(DAY_MS), u32::MAX).await?;
    for some in sums.chunks(STEP) {
        let clients: Vec<ClientId> = some.iter().filter_map(|sum| sum.client_id.clone()).collect();
        let names = store.client_names(&tenant.id, &clients).await?;
        let line = |sum: &UsageSum| {
            let client = sum.client_id.as_ref().map_or("", ClientId::as_str);
            let name = sum
                .client_id
                .as_ref()
                .and_then(|id| names.get(id))
                .map_or("", String::as_str);
            let api = sum.api_id.as_ref().map_or("", ApiId::as_str);
            let audience = identifiers.get(api).map_or(api, String::as_str);
            csv_line([&day(at), client, name, audience, &sum.grant, &sum.tokens.to_string()])
        };
        if !pieces.piece(some.iter().map(line).collect()).await {
            return Ok(false);
        }
    }
    Ok(true)
}
