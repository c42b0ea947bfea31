//! What the tests of the command line stand on: a data folder each, and a running `tokenhouse dev`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "every line here is a test's; clippy excuses only marked functions"
)]

use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_tokenhouse");
/// How long a server may take to be ready, or to see what another process changed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A data folder of one test, gone when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn empty() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("cli-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        Self(path)
    }

    /// A folder as `tokenhouse dev` leaves it: made once, since making keys takes its time, and copied.
    pub(crate) fn new() -> Self {
        static MADE: OnceLock<Vec<(PathBuf, Vec<u8>)>> = OnceLock::new();
        let files = MADE.get_or_init(|| {
            let folder = Self::empty();
            assert!(Server::start(&folder).stop().success());
            let files = std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap());
            files
                .map(|file| (file.file_name().into(), std::fs::read(file.path()).unwrap()))
                .collect()
        });
        let copy = Self::empty();
        for (name, content) in files {
            let file = copy.0.join(name);
            std::fs::write(&file, content).unwrap();
            std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        }
        copy
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file beside the data, and answers its path.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// The command on this folder, ready to run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).arg("--data").arg(&self.0);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// A command that knows no data folder, ready to run.
    pub(crate) fn plain(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null());
        command
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    /// What a command that must succeed wrote on stdout.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        stdout(&output)
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[arguments, &["--json"]].concat())).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running `tokenhouse dev`.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
    pub(crate) dev: Value,
}

impl Server {
    pub(crate) fn start(folder: &Folder) -> Self {
        // Both are held until both are known, so that they differ.
        let free = [
            TcpListener::bind("127.0.0.1:0").unwrap(),
            TcpListener::bind("127.0.0.1:0").unwrap(),
        ];
        let [address, api] = free.map(|listener| listener.local_addr().unwrap().to_string());
        let arguments = ["dev", "--listen", &address, "--api-listen", &api];
        let mut child = folder
            .command(&arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let dev = patiently(|| {
            assert!(child.try_wait().unwrap().is_none(), "the server has ended");
            serde_json::from_slice(&std::fs::read(folder.0.join("dev.json")).ok()?).ok()
        });
        Self { child, address, dev }
    }

    /// The sample application, as `apps create --json` would show it.
    pub(crate) fn sample(&self) -> Value {
        self.dev["applications"]["sample"].clone()
    }

    /// The command on this server over HTTP, by its administrators' application, ready to run.
    pub(super) fn command(&self, folder: &Folder, arguments: &[&str]) -> Command {
        let mut command = folder.plain(arguments);
        let management = &self.dev["management"];
        command
            .arg("--server")
            .arg(text(&self.dev, "issuer"))
            .env("XDG_CACHE_HOME", folder.path().join("home"))
            .env("TOKENHOUSE_CLIENT_ID", text(management, "client_id"))
            .env("TOKENHOUSE_CLIENT_SECRET", text(management, "client_secret"))
            .env_remove("TOKENHOUSE_TOKEN");
        command
    }

    pub(crate) fn token(&self, app: &Value, audience: &str) -> String {
        patiently(|| {
            let body = format!(
                "grant_type=client_credentials&client_id={}&client_secret={}&audience={audience}",
                text(app, "client_id"),
                text(app, "client_secret")
            );
            let answer = self.post("/oauth/token", &body);
            Some(answer.get("access_token")?.as_str()?.to_owned())
        })
    }

    /// The status and the body of an answer.
    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> (u16, String) {
        let authorization = token
            .map(|token| format!("Authorization: Bearer {token}\r\n"))
            .unwrap_or_default();
        self.exchange(&format!("GET {path} HTTP/1.1\r\n{authorization}"), "")
    }

    pub(crate) fn post(&self, path: &str, form: &str) -> Value {
        let length = form.len();
        let form_type = "Content-Type: application/x-www-form-urlencoded";
        let head = format!("POST {path} HTTP/1.1\r\n{form_type}\r\nContent-Length: {length}\r\n");
        serde_json::from_str(&self.exchange(&head, form).1).unwrap()
    }

    /// The issuer of the tenant that a host leads to.
    pub(crate) fn issuer_at(&self, host: &str) -> Option<String> {
        let head = "GET /.well-known/openid-configuration HTTP/1.1\r\n";
        let (status, body) = self.exchange_at(host, head, "");
        let metadata: Value = serde_json::from_str(&body).unwrap();
        (status == 200).then(|| text(&metadata, "issuer").to_owned())
    }

    fn exchange(&self, head: &str, body: &str) -> (u16, String) {
        self.exchange_at(&self.address, head, body)
    }

    fn exchange_at(&self, host: &str, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{head}Host: {host}\r\nConnection: close\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Asks it to end, as a service manager does.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already if it was stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn patiently<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        assert!(begun.elapsed() < PATIENCE, "it did not happen in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap().trim_end().to_owned()
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// The `kid` of a token.
pub(crate) fn key_id(token: &str) -> String {
    use base64::Engine as _;
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap())
        .unwrap();
    text(&serde_json::from_slice(&header).unwrap(), "kid").to_owned()
}
