//! Keys of strangers: an issuer's JWKS, and what is pasted as an application's key. What is accepted prints back, has
//! one thumbprint, and verifies what its own private half signed and nothing else.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

use tokenhouse::registry::client_keys::NewClientKey;
use tokenhouse_fuzz::key;
use tokenhouse_guard::KeySet;
use tokenhouse_protocol::crypto::{PublicKey, SigningKey, VerifyingKey};
use tokenhouse_protocol::jose::jwk::{Jwk, JwkSet, thumbprint};

const MAX_KEYS: usize = 20;
const MESSAGE: &[u8] = b"message";

static OURS: LazyLock<(SigningKey, Vec<u8>)> = LazyLock::new(|| {
    let key = key(1);
    let signature = key.sign(MESSAGE);
    (key, signature)
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = str::from_utf8(bytes)
        && let Ok(pasted) = NewClientKey::read(text)
        && pasted.check().is_ok()
    {
        let verifying = VerifyingKey::new(pasted.algorithm, &pasted.public).expect("a key that was taken can be used");
        check(&pasted.public, &verifying);
    }
    let Ok(set) = JwkSet::parse(bytes, MAX_KEYS) else {
        return;
    };
    assert!(set.keys.len() <= MAX_KEYS);
    let again = JwkSet::parse(set.to_json().as_bytes(), MAX_KEYS);
    assert_eq!(again.as_ref(), Ok(&set), "what was accepted is read otherwise");
    let mut usable = 0;
    for jwk in &set.keys {
        let Ok(verifying) = jwk.verifying_keys() else { continue };
        usable += verifying.len();
        let public = jwk.public_key().expect("a key that can be used has numbers");
        for verifying in &verifying {
            let written = Jwk::new(&public, verifying.algorithm(), "k");
            assert_eq!(written.public_key().as_ref(), Ok(&public));
            check(&public, verifying);
        }
    }
    assert!(KeySet::from_jwks(&set).len() <= usable);
});

fn check(public: &PublicKey, verifying: &VerifyingKey) {
    let (ours, signature) = &*OURS;
    assert_eq!(thumbprint(public).len(), 43);
    let is_ours = ours.public().as_ref() == Some(public);
    assert_eq!(verifying.verify(MESSAGE, signature), is_ours, "{public:?}");
    assert!(!verifying.verify(b"another", signature), "{public:?}");
}
