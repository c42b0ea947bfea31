//! TLS 1.2 and 1.3 (RFC 8446) in front of a listener, its certificate replaced when its files change.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{Error, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// What new connections are accepted with. Cloning shares it.
#[derive(Clone)]
pub struct Tls {
    config: Arc<RwLock<Arc<ServerConfig>>>,
    files: Option<Arc<Files>>,
}

/// Where a certificate comes from, and the states in which it was read.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    seen: Mutex<Seen>,
}

/// In which state the files are in use, and what is wrong with those that are there now.
struct Seen {
    taken: Stamps,
    refused: Option<(Stamps, TlsError)>,
}

/// When the two files were last written.
type Stamps = (Option<SystemTime>, Option<SystemTime>);

/// A certificate or its key cannot be used: one sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsError(String);

impl Tls {
    /// From a certificate chain and its private key, both in PEM.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let config = config(("the certificate", certificates), ("its private key", key))?;
        Ok(Self {
            config: Arc::new(RwLock::new(config)),
            files: None,
        })
    }

    /// From two files, which are read again when they change: see [`Tls::reread`].
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            seen: Mutex::new(Seen {
                taken: stamps(certificate, key),
                refused: None,
            }),
        };
        Ok(Self {
            config: Arc::new(RwLock::new(files.read()?)),
            files: Some(Arc::new(files)),
        })
    }

    /// Takes over changed files; whether there were some. On an error the certificate in use stays, and the files are
    /// tried again at each call: the error is told once for each change.
    pub fn reread(&self) -> Result<bool, TlsError> {
        let Some(files) = &self.files else { return Ok(false) };
        let mut seen = files.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamps(&files.certificate, &files.key);
        if seen.taken == now {
            seen.refused = None;
            return Ok(false);
        }
        match self.take(files, &mut seen, now) {
            Ok(()) => Ok(true),
            Err(error) => {
                let refused = Some((now, error.clone()));
                if seen.refused == refused {
                    return Ok(false);
                }
                seen.refused = refused;
                Err(error)
            }
        }
    }

    /// Takes over the files as they are now, changed or not. On an error, which is told each time, the certificate in use
    /// stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let Some(files) = &self.files else { return Ok(()) };
        let mut seen = files.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamps(&files.certificate, &files.key);
        self.take(files, &mut seen, now)
            .inspect_err(|error| seen.refused = Some((now, error.clone())))
    }

    fn take(&self, files: &Files, seen: &mut Seen, now: Stamps) -> Result<(), TlsError> {
        let config = files.read()?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        *seen = Seen {
            taken: now,
            refused: None,
        };
        Ok(())
    }

    /// Accepts new connections with what `other` accepts them with.
    pub fn replace(&self, other: &Self) {
        let config = other.config.read().unwrap_or_else(PoisonError::into_inner).clone();
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// What the next connection is accepted with.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.config
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .into()
    }
}

impl Files {
    fn read(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let (certificate, key) = (read(&self.certificate)?, read(&self.key)?);
        let places = (self.certificate.display().to_string(), self.key.display().to_string());
        config((&places.0, &certificate), (&places.1, &key))
    }
}

/// What a certificate chain and its private key serve with; each comes with what it is called.
fn config(certificates: (&str, &[u8]), key: (&str, &[u8])) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates.1).collect();
    let chain = chain.map_err(|error| unreadable(certificates.0, "certificate", &error))?;
    if chain.is_empty() {
        return Err(unreadable(certificates.0, "certificate", &pem::Error::NoItemsFound));
    }
    let private = PrivateKeyDer::from_pem_slice(key.1);
    let private = private.map_err(|error| unreadable(key.0, "private key", &error))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| match error {
            Error::InconsistentKeys(_) => TlsError(format!(
                "{} holds another key than that of the certificate in {}",
                key.0, certificates.0
            )),
            error => TlsError(format!("{} cannot be used: {error}", certificates.0)),
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn unreadable(place: &str, what: &str, error: &pem::Error) -> TlsError {
    match error {
        pem::Error::NoItemsFound => TlsError(format!("{place} holds no {what} in PEM")),
        error => TlsError(format!("the {what} in {place} cannot be read: {error}")),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|error| TlsError(format!("cannot read {}: {error}", file.display())))
}

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    let written = |file: &Path| std::fs::metadata(file).and_then(|about| about.modified()).ok();
    (written(certificate), written(key))
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}
