//! IP options (RFC 791 3.1): which of them a router reads, and what it writes into them.

use std::net::Ipv4Addr;

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const TIMESTAMP: u8 = 68;
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;
/// Option types with this bit stand in every fragment.
const COPIED: u8 = 0x80;
/// The options of the longest header.
const MOST_BYTES: usize = 40;

/// What a timestamp option asks for (RFC 791 3.1, "Internet Timestamp").
mod flag {
    /// Timestamps alone.
    pub(super) const TIMES: u8 = 0;
    /// Each behind an address.
    pub(super) const TIMES_AND_ADDRESSES: u8 = 1;
    /// Of the addresses that stand there already.
    pub(super) const OF_THESE_ADDRESSES: u8 = 3;
}

/// What of a packet's options concerns a router. Offsets count from the first option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The packet names its own way.
    pub(super) source_route: bool,
    record_route: Option<usize>,
    timestamp: Option<usize>,
}

/// What is written into a timestamp option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The address of the port that the packet came in by: the time is that of its coming.
    pub(super) by: Ipv4Addr,
    /// Milliseconds since midnight UT.
    pub(super) millis: u32,
}

/// Reads the options. The error is where they are wrong, counted from the first option (RFC 792,
/// "Parameter Problem": the pointer).
pub(super) fn read(options: &[u8]) -> Result<Found, usize> {
    let mut found = Found::default();
    let mut at = 0;
    while let Some(&kind) = options.get(at) {
        match kind {
            END => break,
            NO_OPERATION => {
                at += 1;
                continue;
            }
            _ => {}
        }
        let length = options.get(at + 1).map_or(0, |length| usize::from(*length));
        let option = options.get(at..at + length).filter(|_| length >= 2).ok_or(at)?;
        match kind {
            LOOSE_SOURCE_ROUTE | STRICT_SOURCE_ROUTE => {
                check(option, found.source_route, 3, 4).map_err(|offset| at + offset)?;
                found.source_route = true;
            }
            RECORD_ROUTE => {
                check(option, found.record_route.is_some(), 3, 4).map_err(|offset| at + offset)?;
                found.record_route = Some(at);
            }
            TIMESTAMP => {
                check(option, found.timestamp.is_some(), 4, 5).map_err(|offset| at + offset)?;
                check_timestamp(option).map_err(|offset| at + offset)?;
                found.timestamp = Some(at);
            }
            _ => {}
        }
        at += length;
    }
    Ok(found)
}

/// What is wrong with an option that holds a pointer: it is too short, has its like before it, or points
/// before or across its end. A pointer behind the end says that it is full.
fn check(option: &[u8], is_repeated: bool, shortest: usize, least_pointer: usize) -> Result<(), usize> {
    let pointer = pointer(option);
    if option.len() < shortest {
        Err(1)
    } else if pointer < least_pointer || pointer <= option.len() && pointer + 3 > option.len() {
        Err(2)
    } else if is_repeated {
        Err(0)
    } else {
        Ok(())
    }
}

fn check_timestamp(option: &[u8]) -> Result<(), usize> {
    let flags = option.get(3).copied().unwrap_or(0);
    let pointer = pointer(option);
    match flags & 15 {
        flag::TIMES => Ok(()),
        flag::TIMES_AND_ADDRESSES | flag::OF_THESE_ADDRESSES => {
            if pointer <= option.len() && pointer + 7 > option.len() { Err(2) } else { Ok(()) }
        }
        _ => Err(3),
    }
}

impl Found {
    /// Writes the router into those options that ask for it (RFC 1812 5.3.13): `out` is the address of the
    /// port that the packet leaves by.
    pub(super) fn write(
        self,
        options: &mut [u8],
        out: Ipv4Addr,
        stamp: Stamp,
        is_own: impl Fn(Ipv4Addr) -> bool,
    ) {
        if let Some(option) = self.record_route.and_then(|at| option_at(options, at)) {
            put(option, &out.octets());
        }
        let Some(option) = self.timestamp.and_then(|at| option_at(options, at)) else { return };
        let flags = option.get(3).copied().unwrap_or(0);
        let time = stamp.millis.to_be_bytes();
        let at = pointer(option).saturating_sub(1);
        match flags & 15 {
            flag::OF_THESE_ADDRESSES => {
                let next = option.get(at..at + 4).and_then(|octets| <[u8; 4]>::try_from(octets).ok());
                if let Some(next) = next.filter(|next| is_own(Ipv4Addr::from(*next))) {
                    put(option, &[next, time].concat());
                }
            }
            _ if at >= option.len() => {
                // Full: one more that could not register itself, up to 15.
                let missed = (flags >> 4).saturating_add(1).min(15);
                if let Some(byte) = option.get_mut(3) {
                    *byte = missed << 4 | flags & 15;
                }
            }
            flag::TIMES_AND_ADDRESSES => put(option, &[stamp.by.octets(), time].concat()),
            _ => put(option, &time),
        }
    }

    /// The options of an echo reply: those that record the way go on doing so (RFC 1812 4.3.3.6).
    pub(super) fn echoed(self, options: &[u8]) -> Vec<u8> {
        let mut echoed = Vec::with_capacity(MOST_BYTES);
        for at in [self.record_route, self.timestamp].into_iter().flatten() {
            let length = options.get(at + 1).map_or(0, |length| usize::from(*length));
            echoed.extend_from_slice(options.get(at..at + length).unwrap_or_default());
        }
        echoed.resize(echoed.len().next_multiple_of(4), END);
        echoed
    }
}

/// The options of all fragments but the first: those to be copied; "no operation" in the place of others.
pub(super) fn of_later_fragments(options: &[u8]) -> Vec<u8> {
    let mut later = options.to_vec();
    let mut at = 0;
    while let Some(&kind) = options.get(at) {
        let length = match kind {
            END => break,
            NO_OPERATION => 1,
            _ => options.get(at + 1).map_or(2, |length| usize::from(*length).max(2)),
        };
        if kind & COPIED == 0 {
            let end = (at + length).min(later.len());
            later.get_mut(at..end).unwrap_or_default().fill(NO_OPERATION);
        }
        at += length;
    }
    later
}

fn option_at(options: &mut [u8], at: usize) -> Option<&mut [u8]> {
    let length = usize::from(*options.get(at + 1)?);
    options.get_mut(at..at + length)
}

fn pointer(option: &[u8]) -> usize {
    option.get(2).map_or(0, |pointer| usize::from(*pointer))
}

/// Writes `data` where the option's pointer points, and moves the pointer on.
fn put(option: &mut [u8], data: &[u8]) {
    let at = pointer(option).saturating_sub(1);
    let Some(room) = option.get_mut(at..at + data.len()) else { return };
    room.copy_from_slice(data);
    if let Some(pointer) = option.get_mut(2) {
        *pointer = pointer.saturating_add(u8::try_from(data.len()).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 1);
    const IN: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 1);

    fn written(options: &[u8]) -> Vec<u8> {
        let mut written = options.to_vec();
        let stamp = Stamp { by: IN, millis: 0x0102_0304 };
        read(options).unwrap().write(&mut written, OWN, stamp, |address| address == OWN);
        written
    }

    #[test]
    fn a_router_writes_its_address_into_a_record_of_the_route_until_it_is_full() {
        assert_eq!(written(&[1, 7, 7, 4, 0, 0, 0, 0]), [1, 7, 7, 8, 10, 0, 2, 1]);
        let full = [7, 7, 8, 9, 9, 9, 9, 0];
        assert_eq!(written(&full), full);
    }

    #[test]
    fn a_router_writes_the_time_and_says_when_there_was_no_room() {
        assert_eq!(written(&[68, 8, 5, 0, 0, 0, 0, 0]), [68, 8, 9, 0, 1, 2, 3, 4]);
        assert_eq!(written(&[68, 8, 9, 0, 1, 2, 3, 4]), [68, 8, 9, 0x10, 1, 2, 3, 4]);
        let with_address = [68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(written(&with_address), [68, 12, 13, 1, 10, 0, 1, 1, 1, 2, 3, 4]);
    }

    #[test]
    fn a_time_that_is_asked_of_others_is_left_to_them() {
        let of_others = [68, 12, 5, 3, 10, 0, 9, 9, 0, 0, 0, 0];
        assert_eq!(written(&of_others), of_others);
        let of_us = [68, 12, 5, 3, 10, 0, 2, 1, 0, 0, 0, 0];
        assert_eq!(written(&of_us), [68, 12, 13, 3, 10, 0, 2, 1, 1, 2, 3, 4]);
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        assert_eq!(read(&[1, 7, 1, 0]), Err(1), "an option of one byte");
        assert_eq!(read(&[7, 9, 4, 0]), Err(0), "longer than the header");
        assert_eq!(read(&[7, 7, 3, 0, 0, 0, 0, 0]), Err(2), "points at itself");
        assert_eq!(read(&[7, 7, 6, 0, 0, 0, 0, 0]), Err(2), "points across its end");
        assert_eq!(read(&[68, 8, 5, 2, 0, 0, 0, 0]), Err(3), "a flag that is none");
        assert_eq!(read(&[7, 3, 4, 7, 3, 4, 0, 0]), Err(3), "twice");
        assert!(read(&[131, 7, 4, 10, 0, 0, 1, 0]).unwrap().source_route);
    }
}
