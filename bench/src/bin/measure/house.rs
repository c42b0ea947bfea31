//! The server under measurement: its data, made once, and its process.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tokenhouse_bench::{Outcome, process};
use tokenhouse_protocol::crypto::{Random, SealingKey};

use crate::bench::{Bench, Load, text_of};

/// The user's name.
const USERNAME: &str = "user@example.com";
/// The user's password.
const PASSWORD: &str = "Correct-Horse-1";
/// How long a program may take until it answers, or until it has stopped.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is asked.
const TICK: Duration = Duration::from_micros(500);
/// Applications that stand for few: all of them are warm at once.
pub(crate) const FEW: usize = 4;

/// An installation: a folder with its configuration, its sealing key and, with SQLite, its data.
pub(crate) struct House {
    folder: PathBuf,
    port: u16,
    /// `client_id client_secret`, a line each.
    pub(crate) credentials: PathBuf,
}

/// A process that is killed when nobody holds it any more.
pub(crate) struct Running(Child);

impl House {
    /// Makes an installation with an API for each algorithm, a user, and applications.
    pub(crate) fn make(bench: &Bench, name: &str, postgres: Option<&str>, applications: usize) -> Outcome<Self> {
        let folder = bench.folder.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let folder = folder.canonicalize()?;
        let house = Self {
            port: free_port()?,
            credentials: folder.join("credentials.txt"),
            folder,
        };
        let (port, sealing_key) = (house.port, house.folder.join("sealing.key"));
        fs::write(&sealing_key, SealingKey::generate(&Random::system()).to_base64())?;
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\nissuer = \"{issuer}\"\ndata = {data:?}\n\
             [sealing]\nkey_file = {sealing_key:?}\n[database]\nurl = {url:?}\n\
             [limits]\nfailed_logins_per_account = 1000000\nfailed_logins_per_address = 1000000\n\
             management_requests_per_s = 0\n",
            issuer = house.issuer(),
            data = house.folder.join("data"),
            url = postgres.unwrap_or_default(),
        );
        fs::write(house.config(), config)?;

        house.start(bench)?.stop()?;
        for algorithm in ["RS256", "ES256", "EdDSA"] {
            let create = ["apis", "create", &audience(algorithm), "--signing-alg", algorithm];
            text_of(
                bench
                    .program("tokenhouse")
                    .args(create)
                    .arg("--config")
                    .arg(house.config()),
            )?;
        }
        let create = ["users", "create", "--email", USERNAME, "--password", PASSWORD];
        text_of(
            bench
                .program("tokenhouse")
                .args(create)
                .arg("--config")
                .arg(house.config()),
        )?;
        let mut seed = bench.program("seed");
        match postgres {
            Some(url) => seed.arg("--postgres").arg(url),
            None => seed.arg("--file").arg(house.database()),
        };
        seed.arg("--sealing-key").arg(sealing_key);
        seed.arg("--credentials").arg(&house.credentials);
        text_of(seed.args(["--applications", &applications.to_string()]))?;
        Ok(house)
    }

    /// Adds many applications, which have neither secrets nor grants, and many users: the applications' client IDs in
    /// order. No server may run meanwhile.
    pub(crate) fn crowd(&self, bench: &Bench, applications: usize, users: usize) -> Outcome<Vec<String>> {
        let listed = self.folder.join("crowd.txt");
        let mut seed = bench.program("seed");
        seed.arg("--file").arg(self.database());
        seed.arg("--sealing-key").arg(self.folder.join("sealing.key"));
        seed.arg("--credentials").arg(&listed).arg("--bare");
        let (applications, users) = (applications.to_string(), users.to_string());
        text_of(seed.args(["--applications", &applications, "--users", &users]))?;
        let mut ids: Vec<String> = fs::read_to_string(listed)?
            .lines()
            .filter_map(|line| line.split(' ').next())
            .map(str::to_owned)
            .collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// An access token for the Management API, with every scope, of the first application.
    pub(crate) fn management_token(&self, bench: &Bench, server: impl FnOnce() -> Outcome<Running>) -> Outcome<String> {
        let credentials = fs::read_to_string(&self.credentials)?;
        let client = credentials.split(' ').next().unwrap_or_default();
        let audience = format!("{}api/v2/", self.issuer());
        let grant = ["grants", "create", "--app", client, "--api", &audience, "--all-scopes"];
        text_of(
            bench
                .program("tokenhouse")
                .args(grant)
                .arg("--config")
                .arg(self.config()),
        )?;
        let _server = server()?;
        let file = self.folder.join("management-token.txt");
        let body = format!(
            r#"{{"grant_type":"client_credentials","client_id":"{{1}}","client_secret":"{{2}}","audience":"{audience}"}}"#
        );
        let load = self.token_request(&body).with("--take", &1).with("--requests", &1);
        bench.load(&load.with("--save-tokens", &file.display()))?;
        Ok(fs::read_to_string(file)?.trim().to_owned())
    }

    /// Makes an administrator of the console. No server needs to run.
    pub(crate) fn administrator(&self, bench: &Bench, email: &str, password: &str) -> Outcome<()> {
        let mut create = bench.program("tokenhouse");
        create.args(["admins", "create", email, "--password-stdin", "--config"]);
        let file = self.file("administrator.txt");
        fs::write(&file, password)?;
        let ended = create
            .arg(self.config())
            .stdin(File::open(file)?)
            .stdout(Stdio::null())
            .status()?;
        match ended.success() {
            true => Ok(()),
            false => Err("an administrator cannot be made".into()),
        }
    }

    /// Where the server listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Starts the server and waits until it answers.
    pub(crate) fn start(&self, bench: &Bench) -> Outcome<Running> {
        let mut command = bench.on_server_core("tokenhouse");
        command.arg("serve").arg("--config").arg(self.config());
        let log = File::options()
            .append(true)
            .create(true)
            .open(self.folder.join("server.log"))?;
        command.stdout(Stdio::null()).stderr(log).stdin(Stdio::null());
        Running::start(&mut command, self.port, "/.well-known/openid-configuration")
    }

    /// Stops the server and starts it again, with nothing in its memory.
    pub(crate) fn restart(&self, bench: &Bench, running: Running) -> Outcome<Running> {
        running.stop()?;
        self.start(bench)
    }

    /// The issuer.
    pub(crate) fn issuer(&self) -> String {
        format!("http://localhost:{}/", self.port)
    }

    /// The SQLite file.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("data/tokenhouse.db")
    }

    /// Client credentials of the first few applications, for the API of `algorithm`.
    pub(crate) fn few(&self, algorithm: &str) -> Load {
        self.all(algorithm).with("--take", &FEW)
    }

    /// Client credentials of all applications in turn.
    pub(crate) fn all(&self, algorithm: &str) -> Load {
        self.token_request(&format!(
            r#"{{"grant_type":"client_credentials","client_id":"{{1}}","client_secret":"{{2}}","audience":"{}"}}"#,
            audience(algorithm),
        ))
    }

    /// The user's password, with the first application.
    pub(crate) fn password(&self) -> Load {
        let body = format!(
            r#"{{"grant_type":"http://auth0.com/oauth/grant-type/password-realm","client_id":"{{1}}","client_secret":"{{2}}","realm":"Username-Password-Authentication","username":"{USERNAME}","password":"{PASSWORD}","audience":"{}"}}"#,
            audience("RS256"),
        );
        self.token_request(&body).with("--take", &1)
    }

    /// A `GET` below `/api/v2/` that one administrator makes again and again.
    pub(crate) fn management(&self, token: &str, path: &str) -> Load {
        Load::to(&format!("{}api/v2/{path}", self.issuer()))
            .with("--header", &format!("Authorization: Bearer {token}"))
            .with("--connections", &1)
    }

    fn token_request(&self, body: &str) -> Load {
        Load::to(&format!("{}oauth/token", self.issuer()))
            .with("--method", &"POST")
            .with("--header", &"Content-Type: application/json")
            .with("--body", &body)
            .lines(&self.credentials)
    }

    /// A file of the installation's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn config(&self) -> PathBuf {
        self.folder.join("tokenhouse.toml")
    }
}

impl Running {
    /// Starts a server and waits until `path` is answered with anything.
    pub(crate) fn start(command: &mut Command, port: u16, path: &str) -> Outcome<Self> {
        let mut running = Self(command.spawn()?);
        let begin = Instant::now();
        while !answers(port, path) {
            if let Some(status) = running.0.try_wait()? {
                return Err(format!("{command:?} ended with {status}: see server.log in .bench").into());
            }
            if begin.elapsed() > PATIENCE {
                return Err(format!("{command:?} does not answer").into());
            }
            thread::sleep(TICK);
        }
        Ok(running)
    }

    /// Microseconds of processor time that it has used.
    pub(crate) fn cpu_us(&self) -> Outcome<f64> {
        Ok(process::cpu_ns(self.0.id())? as f64 / 1e3)
    }

    /// Resident memory in MiB: now, and at its most.
    pub(crate) fn resident_mib(&self) -> Outcome<(f64, f64)> {
        Ok(process::resident_mib(self.0.id())?)
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        text_of(Command::new("kill").args(["-TERM", &self.0.id().to_string()]))?;
        let begin = Instant::now();
        while self.0.try_wait()?.is_none() {
            if begin.elapsed() > PATIENCE {
                return Err("a server does not stop".into());
            }
            thread::sleep(TICK);
        }
        Ok(())
    }
}

impl From<Child> for Running {
    fn from(process: Child) -> Self {
        Self(process)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The identifier of the API whose tokens are signed by `algorithm`.
pub(crate) fn audience(algorithm: &str) -> String {
    format!("https://{}.example.com", algorithm.to_ascii_lowercase())
}

/// A port that is free now.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn answers(port: u16, path: &str) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)
    };
    ask().is_ok()
}
