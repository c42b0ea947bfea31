//! Which addresses a call from the console may reach (RFC 6890 and IANA's registries of special addresses). Forms of
//! IPv6 that stand for an IPv4 address are judged by that one, or refused where the detour itself is another machine's.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::console::words::addresses;

/// How far calls from the console may reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Addresses of the public internet.
    Public,
    /// Also this machine and private networks.
    Private,
}

/// What kind of address it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is its name")]
pub enum Kind {
    Public,
    Loopback,
    /// RFC 1918, RFC 4193.
    Private,
    /// RFC 6598, which carriers use towards their customers and some clouds inside.
    Shared,
    LinkLocal,
    /// Where clouds tell a machine its own credentials.
    Metadata,
    Multicast,
    Unspecified,
    /// For documentation, benchmarks, tunnels, the future.
    Reserved,
}

/// Where clouds other than those at 169.254.169.254 answer a machine about itself.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];
/// The same over IPv6.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

/// Networks of IPv4 that are not the public internet: the first that an address is in says what it is.
const V4: [(Ipv4Addr, u32, Kind); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 32, Kind::Unspecified),
    (Ipv4Addr::new(0, 0, 0, 0), 8, Kind::Reserved),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Kind::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Kind::Shared),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Kind::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Kind::LinkLocal),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Kind::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Kind::Reserved),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Kind::Reserved),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Kind::Reserved),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Kind::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Kind::Reserved),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Kind::Reserved),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Kind::Reserved),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Kind::Multicast),
];

/// The same of IPv6, for addresses that stand for no IPv4 address. What is in none is not given out yet.
const V6: [(Ipv6Addr, u32, Kind); 11] = [
    (Ipv6Addr::UNSPECIFIED, 128, Kind::Unspecified),
    (Ipv6Addr::LOCALHOST, 128, Kind::Loopback),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Kind::Private),
    // Deprecated, and some networks have them still.
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, Kind::Private),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, Kind::LinkLocal),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, Kind::Multicast),
    // Teredo, benchmarks and others of the IETF's own.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Kind::Reserved),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, Kind::Reserved),
    // 6to4: somebody else's relay would carry it on to the IPv4 address inside.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Kind::Reserved),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Kind::Reserved),
    (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, Kind::Public),
];

impl Reach {
    /// Whether an address of this kind may be called.
    pub fn allows(self, kind: Kind) -> bool {
        match kind {
            Kind::Public => true,
            Kind::Loopback | Kind::Private | Kind::Shared => self == Self::Private,
            Kind::LinkLocal | Kind::Metadata | Kind::Multicast | Kind::Unspecified | Kind::Reserved => false,
        }
    }
}

impl Kind {
    /// What kind of address it is.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => of_v6(v6),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => addresses::PUBLIC,
            Self::Loopback => addresses::LOOPBACK,
            Self::Private => addresses::PRIVATE,
            Self::Shared => addresses::SHARED,
            Self::LinkLocal => addresses::LINK_LOCAL,
            Self::Metadata => addresses::METADATA,
            Self::Multicast => addresses::MULTICAST,
            Self::Unspecified => addresses::UNSPECIFIED,
            Self::Reserved => addresses::RESERVED,
        })
    }
}

fn of_v4(address: Ipv4Addr) -> Kind {
    if METADATA_V4.contains(&address) {
        return Kind::Metadata;
    }
    // 240.0.0.0/4, broadcast among it.
    if address.octets()[0] >= 240 {
        return Kind::Reserved;
    }
    let bits = address.to_bits();
    let found = V4.iter().find(|(network, length, _)| {
        let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
        bits & mask == network.to_bits()
    });
    found.map_or(Kind::Public, |(_, _, kind)| *kind)
}

fn of_v6(address: Ipv6Addr) -> Kind {
    if METADATA_V6.contains(&address) {
        return Kind::Metadata;
    }
    if let Some(inside) = inside(address) {
        return of_v4(inside);
    }
    match (of_network(address), isatap(address)) {
        (Kind::Public, Some(inside)) => of_v4(inside),
        (kind, _) => kind,
    }
}

fn of_network(address: Ipv6Addr) -> Kind {
    let bits = address.to_bits();
    let found = V6.iter().find(|(network, length, _)| {
        let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
        bits & mask == network.to_bits()
    });
    found.map_or(Kind::Reserved, |(_, _, kind)| *kind)
}

/// The IPv4 address that an IPv6 address is another way of writing.
fn inside(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        // Unspecified and loopback are no IPv4 addresses, though they look compatible.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Compatible, mapped, translated (RFC 4291 §2.5.5, RFC 2765 §2.1); NAT64 (RFC 6052 §2.1): in networks without
        // IPv4 every name comes out like that.
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => {
            Some(last(address))
        }
        _ => None,
    }
}

/// The IPv4 address to which a router of an IPv6 network hands on (RFC 5214 §6.1).
fn isatap(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => Some(last(address)),
        _ => None,
    }
}

/// Its last 32 bits.
fn last(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind(text: &str) -> Kind {
        Kind::of(text.parse().unwrap())
    }

    #[test]
    fn every_form_of_an_address_that_is_not_public_is_told_apart() {
        for (text, expected) in [
            ("127.0.0.1", Kind::Loopback),
            ("127.255.255.254", Kind::Loopback),
            ("10.1.2.3", Kind::Private),
            ("172.16.0.1", Kind::Private),
            ("172.31.255.255", Kind::Private),
            ("192.168.0.1", Kind::Private),
            ("100.64.0.1", Kind::Shared),
            ("100.127.255.255", Kind::Shared),
            ("100.100.100.200", Kind::Metadata),
            ("168.63.129.16", Kind::Metadata),
            ("169.254.169.254", Kind::Metadata),
            ("169.254.0.1", Kind::LinkLocal),
            ("0.0.0.0", Kind::Unspecified),
            ("0.1.2.3", Kind::Reserved),
            ("192.0.0.192", Kind::Reserved),
            ("198.18.0.1", Kind::Reserved),
            ("198.19.255.255", Kind::Reserved),
            ("224.0.0.1", Kind::Multicast),
            ("239.255.255.255", Kind::Multicast),
            ("240.0.0.1", Kind::Reserved),
            ("255.255.255.255", Kind::Reserved),
            ("::", Kind::Unspecified),
            ("::1", Kind::Loopback),
            ("fc00::1", Kind::Private),
            ("fd00:ec2::254", Kind::Metadata),
            ("fe80::1", Kind::LinkLocal),
            ("fec0::1", Kind::Private),
            ("ff02::1", Kind::Multicast),
            // Mapped, compatible, translated, NAT64, ISATAP.
            ("::ffff:127.0.0.1", Kind::Loopback),
            ("::ffff:10.0.0.1", Kind::Private),
            ("::ffff:169.254.169.254", Kind::Metadata),
            ("::127.0.0.1", Kind::Loopback),
            ("::ffff:0:192.168.0.1", Kind::Private),
            ("64:ff9b::127.0.0.1", Kind::Loopback),
            ("64:ff9b::a9fe:a9fe", Kind::Metadata),
            ("64:ff9b:1::7f00:1", Kind::Reserved),
            ("2a00:1::5efe:127.0.0.1", Kind::Loopback),
            ("fe80::5efe:10.0.0.1", Kind::LinkLocal),
            // 6to4 and Teredo with 127.0.0.1 inside, documentation, what nobody has.
            ("2002:7f00:1::1", Kind::Reserved),
            ("2001:0:4136:e378:8000:63bf:80ff:fffe", Kind::Reserved),
            ("2001:db8::1", Kind::Reserved),
            ("3fff::1", Kind::Reserved),
            ("100::1", Kind::Reserved),
            ("4000::1", Kind::Reserved),
            ("5f00::1", Kind::Reserved),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    #[test]
    fn public_addresses_are_public_in_every_form() {
        let addresses = [
            "1.1.1.1",
            "93.184.216.34",
            "100.63.255.255",
            "172.32.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "64:ff9b::1.1.1.1",
            "::ffff:1.1.1.1",
        ];
        for text in addresses {
            assert_eq!(kind(text), Kind::Public, "{text}");
        }
    }

    #[test]
    fn private_reach_never_means_a_clouds_metadata() {
        for kind in [
            Kind::LinkLocal,
            Kind::Metadata,
            Kind::Multicast,
            Kind::Unspecified,
            Kind::Reserved,
        ] {
            assert!(!Reach::Private.allows(kind), "{kind:?}");
        }
        assert!(Reach::Private.allows(Kind::Loopback) && !Reach::Public.allows(Kind::Loopback));
    }

    proptest! {
        #[test]
        fn an_ipv4_address_is_of_one_kind_however_it_is_written(bits: u32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let nat64 = Ipv6Addr::from_bits((0x64_ff9b_u128 << 96) | u128::from(bits));
            prop_assert_eq!(Kind::of(v4.into()), Kind::of(v4.to_ipv6_mapped().into()));
            prop_assert_eq!(Kind::of(v4.into()), Kind::of(nat64.into()));
        }
    }
}
