//! `floor`: what the machine can do at most, on the core it runs on: signatures, verifications, argon2id, fdatasync;
//! and beside a verification what the guard makes of it.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::hint::black_box;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use argon2::{Algorithm as Variant, Argon2, Block, Params, Version};
use clap::{Parser, ValueEnum};
use serde_json::json;

use tokenhouse_bench::numbers::{percentile, sorted};
use tokenhouse_bench::{Outcome, exit};
use tokenhouse_guard::{Guard, Issuer, Key, KeySet, LocalKeys};
use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::jws::{Parts, Signer};
use tokenhouse_protocol::time::Clock;

/// What is signed: as long as an access token's header and claims.
const MESSAGE: [u8; 700] = [b'a'; 700];
/// Tokens that are checked by one guard, one after the other.
const TOKENS: usize = 4000;
/// How much the guard remembers of them meanwhile, which is some hundreds: then each takes the place of another, as at an
/// API that has run for a while.
const REMEMBERED_BYTES: u64 = 2 * 1024 * 1024;
/// Hits between two looks at the clock.
const HITS: u32 = 100;
/// The file that fdatasync is measured on, allocated before.
const FILE_BYTES: u64 = 4 * 1024 * 1024;
/// What is written before each fdatasync: a page of the database's log.
const PAGE: [u8; 4096] = [7; 4096];

/// Prints a JSON object with a member for each figure: how often a second it can be done, and how long it takes.
#[derive(Parser)]
struct Arguments {
    /// What to measure
    #[arg(required = true)]
    what: Vec<What>,
    /// For how long, each
    #[arg(long, default_value_t = 300)]
    milliseconds: u64,
    /// Where fdatasync is measured
    #[arg(long, default_value = ".")]
    folder: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// RSA-2048 signatures
    Rs256,
    /// P-256 signatures
    Es256,
    /// Ed25519 signatures
    Eddsa,
    /// RSA-2048 verifications
    Verify,
    /// RSA-2048 access tokens, checked by the guard for the first time; and as check_raw, in turns with that, their
    /// signatures alone
    Check,
    /// An access token that the guard remembers
    Hit,
    /// Password hashes of 19 MiB and two passes, in memory that is used again
    Argon2id,
    /// Writes of a page into an allocated file, each followed by fdatasync
    Fdatasync,
}

fn main() -> ExitCode {
    exit(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let time = Duration::from_millis(arguments.milliseconds);
    let mut figures = BTreeMap::new();
    for what in &arguments.what {
        let name = what.to_possible_value().map(|value| value.get_name().to_owned());
        let name = name.unwrap_or_default();
        let times_ms = match what {
            What::Rs256 => sign(Algorithm::Rs256, time),
            What::Es256 => sign(Algorithm::Es256, time),
            What::Eddsa => sign(Algorithm::EdDsa, time),
            What::Verify => verify(time),
            What::Check => {
                let (check, raw) = check(time)?;
                figures.insert(format!("{name}_raw"), figure(&raw));
                check
            }
            What::Hit => hit(time)?,
            What::Argon2id => argon2id(time)?,
            What::Fdatasync => fdatasync(&arguments.folder, time)?,
        };
        figures.insert(name, figure(&times_ms));
    }
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

fn figure(times_ms: &[f64]) -> serde_json::Value {
    json!({
        "per_s": times_ms.len() as f64 / times_ms.iter().sum::<f64>() * 1e3,
        "p50_ms": percentile(times_ms, 0.5),
        "p99_ms": percentile(times_ms, 0.99),
    })
}

fn sign(algorithm: Algorithm, time: Duration) -> Vec<f64> {
    let key = SigningKey::generate(algorithm, RsaBits::Bits2048);
    repeat(time, || {
        black_box(key.sign(black_box(&MESSAGE)));
    })
}

fn verify(time: Duration) -> Vec<f64> {
    let key = SigningKey::generate(Algorithm::Rs256, RsaBits::Bits2048);
    let (signature, public) = (key.sign(&MESSAGE), key.verifying_key());
    repeat(time, || {
        black_box(public.verify(black_box(&MESSAGE), black_box(&signature)));
    })
}

/// The guard's checks of tokens that it does not remember, and the raw signature checks of as many other ones, one after
/// the other in turns: whatever the hour makes of the machine, it makes of both.
fn check(time: Duration) -> Outcome<(Vec<f64>, Vec<f64>)> {
    let signed = Signed::new(TOKENS);
    let (raw, public) = (signed.raw()?, signed.key.verifying_key());
    let (mut checks, mut raws) = (Vec::new(), Vec::new());
    // Tokens are checked where a request was just read to, not where they slept.
    let (mut input, mut token) = (Vec::new(), String::new());
    let begin = Instant::now();
    for round in 0.. {
        // It has seen none of them, and after some hundreds it is full.
        let guard = signed.guard()?;
        for (place, next) in signed.tokens.iter().enumerate() {
            let (next_input, signature) = &raw[(place + TOKENS / 2) % TOKENS];
            input.clone_from(next_input);
            token.clone_from(next);
            let started = Instant::now();
            let is_good = black_box(public.verify(black_box(&input), black_box(signature)));
            let between = Instant::now();
            ask(&guard, &token)?;
            let ended = Instant::now();
            if !is_good {
                return Err("a signature of ours is not good".into());
            }
            if round > 0 {
                raws.push((between - started).as_secs_f64() * 1e3);
                checks.push((ended - between).as_secs_f64() * 1e3);
            }
        }
        if round > 0 && begin.elapsed() > time {
            break;
        }
    }
    let (checks, raws) = (sorted(checks), sorted(raws));
    if percentile(&checks, 0.01) < percentile(&raws, 0.5) / 2.0 {
        return Err("some tokens were remembered".into());
    }
    Ok((checks, raws))
}

/// As many hits as one look at the clock in between would not be noticed among: of each the time of one.
fn hit(time: Duration) -> Outcome<Vec<f64>> {
    let signed = Signed::new(1);
    let guard = signed.guard()?;
    let mut failed = ask(&guard, &signed.tokens[0]).err();
    let times = repeat(time, || {
        for _ in 0..HITS {
            failed = ask(&guard, &signed.tokens[0]).err().or(failed.take());
        }
    });
    match failed {
        None => Ok(times.into_iter().map(|ms| ms / f64::from(HITS)).collect()),
        Some(error) => Err(error.into()),
    }
}

/// Asks a guard that has its keys.
fn ask(guard: &Guard, token: &str) -> Result<(), String> {
    let checked = pin!(guard.verify(black_box(token))).poll(&mut Context::from_waker(Waker::noop()));
    match checked {
        Poll::Ready(Ok(token)) => {
            drop(black_box(token));
            Ok(())
        }
        Poll::Ready(Err(denied)) => Err(denied.to_string()),
        Poll::Pending => Err("keys that are here are not waited for".to_owned()),
    }
}

/// RS256 access tokens and the key that signed them.
struct Signed {
    key: Arc<SigningKey>,
    tokens: Vec<String>,
}

impl Signed {
    const ISSUER: &str = "https://issuer.example.com/";
    const AUDIENCE: &str = "https://rs256.example.com";
    const KID: &str = "k1";

    fn new(count: usize) -> Self {
        let (issuer, audience) = (Self::ISSUER, Self::AUDIENCE);
        let key = Arc::new(SigningKey::generate(Algorithm::Rs256, RsaBits::Bits2048));
        let signer = Signer::new(Arc::clone(&key), Some(&KeyId::new(Self::KID)), "JWT");
        let exp = Clock::system().now().seconds() + 86_400;
        let token = |number: usize| {
            let claims = json!({
                "iss": issuer, "sub": format!("{number:032}@clients"), "aud": audience, "iat": exp - 86_400,
                "exp": exp, "gty": "client-credentials", "azp": format!("{number:032}"), "scope": "read:messages",
            });
            signer.sign(claims.to_string().as_bytes())
        };
        let tokens = (0..count).map(token).collect();
        Self { key, tokens }
    }

    /// What is signed of each token, and its signature.
    fn raw(&self) -> Outcome<Vec<(Vec<u8>, Vec<u8>)>> {
        let raw = self.tokens.iter().map(|token| {
            let parts = Parts::split(token)?;
            Ok((parts.signing_input.as_bytes().to_vec(), parts.signature))
        });
        raw.collect()
    }

    /// A guard that has seen none of them, and cannot remember all.
    fn guard(&self) -> Outcome<Guard> {
        let key = Key::new(Some(Self::KID.to_owned()), self.key.verifying_key());
        let keys = LocalKeys::fixed(KeySet::new([key]));
        let guard = Guard::builder()
            .token_cache_bytes(REMEMBERED_BYTES)
            .audience(Self::AUDIENCE)
            .issuer(Issuer::new(Self::ISSUER).keys(keys))
            .build()?;
        Ok(guard)
    }
}

fn argon2id(time: Duration) -> Outcome<Vec<f64>> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| error.to_string())?;
    let mut memory = vec![Block::default(); params.block_count()];
    let argon = Argon2::new(Variant::Argon2id, Version::V0x13, params);
    let mut output = [0; 32];
    let mut failed = None;
    let times = repeat(time, || {
        let hashed = argon.hash_password_into_with_memory(b"pwd", &[1; 16], &mut output, &mut memory);
        failed = hashed.err().map(|error| error.to_string()).or(failed.take());
    });
    match failed {
        None => Ok(times),
        Some(error) => Err(error.into()),
    }
}

fn fdatasync(folder: &Path, time: Duration) -> Outcome<Vec<f64>> {
    let path = folder.join("fdatasync");
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    for offset in (0..FILE_BYTES).step_by(PAGE.len()) {
        file.write_all_at(&PAGE, offset)?;
    }
    file.sync_all()?;
    let mut offset = 0;
    let mut failed = None;
    let times = repeat(time, || {
        let written = file.write_all_at(&PAGE, offset).and_then(|()| file.sync_data());
        failed = written.err().or(failed.take());
        offset = (offset + PAGE.len() as u64) % FILE_BYTES;
    });
    fs::remove_file(path)?;
    match failed {
        None => Ok(times),
        Some(error) => Err(error.into()),
    }
}

/// Does `work` again and again for a tenth of `time` and then for `time`: the milliseconds of each, sorted.
fn repeat(time: Duration, mut work: impl FnMut()) -> Vec<f64> {
    let warm = Instant::now();
    while warm.elapsed() < time / 10 {
        work();
    }
    let begin = Instant::now();
    let mut before = Duration::ZERO;
    let mut times = Vec::new();
    while before < time {
        work();
        let now = begin.elapsed();
        times.push((now - before).as_secs_f64() * 1e3);
        before = now;
    }
    sorted(times)
}
