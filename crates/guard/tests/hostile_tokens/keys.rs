//! Signatures by the wrong key, by a key that the token brings along, by the wrong algorithm, or by none.

use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::base64url;
use tokenhouse_protocol::jose::jwk::Jwk;

use super::Row;
use super::issuer::{Issuer, SECRET, claims, signed, with};

const BAD_SIGNATURE: &str = "signature verification failed";
const NO_KEY: &str = "no applicable key found in the JSON Web Key Set";
const BAD_ALG: &str = "Unexpected 'alg' value";

pub(super) fn rows(issuer: &Issuer) -> Vec<Row> {
    let good = issuer.rs256(&claims());
    let (head, signature) = good.rsplit_once('.').unwrap();
    let header_with = |alg: &str| format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"rsa"}}"#);
    let unsigned = |alg: &str| {
        format!(
            "{}.{}.",
            base64url::encode(header_with(alg)),
            base64url::encode(claims())
        )
    };
    let attacker = |header: &str| signed(&issuer.attacker, header, claims());
    let attackers_jwk = Jwk::from_signing_key(&issuer.attacker, &KeyId::new("rsa")).unwrap();
    let attackers_jwk = serde_json::to_string(&attackers_jwk).unwrap();
    let kid = |kid: &str| issuer.rs256_with(format!(r#"{{"alg":"RS256","typ":"JWT","kid":"{kid}"}}"#), claims());
    vec![
        Row::new(
            "none, in every spelling",
            BAD_ALG,
            ["none", "None", "NONE", "nOnE", "", " none"].map(unsigned),
        ),
        Row::new(
            "none, over a true signature",
            BAD_ALG,
            [issuer.rs256_with(header_with("none"), claims())],
        ),
        Row::new(
            "a name we have in another spelling",
            BAD_ALG,
            ["rs256", "RS256 ", "Rs256"].map(|alg| issuer.rs256_with(header_with(alg), claims())),
        ),
        Row::new(
            "strong algorithms that nobody allowed",
            BAD_ALG,
            ["RS512", "ES384", "HS512", "Ed448", "RSA1_5"].map(|alg| issuer.rs256_with(header_with(alg), claims())),
        ),
        Row::new("the public key used as a secret", BAD_ALG, public_key_as_secret(issuer)),
        Row::new(
            "a secret that may be guessed",
            BAD_ALG,
            [issuer.hs256(b"secretsecretsecret")],
        ),
        Row::new("no signature at all", BAD_SIGNATURE, [format!("{head}.")]),
        Row::new(
            "a signature cut short",
            BAD_SIGNATURE,
            [
                format!("{head}.{}", &signature[..signature.len() - 6]),
                format!("{head}.AA"),
            ],
        ),
        Row::new(
            "a signature with bytes after it",
            BAD_SIGNATURE,
            [format!(
                "{head}.{}",
                base64url::encode([base64url::decode(signature).unwrap(), vec![0; 3]].concat())
            )],
        ),
        Row::new(
            "the signature of another token",
            BAD_SIGNATURE,
            [format!(
                "{head}.{}",
                issuer.rs256(&with("sub", "\"other\"")).rsplit_once('.').unwrap().1
            )],
        ),
        Row::new(
            "claims changed after signing",
            BAD_SIGNATURE,
            [format!(
                "{}.{}.{signature}",
                head.split_once('.').unwrap().0,
                base64url::encode(with("scope", "\"write:messages\""))
            )],
        ),
        Row::new(
            "a header changed after signing",
            BAD_SIGNATURE,
            [format!(
                "{}.{}.{signature}",
                base64url::encode(r#"{"alg":"RS256","typ":"at+jwt","kid":"rsa"}"#),
                head.split_once('.').unwrap().1
            )],
        ),
        Row::new(
            "another algorithm of the key's kind",
            NO_KEY,
            [signed(
                &issuer.pss,
                r#"{"alg":"RS256","typ":"JWT","kid":"pss"}"#,
                claims(),
            )],
        ),
        Row::new(
            "the key's algorithm over another's signature",
            BAD_SIGNATURE,
            [signed(
                &issuer.rsa,
                r#"{"alg":"PS256","typ":"JWT","kid":"pss"}"#,
                claims(),
            )],
        ),
        Row::new(
            "an algorithm of another kind than the key",
            NO_KEY,
            [signed(
                &issuer.ec,
                r#"{"alg":"ES256","typ":"JWT","kid":"rsa"}"#,
                claims(),
            )],
        ),
        Row::new(
            "ES256 with r and s zero",
            BAD_SIGNATURE,
            [signed_by(&issuer.es256(&claims()), &[0; 64])],
        ),
        Row::new(
            "ES256 with r and s of the group's order",
            BAD_SIGNATURE,
            [signed_by(
                &issuer.es256(&claims()),
                &[GROUP_ORDER, GROUP_ORDER].concat(),
            )],
        ),
        Row::new("ES256 in DER", BAD_SIGNATURE, [es256_in_der(issuer)]),
        Row::new(
            "EdDSA of zeros",
            BAD_SIGNATURE,
            [signed_by(&issuer.eddsa(&claims()), &[0; 64])],
        ),
        Row::new("a kid that nobody has", NO_KEY, [kid("rsa-old"), kid(""), kid("RSA")]),
        Row::new(
            "a kid that is a path, a query or an address",
            NO_KEY,
            [
                kid("../../../dev/null"),
                kid("' or 1=1 --"),
                kid("https://evil.example/keys"),
                kid("rsa\\u0000"),
            ],
        ),
        Row::new(
            "no kid, where several keys could be meant",
            "multiple matching keys found in the JSON Web Key Set",
            [issuer.rs256_with(r#"{"alg":"RS256","typ":"JWT"}"#, claims())],
        ),
        Row::new("the kid of another key of ours", BAD_SIGNATURE, [kid("rsa-next")]),
        Row::new(
            "a stranger's key under our kid",
            BAD_SIGNATURE,
            [attacker(&header_with("RS256"))],
        ),
        Row::new(
            "a key for encryption",
            NO_KEY,
            [signed(
                &issuer.enc,
                r#"{"alg":"RS256","typ":"JWT","kid":"enc"}"#,
                claims(),
            )],
        ),
        Row::new(
            "a key in the header",
            BAD_SIGNATURE,
            [attacker(&format!(
                r#"{{"alg":"RS256","typ":"JWT","kid":"rsa","jwk":{attackers_jwk}}}"#
            ))],
        ),
        Row::new(
            "a key in the header that brings its own kid",
            NO_KEY,
            [attacker(&format!(
                r#"{{"alg":"RS256","typ":"JWT","kid":"mine","jwk":{attackers_jwk}}}"#
            ))],
        ),
        Row::new(
            "the address of a key set",
            BAD_SIGNATURE,
            [attacker(
                r#"{"alg":"RS256","typ":"JWT","kid":"rsa","jku":"http://127.0.0.1:1/jwks.json"}"#,
            )],
        ),
        Row::new(
            "the address of a certificate",
            BAD_SIGNATURE,
            [attacker(
                r#"{"alg":"RS256","typ":"JWT","kid":"rsa","x5u":"http://127.0.0.1:1/cert.pem"}"#,
            )],
        ),
        Row::new(
            "a certificate in the header",
            BAD_SIGNATURE,
            [attacker(
                r#"{"alg":"RS256","typ":"JWT","kid":"rsa","x5c":["MIIB"],"x5t":"AAAA"}"#,
            )],
        ),
        Row::new(
            "another tenant's key and kid under our issuer",
            NO_KEY,
            [attacker(r#"{"alg":"RS256","typ":"JWT","kid":"other-tenant"}"#)],
        ),
    ]
}

/// What a guard that was given a secret refuses.
pub(super) fn secret_rows(issuer: &Issuer) -> Vec<Row> {
    vec![
        Row::new("a true RS256 token", BAD_ALG, [issuer.rs256(&claims())]),
        Row::new(
            "none where a secret is meant",
            BAD_ALG,
            [format!(
                "{}.{}.",
                base64url::encode(r#"{"alg":"none","typ":"JWT"}"#),
                base64url::encode(claims())
            )],
        ),
        Row::new("half of the secret", BAD_SIGNATURE, [issuer.hs256(&SECRET[..20])]),
    ]
}

/// HS256 keyed with each text that a careless verifier may take the public key for.
fn public_key_as_secret(issuer: &Issuer) -> Vec<String> {
    let spki = issuer.rsa.public_spki().unwrap();
    let jwk = Jwk::from_signing_key(&issuer.rsa, &KeyId::new("rsa")).unwrap();
    let secrets = [
        spki,
        jwk.n.clone().unwrap().into_bytes(),
        serde_json::to_vec(&jwk).unwrap(),
    ];
    secrets.iter().map(|secret| issuer.hs256(secret)).collect()
}

/// The order of P-256's group, the first number that neither r nor s may be.
const GROUP_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The form that most libraries outside of JOSE give and take.
fn es256_in_der(issuer: &Issuer) -> String {
    let good = issuer.es256(&claims());
    let signature = base64url::decode(good.rsplit_once('.').unwrap().1).unwrap();
    let integer = |number: &[u8]| {
        let sign = if number[0] < 0x80 { vec![] } else { vec![0] };
        let content = [sign, number.to_vec()].concat();
        [vec![2, u8::try_from(content.len()).unwrap()], content].concat()
    };
    let content = [integer(&signature[..32]), integer(&signature[32..])].concat();
    signed_by(
        &good,
        &[vec![0x30, u8::try_from(content.len()).unwrap()], content].concat(),
    )
}

/// `token` with another signature.
fn signed_by(token: &str, signature: &[u8]) -> String {
    format!("{}.{}", token.rsplit_once('.').unwrap().0, base64url::encode(signature))
}
