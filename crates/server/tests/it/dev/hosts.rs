//! The hosts of `tokenhouse dev`: what `--host` takes, and a certificate that tenants share.

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::cli::fixture::{Folder, patiently};
use crate::tls::{BOTH, Ending, connected, spoken};

#[test]
fn what_is_no_host_is_refused_before_anything_is_done() {
    let folder = Folder::empty();
    let kept = folder.write("tokenhouse.db", b"");
    for bad in ["a b", "https://foo.test/", "*.localhost", ""] {
        let refused = folder.run(&["dev", "--fresh", "--yes", "--https", "--host", bad]);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(
            !refused.status.success() && said.contains("is no host: write it like"),
            "{refused:?}"
        );
    }
    assert!(std::fs::exists(kept).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_of_dev_is_for_named_hosts_without_their_ports_and_for_tenants_hosts_at_once() {
    let folder = Folder::new();
    folder.ok(&["tenants", "create", "acme", "--issuer", "https://acme.example:4403/"]);
    let free = [(), ()].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [address, api] = free.map(|listener| listener.local_addr().unwrap());
    let ready = folder.path().join("ready.json");
    let mut command = folder.command(&["dev", "--https", "--host", "Dev.Example:4403", "--host", "fd00::2"]);
    command.args(["--listen", &address.to_string(), "--api-listen", &api.to_string()]);
    command.arg("--ready-file").arg(&ready);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let _server = Ending(command.spawn().unwrap());
    patiently(|| ready.exists().then_some(()));
    let authority = CertificateDer::from_pem_file(folder.path().join("ca.pem")).unwrap();
    for name in ["localhost", "dev.example", "fd00::2", "acme.example"] {
        assert!(is_vouched_for(address, name, &authority).await, "{name}");
    }

    assert!(!is_vouched_for(address, "later.example", &authority).await);
    folder.ok(&["tenants", "create", "later", "--issuer", "https://later.example:4403/"]);
    let followed = async { while !is_vouched_for(address, "later.example", &authority).await {} };
    tokio::time::timeout(Duration::from_secs(20), followed).await.unwrap();
    assert!(is_vouched_for(address, "dev.example", &authority).await);
}

/// Whether a client that trusts this authority alone takes the server there for `name`.
async fn is_vouched_for(address: SocketAddr, name: &str, authority: &CertificateDer<'static>) -> bool {
    let trusted = std::slice::from_ref(authority);
    spoken(connected(address).await, name, trusted, BOTH).await.is_some()
}
