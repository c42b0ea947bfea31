//! A command's row in the log, whichever way it ends.

use serde_json::Value;

use super::Failure;
use crate::management::command::Command;
use crate::tenant::Tenant;

/// Does what a command does, and has its row written before anybody hears of it. What `work` answers beside its own is
/// what the row tells: never a secret.
pub(super) async fn recorded<T>(
    tenant: &Tenant,
    command: Command,
    work: impl Future<Output = Result<(T, Value), Failure>>,
) -> Result<T, Failure> {
    match work.await {
        Ok((done, told)) => {
            command.done(tenant, told).await?;
            Ok(done)
        }
        Err(failure) => {
            // Why it was refused is the greater news.
            command.refused(tenant, &failure.0).await.ok();
            Err(failure)
        }
    }
}
