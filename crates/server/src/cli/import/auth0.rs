//! `tokenhouse import auth0`: what Auth0's deploy CLI exported becomes this tenant's configuration, through the same
//! checks as a request of the Management API. Said twice, it changes nothing the second time; what the export does not
//! name is left alone.

use std::sync::Arc;

use serde_json::json;

use crate::cli::Failure;
use crate::cli::output::{print, remark};
use crate::cli::place::Place;
use crate::tenant::Tenant;

pub(in crate::cli) mod plan;
mod source;
pub(in crate::cli) mod steps;
mod yaml;

pub(super) use source::{Export, Markers, read};

use plan::{Action, Plan};

/// Brings an export in, or says what would be done.
pub(super) async fn import(tenant: &Arc<Tenant>, place: &Place, export: Export, is_dry: bool) -> Result<(), Failure> {
    let foreign = export.foreign.clone();
    let mut plan = Plan::new(tenant, is_dry);
    steps::all(&mut plan, export).await?;
    if !foreign.is_empty() {
        plan.note(format!(
            "Not taken over, since there is no such thing here: {}",
            foreign.join(", ")
        ));
    }
    report(place, &plan, is_dry)
}

fn report(place: &Place, plan: &Plan<'_>, is_dry: bool) -> Result<(), Failure> {
    let count = |action: Action| plan.lines.iter().filter(|line| line.action == action).count();
    let (created, updated) = (count(Action::Created), count(Action::Updated));
    if place.is_json() {
        let changes: Vec<_> = plan.lines.iter().filter_map(plan::Line::to_json).collect();
        place.print_json(&json!({
            "dry_run": is_dry, "created": created, "updated": updated, "unchanged": count(Action::Unchanged),
            "changes": changes, "notes": plan.notes, "failures": plan.failures,
        }))?;
    } else {
        let mut text: String = plan.lines.iter().filter_map(plan::Line::shown).collect();
        let would = if is_dry { "would be " } else { "" };
        let unchanged = count(Action::Unchanged);
        text.push_str(&format!(
            "{created} {would}created, {updated} {would}updated, {unchanged} unchanged"
        ));
        print(&text)?;
        for note in &plan.notes {
            remark(&format!("Note: {note}"));
        }
    }
    match plan.failures.len() {
        0 => Ok(()),
        count => Err(Failure(format!(
            "{count} could not be done:\n  {}",
            plan.failures.join("\n  ")
        ))),
    }
}
