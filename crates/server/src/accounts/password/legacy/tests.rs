//! Each known form against what its own library made, and what is refused.

use serde_json::{Value, json};

use super::*;
use crate::accounts::password::Passwords;
use crate::config::Passwords as Config;
use tokenhouse_protocol::secret::Secret;

/// `tests/vectors/passwords.json`: one password as Django and other libraries hashed it.
fn vectors() -> (String, Vec<(String, Value)>) {
    let all: Value = serde_json::from_str(include_str!("../../../../tests/vectors/passwords.json")).unwrap();
    let vectors = all["vectors"].as_array().unwrap().iter();
    let pair = |vector: &Value| (vector[0].as_str().unwrap().to_owned(), vector[1].clone());
    (all["password"].as_str().unwrap().into(), vectors.map(pair).collect())
}

fn stored(kind: &str, vector: &Value) -> String {
    match kind {
        "auth0" => Legacy::of_auth0(vector).unwrap_or_else(|error| panic!("{vector}: {error}")),
        _ => Legacy::of_django(vector.as_str().unwrap()).unwrap().unwrap(),
    }
}

#[tokio::test]
async fn what_others_hashed_fits_its_password_alone_and_is_outdated() {
    let config = Config {
        memory_kib: 64,
        iterations: 1,
        parallelism: 1,
        threads: 2,
        queue: 8,
    };
    let passwords = Passwords::new(&config).unwrap();
    let (password, vectors) = vectors();
    assert!(vectors.len() > 45, "{}", vectors.len());
    for (kind, vector) in &vectors {
        let stored = stored(kind, vector);
        let fits = async |password: &str| passwords.verify(&Secret::new(password), Some(&stored)).await.unwrap();
        assert!(fits(&password).await, "{vector}");
        assert!(!fits("Grüße, Ada 1?").await, "{vector}");
        let is_ours = stored.starts_with("$argon2id$");
        assert_eq!(passwords.is_outdated(&stored), !is_ours, "{vector}");
    }
}

#[test]
fn a_cheaper_hash_of_our_own_kind_is_outdated() {
    let passwords = Passwords::new(&Config::default()).unwrap();
    let cheap = "$argon2id$v=19$m=512,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert!(passwords.is_outdated(cheap));
    assert!(!passwords.is_outdated(&passwords.decoy));
}

#[test]
fn a_hash_that_would_cost_minutes_or_gigabytes_is_refused() {
    let salt_and_hash = "c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let output = "A".repeat(43);
    for hostile in [
        format!("$argon2id$v=19$m=4194304,t=1,p=1${salt_and_hash}"),
        format!("$argon2id$v=19$m=65536,t=1000,p=1${salt_and_hash}"),
        "$2b$31$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into(),
        format!("pbkdf2_sha256$4000000000$salt${output}="),
        format!("pbkdf2_sha256$2000000$salt${}", "A".repeat(160)),
        format!("pbkdf2_sha256$0$salt${output}="),
        format!("scrypt$1073741824$salt$8$1${output}="),
        format!("scrypt$16384$salt$8$4000000$${output}="),
        format!("scrypt$16385$salt$8$1${output}="),
        format!("scrypt$18446744073709551615$salt$8$1${output}="),
    ] {
        assert!(Legacy::read(&hostile).is_err(), "{hostile}");
    }
    let object = json!({
        "algorithm": "scrypt", "hash": { "value": "00".repeat(32), "encoding": "hex" },
        "salt": { "value": "s" }, "cost": 1_u64 << 31, "blockSize": 4_000_000_000_u64,
    });
    assert!(Legacy::of_auth0(&object).is_err());
    let long =
        json!({ "algorithm": "sha1", "hash": { "value": "00".repeat(20) }, "salt": { "value": "s".repeat(9999) } });
    assert!(Legacy::of_auth0(&long).is_err());
}

#[test]
fn a_hash_that_is_none_is_refused_with_what_is_wrong_and_without_itself() {
    for (object, said) in [
        (json!("text"), "no object"),
        (json!({}), "hash is missing"),
        (json!({"hash": {"value": "x"}}), "algorithm is missing"),
        (json!({"algorithm": "md5", "hash": {}}), "hash.value is missing"),
        (
            json!({"algorithm": "crc32", "hash": {"value": "x"}}),
            "algorithm is crc32",
        ),
        (json!({"algorithm": "md5", "hash": {"value": "c2VjcmV0"}}), "makes 16"),
        (
            json!({"algorithm": "md5", "hash": {"value": "zz", "encoding": "hex"}}),
            "hash.encoding",
        ),
        (
            json!({"algorithm": "bcrypt", "hash": {"value": "$2b$10$short"}}),
            "bcrypt",
        ),
        (
            json!({"algorithm": "bcrypt", "hash": {"value": "x"}, "salt": {"value": "s"}}),
            "leave salt out",
        ),
        (json!({"algorithm": "ldap", "hash": {"value": "{CRYPT}x"}}), "LDAP"),
        (
            json!({"algorithm": "hmac", "hash": {"value": "x", "digest": "md5"}}),
            "hash.key",
        ),
        (
            json!({"algorithm": "scrypt", "hash": {"value": "00".repeat(32)}}),
            "salt",
        ),
        (
            json!({"algorithm": "md5", "hash": {"value": "x"}, "rounds": 1}),
            "no property rounds",
        ),
    ] {
        let error = Legacy::of_auth0(&object).unwrap_err();
        assert!(error.0.contains(said), "{object}: {error}");
    }
    assert_eq!(Legacy::of_django("!unusable").unwrap(), None);
    assert_eq!(Legacy::of_django("").unwrap(), None);
    for text in [
        "plain",
        "{}",
        "$2b$",
        "crypt$$ab",
        "pbkdf2_sha256$1$2",
        "a secret $with signs",
    ] {
        let error = Legacy::of_django(text).unwrap_err();
        assert!(
            !error.0.contains("secret") && !error.0.contains("with signs"),
            "{error}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\$2b\\$|scrypt\\$|pbkdf2_sha1\\$|\\$argon2id\\$|\\{\"algorithm\":)?\\PC*") {
        let _ = Legacy::read(&text);
    }
}
