//! Ranges of addresses, IPv4 and IPv6, as `10.0.0.0/8`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// All addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressRange {
    address: IpAddr,
    length: u8,
}

/// A text is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressRangeError {
    /// No address before the slash.
    #[error("{0:?} is not an address or a range of addresses, as 10.0.0.0/8 or 2001:db8::/32")]
    Address(String),
    /// No length behind it, or too long a one.
    #[error("{0:?} has no length that fits: an IPv4 range has 0 to 32 bits, an IPv6 range 0 to 128")]
    Length(String),
}

impl AddressRange {
    /// The first `length` bits of `address`, which are at most all of them.
    pub fn new(address: IpAddr, length: u8) -> Self {
        let length = length.min(bits(address));
        Self { address: masked(address, length), length }
    }

    /// The lowest address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many bits are the same.
    pub fn length(&self) -> u8 {
        self.length
    }

    /// Whether `address` is in it; never one of the other version.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && masked(address, self.length) == self.address
    }
}

impl From<IpAddr> for AddressRange {
    /// The one address.
    fn from(address: IpAddr) -> Self {
        Self { address, length: bits(address) }
    }
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    fn from_str(text: &str) -> Result<Self, AddressRangeError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| AddressRangeError::Address(text.to_owned()))?;
        let length = match length {
            None => bits(address),
            Some(length) => match length.parse() {
                Ok(length) if length <= bits(address) => length,
                _ => return Err(AddressRangeError::Length(text.to_owned())),
            },
        };
        Ok(Self::new(address, length))
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(u32::from(32_u8.saturating_sub(length))).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(u32::from(128_u8.saturating_sub(length))).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_what_begins_as_it_does() {
        let range: AddressRange = "172.16.5.1/12".parse().unwrap();
        assert_eq!(range.to_string(), "172.16.0.0/12");
        assert!(range.contains("172.31.255.255".parse().unwrap()));
        assert!(!range.contains("172.32.0.0".parse().unwrap()));
        assert!(!range.contains("::ffff:172.16.0.1".parse().unwrap()));
        let all: AddressRange = "::/0".parse().unwrap();
        assert!(all.contains("2001:db8::1".parse().unwrap()));
        let one: AddressRange = "192.0.2.1".parse().unwrap();
        assert!(one.contains("192.0.2.1".parse().unwrap()) && !one.contains("192.0.2.2".parse().unwrap()));
    }

    #[test]
    fn what_is_wrong_with_a_range_is_said() {
        let error = |text: &str| text.parse::<AddressRange>().unwrap_err();
        assert_eq!(error("10/8"), AddressRangeError::Address("10/8".into()));
        assert_eq!(error("10.0.0.0/33"), AddressRangeError::Length("10.0.0.0/33".into()));
        assert_eq!(error("10.0.0.0/"), AddressRangeError::Length("10.0.0.0/".into()));
    }
}
