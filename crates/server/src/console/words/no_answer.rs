//! Why a call from the console got no answer, in words that say what to do about it.

use std::fmt;

use crate::console::outbound::Failure;

/// Writes why there is no answer, and what to do about it.
pub(in crate::console) fn write(f: &mut fmt::Formatter<'_>, failure: &Failure) -> fmt::Result {
    match failure {
        Failure::Address(why) => write!(f, "This cannot be sent: {why}."),
        Failure::TooLong => {
            f.write_str("This cannot be sent: the URL may have 4096 bytes, the headers and the body 64 KiB each.")
        }
        Failure::Forbidden {
            host,
            address,
            kind,
            is_negotiable,
        } => {
            let literal = address.to_string();
            if host.trim_matches(['[', ']']) == literal {
                write!(f, "{literal} is not called from here: it is {kind}.")?;
            } else {
                write!(
                    f,
                    "{host} stands for {literal}, which is not called from here: it is {kind}."
                )?;
            }
            if *is_negotiable {
                f.write_str(
                    " Whoever runs this server can allow such addresses: allow_private_addresses = true in the \
                         section [console] of its configuration.",
                )?;
            }
            Ok(())
        }
        Failure::Unknown { host, why } => {
            write!(
                f,
                "No machine of the name {host} was found ({why}). Check how it is spelled."
            )
        }
        Failure::Refused => f.write_str(
            "Nobody listens there: the connection was refused. Start your API, and check the port. The call is made \
                 by this server, so localhost is the machine on which Tokenhouse runs.",
        ),
        Failure::Tls(why) => write!(
            f,
            "No secure connection came about: {why}. Check that the URL's host is in the certificate and that this \
                 server trusts its authority."
        ),
        Failure::Timeout => f.write_str(
            "No answer came in time. Check that the API runs and that no firewall is between it and this server.",
        ),
        Failure::Protocol(why) => write!(
            f,
            "What answered is not HTTP, or hung up: {why}. Check the port, and whether it wants https or http."
        ),
        Failure::Busy => f.write_str("Too many calls are being made from here. Try again in a moment."),
        Failure::Unusable(why) => write!(f, "No call can be made from this server: {why}."),
    }
}
