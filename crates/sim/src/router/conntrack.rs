//! Connections, followed from outside (RFC 6146 3.5 is the model of the TCP states, RFC 5382 5 and
//! RFC 4787 4.3 of the timeouts). The NAT and the packet filter share them.

use super::answers::flag;
use super::nat::Timeouts;
use super::packet::{ICMP, TCP};
use super::tuple::Tuple;
use glasstack_journal::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// Connections at most.
const MOST: usize = 16_384;

/// Which way, seen from the packet that began the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Heading {
    Forth,
    Back,
}

impl Heading {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Forth => Self::Back,
            Self::Back => Self::Forth,
        }
    }
}

/// A connection, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(u64);

/// An outside port of the NAT: protocol and port.
pub(super) type OutsidePort = (u8, u16);

/// What a connection begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// Its first packet, as it came.
    pub(super) forth: Tuple,
    /// Its answers, as they will come.
    pub(super) back: Tuple,
    /// The mappings that it uses.
    pub(super) mappings: Vec<OutsidePort>,
    /// Which heading leads outside, and so keeps a mapping alive; none: both do.
    pub(super) outbound: Option<Heading>,
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) beginning: Beginning,
    /// Something has come back.
    pub(super) answered: bool,
    tcp: TcpState,
    expires: Instant,
}

/// Where a TCP connection is, as far as can be seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TcpState {
    /// A SYN has gone forth.
    Opening,
    /// A SYN has come back.
    Answered,
    Established,
    /// A FIN has gone forth, or come back.
    HalfClosed(Heading),
    /// Both have.
    Closing,
    /// A RST has passed. Whoever sends on shows that it was not believed.
    Reset,
}

impl Connection {
    /// A packet of this heading arrives with this tuple.
    pub(super) fn arrives(&self, heading: Heading) -> Tuple {
        match heading {
            Heading::Forth => self.beginning.forth,
            Heading::Back => self.beginning.back,
        }
    }

    /// A packet of this heading goes on with this tuple.
    pub(super) fn leaves(&self, heading: Heading) -> Tuple {
        self.arrives(heading.other()).reversed()
    }
}

impl TcpState {
    /// RFC 6146 3.5.2.2, with an opening that counts as established only once it is acknowledged.
    fn after(self, heading: Heading, flags: u8) -> Self {
        let (syn, fin) = (flags & flag::SYN != 0, flags & flag::FIN != 0);
        if flags & flag::RST != 0 {
            return Self::Reset;
        }
        match self {
            Self::Opening if syn && heading == Heading::Back => Self::Answered,
            Self::Opening => Self::Opening,
            Self::Answered if syn => Self::Answered,
            // The same ports once more: a new connection.
            Self::Closing | Self::Reset if syn && heading == Heading::Forth => Self::Opening,
            Self::Answered | Self::Established | Self::Reset if fin => Self::HalfClosed(heading),
            Self::Answered | Self::Established | Self::Reset => Self::Established,
            Self::HalfClosed(first) if fin && first != heading => Self::Closing,
            Self::HalfClosed(first) => Self::HalfClosed(first),
            Self::Closing => Self::Closing,
        }
    }

    fn lasts(self, timeouts: &Timeouts) -> Duration {
        match self {
            Self::Established | Self::HalfClosed(_) => timeouts.tcp_established,
            Self::Opening | Self::Answered | Self::Closing | Self::Reset => timeouts.tcp_transitory,
        }
    }
}

/// All connections.
#[derive(Debug)]
pub(super) struct Conntrack {
    timeouts: Timeouts,
    next: u64,
    connections: BTreeMap<Number, Connection>,
    by_tuple: BTreeMap<Tuple, (Number, Heading)>,
    by_expiry: BTreeSet<(Instant, Number)>,
}

/// Why a connection is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotFollowed {
    /// There are as many as there may be.
    Full,
    /// Another has the same ports.
    Taken,
}

impl Conntrack {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        Self {
            timeouts,
            next: 0,
            connections: BTreeMap::new(),
            by_tuple: BTreeMap::new(),
            by_expiry: BTreeSet::new(),
        }
    }

    /// The connection that a packet with this tuple is a part of, as it arrives.
    pub(super) fn find(&self, arrives: &Tuple) -> Option<(Number, Heading, &Connection)> {
        let (number, heading) = *self.by_tuple.get(arrives)?;
        Some((number, heading, self.connections.get(&number)?))
    }

    /// Whether a mapping's holder has a connection with any port of `remote`.
    pub(super) fn knows(&self, protocol: u8, remote: Ipv4Addr, outside: SocketAddrV4) -> bool {
        let from = |port| Tuple {
            protocol,
            source: SocketAddrV4::new(remote, port),
            destination: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
        };
        let last = Tuple { destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, u16::MAX), ..from(u16::MAX) };
        self.by_tuple.range(from(0)..=last).any(|(tuple, _)| tuple.destination == outside)
    }

    /// Follows one more.
    pub(super) fn begin(&mut self, beginning: Beginning, flags: u8, now: Instant) -> Result<(), NotFollowed> {
        if self.connections.len() >= MOST {
            return Err(NotFollowed::Full);
        }
        let tuples = [(beginning.forth, Heading::Forth), (beginning.back, Heading::Back)];
        if tuples.iter().any(|(tuple, _)| self.by_tuple.contains_key(tuple)) {
            return Err(NotFollowed::Taken);
        }
        let number = Number(self.next);
        self.next += 1;
        for (tuple, heading) in tuples {
            self.by_tuple.insert(tuple, (number, heading));
        }
        let tcp = TcpState::Opening;
        let connection = Connection { beginning, answered: false, tcp, expires: Instant::MAX };
        self.by_expiry.insert((connection.expires, number));
        self.connections.insert(number, connection);
        self.passed(number, Heading::Forth, flags, now);
        Ok(())
    }

    /// A packet of a connection has passed.
    pub(super) fn passed(&mut self, number: Number, heading: Heading, flags: u8, now: Instant) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        connection.answered |= heading == Heading::Back;
        let refreshes = connection.beginning.outbound.is_none_or(|outbound| outbound == heading);
        let lasts = match connection.beginning.forth.protocol {
            TCP => {
                connection.tcp = connection.tcp.after(heading, flags);
                Some(connection.tcp.lasts(&self.timeouts))
            }
            // RFC 4787 REQ-6: by what leaves; what comes in could be kept coming by anybody.
            ICMP => refreshes.then_some(self.timeouts.icmp),
            _ => refreshes.then_some(self.timeouts.udp),
        };
        // What begins from outside lives from its first packet on.
        let is_new = connection.expires == Instant::MAX;
        let Some(lasts) = lasts.or(is_new.then_some(self.timeouts.udp)) else { return };
        self.by_expiry.remove(&(connection.expires, number));
        connection.expires = now + lasts;
        self.by_expiry.insert((connection.expires, number));
    }

    /// Those that were silent for too long, the longest first; they are followed no more.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Connection> {
        let mut expired = Vec::new();
        while let Some((at, number)) = self.by_expiry.first().copied().filter(|(at, _)| *at <= now) {
            self.by_expiry.remove(&(at, number));
            let Some(connection) = self.connections.remove(&number) else { continue };
            self.by_tuple.remove(&connection.beginning.forth);
            self.by_tuple.remove(&connection.beginning.back);
            expired.push(connection);
        }
        expired
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.by_expiry.first().map(|(at, _)| *at)
    }
}
