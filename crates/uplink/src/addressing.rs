//! Who has which address on the link between the kernel and us.
//!
//! The kernel's side of a TAP or TUN has the first address of the subnet and is our gateway; the
//! stack has the next one:
//!
//! ```text
//!   kernel, glass0: 10.71.83.1/24 ---- TAP ---- 10.71.83.2/24: the stack, default via 10.71.83.1
//! ```
//!
//! A device that was prepared with another address takes its subnet along. What the user asks for
//! (`--addr`, `--gateway`) always wins.

use glasstack_journal::event::MacAddress;
use glasstack_stack::{ConfigError, HostConfig, Prefix};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

/// The subnets tried for a device without an address: 10.71.83.0/24 and, where that is taken, the
/// next one up to 10.71.98.0/24.
const DEFAULT_SUBNETS: std::ops::RangeInclusive<u8> = 83..=98;

/// An interface's address and the network it lies in, as `10.71.83.2/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The interface's own address.
    pub address: IpAddr,
    /// The length of the network prefix, in bits.
    pub prefix_len: u8,
}

/// Why a text is not an [`InterfaceAddress`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseInterfaceAddressError {
    /// No slash, or no numbers around it.
    #[error("`{0}` is not an address with a prefix length, as 10.0.0.2/24")]
    Form(String),
    /// IPv6 does not work here yet.
    #[error("`{0}` is IPv6, and this stack speaks only IPv4 so far")]
    Ipv6(String),
    /// Longer than the address.
    #[error("`{0}`: the prefix length goes from 0 to 32")]
    PrefixLength(String),
}

impl FromStr for InterfaceAddress {
    type Err = ParseInterfaceAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || ParseInterfaceAddressError::Form(text.to_owned());
        let (address, prefix_len) = text.split_once('/').ok_or_else(form)?;
        let address: IpAddr = address.parse().map_err(|_| form())?;
        if address.is_ipv6() {
            return Err(ParseInterfaceAddressError::Ipv6(text.to_owned()));
        }
        let prefix_len: u8 = prefix_len.parse().map_err(|_| form())?;
        if prefix_len > 32 {
            return Err(ParseInterfaceAddressError::PrefixLength(text.to_owned()));
        }
        Ok(Self { address, prefix_len })
    }
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

impl InterfaceAddress {
    fn prefix(&self) -> Option<Prefix> {
        match self.address {
            IpAddr::V4(address) => Prefix::new(address, self.prefix_len),
            IpAddr::V6(_) => None,
        }
    }

    /// Whether one of the two networks lies within the other.
    fn overlaps(&self, other: &Self) -> bool {
        match (self.prefix(), other.prefix()) {
            (Some(a), Some(b)) => a.contains(b.network()) || b.contains(a.network()),
            _ => false,
        }
    }

    /// The address that the stack gets where this one is the kernel's: the next one, or the one
    /// before where there is no next one.
    fn neighbour(&self) -> Option<Self> {
        let IpAddr::V4(own) = self.address else { return None };
        let next = own.to_bits().checked_add(1);
        let before = own.to_bits().checked_sub(1);
        self.first_host_of([next, before].into_iter().flatten())
    }

    /// The address that the kernel gets where this one is the stack's: its gateway's, if that is
    /// on the link, else the first of the network.
    pub(crate) fn host_side(&self, gateway: Option<IpAddr>) -> Option<Self> {
        let first = self.prefix()?.network().to_bits();
        let gateway = gateway.and_then(|gateway| match gateway {
            IpAddr::V4(gateway) => Some(gateway.to_bits()),
            IpAddr::V6(_) => None,
        });
        let firsts = (0..=2).filter_map(|offset| first.checked_add(offset));
        self.first_host_of(gateway.into_iter().chain(firsts))
    }

    /// The first of `candidates` that another host of this network may have.
    fn first_host_of(&self, candidates: impl Iterator<Item = u32>) -> Option<Self> {
        let prefix = self.prefix()?;
        // RFC 3021: both addresses of a /31 belong to hosts; else the first and the last do not.
        let may_have = |candidate: &Ipv4Addr| {
            prefix.contains(*candidate)
                && self.address != *candidate
                && (prefix.prefix_len() == 31 || *candidate != prefix.network())
                && prefix.broadcast() != Some(*candidate)
        };
        let address = candidates.map(Ipv4Addr::from_bits).find(may_have)?;
        Some(Self { address: address.into(), prefix_len: self.prefix_len })
    }
}

/// The stack's own address and its gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addressing {
    /// The stack's address.
    pub stack: InterfaceAddress,
    /// Who gets what is not on the link.
    pub gateway: Option<IpAddr>,
}

/// No address for the stack follows from what is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressingError {
    /// The kernel's side has no address to derive ours from.
    #[error("the device has no address on the kernel's side: say `--addr CIDR` (and `--gateway IP`)")]
    NoHostSide,
    /// The kernel's side leaves no room.
    #[error("{0}, the kernel's side, leaves no address for the stack: say `--addr CIDR`")]
    NoRoom(InterfaceAddress),
    /// Both ends of a link cannot have the same address.
    #[error("{0} is the kernel's own address on this device: the stack needs another one")]
    Taken(IpAddr),
}

impl Addressing {
    /// The stack's address and gateway: as asked for, else as follows from the kernel's side of
    /// the link. The kernel is the gateway unless the user names another, or asked for an address
    /// in a subnet that the kernel is not on.
    pub fn choose(
        host_side: Option<InterfaceAddress>,
        address: Option<InterfaceAddress>,
        gateway: Option<IpAddr>,
    ) -> Result<Self, AddressingError> {
        let stack = match (address, host_side) {
            (Some(address), Some(host_side)) if address.address == host_side.address => {
                return Err(AddressingError::Taken(address.address));
            }
            (Some(address), _) => address,
            (None, Some(host_side)) => host_side.neighbour().ok_or(AddressingError::NoRoom(host_side))?,
            (None, None) => return Err(AddressingError::NoHostSide),
        };
        let kernel = host_side.map(|side| side.address).filter(|kernel| match (kernel, stack.prefix()) {
            (IpAddr::V4(kernel), Some(prefix)) => prefix.contains(*kernel),
            _ => false,
        });
        Ok(Self { stack, gateway: gateway.or(kernel) })
    }

    /// A host with this address and gateway, and the MAC address of [`stack_mac`].
    pub fn host_config(&self, name: &str) -> Result<HostConfig, ConfigError> {
        let InterfaceAddress { address, prefix_len } = self.stack;
        HostConfig::new(name, stack_mac(address), address, prefix_len, self.gateway)
    }
}

/// The stack's MAC address, locally administered (IEEE 802c): `02:67` and the IPv4 address. It is
/// the same on every run, so that what the kernel's ARP cache remembers of the last run still
/// holds, and no two stacks on a link can have the same one.
pub fn stack_mac(address: IpAddr) -> MacAddress {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            MacAddress([0x02, 0x67, a, b, c, d])
        }
        IpAddr::V6(address) => {
            let [.., a, b, c, d] = address.octets();
            MacAddress([0x02, 0x66, a, b, c, d])
        }
    }
}

/// The kernel's side of a device that has no address yet: in the first default subnet that no
/// interface of this machine (`taken`) lies in.
pub(crate) fn default_host_side(taken: &[InterfaceAddress]) -> Option<InterfaceAddress> {
    DEFAULT_SUBNETS
        .map(|third| InterfaceAddress { address: Ipv4Addr::new(10, 71, third, 1).into(), prefix_len: 24 })
        .find(|candidate| !taken.iter().any(|other| other.overlaps(candidate)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> InterfaceAddress {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_stack_gets_the_address_after_the_kernels_and_the_kernel_is_its_gateway() {
        let chosen = Addressing::choose(Some(cidr("10.71.83.1/24")), None, None).unwrap();
        assert_eq!(chosen, Addressing { stack: cidr("10.71.83.2/24"), gateway: Some(ip("10.71.83.1")) });
    }

    #[test]
    fn the_stack_never_gets_a_network_or_broadcast_address() {
        let stack = |kernel| Addressing::choose(Some(cidr(kernel)), None, None).map(|a| a.stack.to_string());
        assert_eq!(stack("10.0.0.254/24").unwrap(), "10.0.0.253/24");
        assert_eq!(stack("10.0.0.1/30").unwrap(), "10.0.0.2/30");
        assert_eq!(stack("10.0.0.2/30").unwrap(), "10.0.0.1/30");
        assert_eq!(stack("10.0.0.1/31").unwrap(), "10.0.0.0/31");
        assert_eq!(stack("10.0.0.0/31").unwrap(), "10.0.0.1/31");
        assert_eq!(stack("10.0.0.1/32").unwrap_err(), AddressingError::NoRoom(cidr("10.0.0.1/32")));
        assert_eq!(stack("255.255.255.254/0").unwrap(), "255.255.255.253/0");
    }

    #[test]
    fn the_kernel_of_a_new_device_gets_the_gateways_address_or_the_first() {
        let kernel = |stack: &str, gateway: Option<&str>| {
            cidr(stack).host_side(gateway.map(ip)).map_or_else(|| "none".to_owned(), |side| side.to_string())
        };
        assert_eq!(kernel("10.0.0.2/24", Some("10.0.0.254")), "10.0.0.254/24");
        assert_eq!(kernel("10.0.0.2/24", None), "10.0.0.1/24");
        assert_eq!(kernel("10.0.0.1/24", None), "10.0.0.2/24");
        assert_eq!(kernel("10.0.0.2/24", Some("192.0.2.1")), "10.0.0.1/24");
        assert_eq!(kernel("10.0.0.2/24", Some("10.0.0.2")), "10.0.0.1/24");
        assert_eq!(kernel("10.0.0.1/31", None), "10.0.0.0/31");
        assert_eq!(kernel("10.0.0.1/32", None), "none");
    }

    #[test]
    fn what_the_user_asks_for_wins() {
        let kernel = Some(cidr("10.0.0.1/24"));
        let asked = Addressing::choose(kernel, Some(cidr("10.0.0.9/24")), Some(ip("10.0.0.5"))).unwrap();
        assert_eq!(asked, Addressing { stack: cidr("10.0.0.9/24"), gateway: Some(ip("10.0.0.5")) });
        let elsewhere = Addressing::choose(kernel, Some(cidr("192.168.1.9/24")), None).unwrap();
        assert_eq!(elsewhere.gateway, None, "the kernel is not on that subnet");
        let same = Addressing::choose(kernel, Some(cidr("10.0.0.1/24")), None);
        assert_eq!(same, Err(AddressingError::Taken(ip("10.0.0.1"))));
        assert_eq!(Addressing::choose(None, None, None), Err(AddressingError::NoHostSide));
    }

    #[test]
    fn a_taken_default_subnet_is_passed_over() {
        let first = |taken: &[&str]| {
            let taken: Vec<_> = taken.iter().map(|text| cidr(text)).collect();
            default_host_side(&taken).map(|side| side.to_string())
        };
        assert_eq!(first(&["127.0.0.1/8"]).unwrap(), "10.71.83.1/24");
        assert_eq!(first(&["10.71.83.200/26", "10.71.84.1/24"]).unwrap(), "10.71.85.1/24");
        assert_eq!(first(&["10.0.0.1/8"]), None);
    }

    #[test]
    fn what_is_not_an_address_with_a_prefix_length_is_refused() {
        let error = |text: &str| text.parse::<InterfaceAddress>().unwrap_err().to_string();
        for text in
            ["", "/", "10.0.0.1", "10.0.0/24", "10.0.0.1/", "10.0.0.1/x", "10.0.0.1/-1", "10.0.0.1/999"]
        {
            assert!(error(text).contains("as 10.0.0.2/24"), "{text}");
        }
        assert_eq!(error("10.0.0.1/33"), "`10.0.0.1/33`: the prefix length goes from 0 to 32");
        assert!(error("fd00::1/64").contains("only IPv4 so far"));
    }

    #[test]
    fn the_mac_address_shows_the_ip_address() {
        assert_eq!(stack_mac(ip("10.71.83.2")).to_string(), "02:67:0a:47:53:02");
    }
}
