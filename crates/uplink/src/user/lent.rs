//! IPv4 addresses that stand in for IPv6 ones: the stack speaks IPv4, and the machine may speak both.
//!
//! They are those of RFC 2544 (198.18.0.0/16), which no host of the Internet has, and mean something between the
//! client and its gateway alone. Class E would be rarer still, but is no address to a host (RFC 1122 3.2.1.3).

use super::flows::lock;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;

/// The first of them.
const FIRST: u32 = 0xc612_0000;
/// How many are lent at a time; then the one lent first is somebody else's.
const LENT: u32 = 65_536;

/// Who stands in for whom.
#[derive(Default)]
pub(super) struct Lent {
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    stand_ins: BTreeMap<Ipv6Addr, Ipv4Addr>,
    owners: BTreeMap<Ipv4Addr, Ipv6Addr>,
    lent: u32,
}

impl Lent {
    /// The address that stands in for `address`, the same every time as long as it is lent.
    pub(super) fn lend(&self, address: Ipv6Addr) -> Ipv4Addr {
        // RFC 4291 2.5.5.2: it is an IPv4 address anyway.
        if let Some(address) = address.to_ipv4_mapped() {
            return address;
        }
        let mut book = lock(&self.book);
        if let Some(stand_in) = book.stand_ins.get(&address) {
            return *stand_in;
        }
        let stand_in = Ipv4Addr::from_bits(FIRST + book.lent % LENT);
        book.lent = book.lent.wrapping_add(1);
        if let Some(before) = book.owners.insert(stand_in, address) {
            book.stand_ins.remove(&before);
        }
        book.stand_ins.insert(address, stand_in);
        stand_in
    }

    /// Whom `stand_in` stands in for.
    pub(super) fn owner(&self, stand_in: Ipv4Addr) -> Option<Ipv6Addr> {
        lock(&self.book).owners.get(&stand_in).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> Ipv6Addr {
        Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(number))
    }

    #[test]
    fn an_address_has_the_same_stand_in_until_all_have_been_lent_once_more() {
        let lent = Lent::default();
        let first = lent.lend(address(1));
        assert_eq!(first, Ipv4Addr::new(198, 18, 0, 0));
        assert_eq!((lent.lend(address(2)), lent.lend(address(1))), (Ipv4Addr::new(198, 18, 0, 1), first));
        assert_eq!(lent.owner(first), Some(address(1)));
        for number in 3..=LENT + 1 {
            lent.lend(address(number));
        }
        assert_eq!(lent.owner(first), Some(address(LENT + 1)), "the first is somebody else's");
        assert_ne!(lent.lend(address(1)), first);
        assert_eq!(lent.owner(Ipv4Addr::new(192, 0, 2, 1)), None);
    }

    #[test]
    fn a_mapped_address_stands_for_itself() {
        let mapped = Ipv4Addr::new(192, 0, 2, 7).to_ipv6_mapped();
        assert_eq!(Lent::default().lend(mapped), Ipv4Addr::new(192, 0, 2, 7));
    }
}
