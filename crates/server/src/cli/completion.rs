//! `tokenhouse completion`: what a shell needs to complete commands and their options.

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::aot::{Bash, Elvish, Fish, Generator, PowerShell, Zsh};

use super::output::print_program;
use super::{Cli, Failure};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tokenhouse completion bash \\
    > ~/.local/share/bash-completion/completions/tokenhouse
  tokenhouse completion zsh > \"${fpath[1]}/_tokenhouse\"
  tokenhouse completion fish > ~/.config/fish/completions/tokenhouse.fish

A new shell knows it then; zsh after `compinit`.")]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    print_program(&match arguments.shell {
        Shell::Bash => script(Bash),
        Shell::Zsh => script(Zsh),
        Shell::Fish => script(Fish),
        Shell::Powershell => script(PowerShell),
        Shell::Elvish => script(Elvish),
    })
}

fn script(shell: impl Generator) -> String {
    let mut written = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tokenhouse", &mut written);
    String::from_utf8_lossy(&written).into_owned()
}
