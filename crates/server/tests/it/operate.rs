//! Operating the house: backup and restore, retention, a restart under a service manager.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokenhouse::config::Retention;
use tokenhouse::watch::prune_logs;
use tokenhouse_protocol::crypto::{Random, SealingKey};
use tokenhouse_protocol::id::{TenantId, row_id};
use tokenhouse_protocol::time::{Clock, Timestamp};
use tokenhouse_store::{Database, Options, Store};

use crate::house::{AUDIENCE, Ask, House, with_secret};

const BINARY: &str = env!("CARGO_BIN_EXE_tokenhouse");

#[tokio::test(flavor = "multi_thread")]
async fn every_token_granted_before_a_backup_is_in_its_log() {
    let house = Arc::new(House::on_file().await);
    let folder = house.folder().to_owned();
    let stop = Arc::new(AtomicBool::new(false));
    let writing = {
        let (house, stop) = (house.clone(), stop.clone());
        tokio::spawn(async move {
            let mut count = 0;
            while !stop.load(Ordering::SeqCst) {
                grant(&house, &format!("during-{count}")).await;
                count += 1;
            }
        })
    };
    for number in 0..20 {
        grant(&house, &format!("before-{number}")).await;
    }
    let (file, restored) = (folder.join("copy.backup"), folder.join("restored"));
    let backed_up = run(&["backup", text(&file), "--data", text(&folder)]).await;
    stop.store(true, Ordering::SeqCst);
    writing.await.unwrap();
    assert!(backed_up.status.success(), "{}", said(&backed_up));
    assert!(
        said(&backed_up).contains("The sealing key is not in it"),
        "{}",
        said(&backed_up)
    );
    let done = run(&["restore", text(&file), "--data", text(&restored)]).await;
    assert!(done.status.success(), "{}", said(&done));
    let logged = request_ids(&restored.join("tokenhouse.db")).await;
    for number in 0..20 {
        assert!(
            logged.contains(&format!("before-{number}")),
            "before-{number} is not in {logged:?}"
        );
    }
    let names: Vec<_> = std::fs::read_dir(&restored)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !names.iter().any(|name| name.to_string_lossy().contains("sealing")),
        "{names:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_replaces_nothing_and_is_its_owners_alone() {
    let house = House::on_file().await;
    let folder = house.folder();
    let file = folder.join("copy.backup");
    assert!(
        run(&["backup", text(&file), "--data", text(folder)])
            .await
            .status
            .success()
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = std::fs::read(&file).unwrap();
    let again = run(&["backup", text(&file), "--data", text(folder)]).await;
    assert!(
        !again.status.success() && said(&again).contains("is there already"),
        "{}",
        said(&again)
    );
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let drafts = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert_eq!(
        drafts.filter(|name| name.to_string_lossy().contains("draft")).count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_refuses_what_is_not_whole_and_a_folder_in_use() {
    let house = House::on_file().await;
    let folder = house.folder();
    let (file, new) = (folder.join("copy.backup"), folder.join("new"));
    assert!(
        run(&["backup", text(&file), "--data", text(folder)])
            .await
            .status
            .success()
    );
    let in_use = run(&["restore", text(&file), "--data", text(folder)]).await;
    assert!(
        !in_use.status.success() && said(&in_use).contains("is not empty"),
        "{}",
        said(&in_use)
    );

    let mut bytes = std::fs::read(&file).unwrap();
    // Past the first pages, which opening reads anyway.
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x5a);
    let cases: [(&str, &[u8]); 3] = [("torn", &bytes), ("text", b"not a database at all"), ("nothing", b"")];
    for (name, content) in cases {
        let bad = folder.join(name);
        std::fs::write(&bad, content).unwrap();
        let refused = run(&["restore", text(&bad), "--data", text(&new)]).await;
        assert!(!refused.status.success(), "{name}: {}", said(&refused));
        assert!(!new.exists(), "{name} left something: {}", said(&refused));
        let circle = "restore it from a backup";
        assert!(!said(&refused).contains(circle), "{name}: {}", said(&refused));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_refuses_another_places_sealing_key() {
    let house = House::on_file().await;
    let folder = house.folder();
    let (file, new, key) = (
        folder.join("copy.backup"),
        folder.join("new"),
        folder.join("other.toml"),
    );
    assert!(
        run(&["backup", text(&file), "--data", text(folder)])
            .await
            .status
            .success()
    );
    let other = SealingKey::generate(&Random::system());
    crate::secrets::used(&other.to_base64());
    std::fs::write(&key, format!("[sealing]\nkey = \"{}\"\n", other.to_base64().as_str())).unwrap();
    let refused = run(&["restore", text(&file), "--data", text(&new), "--config", text(&key)]).await;
    assert!(
        !refused.status.success() && said(&refused).contains("sealed under another key"),
        "{}",
        said(&refused)
    );
    assert!(!new.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn data_in_postgresql_is_left_to_its_own_tools() {
    let house = House::on_file().await;
    let (folder, file) = (house.folder(), house.folder().join("postgres.toml"));
    std::fs::write(&file, "[database]\nurl = \"postgres://nobody@localhost/none\"\n").unwrap();
    let copy = folder.join("copy.backup");
    let refused = run(&["backup", text(&copy), "--config", text(&file)]).await;
    assert!(
        !refused.status.success() && said(&refused).contains("pg_dump"),
        "{}",
        said(&refused)
    );
    assert!(!copy.exists());
}

#[tokio::test]
async fn log_rows_go_when_their_time_is_over_and_usage_stays() {
    let house = House::new().await;
    for number in 0..1200 {
        grant(&house, &format!("old-{number}")).await;
    }
    house.app.house.store.fold_usage().await.unwrap();
    house.advance_s(31 * 86_400);
    grant(&house, "new").await;
    house.app.house.store.fold_usage().await.unwrap();
    let usage = usage(&house).await;
    assert_eq!(
        prune_logs(&house.app, Retention { logs_days: 0 }).await.unwrap(),
        0,
        "0 keeps for ever"
    );
    assert_eq!(prune_logs(&house.app, Retention { logs_days: 60 }).await.unwrap(), 0);
    assert_eq!(prune_logs(&house.app, Retention::default()).await.unwrap(), 1200);
    let left = house.logs().await;
    assert_eq!(
        left.iter()
            .map(|row| row.body["request_id"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["new"]
    );
    assert_eq!(self::usage(&house).await, usage);
}

#[test]
fn a_restart_under_a_service_manager_refuses_no_connection() {
    let folder = std::env::temp_dir().join(format!("tokenhouse-restart-{}", row_id(&Random::system())));
    // The manager's socket: it is open before, between and after both servers.
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                let mut answered = 0;
                while !stop.load(Ordering::SeqCst) {
                    assert_eq!(probe(address), 200);
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for _ in 0..2 {
        let mut server = activated(&socket, &folder);
        // It answers before it listens for signals; the welcome is the last thing before that.
        let mut welcome = [0];
        server.0.stdout.as_mut().unwrap().read_exact(&mut welcome).unwrap();
        for _ in 0..20 {
            assert_eq!(probe(address), 200);
        }
        assert!(
            Command::new("kill")
                .arg(server.0.id().to_string())
                .status()
                .unwrap()
                .success()
        );
        assert!(server.0.wait().unwrap().success());
    }
    let last = activated(&socket, &folder);
    assert_eq!(probe(address), 200);
    stop.store(true, Ordering::SeqCst);
    let answered: Vec<usize> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    drop(last);
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(answered.iter().all(|answered| *answered > 0), "{answered:?}");
}

#[test]
fn every_test_that_the_threats_name_exists() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let page = std::fs::read_to_string(root.join("docs/threats.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_suffix('|')?.rsplit_once('|'));
    let cells = rows.map(|(_, tests)| tests).filter(|tests| tests.contains('`'));
    let named: Vec<&str> = cells.flat_map(|tests| tests.split('`').skip(1).step_by(2)).collect();
    assert!(named.len() > 40, "{named:?}");
    let mut sources = String::new();
    read_sources(&root.join("crates"), &mut sources);
    for name in named {
        assert!(sources.contains(&format!("fn {name}(")), "there is no test {name}");
    }
}

fn read_sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// A running server; it ends with its test, however that ends.
struct Activated(Child);

impl Drop for Activated {
    fn drop(&mut self) {
        // It has ended already if it was stopped.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that is handed the socket as descriptor 3, as systemd does it.
fn activated(socket: &TcpListener, folder: &Path) -> Activated {
    let script = "exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$0\" \"$@\"";
    let address = socket.local_addr().unwrap().to_string();
    let server = Command::new("sh")
        .args([
            "-c",
            script,
            BINARY,
            "dev",
            "--listen",
            &address,
            "--api-listen",
            "127.0.0.1:0",
        ])
        .args(["--data", text(folder)])
        .stdin(OwnedFd::from(socket.try_clone().unwrap()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Activated(server)
}

/// The status of `/healthz`, over a connection of its own.
fn probe(address: SocketAddr) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
        .split(' ')
        .nth(1)
        .unwrap_or_else(|| panic!("no answer: {answer:?}"))
        .parse()
        .unwrap()
}

/// A client credentials token whose log row has this request id.
async fn grant(house: &House, request_id: &str) {
    let machine = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];
    let ask = Ask::token(&with_secret(&house.samples.sample, &machine)).header("x-request-id", request_id);
    assert_eq!(house.ask(ask).await.status, 200);
}

async fn usage(house: &House) -> i64 {
    let (tenant, end) = (TenantId::default_tenant(), house.clock.now().plus_ms(86_400_000));
    let hours = house.app.house.store.usage(&tenant, Timestamp::from_ms(0), end);
    hours.await.unwrap().iter().map(|row| row.tokens).sum()
}

async fn request_ids(database: &Path) -> Vec<String> {
    let store = Store::open(Options {
        database: Database::File(database.to_owned()),
        clock: Clock::system(),
        random: Random::system(),
    });
    let store = store.await.unwrap();
    let rows = store
        .logs_after(&TenantId::default_tenant(), None, 100_000)
        .await
        .unwrap();
    store.close().await;
    rows.iter()
        .map(|row| row.body["request_id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Runs the binary off the test's threads, which go on writing.
async fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(arguments).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
