//! What the library calls each algorithm (RFC 7518 §3.3, §3.4, §3.5; RFC 8037 §3.1), and which public keys are safe.

use super::kinds::without_leading_zeros;
use super::{Algorithm, KeyRejected, ParsedPublicKey, PublicKey, RsaPublicKeyComponents, signature};

/// How an RSA key of this algorithm pads and hashes; `None` of one that is not RSA's.
pub(super) fn padding(algorithm: Algorithm) -> Option<&'static signature::RsaSignatureEncoding> {
    Some(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 | Algorithm::EdDsa | Algorithm::Hs256 => return None,
    })
}

/// The curve that this algorithm signs on, with its hash; `None` of one that is not ECDSA.
pub(super) fn curve(algorithm: Algorithm) -> Option<&'static signature::EcdsaSigningAlgorithm> {
    Some(match algorithm {
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        Algorithm::Es512 => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::EdDsa
        | Algorithm::Hs256 => return None,
    })
}

/// A public key, ready to verify signatures of `algorithm`, which must be its kind's.
pub(super) fn parsed(algorithm: Algorithm, key: &PublicKey) -> Result<ParsedPublicKey, KeyRejected> {
    let other_kind = KeyRejected("the key is of another kind than its algorithm");
    match key {
        PublicKey::Rsa { n, e } => {
            let parameters = match algorithm {
                Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
                Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
                Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 | Algorithm::EdDsa | Algorithm::Hs256 => {
                    return Err(other_kind);
                }
            };
            rsa(parameters, n, e)
        }
        PublicKey::P256 { x, y } if algorithm == Algorithm::Es256 => {
            point(&signature::ECDSA_P256_SHA256_FIXED, x, y, "not a point on P-256")
        }
        PublicKey::P384 { x, y } if algorithm == Algorithm::Es384 => {
            point(&signature::ECDSA_P384_SHA384_FIXED, x, y, "not a point on P-384")
        }
        PublicKey::P521 { x, y } if algorithm == Algorithm::Es512 => {
            point(&signature::ECDSA_P521_SHA512_FIXED, x, y, "not a point on P-521")
        }
        PublicKey::Ed25519 { x } if algorithm == Algorithm::EdDsa => {
            ParsedPublicKey::new(&signature::ED25519, x).map_err(|_| KeyRejected("not an Ed25519 key"))
        }
        PublicKey::P256 { .. } | PublicKey::P384 { .. } | PublicKey::P521 { .. } | PublicKey::Ed25519 { .. } => {
            Err(other_kind)
        }
    }
}

/// A point in numbers, uncompressed (SEC 1 §2.3.3), if it is on its curve.
fn point(
    curve: &'static signature::EcdsaVerificationAlgorithm,
    x: &[u8],
    y: &[u8],
    elsewhere: &'static str,
) -> Result<ParsedPublicKey, KeyRejected> {
    ParsedPublicKey::new(curve, [[4].as_slice(), x, y].concat()).map_err(|_| KeyRejected(elsewhere))
}

/// An RSA public key of a size and exponent that are safe to use.
fn rsa(parameters: &'static signature::RsaParameters, n: &[u8], e: &[u8]) -> Result<ParsedPublicKey, KeyRejected> {
    let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err(KeyRejected("an RSA key has 2048 to 8192 bits"));
    }
    let exponent_is_odd = e.last().is_some_and(|last| last % 2 == 1);
    if !exponent_is_odd || e == [1] || e.len() > 4 {
        return Err(KeyRejected(
            "an RSA exponent is odd, at least 3 and at most 32 bits long",
        ));
    }
    RsaPublicKeyComponents { n, e }
        .to_parsed_public_key(parameters)
        .map_err(|_| KeyRejected("not an RSA key"))
}
