//! TLS at the wire: its versions, a certificate that is renewed or renewed badly, SIGHUP, and the authority of
//! `dev --https`.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use tokenhouse::tls::Tls;
use tokenhouse::watch::follow_certificate;

use crate::cli::fixture::{Folder, patiently};

const BINARY: &str = env!("CARGO_BIN_EXE_tokenhouse");
/// Both, as a client offers them that takes any.
pub(crate) const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
/// A record of the handshake (RFC 5246 §6.2.1).
const HANDSHAKE: u8 = 22;
/// An alert's record, and what it says of a version that is not spoken (RFC 5246 §7.2).
const ALERT: u8 = 21;
const PROTOCOL_VERSION: u8 = 70;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_speaks_tls_1_2_and_1_3_alone_and_reads_its_certificate_again_when_asked() {
    let (folder, first, second) = (Folder::empty(), Pair::made("localhost"), Pair::made("localhost"));
    let trusted = [first.der(), second.der()];
    first.put(folder.path());
    let mut server = Serving::start(&folder);
    for (version, expected) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let spoken = server.shown(&trusted, &[version]).await;
        assert_eq!(spoken, Some((first.der(), expected)));
    }
    assert_eq!(server.answer_to(&hello([3, 2])), [ALERT, PROTOCOL_VERSION]);
    // The version is all that was wrong with it.
    assert_eq!(server.answer_to(&hello([3, 3]))[0], HANDSHAKE);
    let told = server.told_without_tls();
    assert!(
        told.starts_with("HTTP/1.1 400 ") && told.ends_with("with https://.\n"),
        "{told}"
    );

    second.put(folder.path());
    server.hang_up();
    server.says("asked to reload: the certificate was read again");
    let shown = server.shown(&trusted, BOTH).await;
    assert_eq!(shown.map(|(certificate, _)| certificate), Some(second.der()));

    folder.write("certificate.pem", b"nothing");
    server.hang_up();
    server.says("certificate.pem holds no certificate in PEM");
    let shown = server.shown(&trusted, BOTH).await;
    assert_eq!(shown.map(|(certificate, _)| certificate), Some(second.der()));
    assert!(server.stop(), "it ends well after all that");
}

#[test]
fn a_server_without_a_certificate_lives_through_a_reload() {
    let folder = Folder::empty();
    let mut server = Serving::start(&folder);
    server.hang_up();
    server.says("asked to reload: there is no certificate");
    assert!(server.stop());
}

#[tokio::test]
async fn a_changed_certificate_is_taken_over_and_a_bad_one_is_told_once_and_is_not() {
    let folder = Folder::empty();
    let (first, second) = (Pair::made("localhost"), Pair::made("localhost"));
    let trusted = [first.der(), second.der()];
    let tls = first.put(folder.path());
    assert_eq!(tls.reread(), Ok(false), "nothing changed");
    let steps: [(&str, &[u8], &str); 4] = [
        ("certificate.pem", b"", "certificate.pem holds no certificate in PEM"),
        (
            "certificate.pem",
            second.certificate.as_bytes(),
            "key.pem holds another key",
        ),
        ("key.pem", b"-----BEGIN X-----\n", "private key in "),
        (
            "key.pem",
            second.certificate.as_bytes(),
            "key.pem holds no private key in PEM",
        ),
    ];
    for (number, (name, content, says)) in steps.into_iter().enumerate() {
        change(&folder, name, content, number);
        let refused = tls.reread().unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
        assert_eq!(tls.reread(), Ok(false), "told once: {refused}");
        assert_eq!(tls.reload().unwrap_err().to_string(), refused, "told whoever asks");
        assert_eq!(shown(&tls, "localhost", &trusted).await, Some(first.der()));
    }
    std::fs::remove_file(folder.path().join("key.pem")).unwrap();
    assert!(tls.reread().unwrap_err().to_string().contains("cannot read"));
    change(&folder, "key.pem", second.key.as_bytes(), 10);
    assert_eq!(tls.reread(), Ok(true));
    assert_eq!(tls.reread(), Ok(false));
    assert_eq!(shown(&tls, "localhost", &trusted).await, Some(second.der()));
}

#[tokio::test]
async fn a_running_server_looks_at_its_certificate_by_itself() {
    let folder = Folder::empty();
    let (first, second) = (Pair::made("localhost"), Pair::made("localhost"));
    let trusted = [first.der(), second.der()];
    let tls = first.put(folder.path());
    change(&folder, "certificate.pem", second.certificate.as_bytes(), 1);
    change(&folder, "key.pem", second.key.as_bytes(), 1);
    assert_eq!(shown(&tls, "localhost", &trusted).await, Some(first.der()));
    // It looks at once, and then every few seconds.
    let following = tokio::spawn(follow_certificate(tls.clone()));
    let taken_over = async { while shown(&tls, "localhost", &trusted).await != Some(second.der()) {} };
    tokio::time::timeout(Duration::from_secs(20), taken_over).await.unwrap();
    following.abort();
}

#[test]
fn a_start_with_a_certificate_that_is_none_says_which_file_it_is() {
    let folder = Folder::empty();
    let pair = Pair::made("localhost");
    pair.put(folder.path());
    folder.write("certificate.pem", b"");
    let config = configured(&folder, "127.0.0.1:0");
    let ended = serve(&config).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(
        !ended.status.success() && said.contains("certificate.pem holds no certificate in PEM"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_of_dev_outlives_a_restart_and_vouches_for_every_host() {
    let folder = Folder::new();
    let mut authorities = Vec::new();
    for _ in 0..2 {
        let free = [(), ()].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [address, api] = free.map(|listener| listener.local_addr().unwrap());
        let ready = folder.path().join("ready.json");
        let mut command = folder.command(&["dev", "--https", "--host", "Dev.Example"]);
        command.args(["--listen", &address.to_string(), "--api-listen", &api.to_string()]);
        command.arg("--ready-file").arg(&ready);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let _ = std::fs::remove_file(&ready);
        let _server = Ending(command.spawn().unwrap());
        patiently(|| ready.exists().then_some(()));
        // What looks at a token asks for the keys over https, by that authority.
        folder.ok(&["verify", folder.ok(&["token", "--no-cache"]).trim()]);
        let authority = CertificateDer::from_pem_file(folder.path().join("ca.pem")).unwrap();
        let trusted = std::slice::from_ref(&authority);
        for name in ["localhost", "127.0.0.1", "::1", "dev.example"] {
            let shown = spoken(connected(address).await, name, trusted, BOTH).await;
            assert!(shown.is_some(), "{name}");
        }
        let other = spoken(connected(address).await, "other.example", trusted, BOTH).await;
        assert_eq!(other, None, "no name that nobody gave it");
        authorities.push(authority);
    }
    assert_eq!(authorities[0], authorities[1]);
}

/// A certificate and its key, in PEM.
struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn made(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let made = CertificateParams::new([name.to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        Self {
            certificate: made.pem(),
            key: key.serialize_pem(),
        }
    }

    fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }

    /// Writes both into the folder, and serves with them.
    fn put(&self, folder: &Path) -> Tls {
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        std::fs::write(&certificate, &self.certificate).unwrap();
        std::fs::write(&key, &self.key).unwrap();
        self.key
            .lines()
            .filter(|line| !line.starts_with('-'))
            .for_each(crate::secrets::used);
        Tls::from_files(&certificate, &key).unwrap()
    }
}

/// Writes a file so many minutes later than now, since two writes may fall into one tick of the file system's clock.
fn change(folder: &Folder, name: &str, content: &[u8], minutes: usize) {
    folder.write(name, content);
    let file = File::options().append(true).open(folder.path().join(name)).unwrap();
    let before = file.metadata().unwrap().modified().unwrap();
    let later = Duration::from_secs(60 * (minutes as u64 + 1));
    file.set_modified(before.max(SystemTime::UNIX_EPOCH) + later).unwrap();
}

/// A `tokenhouse serve`, with the certificate of its folder if there is one.
struct Serving {
    child: Ending,
    address: SocketAddr,
    log: std::path::PathBuf,
}

impl Serving {
    fn start(folder: &Folder) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = configured(folder, &address.to_string());
        let log = folder.path().join("log");
        let mut child = Ending(serve(&config).stderr(File::create(&log).unwrap()).spawn().unwrap());
        // It greets when it serves.
        child.0.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        Self { child, address, log }
    }

    async fn shown(
        &self,
        trusted: &[CertificateDer<'static>],
        versions: &[&'static SupportedProtocolVersion],
    ) -> Option<(CertificateDer<'static>, ProtocolVersion)> {
        spoken(connected(self.address).await, "localhost", trusted, versions).await
    }

    /// The kind of the record that it answers to some bytes, and the record's last byte.
    fn answer_to(&self, bytes: &[u8]) -> [u8; 2] {
        let mut stream = std::net::TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(bytes).unwrap();
        let mut head = [0; 5];
        stream.read_exact(&mut head).unwrap();
        let mut record = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        stream.read_exact(&mut record).unwrap();
        [head[0], *record.last().unwrap()]
    }

    fn told_without_tls(&self) -> String {
        let mut stream = std::net::TcpStream::connect(self.address).unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).unwrap();
        told
    }

    fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.child.0.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits until its log says something.
    fn says(&self, text: &str) {
        patiently(|| std::fs::read_to_string(&self.log).unwrap().contains(text).then_some(()));
    }

    /// Whether it ends well when it is asked to.
    fn stop(&mut self) -> bool {
        self.signal("-TERM");
        self.child.0.wait().unwrap().success()
    }
}

/// A process that ends with its test, however that ends.
pub(crate) struct Ending(pub(crate) Child);

impl Drop for Ending {
    fn drop(&mut self) {
        // It has ended already if it was stopped.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A configuration in the folder, of TLS if there is a certificate.
fn configured(folder: &Folder, listen: &str) -> String {
    let place = folder.path().display();
    let tls = match folder.path().join("certificate.pem").exists() {
        true => format!("[tls]\ncertificate_file = \"{place}/certificate.pem\"\nkey_file = \"{place}/key.pem\"\n"),
        false => String::new(),
    };
    let server = format!("[server]\nlisten = \"{listen}\"\nissuer = \"http://localhost/\"\ndata = \"{place}/data\"\n");
    folder.write("tokenhouse.toml", format!("{server}{tls}").as_bytes())
}

fn serve(config: &str) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(["serve", "--allow-local-key", "--config", config])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

pub(crate) async fn connected(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// The certificate that a client is shown, over a connection in memory.
async fn shown(tls: &Tls, name: &str, trusted: &[CertificateDer<'static>]) -> Option<CertificateDer<'static>> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let acceptor = tls.acceptor();
    let (_, seen) = tokio::join!(acceptor.accept(far), spoken(near, name, trusted, BOTH));
    seen.map(|(certificate, _)| certificate)
}

/// The certificate that a client is shown who trusts these alone, and the version that is spoken; none if it hangs up.
pub(crate) async fn spoken(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    name: &str,
    trusted: &[CertificateDer<'static>],
    versions: &[&'static SupportedProtocolVersion],
) -> Option<(CertificateDer<'static>, ProtocolVersion)> {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add(certificate.clone()).unwrap();
    }
    let config = ClientConfig::builder_with_protocol_versions(versions)
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates()?.first()?.clone().into_owned();
    Some((certificate, session.protocol_version()?))
}

/// What a client sends first that speaks nothing newer than this version (RFC 5246 §7.4.1.2): 3.2 is TLS 1.1.
fn hello(version: [u8; 2]) -> Vec<u8> {
    let mut hello = version.to_vec();
    hello.extend([7; 32]);
    // No session; ECDHE-ECDSA with AES-128, GCM and CBC; no compression.
    hello.extend([0, 0, 4, 0xc0, 0x2b, 0xc0, 0x09, 1, 0]);
    // Curves, their points, and signatures: P-256, and ECDSA with SHA-256.
    hello.extend([
        0, 22, 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 3,
    ]);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    record
}
