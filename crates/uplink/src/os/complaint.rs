//! What the network says about a datagram that was sent: ICMP errors, as the kernel hands them on.
//!
//! With `IP_RECVERR` (ip(7)) the kernel keeps each ICMP error about a connected socket's datagrams
//! in a queue of its own, with its type and code and who said so. Without it only "port
//! unreachable" would be heard, as `ECONNREFUSED` from the next call.

use glasstack_stack::Unreachable;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd};

/// A datagram came to grief.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// What the sender on the stack is to be told.
    pub(crate) why: Unreachable,
    /// The router or host that said so; none if it was this machine.
    pub(crate) said_by: Option<IpAddr>,
}

/// From now on the kernel keeps ICMP errors for [`complaints`].
pub(crate) fn keep(socket: &impl AsFd, peer: IpAddr) -> io::Result<()> {
    match peer {
        IpAddr::V4(_) => setsockopt(socket, sockopt::Ipv4RecvErr, &true)?,
        IpAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(())
}

/// The complaints behind an error that a call on `socket` has returned, oldest first: what the
/// kernel has kept or, if it has kept nothing, what the error itself says. An error that is no
/// complaint, as that a datagram was too long, makes none.
pub(crate) fn complaints(socket: &impl AsRawFd, error: &io::Error) -> Vec<Complaint> {
    let mut kept = Vec::new();
    // RFC 1122 4.1.3.3: every error is passed up. The queue is bounded by the kernel, and so is this.
    for _ in 0..64 {
        match next_kept(socket) {
            Ok(Some(complaint)) => kept.push(complaint),
            Ok(None) => {}
            Err(_) => break,
        }
    }
    if kept.is_empty() {
        kept.extend(meaning(error).map(|why| Complaint { why, said_by: None }));
    }
    kept
}

/// What an error number says of the way to a peer; none if it says nothing about it.
pub(crate) fn meaning(error: &io::Error) -> Option<Unreachable> {
    Some(match Errno::from_raw(error.raw_os_error()?) {
        Errno::ECONNREFUSED => Unreachable::Port,
        // Linux tells the codes 1, 5 to 8, 11 and 12 of RFC 1122 3.2.2.1 no further apart.
        Errno::EHOSTUNREACH | Errno::EHOSTDOWN => Unreachable::Host,
        Errno::ENETUNREACH | Errno::ENETDOWN => Unreachable::Network,
        // A local firewall says EPERM, a `prohibit` route EACCES.
        Errno::EACCES | Errno::EPERM => Unreachable::Prohibited,
        _ => return None,
    })
}

/// The next complaint in the kernel's queue; none inside if it is of no concern here.
fn next_kept(socket: &impl AsRawFd) -> nix::Result<Option<Complaint>> {
    let mut quoted = [0; 64];
    let mut parts = [IoSliceMut::new(&mut quoted)];
    let mut control = [0; 256];
    let message = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut control),
        MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT,
    )?;
    for item in message.cmsgs()? {
        match item {
            ControlMessageOwned::Ipv4RecvErr(error, offender) => {
                let said_by =
                    offender.map(|address| IpAddr::V4(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr))));
                let why = match error.ee_origin {
                    ORIGIN_ICMP => icmp(error.ee_type, error.ee_code),
                    _ => local(error.ee_errno),
                };
                return Ok(why.map(|why| Complaint { why, said_by }));
            }
            ControlMessageOwned::Ipv6RecvErr(error, offender) => {
                let said_by = offender.map(|address| IpAddr::V6(Ipv6Addr::from(address.sin6_addr.s6_addr)));
                let why = local(error.ee_errno);
                return Ok(why.map(|why| Complaint { why, said_by }));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// linux/errqueue.h: the error came in an ICMP message.
const ORIGIN_ICMP: u8 = 2;

fn local(errno: u32) -> Option<Unreachable> {
    meaning(&io::Error::from_raw_os_error(i32::try_from(errno).ok()?))
}

/// What the ICMP error of this type and code becomes on the stack's side of the gateway.
fn icmp(kind: u8, code: u8) -> Option<Unreachable> {
    match (kind, code) {
        // RFC 792, RFC 1122 3.2.2.1: network unreachable, unknown, or not for this type of service.
        (3, 0 | 6 | 11) => Some(Unreachable::Network),
        // RFC 792: the host takes no such protocol, or nobody there has the port.
        (3, 2 | 3) => Some(Unreachable::Port),
        // RFC 1191: too long for a link on the way. The kernel remembers that, and fragments.
        (3, 4) => None,
        // RFC 1122 3.2.2.1, RFC 1812 5.2.7.1: forbidden, for the network, the host, or by a filter.
        (3, 9 | 10 | 13) => Some(Unreachable::Prohibited),
        (3, _) => Some(Unreachable::Host),
        // RFC 792: out of hops. (Code 1, a fragment too many lost, is the same to the sender.)
        (11, _) => Some(Unreachable::TimeExceeded),
        // Source quench is dead (RFC 6633); parameter problems are the kernel's own doing.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_icmp_error_keeps_its_meaning_across_the_gateway() {
        assert_eq!(icmp(3, 0), Some(Unreachable::Network));
        assert_eq!(icmp(3, 1), Some(Unreachable::Host));
        assert_eq!(icmp(3, 3), Some(Unreachable::Port));
        assert_eq!(icmp(3, 13), Some(Unreachable::Prohibited));
        assert_eq!(icmp(11, 0), Some(Unreachable::TimeExceeded));
        assert_eq!(icmp(3, 4), None, "the kernel sees to the path's MTU itself");
    }

    #[test]
    fn an_error_number_that_says_nothing_of_the_way_is_no_complaint() {
        let of = |errno: Errno| meaning(&io::Error::from(errno));
        assert_eq!(of(Errno::ECONNREFUSED), Some(Unreachable::Port));
        assert_eq!(of(Errno::EPERM), Some(Unreachable::Prohibited));
        assert_eq!(of(Errno::EMSGSIZE), None);
        assert_eq!(meaning(&io::Error::other("no number at all")), None);
    }
}
