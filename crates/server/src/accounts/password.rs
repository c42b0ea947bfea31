//! Passwords: argon2id (RFC 9106) on threads of their own behind a bounded queue, so that a flood of
//! logins cannot starve the tokens of machines. What was hashed elsewhere is checked there too: see [`legacy`].

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::PasswordHasher as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::{mpsc, oneshot};

use tokenhouse_protocol::crypto::{Random, equal};
use tokenhouse_protocol::secret::Secret;

use crate::config::Passwords as Config;

pub mod legacy;

use legacy::Legacy;

/// Longest password that is hashed, in bytes: beyond, only the attacker's time would be spent wisely.
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// Bytes of salt (RFC 9106 §3.1).
const SALT_BYTES: usize = 16;
/// Bytes of output of the decoy, as many as a hash made here has.
const DECOY_BYTES: usize = 32;
/// Longest output of a stored hash that is compared, in bytes.
const MAX_OUTPUT_BYTES: usize = 64;
/// How far these threads stand behind all others on Linux, where each thread has a niceness of its own. With none, a
/// machine's token waits for a slice of a hash each time that it changes threads; with 19, logins starve beside tokens.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Hashes and verifies passwords on a fixed number of threads.
pub struct Passwords {
    queue: mpsc::Sender<Work>,
    waiting: u32,
    random: Random,
    /// Verified against when there is no such user, so that both cost the same.
    decoy: Arc<str>,
    /// What a hash made here costs: its memory in KiB, times its passes.
    work: u64,
}

/// More logins wait than can be served soon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueFull;

/// The configured costs are not ones that argon2id has.
#[derive(Debug)]
pub struct BadParameters(argon2::Error);

struct Work {
    task: Task,
    answer: oneshot::Sender<Option<String>>,
}

enum Task {
    Hash {
        password: Secret,
        salt: [u8; SALT_BYTES],
    },
    /// Answers the hash itself if the password fits it.
    Verify {
        password: Secret,
        hash: Arc<str>,
    },
}

impl Passwords {
    /// Starts the threads that `config` asks for.
    pub fn new(config: &Config) -> Result<Self, BadParameters> {
        let params =
            Params::new(config.memory_kib, config.iterations, config.parallelism, None).map_err(BadParameters)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let random = Random::system();
        let mut salt = [0_u8; SALT_BYTES];
        random.fill(&mut salt);
        let mut output = [0_u8; DECOY_BYTES];
        random.fill(&mut output);
        let decoy: Arc<str> = decoy(config, &salt, &output).into();
        let (queue, work) = mpsc::channel(config.queue.max(1));
        let work = Arc::new(Mutex::new(work));
        for number in 0..config.threads() {
            let (work, argon, decoy) = (work.clone(), argon.clone(), Arc::clone(&decoy));
            std::thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || serve(&work, &argon, &decoy))
                .map_err(|_| BadParameters(argon2::Error::ThreadsTooMany))?;
        }
        let waiting = u32::try_from(config.queue.max(1)).unwrap_or(u32::MAX);
        Ok(Self {
            queue,
            waiting,
            random,
            decoy,
            work: u64::from(config.memory_kib) * u64::from(config.iterations),
        })
    }

    /// How many wait now.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// How many may wait.
    pub fn queue_length(&self) -> u32 {
        self.waiting
    }

    /// Hashes a new password, as a PHC string.
    pub async fn hash(&self, password: &Secret) -> Result<String, QueueFull> {
        let mut salt = [0_u8; SALT_BYTES];
        self.random.fill(&mut salt);
        self.ask(Task::Hash {
            password: password.clone(),
            salt,
        })
        .await?
        .ok_or(QueueFull)
    }

    /// Whether `password` is the one of `hash`; without a hash, `false` at the same cost.
    pub async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool, QueueFull> {
        let known = hash.is_some();
        let hash = hash.map_or_else(|| self.decoy.clone(), Arc::from);
        let fits = self
            .ask(Task::Verify {
                password: password.clone(),
                hash,
            })
            .await?
            .is_some();
        Ok(known && fits)
    }

    /// Whether a password that fits `hash` should be hashed anew: it is none of argon2id, or costs less than hashes that
    /// are made here.
    pub fn is_outdated(&self, hash: &str) -> bool {
        let parsed = PasswordHash::new(hash)
            .ok()
            .filter(|hash| hash.algorithm == Algorithm::Argon2id.ident());
        let params = parsed.and_then(|hash| Params::try_from(&hash).ok());
        params.is_none_or(|params| u64::from(params.m_cost()) * u64::from(params.t_cost()) < self.work)
    }

    async fn ask(&self, task: Task) -> Result<Option<String>, QueueFull> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Work { task, answer }).map_err(|_| QueueFull)?;
        answered.await.map_err(|_| QueueFull)
    }
}

/// A hash of nothing, which takes as long to verify as a real one and did not have to be made: a start waits for it.
fn decoy(config: &Config, salt: &[u8], output: &[u8]) -> String {
    let Config {
        memory_kib,
        iterations,
        parallelism,
        ..
    } = config;
    let (salt, output) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(output));
    format!("$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}${salt}${output}")
}

/// One thread's work, with one block of memory for all of it.
fn serve(work: &Mutex<mpsc::Receiver<Work>>, argon: &Argon2<'_>, decoy: &str) {
    stand_behind();
    let mut memory = Vec::new();
    let own_blocks = argon.params().block_count();
    loop {
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(Work { task, answer }) = next else { return };
        if answer.is_closed() {
            continue;
        }
        let done = match task {
            Task::Hash { password, salt } => hash(argon, password.expose().as_bytes(), &salt),
            Task::Verify { password, hash } => {
                let fits = verifies(password.expose(), &hash, &mut memory);
                if !fits && Legacy::is_quick(&hash) {
                    // As slow as for somebody who does not exist, or the quick answer would tell who was imported.
                    verifies(password.expose(), decoy, &mut memory);
                }
                fits.then(|| hash.to_string())
            }
        };
        if memory.len() > own_blocks {
            // A hash from elsewhere was dearer than ours: what it took is given back.
            memory.truncate(own_blocks);
            memory.shrink_to_fit();
        }
        // The caller may have hung up meanwhile: there is nobody to tell.
        let _ = answer.send(done);
    }
}

/// Lets other threads go before this one.
fn stand_behind() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "logins have the same priority as tokens");
    }
}

fn hash(argon: &Argon2<'_>, password: &[u8], salt: &[u8]) -> Option<String> {
    argon
        .hash_password_with_salt(password, salt)
        .ok()
        .map(|hash| hash.to_string())
}

/// Whether `password` fits a stored hash, by the costs that the hash names.
fn verifies(password: &str, stored: &str, memory: &mut Vec<Block>) -> bool {
    if !stored.starts_with("$argon2") {
        return Legacy::read(stored).is_ok_and(|legacy| legacy.verifies(password));
    }
    let password = password.as_bytes();
    let Ok(stored) = PasswordHash::new(stored) else {
        return false;
    };
    let (Some(salt), Some(expected), Ok(params)) = (&stored.salt, &stored.hash, Params::try_from(&stored)) else {
        return false;
    };
    let Ok(algorithm) = Algorithm::try_from(stored.algorithm.as_str()) else {
        return false;
    };
    let version = stored.version.map_or(Ok(Version::V0x13), Version::try_from);
    let Ok(version) = version else { return false };
    memory.resize(memory.len().max(params.block_count()), Block::default());
    let mut output = [0_u8; MAX_OUTPUT_BYTES];
    let Some(output) = output.get_mut(..expected.len()) else {
        return false;
    };
    let blocks = &mut memory[..params.block_count()];
    let argon = Argon2::new(algorithm, version, params);
    argon
        .hash_password_into_with_memory(password, salt, output, blocks)
        .is_ok()
        && equal(output, expected.as_bytes())
}

impl fmt::Display for BadParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the [passwords] of the configuration cannot be used: {}", self.0)
    }
}

impl std::error::Error for BadParameters {}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Config {
        Config {
            memory_kib: 64,
            iterations: 1,
            parallelism: 1,
            threads: 1,
            queue: 1,
        }
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let passwords = Passwords::new(&cheap()).unwrap();
        let hash = passwords.hash(&Secret::new("pwd")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(passwords.verify(&Secret::new("pwd"), Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&Secret::new("pwD"), Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn without_a_user_nothing_fits() {
        let passwords = Passwords::new(&cheap()).unwrap();
        assert!(!passwords.verify(&Secret::new(""), None).await.unwrap());
    }

    #[tokio::test]
    async fn the_decoy_costs_what_a_hash_costs() {
        let passwords = Passwords::new(&cheap()).unwrap();
        let made = passwords.hash(&Secret::new("pwd")).await.unwrap();
        let (made, decoy) = (
            PasswordHash::new(&made).unwrap(),
            PasswordHash::new(&passwords.decoy).unwrap(),
        );
        assert_eq!((made.algorithm, made.version), (decoy.algorithm, decoy.version));
        assert_eq!(made.params, decoy.params);
        let lengths = |hash: &PasswordHash| (hash.salt.unwrap().as_ref().len(), hash.hash.unwrap().len());
        assert_eq!(lengths(&made), lengths(&decoy));
    }

    #[tokio::test]
    async fn an_imported_user_is_not_known_by_a_quicker_refusal() {
        let dear = Config {
            memory_kib: 64 * 1024,
            iterations: 2,
            ..cheap()
        };
        let passwords = Passwords::new(&dear).unwrap();
        let refusal = async |hash: Option<&str>| {
            let began = std::time::Instant::now();
            assert!(!passwords.verify(&Secret::new("x"), hash).await.unwrap());
            began.elapsed()
        };
        let of_nobody = refusal(None).await;
        let of_imported = refusal(Some("md5$salt$0123456789abcdef0123456789abcdef")).await;
        assert!(of_imported * 20 > of_nobody, "{of_imported:?} and {of_nobody:?}");
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let slow = Config {
            memory_kib: 64 * 1024,
            iterations: 3,
            ..cheap()
        };
        let passwords = Arc::new(Passwords::new(&slow).unwrap());
        let asked: Vec<_> = (0..8)
            .map(|_| {
                let passwords = passwords.clone();
                tokio::spawn(async move { passwords.verify(&Secret::new("x"), None).await })
            })
            .collect();
        let mut full = 0;
        for answer in asked {
            full += usize::from(answer.await.unwrap() == Err(QueueFull));
        }
        assert!(full >= 5, "one is worked on, one waits: {full} of 8 were refused");
    }
}
