//! What the primitives promise, from published vectors where there are any.

use proptest::prelude::*;

use super::*;

const PLACE: Place<'_> = Place {
    tenant: "default",
    table: "clients",
    row: "abc",
    column: "secret",
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn digests_are_the_published_ones() {
    assert_eq!(
        hex(&sha256(b"abc")),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

#[test]
fn parts_of_a_tag_do_not_run_into_one_another() {
    let key = MacKey::new(&[7; 32]);
    assert_eq!(key.tag(&[b"ab", b"c"]), key.tag(&[b"ab", b"c"]));
    assert_ne!(key.tag(&[b"ab", b"c"]), key.tag(&[b"a", b"bc"]));
    assert_ne!(key.tag(&[b"ab"]), MacKey::new(&[8; 32]).tag(&[b"ab"]));
}

#[test]
fn a_fingerprint_is_of_one_key_and_one_algorithm() {
    let rsa = SigningKey::generate(Algorithm::Rs256, RsaBits::Bits2048)
        .public()
        .unwrap();
    let secret = |byte| VerifyingKey::hs256(&[byte; 32]).unwrap().fingerprint();
    let of = |algorithm| VerifyingKey::new(algorithm, &rsa).unwrap().fingerprint();
    assert_eq!((of(Algorithm::Rs256), secret(1)), (of(Algorithm::Rs256), secret(1)));
    let other = SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048)
        .verifying_key()
        .fingerprint();
    let all = [of(Algorithm::Rs256), of(Algorithm::Ps256), other, secret(1), secret(2)];
    for (index, one) in all.iter().enumerate() {
        assert!(!all[index + 1..].contains(one), "{index}");
    }
}

#[test]
fn a_sealed_value_opens_with_its_key_in_its_place_only() {
    let random = Random::system();
    let key = SealingKey::generate(&random);
    let sealed = key.seal(&random, PLACE, b"hunter2");
    assert!(sealed.starts_with(&format!("v1.{}.", key.id())));
    assert_eq!(key.open(PLACE, &sealed).unwrap().as_slice(), b"hunter2");
    assert_eq!(
        key.open(Place { row: "abd", ..PLACE }, &sealed),
        Err(OpenError::Damaged)
    );
    assert_eq!(
        SealingKey::generate(&random).open(PLACE, &sealed),
        Err(OpenError::WrongKey)
    );
    assert_eq!(key.open(PLACE, "hunter2"), Err(OpenError::Damaged));
    let mut altered = sealed.clone().into_bytes();
    altered[20] ^= 1;
    assert!(key.open(PLACE, &String::from_utf8(altered).unwrap()).is_err());
    assert_ne!(sealed, key.seal(&random, PLACE, b"hunter2"));
}

#[test]
fn a_sealing_key_survives_its_file() {
    let random = Random::system();
    let key = SealingKey::generate(&random);
    let text = key.to_base64();
    assert_eq!(text.len(), 44);
    let read = SealingKey::parse(&format!("{}\n", *text)).unwrap();
    assert_eq!(read.id(), key.id());
    assert!(SealingKey::parse("c2hvcnQ=").is_err());
    assert!(!format!("{key:?}").contains(text.as_str()));
}

#[test]
fn every_algorithm_signs_what_it_verifies_and_nothing_else() {
    for algorithm in Algorithm::VERIFIED {
        let key = SigningKey::generate(algorithm, RsaBits::Bits2048);
        let again = SigningKey::from_pkcs8(algorithm, &key.pkcs8()).unwrap();
        let signed = again.sign(b"message");
        assert!(key.verifying_key().verify(b"message", &signed), "{algorithm}");
        assert!(!key.verifying_key().verify(b"messagf", &signed), "{algorithm}");
        assert!(!key.verifying_key().verify(b"message", &signed[1..]), "{algorithm}");
        let other = SigningKey::generate(algorithm, RsaBits::Bits2048);
        assert!(!other.verifying_key().verify(b"message", &signed), "{algorithm}");
        assert_eq!(key.public_spki().is_none(), algorithm.is_symmetric());
        assert_eq!(Algorithm::named(algorithm.as_str()), Ok(algorithm));
        let is_ours = Algorithm::SIGNING.contains(&algorithm);
        assert_eq!(algorithm.as_str().parse::<Algorithm>().is_ok(), is_ours);
    }
}

#[test]
fn a_key_of_one_curve_is_none_of_another() {
    let curves = [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512];
    for of in curves {
        let key = SigningKey::generate(of, RsaBits::Bits2048);
        for wanted in curves {
            assert_eq!(SigningKey::from_pkcs8(wanted, &key.pkcs8()).is_ok(), wanted == of);
            assert_eq!(VerifyingKey::new(wanted, &key.public().unwrap()).is_ok(), wanted == of);
        }
    }
}

#[test]
fn an_es256_signature_has_the_fixed_form() {
    let key = SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048);
    assert!((0..20).all(|_| key.sign(b"message").len() == 64));
}

#[test]
fn rs256_and_ps256_do_not_verify_one_another() {
    let key = SigningKey::generate(Algorithm::Rs256, RsaBits::Bits2048);
    let public = key.public().unwrap();
    let pss = VerifyingKey::new(Algorithm::Ps256, &public).unwrap();
    assert!(!pss.verify(b"message", &key.sign(b"message")));
    assert!(VerifyingKey::new(Algorithm::Es256, &public).is_err());
    assert!(VerifyingKey::new(Algorithm::Hs256, &public).is_err());
}

#[test]
fn weak_keys_are_refused() {
    let odd = |bytes: usize| [vec![0xff; bytes - 1], vec![1]].concat();
    let rsa = |n: Vec<u8>, e: Vec<u8>| VerifyingKey::new(Algorithm::Rs256, &PublicKey::Rsa { n, e });
    assert!(rsa(odd(128), vec![1, 0, 1]).is_err(), "1024 bits");
    assert!(rsa(odd(1025), vec![1, 0, 1]).is_err(), "8200 bits");
    let PublicKey::Rsa { n, .. } = SigningKey::generate(Algorithm::Rs256, RsaBits::Bits2048)
        .public()
        .unwrap()
    else {
        panic!("an RSA key");
    };
    for exponent in [vec![], vec![0], vec![1], vec![2], vec![1, 0, 0, 0, 1]] {
        assert!(rsa(n.clone(), exponent.clone()).is_err(), "{exponent:?}");
    }
    assert!(rsa(n, vec![0, 1, 0, 1]).is_ok(), "a leading zero is no matter");
    assert!(VerifyingKey::new(Algorithm::Es256, &PublicKey::P256 { x: [1; 32], y: [1; 32] }).is_err());
    assert!(VerifyingKey::hs256(&[1; 31]).is_err());
    assert!(SigningKey::hs256(&[1; 15]).is_err());
}

#[test]
fn an_algorithm_is_named_in_its_own_spelling_only() {
    for text in ["", "none", "None", "rs256", "RS256 ", "RS512", "eddsa"] {
        assert!(text.parse::<Algorithm>().is_err(), "{text}");
        assert!(text == "RS512" || Algorithm::named(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_opened_or_refused_and_what_was_sealed_opens(text in ".{0,80}", plain in any::<Vec<u8>>()) {
        let random = Random::system();
        let key = SealingKey::generate(&random);
        let place = Place { tenant: "t", table: "a", row: "b", column: "c" };
        prop_assert!(key.open(place, &text).is_err());
        let sealed = key.seal(&random, place, &plain);
        prop_assert_eq!(&*key.open(place, &sealed).unwrap(), &plain);
        if let Ok(parsed) = SealingKey::parse(&text) {
            let printed = parsed.to_base64();
            prop_assert_eq!(printed.as_str(), text.trim());
        }
    }
}
