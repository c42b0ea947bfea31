//! The self-signed certificate that stands beside a signing key in the JWKS (`x5c`, RFC 7517 §4.7): some
//! verifiers read the key from there. It vouches for nothing; the issuer's TLS does. And the forms in which the
//! Management API shows it: PEM (RFC 7468), PKCS #7 (RFC 2315 §9.1) and its SHA-1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, date_time_ymd};

use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::{Algorithm, SigningKey, sha1};
use tokenhouse_protocol::time::Timestamp;

/// Years for which a certificate is made; the key is rotated long before.
const YEARS: i32 = 14;

/// The DER of a certificate for `key`, with the issuer's host as its subject.
pub fn self_signed(key: &SigningKey, host: &str, now: Timestamp) -> Result<Vec<u8>, String> {
    let algorithm = match key.algorithm() {
        Algorithm::Rs256 | Algorithm::Ps256 => &PKCS_RSA_SHA256,
        Algorithm::Es256 => &PKCS_ECDSA_P256_SHA256,
        Algorithm::EdDsa => &PKCS_ED25519,
        Algorithm::Hs256 => return Err("HS256 has no certificate".into()),
        Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::Es384
        | Algorithm::Es512 => return Err("the algorithm is none that Tokenhouse signs with".into()),
    };
    let pkcs8 = key.pkcs8();
    let private = pkcs8.as_slice().into();
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&private, algorithm).map_err(|error| error.to_string())?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, host);
    let today = now.civil();
    // A certificate of 29 February would end on a day that is not there: all begin on the first of their month.
    let (year, month) = (
        i32::try_from(today.year).unwrap_or(2000),
        u8::try_from(today.month).unwrap_or(1),
    );
    params.not_before = date_time_ymd(year, month, 1);
    params.not_after = date_time_ymd(year + YEARS, month, 1);
    params
        .self_signed(&pair)
        .map(|certificate| certificate.der().to_vec())
        .map_err(|error| error.to_string())
}

/// The DER of the certificate that a public JWK carries.
pub fn of_jwk(jwk: &Map<String, Value>) -> Option<Vec<u8>> {
    let text = jwk.get("x5c")?.get(0)?.as_str()?;
    STANDARD.decode(text).ok()
}

/// A certificate as it stands beside each application that Auth0's API shows.
pub fn shown(der: &[u8]) -> Value {
    json!({ "cert": pem(der), "pkcs7": pkcs7(der), "subject": "deprecated" })
}

/// A certificate as text.
pub fn pem(der: &[u8]) -> String {
    armoured("CERTIFICATE", der)
}

/// A certificate alone in an unsigned PKCS #7 message, as text.
pub fn pkcs7(der: &[u8]) -> String {
    const SIGNED_DATA: [u8; 11] = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    const DATA: [u8; 11] = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    let version = tagged(0x02, &[&[1]]);
    let nobody = tagged(0x31, &[]);
    let content = tagged(0x30, &[&DATA]);
    let certificates = tagged(0xa0, &[der]);
    let signed = tagged(0x30, &[&version, &nobody, &content, &certificates, &nobody]);
    let message = tagged(0x30, &[&SIGNED_DATA, &tagged(0xa0, &[&signed])]);
    armoured("PKCS7", &message)
}

/// A certificate's SHA-1 in hexadecimal with colons.
pub fn fingerprint(der: &[u8]) -> String {
    let bytes: Vec<String> = sha1(der).iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

/// A DER value (X.690 §8.1) of these parts.
fn tagged(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let digits: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut value = vec![tag];
    match digits.as_slice() {
        [] => value.push(0),
        [short] if *short < 0x80 => value.push(*short),
        long => {
            value.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            value.extend(long);
        }
    }
    value.extend(content);
    value
}

/// RFC 7468 §2, with the line ends that Auth0 writes.
fn armoured(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut lines = vec![format!("-----BEGIN {label}-----")];
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        lines.push(line.to_owned());
        rest = after;
    }
    lines.push(format!("-----END {label}-----\r\n"));
    lines.join("\r\n")
}
