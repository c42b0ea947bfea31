//! A host as requests name it in their `Host` header, by which they find their tenant (RFC 9110 §7.2).

use std::net::Ipv6Addr;

use crate::tenant::without_port;

/// Longest name of a host, and longest part of one between two dots, in characters (RFC 1035 §2.3.4).
const MAX_NAME_CHARS: usize = 253;
const MAX_LABEL_CHARS: usize = 63;

/// Takes a host with or without a port, and answers it as tenants are found by it: without a port that http or https has
/// anyway, an IPv6 address in brackets.
///
/// Refuses what no request can name, such as a URL, a wildcard or capital letters; the text says how to write it.
pub fn checked(text: &str) -> Result<String, String> {
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Ok(format!("[{address}]"));
    }
    let name = without_port(text);
    let port = text.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_name = match address {
        Some(address) => address.parse::<Ipv6Addr>().is_ok() && !address.contains(char::is_uppercase),
        None => name.len() <= MAX_NAME_CHARS && name.split('.').all(is_label),
    };
    if is_name && port.is_none_or(is_port) {
        return Ok(without_usual_port(text).to_owned());
    }
    Err(format!(
        "{text:?} is no host: write it like auth.example.com or auth.example.com:8443"
    ))
}

/// A host without a port that http or https has anyway, which is the same host (RFC 9110 §4.2.3).
pub fn without_usual_port(host: &str) -> &str {
    let stripped = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80"));
    stripped.unwrap_or(host)
}

fn is_label(label: &str) -> bool {
    // Compose files name services with underscores.
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let is_short = !label.is_empty() && label.len() <= MAX_LABEL_CHARS;
    is_short && label.bytes().all(is_plain) && !label.starts_with('-') && !label.ends_with('-')
}

fn is_port(port: &str) -> bool {
    !port.starts_with('0') && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_host_loses_a_usual_port_and_an_address_gets_its_brackets() {
        for (given, expected) in [
            ("login.acme.test", "login.acme.test"),
            ("login.acme.test:443", "login.acme.test"),
            ("login.acme.test:80", "login.acme.test"),
            ("login.acme.test:8443", "login.acme.test:8443"),
            ("auth_server", "auth_server"),
            ("192.0.2.1:4000", "192.0.2.1:4000"),
            ("fd00::2", "[fd00::2]"),
            ("fd00::443", "[fd00::443]"),
            ("[fd00::2]", "[fd00::2]"),
            ("[fd00::2]:443", "[fd00::2]"),
            ("[fd00::2]:4000", "[fd00::2]:4000"),
        ] {
            assert_eq!(checked(given).as_deref(), Ok(expected), "{given}");
        }
    }

    #[test]
    fn what_no_request_can_name_is_refused() {
        for bad in [
            "",
            "a b",
            "https://foo.test/",
            "foo.test/",
            "u@foo.test",
            "*.localhost",
            "Foo.test",
            "foo..test",
            ".test",
            "-foo.test",
            "foo.test:",
            "foo.test:0",
            "foo.test:99999",
            "foo.test:443:443",
            "[fd00::2",
            "[foo.test]",
            "[FD00::2]",
            "fd00::2]:4000",
            "bücher.example",
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_host_or_refused_and_a_host_stays_as_it_is(text in "[a-zA-Z0-9.:/@*_\\[\\] -]{0,40}") {
            if let Ok(host) = checked(&text) {
                prop_assert_eq!(checked(&host), Ok(host));
            }
        }
    }
}
