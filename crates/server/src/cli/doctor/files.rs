//! The configuration and the files that it names: certificates, the data folder, the sealing key.

use std::path::{Path, PathBuf};

use tokenhouse_protocol::jose::pem;
use tokenhouse_protocol::time::Timestamp;

use super::{Report, span};
use crate::cli::Failure;
use crate::cli::cautions::{self, others_may_read};
use crate::cli::serve;
use crate::config::Config;
use crate::dev::authority::CA_FILE;
use crate::tenant::Issuer;
use crate::tls::Tls;

/// How long before its end a certificate is worth a warning.
const SOON_MS: i64 = 21 * DAY_MS;
const DAY_MS: i64 = 86_400_000;

pub(super) fn configuration(report: &mut Report, config: &Config, is_served: bool) {
    let issuer = match Issuer::parse(&config.server.issuer) {
        Ok(issuer) => issuer,
        Err(why) => return report.fail("configuration", why, "Correct [server] issuer."),
    };
    // `tokenhouse dev` is told on its command line where it listens.
    let text = match is_served {
        true => format!("issuer {}, listens on {}", issuer.as_str(), config.server.listen),
        false => format!("issuer {}", issuer.as_str()),
    };
    if cautions::is_in_the_clear(&issuer) {
        report.fail(
            "configuration",
            format!("{text}: secrets and tokens travel in the clear"),
            "Give the issuer https://, with a certificate in [tls] or behind a proxy that has one.",
        );
    } else if is_served && issuer.is_loopback() {
        report.warn(
            "configuration",
            format!("{text}: programs on other machines cannot reach that issuer"),
            "Set [server] issuer to the URL at which the world reaches this server.",
        );
    } else {
        report.ok("configuration", text);
    }
}

pub(super) fn certificate(report: &mut Report, config: &Config, now: Timestamp) {
    let files = (&config.tls.certificate_file, &config.tls.key_file);
    let (certificate, key) = match files {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return local_certificate(report, config, now),
        (Some(_), None) | (None, Some(_)) => {
            return report.fail(
                "certificate",
                "[tls] names one file of two",
                "Name certificate_file and key_file, or neither for http behind a proxy.",
            );
        }
    };
    if let Err(error) = Tls::from_files(certificate, key) {
        return report.fail(
            "certificate",
            error.to_string(),
            "Put a certificate with its own key there.",
        );
    }
    if let Some(text) = others_may_read(key) {
        report.warn(
            "certificate",
            format!("others may read its private key: {text}"),
            "Let its owner alone read it: chmod 600.",
        );
    }
    expiry(
        report,
        certificate,
        now,
        "Renew it; a running server takes the new files up by itself.",
    );
}

/// The certificate authority of `tokenhouse dev --https`, if the folder has one.
pub(super) fn local_authority(config: &Config) -> Option<PathBuf> {
    Some(config.server.data.join(CA_FILE)).filter(|file| file.exists())
}

pub(super) fn data_folder(report: &mut Report, config: &Config) {
    let folder = &config.server.data;
    let shown = folder.display();
    match others_may_read(folder) {
        Some(text) => report.warn(
            "data folder",
            format!("{shown} is open to others: {text}"),
            "Let its owner alone in: chmod 700.",
        ),
        None if folder.is_dir() => report.ok("data folder", shown.to_string()),
        None if !config.database.url.is_empty() => {
            report.ok("data folder", format!("none at {shown}, and none is needed"));
        }
        None => report.fail(
            "data folder",
            format!("there is none at {shown}"),
            "Correct [server] data, or name the folder with --data.",
        ),
    }
}

pub(super) fn sealing_key(report: &mut Report, config: &Config, is_served: bool) {
    let sealing = &config.sealing;
    if let Err(Failure(why)) = serve::sealing_key(config) {
        // Credentials of a service are there while it runs (systemd.exec(5), LoadCredential=).
        let is_lent = sealing
            .key_file
            .as_ref()
            .is_some_and(|file| file.starts_with("/run/credentials"));
        let advice = if is_lent {
            "The service does not run, and its credentials are gone with it: look again with \
             TOKENHOUSE_SEALING__KEY=\"$(cat FILE)\", the FILE that LoadCredential= names in the unit."
        } else {
            "Without it nobody can open the secrets in the database: find it, or restore a backup with its own key."
        };
        return report.fail("sealing key", why, advice);
    }
    let file = cautions::sealing_key_file(config);
    let text = match (&file, sealing.command.first()) {
        (Some(file), _) => format!("in {}", file.display()),
        (None, Some(program)) if sealing.key.is_empty() => format!("printed by {program}"),
        (None, _) => "from the environment, or the configuration itself".to_owned(),
    };
    if let Some(open) = file.as_deref().and_then(others_may_read) {
        report.fail(
            "sealing key",
            format!("{text}, where others may read it: {open}"),
            "Let its owner alone read it: chmod 600.",
        );
    } else if is_served && file.is_some_and(|file| serve::is_within(&file, &config.server.data)) {
        report.warn(
            "sealing key",
            format!("{text}, beside what it seals: whoever copies the folder has both"),
            "Name another place in [sealing].",
        );
    } else {
        report.ok("sealing key", text);
    }
}

fn local_certificate(report: &mut Report, config: &Config, now: Timestamp) {
    match local_authority(config) {
        Some(file) => expiry(
            report,
            &file,
            now,
            "Delete ca.pem and ca.key, start `tokenhouse dev --https`, and trust the new authority.",
        ),
        None => report.ok("certificate", "none: http, as on this machine or behind a proxy"),
    }
}

/// When the first certificate in a file ends.
fn expiry(report: &mut Report, file: &Path, now: Timestamp, advice: &str) {
    let shown = file.display();
    let text = std::fs::read_to_string(file).unwrap_or_default();
    // What follows the first is what it is chained to.
    let first = text
        .split_inclusive("-----END CERTIFICATE-----")
        .next()
        .unwrap_or_default();
    let Some(end) = pem::expiry(first) else {
        return report.fail("certificate", format!("{shown} holds no certificate in PEM"), advice);
    };
    let left_ms = end.ms() - now.ms();
    let text = format!("{shown}, until {end}");
    match left_ms {
        ..0 => report.fail("certificate", format!("{text}: it has ended"), advice),
        0..SOON_MS => report.warn("certificate", format!("{text}: {} left", span(left_ms)), advice),
        _ => report.ok("certificate", format!("{text}: {} left", span(left_ms))),
    }
}
