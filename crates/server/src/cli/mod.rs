//! The command line: one file per command, each its arguments and then one call.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use self::failure::Failure;

mod admins;
mod api;
mod apis;
mod apps;
mod backup;
mod cautions;
mod completion;
mod config;
pub mod dev;
mod doctor;
mod environment;
mod export;
mod failure;
mod gate;
mod grants;
mod http;
mod import;
mod keys;
mod logging;
mod logs;
mod man;
mod management;
mod output;
mod passphrase;
mod place;
mod properties;
mod recorded;
mod remote;
mod restore;
mod roles;
pub mod serve;
mod snippet;
mod stop;
mod tenants;
mod token;
mod trust;
mod usage;
mod users;
mod verify;
mod waiting;

/// An authorization server for your HTTP APIs, wire-compatible with Auth0.
#[derive(Debug, Parser)]
#[command(
    name = "tokenhouse",
    version = concat!(env!("CARGO_PKG_VERSION"), " (commit ", env!("TOKENHOUSE_COMMIT"), ")"),
    help_template = TEMPLATE,
    after_help = EXAMPLES,
    disable_help_subcommand = true,
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The first page of help: clap cannot group commands, so the groups are written here. A test holds them complete.
const TEMPLATE: &str = "\
{about}

{usage-heading} {usage}

Run:
  dev      A server with samples to try things out: nothing to configure
  serve    A server for production
  api      The sample API, protected by any OpenID issuer
  gate     Forward authentication for nginx, Caddy, Traefik or Envoy
  trust    The local authority of `dev --https`: what it is, how to trust it

Register, where a server has its data, or over HTTP with --server URL:
  apps     Applications: programs that ask for tokens
  apis     APIs: programs that accept tokens
  grants   Which application may use which API, with which scopes
  users    People who sign in
  roles    What users may do, by the name of a role
  admins   Administrators: the people who use the console
  keys     The keys that sign tokens
  tenants  Issuers beside the first

Keep:
  backup   A copy of the database while servers use it
  restore  A backup becomes the database of an empty data folder
  import   Configuration and users from Auth0 or Django move in
  export   A tenant as one file, or as Auth0's deploy CLI writes it

Look:
  doctor   What is wrong with an installation, and what to do about it
  token    An access token, kept until it expires
  logs     What was granted, refused and changed
  usage    Tokens issued by day, application and API
  verify   Why a token is accepted or refused
  snippet  A request of the quickstart as a program in your language
  config   The configuration that is in force

For your shell:
  completion  Completes commands and their options
  man         Manual pages

Options:
{options}{after-help}";

const EXAMPLES: &str = "\
Examples:
  tokenhouse dev
  tokenhouse apis create https://api.example.org --scope 'read:a=Read reports'
  tokenhouse apps create 'Report reader'
  tokenhouse verify \"$TOKEN\" --scope read:reports

`tokenhouse COMMAND --help` says more.";

#[derive(Debug, Subcommand)]
enum Command {
    /// A server with samples to try things out: nothing to configure
    Dev(dev::Arguments),
    /// A server for production
    Serve(serve::Arguments),
    /// The sample API, protected by any OpenID issuer
    Api(api::Arguments),
    /// Forward authentication for nginx, Caddy, Traefik or Envoy
    Gate(gate::Arguments),
    /// The local authority of `dev --https`: what it is, how to trust it
    Trust(trust::Arguments),
    /// Applications: programs that ask for tokens
    Apps(apps::Arguments),
    /// APIs: programs that accept tokens
    Apis(apis::Arguments),
    /// Which application may use which API, with which scopes
    Grants(grants::Arguments),
    /// People who sign in
    Users(users::Arguments),
    /// What users may do, by the name of a role
    Roles(roles::Arguments),
    /// Administrators: the people who use the console
    Admins(admins::Arguments),
    /// The keys that sign tokens
    Keys(keys::Arguments),
    /// Issuers beside the first
    Tenants(tenants::Arguments),
    /// A copy of the database while servers use it
    Backup(backup::Arguments),
    /// A backup becomes the database of an empty data folder
    Restore(restore::Arguments),
    /// Configuration and users from Auth0 or Django move in
    Import(import::Arguments),
    /// A tenant as one file, or as Auth0's deploy CLI writes it
    Export(export::Arguments),
    /// What was granted, refused and changed
    Logs(logs::Arguments),
    /// Tokens issued by day, application and API
    Usage(usage::Arguments),
    /// What is wrong with an installation, and what to do about it
    Doctor(doctor::Arguments),
    /// An access token, kept until it expires
    Token(token::Arguments),
    /// Why a token is accepted or refused
    Verify(verify::Arguments),
    /// A request of the quickstart as a program in your language
    Snippet(snippet::Arguments),
    /// The configuration that is in force
    Config(config::Arguments),
    /// Completes commands and their options
    Completion(completion::Arguments),
    /// Manual pages
    Man(man::Arguments),
}

/// Runs the command. Its exit code is 0, or 1 where the answer of a command that worked is no.
pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    // Boxed, since together they are as large as the largest.
    match cli.command {
        Command::Dev(arguments) => Box::pin(dev::run(arguments)).await?,
        Command::Serve(arguments) => Box::pin(serve::run(arguments)).await?,
        Command::Api(arguments) => Box::pin(api::run(arguments)).await?,
        Command::Gate(arguments) => Box::pin(gate::run(arguments)).await?,
        Command::Apps(arguments) => Box::pin(apps::run(arguments)).await?,
        Command::Apis(arguments) => Box::pin(apis::run(arguments)).await?,
        Command::Grants(arguments) => Box::pin(grants::run(arguments)).await?,
        Command::Users(arguments) => Box::pin(users::run(arguments)).await?,
        Command::Roles(arguments) => Box::pin(roles::run(arguments)).await?,
        Command::Admins(arguments) => Box::pin(admins::run(arguments)).await?,
        Command::Keys(arguments) => Box::pin(keys::run(arguments)).await?,
        Command::Tenants(arguments) => Box::pin(tenants::run(arguments)).await?,
        Command::Backup(arguments) => Box::pin(backup::run(arguments)).await?,
        Command::Restore(arguments) => Box::pin(restore::run(arguments)).await?,
        Command::Import(arguments) => Box::pin(import::run(arguments)).await?,
        Command::Export(arguments) => Box::pin(export::run(arguments)).await?,
        Command::Logs(arguments) => Box::pin(logs::run(arguments)).await?,
        Command::Usage(arguments) => Box::pin(usage::run(arguments)).await?,
        Command::Token(arguments) => Box::pin(token::run(arguments)).await?,
        Command::Verify(arguments) => return Box::pin(verify::run(arguments)).await,
        Command::Doctor(arguments) => return Box::pin(doctor::run(arguments)).await,
        Command::Completion(arguments) => completion::run(&arguments)?,
        Command::Man(arguments) => man::run(&arguments)?,
        Command::Config(arguments) => config::run(&arguments)?,
        Command::Trust(arguments) => trust::run(&arguments)?,
        Command::Snippet(arguments) => snippet::run(arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Whoever reads has 80 columns, or more or fewer: a paragraph that is broken here would be broken again there.
    #[test]
    fn no_help_is_wrapped_twice() {
        fn look(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<&str> = help.lines().collect();
            for line in &lines {
                let is_program = line.starts_with(' ');
                assert!(
                    !is_program || line.chars().count() <= 78,
                    "{}: {line}",
                    command.get_name()
                );
            }
            for pair in lines.windows(2) {
                let is_broken = !pair[1].is_empty() && !pair[1].starts_with(' ') && !pair[0].is_empty();
                assert!(!is_broken, "{}: {} / {}", command.get_name(), pair[0], pair[1]);
            }
            command.get_subcommands().for_each(look);
        }
        look(&Cli::command());
        // Nobody breaks these.
        assert!(TEMPLATE.lines().all(|line| line.chars().count() <= 78));
    }

    #[test]
    fn the_first_page_of_help_names_every_command_as_it_names_itself() {
        for command in Cli::command().get_subcommands() {
            let about = command.get_about().map(ToString::to_string).unwrap();
            let lines = [9, 12].map(|width| format!("\n  {:<width$}{about}\n", command.get_name()));
            assert!(lines.iter().any(|line| TEMPLATE.contains(line)), "{}", lines[0]);
        }
    }
}
