//! TLS 1.2 and 1.3 (RFC 8446) in front of a listener, its certificate replaced when its files change.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// What new connections are accepted with. Cloning shares it.
#[derive(Clone)]
pub struct Tls {
    config: Arc<RwLock<Arc<ServerConfig>>>,
    files: Option<Arc<Files>>,
}

/// Where a certificate comes from, and the state in which it was read.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    read_at: RwLock<Stamps>,
}

/// When the two files were last written.
type Stamps = (Option<SystemTime>, Option<SystemTime>);

/// A certificate or its key cannot be used: one sentence.
#[derive(Debug)]
pub struct TlsError(String);

impl Tls {
    /// From a certificate chain and its private key, both in PEM.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Ok(Self {
            config: Arc::new(RwLock::new(config(certificates, key)?)),
            files: None,
        })
    }

    /// From two files, which are read again when they change: see [`Tls::reread`].
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let read_at = stamps(certificate, key);
        let config = config(&read(certificate)?, &read(key)?)?;
        let files = Files {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            read_at: RwLock::new(read_at),
        };
        Ok(Self {
            config: Arc::new(RwLock::new(config)),
            files: Some(Arc::new(files)),
        })
    }

    /// Takes over changed files; whether there were some. On an error the certificate in use stays.
    pub fn reread(&self) -> Result<bool, TlsError> {
        let Some(files) = &self.files else { return Ok(false) };
        let now = stamps(&files.certificate, &files.key);
        if *files.read_at.read().unwrap_or_else(PoisonError::into_inner) == now {
            return Ok(false);
        }
        let config = config(&read(&files.certificate)?, &read(&files.key)?)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        *files.read_at.write().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(true)
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

fn config(certificates: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
    let chain = chain.map_err(|error| TlsError(format!("the certificate cannot be read: {error}")))?;
    let key = PrivateKeyDer::from_pem_slice(key);
    let key = key.map_err(|error| TlsError(format!("the certificate's private key cannot be read: {error}")))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| TlsError(format!("the certificate cannot be used: {error}")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
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
