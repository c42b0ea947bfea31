//! What of a configuration puts secrets at risk: `doctor` fails over it, and `serve` warns at its start.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::dev::folder::SEALING_KEY_FILE;
use crate::tenant::Issuer;

/// Warns in the log of what puts secrets at risk, one line each with what to do.
pub(super) fn warn(config: &Config, issuer: &Issuer) {
    for caution in cautions(config, issuer) {
        tracing::warn!("{caution}");
    }
}

fn cautions(config: &Config, issuer: &Issuer) -> Vec<String> {
    let mut cautions = Vec::new();
    if is_in_the_clear(issuer) {
        cautions.push(format!(
            "secrets and tokens travel in the clear to the issuer {}: give it https://, with a certificate in [tls] or behind \
             a proxy that has one",
            issuer.as_str()
        ));
    }
    if let Some(file) = sealing_key_file(config)
        && let Some(open) = others_may_read(&file)
    {
        cautions.push(format!(
            "others may read the sealing key in {}: {open}; let its owner alone read it: chmod 600",
            file.display()
        ));
    }
    cautions
}

/// Whether what is sent to an issuer can be read on its way.
pub(super) fn is_in_the_clear(issuer: &Issuer) -> bool {
    !issuer.is_https() && !issuer.is_loopback()
}

/// The file with the sealing key, if it is in one.
pub(super) fn sealing_key_file(config: &Config) -> Option<PathBuf> {
    let sealing = &config.sealing;
    match &sealing.key_file {
        _ if !sealing.key.is_empty() => None,
        Some(file) => Some(file.clone()),
        None if sealing.command.is_empty() => Some(config.server.data.join(SEALING_KEY_FILE)),
        None => None,
    }
}

/// Who else may read a file or look into a folder, in words; none if nobody may, or where there is none.
pub(super) fn others_may_read(path: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        let about = std::fs::metadata(path).ok()?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o7777;
        (mode & 0o077 != 0).then(|| format!("its mode is {mode:o}"))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_without_tls_is_warned_of_unless_it_is_this_machine() {
        for (issuer, expected) in [
            ("http://auth.example.com/", 1),
            ("http://10.1.2.3:4000/", 1),
            ("https://auth.example.com/", 0),
            ("http://localhost:4000/", 0),
            ("http://127.0.0.1:4000/", 0),
        ] {
            let found = cautions(&Config::default(), &Issuer::parse(issuer).unwrap());
            assert_eq!(found.len(), expected, "{issuer}: {found:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_sealing_key_that_others_may_read_is_warned_of() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = std::env::temp_dir().join(format!("tokenhouse-cautions-{}", std::process::id()));
        std::fs::write(&file, "").unwrap();
        let mut config = Config::default();
        config.sealing.key_file = Some(file.clone());
        let issuer = Issuer::parse("https://auth.example.com/").unwrap();
        let mut found = [0o600, 0o640, 0o604].map(|mode| {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            cautions(&config, &issuer)
        });
        std::fs::remove_file(&file).unwrap();
        assert!(found[0].is_empty(), "{found:?}");
        for (caution, mode) in found[1..].iter_mut().zip(["640", "604"]) {
            let line = caution.pop().unwrap();
            assert!(
                line.contains(&format!("its mode is {mode}")) && line.contains("chmod 600"),
                "{line}"
            );
        }
        // What the environment gives is read from no file.
        config.sealing.key = "AAAA".into();
        assert_eq!(sealing_key_file(&config), None);
    }
}
