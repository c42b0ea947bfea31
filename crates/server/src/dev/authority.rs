//! A certificate authority for this machine alone, made once in the data folder, and the certificate that
//! `dev --https` serves with: Auth0's SDKs cannot do without https, so it takes no effort here.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, date_time_ymd,
};

use tokenhouse_protocol::time::Timestamp;

use super::folder::write_private;
use crate::cli::Failure;
use crate::tls::Tls;

/// The authority's certificate, for `--cacert`, `NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE`.
pub const CA_FILE: &str = "ca.pem";
/// The authority's private key.
const CA_KEY_FILE: &str = "ca.key";
/// Years for which the authority is made.
const CA_YEARS: i32 = 10;

/// The authority of a data folder.
pub struct Authority {
    file: PathBuf,
    pem: String,
    key: KeyPair,
}

impl Authority {
    /// The folder's authority, made if there is none.
    pub fn open(folder: &Path, now: Timestamp) -> Result<Self, Failure> {
        let (file, key_file) = (folder.join(CA_FILE), folder.join(CA_KEY_FILE));
        let unusable = |why: &dyn std::fmt::Display| {
            Failure(format!(
                "the local certificate authority in {} cannot be used: {why}",
                folder.display()
            ))
        };
        if !file.exists() || !key_file.exists() {
            let (pem, key) = make(now).map_err(|error| unusable(&error))?;
            write_private(folder, &key_file, key.as_bytes()).map_err(|error| unusable(&error))?;
            write_private(folder, &file, pem.as_bytes()).map_err(|error| unusable(&error))?;
        }
        let read = |file: &Path| std::fs::read_to_string(file).map_err(|error| unusable(&error));
        let (pem, key) = (read(&file)?, read(&key_file)?);
        let key = KeyPair::from_pem(&key).map_err(|error| unusable(&error))?;
        let file = file.canonicalize().unwrap_or(file);
        Ok(Self { file, pem, key })
    }

    /// An authority for this process alone: its certificate is written down, for programs to trust, and its key nowhere.
    pub fn fleeting(folder: &Path, now: Timestamp) -> Result<Self, Failure> {
        let failed = |why: &dyn std::fmt::Display| Failure(format!("no certificate authority could be made: {why}"));
        let (pem, key) = make(now).map_err(|error| failed(&error))?;
        let file = folder.join(CA_FILE);
        write_private(folder, &file, pem.as_bytes()).map_err(|error| failed(&error))?;
        let key = KeyPair::from_pem(&key).map_err(|error| failed(&error))?;
        Ok(Self { file, pem, key })
    }

    /// Where its certificate is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Its certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A fresh certificate for these names and addresses, ready to serve with.
    pub fn serve_as(&self, hosts: &[String], now: Timestamp) -> Result<Tls, Failure> {
        let failed = |error: rcgen::Error| Failure(format!("no certificate could be made for {hosts:?}: {error}"));
        let authority = authority(now);
        let issuer = Issuer::from_params(&authority, &self.key);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let names: Vec<String> = hosts
            .iter()
            .map(|host| host.trim_matches(['[', ']']).to_owned())
            .collect();
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, "Tokenhouse dev");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        // A year and a bit: longer ones are refused by Apple's verifier.
        set_years(&mut params, now, 1);
        let certificate = params.signed_by(&key, &issuer).map_err(failed)?;
        Tls::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes())
            .map_err(|error| Failure(error.to_string()))
    }
}

fn make(now: Timestamp) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = authority(now).self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// What the authority's certificate says; its name is what certificates are chained by, so it never changes.
fn authority(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Tokenhouse dev CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_years(&mut params, now, CA_YEARS);
    params
}

/// From the beginning of this month for so many years, and a month.
fn set_years(params: &mut CertificateParams, now: Timestamp, years: i32) {
    let today = now.civil();
    let (year, month) = (
        i32::try_from(today.year).unwrap_or(2000),
        u8::try_from(today.month).unwrap_or(1),
    );
    let end = if month == 12 {
        (year + years + 1, 1)
    } else {
        (year + years, month + 1)
    };
    params.not_before = date_time_ymd(year, month, 1);
    params.not_after = date_time_ymd(end.0, end.1, 1);
}
