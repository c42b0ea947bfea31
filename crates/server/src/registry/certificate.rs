//! The self-signed certificate that stands beside a signing key in the JWKS (`x5c`, RFC 7517 §4.7): some
//! verifiers read the key from there. It vouches for nothing; the issuer's TLS does.

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, date_time_ymd};

use tokenhouse_protocol::crypto::{Algorithm, SigningKey};
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
