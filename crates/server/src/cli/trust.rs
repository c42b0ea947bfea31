//! `tokenhouse trust`: what the local authority of `dev --https` is, and how programs come to trust it.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use super::Failure;
use super::output::{may_go_on, print};
use crate::dev::authority::CA_FILE;

/// Where Debian and its kin keep authorities that were added by hand, and what takes them up.
const DEBIAN: (&str, &str, &[&str]) = ("/usr/local/share/ca-certificates", "update-ca-certificates", &[]);
/// The same of Fedora and its kin.
const FEDORA: (&str, &str, &[&str]) = ("/etc/pki/ca-trust/source/anchors", "update-ca-trust", &["extract"]);
/// What the certificate is called there.
const INSTALLED: &str = "tokenhouse-dev.crt";

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  tokenhouse trust               # explains, changes nothing
  sudo tokenhouse trust --install --data ./tokenhouse-data
  sudo tokenhouse trust --uninstall")]
pub(super) struct Arguments {
    /// The data folder of `tokenhouse dev --https`
    #[arg(long, value_name = "DIR", default_value = super::place::DEFAULT_FOLDER)]
    data: PathBuf,
    /// Let every program on this machine trust the authority (Linux; needs root)
    #[arg(long, conflicts_with = "uninstall")]
    install: bool,
    /// Take that back
    #[arg(long)]
    uninstall: bool,
    /// Do not ask
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let file = arguments.data.join(CA_FILE);
    if arguments.uninstall {
        return uninstall();
    }
    if !file.exists() {
        let shown = file.display();
        return Err(Failure(format!(
            "there is no local authority at {shown} yet: `tokenhouse dev --https` makes it"
        )));
    }
    let file = file.canonicalize().unwrap_or(file);
    if arguments.install {
        install(&file, arguments.force)
    } else {
        explain(&file)
    }
}

fn explain(file: &Path) -> Result<(), Failure> {
    let file = file.display();
    print(&format!(
        "`tokenhouse dev --https` serves with a certificate of an authority that was made for this data folder:\n\n  \
         {file}\n\n\
         Programs trust it when they are told to:\n\n  \
         curl               --cacert {file}\n  \
         Node.js            export NODE_EXTRA_CA_CERTS={file}\n  \
         Go, Python (ssl)   export SSL_CERT_FILE={file}\n  \
         Python (requests)  export REQUESTS_CA_BUNDLE={file}\n\n\
         Its private key lies beside it, readable by you alone: whoever has it can pretend to be any site to programs\n\
         that trust it. So prefer the variables; `tokenhouse trust --install` makes the whole machine trust it."
    ))
}

fn install(file: &Path, force: bool) -> Result<(), Failure> {
    may_go_on("Every program on this machine will trust this authority. Go on?", force)?;
    let (folder, program, arguments) = store()?;
    let target = Path::new(folder).join(INSTALLED);
    std::fs::copy(file, &target)
        .map_err(|error| Failure::because(format_args!("cannot write {} (root may)", target.display()), error))?;
    take_up(program, arguments)?;
    print(&format!(
        "Installed as {}. Browsers with a store of their own still ask.",
        target.display()
    ))
}

fn uninstall() -> Result<(), Failure> {
    let (folder, program, arguments) = store()?;
    let target = Path::new(folder).join(INSTALLED);
    std::fs::remove_file(&target)
        .map_err(|error| Failure::because(format_args!("cannot remove {} (root may)", target.display()), error))?;
    take_up(program, arguments)?;
    print(&format!("Removed {}.", target.display()))
}

fn store() -> Result<(&'static str, &'static str, &'static [&'static str]), Failure> {
    let here = [DEBIAN, FEDORA]
        .into_iter()
        .find(|(folder, ..)| Path::new(folder).is_dir());
    here.ok_or_else(|| {
        Failure(
            "this system's store is not one that Tokenhouse knows: use the variables that `tokenhouse trust` names"
                .into(),
        )
    })
}

fn take_up(program: &str, arguments: &[&str]) -> Result<(), Failure> {
    let ended = Command::new(program).args(arguments).output();
    let ended = ended.map_err(|error| Failure::because(format_args!("cannot run {program}"), error))?;
    if ended.status.success() {
        return Ok(());
    }
    Err(Failure::because(
        format_args!("{program} ended with {}", ended.status),
        String::from_utf8_lossy(&ended.stderr).trim(),
    ))
}
