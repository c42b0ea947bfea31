//! `tokenhouse trust`: what the local authority of `dev --https` is, and how programs come to trust it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use super::Failure;
use super::output::{may_go_on, print};
use crate::dev::authority::CA_FILE;

/// Where a system keeps authorities that were added by hand, what takes them up, and what forgets those that are gone.
struct Store {
    folder: &'static str,
    take_up: (&'static str, &'static [&'static str]),
    forget: (&'static str, &'static [&'static str]),
}

/// Debian and its kin. Only a fresh start removes links to what is gone.
const DEBIAN: Store = Store {
    folder: "/usr/local/share/ca-certificates",
    take_up: ("update-ca-certificates", &[]),
    forget: ("update-ca-certificates", &["--fresh"]),
};
/// Fedora and its kin.
const FEDORA: Store = Store {
    folder: "/etc/pki/ca-trust/source/anchors",
    take_up: ("update-ca-trust", &["extract"]),
    forget: ("update-ca-trust", &["extract"]),
};
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
    match fs::metadata(&file) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let shown = file.display();
            return Err(Failure(format!(
                "there is no local authority at {shown} yet: `tokenhouse dev --https` makes it"
            )));
        }
        Err(error) => return Err(Failure::because(format_args!("cannot read {}", file.display()), error)),
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
         The last stands in place of all other authorities: other sites are then strangers to that program.\n\
         Its private key lies beside it, readable by you alone: whoever has it can pretend to be any site to programs\n\
         that trust it. So prefer the variables; `tokenhouse trust --install` makes the whole machine trust it."
    ))
}

fn install(file: &Path, force: bool) -> Result<(), Failure> {
    let store = store()?;
    let target = Path::new(store.folder).join(INSTALLED);
    let is_another = |before: Vec<u8>| fs::read(file).is_ok_and(|this| this != before);
    let replaced = match fs::read(&target).is_ok_and(is_another) {
        true => " and no longer the one of another data folder, which is installed now",
        false => "",
    };
    let question = format!("Every program on this machine will trust this authority{replaced}. Go on?");
    may_go_on(&question, force)?;
    publish(file, &target)
        .map_err(|error| Failure::because(format_args!("cannot write {} (root may)", target.display()), error))?;
    run_program(store.take_up)?;
    print(&format!(
        "Installed as {}. Browsers with a store of their own still ask.",
        target.display()
    ))
}

fn uninstall() -> Result<(), Failure> {
    let store = store()?;
    let target = Path::new(store.folder).join(INSTALLED);
    fs::remove_file(&target)
        .map_err(|error| Failure::because(format_args!("cannot remove {} (root may)", target.display()), error))?;
    run_program(store.forget)?;
    print(&format!("Removed {}.", target.display()))
}

/// Copies a certificate to where programs of every user look for it, though its own file is its owner's alone.
fn publish(file: &Path, target: &Path) -> io::Result<()> {
    fs::copy(file, target)?;
    #[cfg(unix)]
    fs::set_permissions(target, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    Ok(())
}

fn store() -> Result<Store, Failure> {
    let here = [DEBIAN, FEDORA]
        .into_iter()
        .find(|store| Path::new(store.folder).is_dir());
    here.ok_or_else(|| {
        Failure(
            "this system's store is not one that Tokenhouse knows: use the variables that `tokenhouse trust` names"
                .into(),
        )
    })
}

fn run_program((program, arguments): (&str, &[&str])) -> Result<(), Failure> {
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

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_every_user_trusts_every_user_can_read() {
        let folder = std::env::temp_dir().join(format!("tokenhouse-trust-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let (file, target) = (folder.join("ca.pem"), folder.join(INSTALLED));
        fs::write(&file, "a certificate").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        publish(&file, &target).unwrap();
        let (mode, content) = (
            fs::metadata(&target).unwrap().permissions().mode(),
            fs::read(&target).unwrap(),
        );
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((mode & 0o777, content.as_slice()), (0o644, &b"a certificate"[..]));
    }
}
