//! The way of a packet through a router that follows connections: as everywhere (RFC 1812 5.2.1), and in
//! between it is found or begun, filtered and translated.
//!
//! ```text
//!   arrival --> whose? --> where to? --> TTL, MTU --> filter --> follow --> translate --> on
//!                 |          |                          |          |
//!              nobody's   no route                  forbidden    no room
//! ```
//!
//! The packet stays as it came until the very end, so every ICMP error quotes what its sender has sent.

use super::answers::{self, IcmpError, icmp};
use super::conntrack::{Beginning, Conntrack, Heading, NotFollowed, Number};
use super::filter::{Action, Filter, Look};
use super::forward::Arrival;
use super::mappings::Mappings;
use super::nat::{Filtering, Forward, NatConfig, Timeouts};
use super::packet::{ICMP, Packet, TCP, UDP, byte};
use super::pieces::{Datagram, Fate, Pieces};
use super::routes::Row;
use super::translate::{translate, translate_addresses, translate_error};
use super::tuple::{Subject, Tuple, protocol_name};
use super::{Router, discard};
use crate::entropy::Rng;
use crate::node::NodeContext;
use glasstack_journal::Instant;
use glasstack_journal::event::{DropReason, Nat};
use std::net::{Ipv4Addr, SocketAddrV4};

/// What a router knows that follows connections.
pub(super) struct Passages {
    pub(super) conntrack: Conntrack,
    pub(super) mappings: Option<Mappings>,
    pub(super) filter: Option<Filter>,
    pub(super) pieces: Pieces,
}

/// What is to be done with a packet.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// Nothing but to forward it.
    Plain,
    /// It is part of a connection.
    Known { number: Number, heading: Heading, flags: u8, answered: bool, to: Tuple },
    /// It begins one. `inside` is who has the port outside that it was sent to.
    New { tuple: Tuple, flags: u8, inside: Option<SocketAddrV4> },
    /// It is an ICMP error about a connection's packet; `quoted` is what that was for its sender.
    Error { source: Option<Ipv4Addr>, quoted: Tuple },
    /// It follows the first fragment of its datagram.
    Piece { source: Ipv4Addr, destination: Ipv4Addr },
}

/// Why a packet goes no further.
type Refusal = (DropReason, String);

impl Plan {
    /// Where the packet goes on to.
    pub(super) fn destination(&self, packet: &Packet) -> Ipv4Addr {
        match self {
            Self::Plain | Self::New { inside: None, .. } => packet.destination(),
            Self::Known { to, .. } => *to.destination.ip(),
            Self::New { inside: Some(inside), .. } => *inside.ip(),
            Self::Error { quoted, .. } => *quoted.source.ip(),
            Self::Piece { destination, .. } => *destination,
        }
    }
}

impl Passages {
    /// What is to be done with a packet that is not a later fragment. None: it is the router's own business.
    fn plan(&self, arrival: &Arrival, is_own: bool) -> Result<Option<Plan>, Refusal> {
        let packet = &arrival.packet;
        if is_own && self.is_local(arrival) {
            return Ok(None);
        }
        match Subject::of(packet) {
            Err(refusal) => Err(refusal),
            Ok(Subject::Error { quoted }) => self.plan_error(arrival, quoted).map(Some),
            Ok(Subject::Flow { tuple, opens, flags }) => {
                if let Some((number, heading, connection)) = self.conntrack.find(&tuple) {
                    let (answered, to) = (connection.answered, connection.leaves(heading));
                    return Ok(Some(Plan::Known { number, heading, flags, answered, to }));
                }
                self.plan_new(arrival, tuple, opens, flags, is_own)
            }
        }
    }

    /// Whether a packet to one of the router's own addresses cannot be anybody else's.
    fn is_local(&self, arrival: &Arrival) -> bool {
        self.mappings.as_ref().is_none_or(|mappings| {
            arrival.packet.destination() != mappings.address && arrival.port != mappings.config.outside
        })
    }

    fn plan_new(
        &self,
        arrival: &Arrival,
        tuple: Tuple,
        opens: bool,
        flags: u8,
        is_own: bool,
    ) -> Result<Option<Plan>, Refusal> {
        let Some(mappings) = self.mappings.as_ref().filter(|_| is_own) else {
            return match opens {
                true => Ok(Some(Plan::New { tuple, flags, inside: None })),
                false => Err((DropReason::NoConnection, tuple.to_string())),
            };
        };
        let from_outside = arrival.port == mappings.config.outside;
        let unasked = |why: &str| Err((DropReason::NatUnasked, format!("{tuple}: {why}")));
        if *tuple.destination.ip() != mappings.address {
            return unasked("an address of the inside");
        }
        let holder = match tuple.protocol {
            TCP | UDP => mappings.holder((tuple.protocol, tuple.destination.port())),
            _ => None,
        };
        match holder {
            // Its own echo requests the router answers itself.
            None if !from_outside || opens && tuple.protocol == ICMP => Ok(None),
            None => unasked("no mapping"),
            Some(_) if !opens => Err((DropReason::NoConnection, tuple.to_string())),
            Some(holder) if holder.is_forwarded || self.lets_in(mappings, &tuple, from_outside) => {
                Ok(Some(Plan::New { tuple, flags, inside: Some(holder.inside) }))
            }
            Some(holder) => unasked(&format!("{} has not written to it", holder.inside)),
        }
    }

    /// RFC 4787 5: whether a stranger may use a mapping.
    fn lets_in(&self, mappings: &Mappings, tuple: &Tuple, from_outside: bool) -> bool {
        // REQ-9: who comes back to the inside comes from the address outside.
        let from = if from_outside { *tuple.source.ip() } else { mappings.address };
        match mappings.config.filtering {
            Filtering::EndpointIndependent => true,
            Filtering::AddressDependent => self.conntrack.knows(tuple.protocol, from, tuple.destination),
            // Then it would be part of a connection.
            Filtering::AddressAndPortDependent => false,
        }
    }

    /// RFC 5508 4: an error about a packet of a connection, quoted as it was where the error was made.
    fn plan_error(&self, arrival: &Arrival, quoted: Tuple) -> Result<Plan, Refusal> {
        let unmatched = || (DropReason::UnmatchedIcmp, format!("about {quoted}"));
        // RFC 1122 3.2.2.2: a redirect names a gateway on the link of its reader, and that is not behind this
        // router.
        if byte(arrival.packet.payload(), 0) == icmp::REDIRECT {
            return Err((DropReason::UnmatchedIcmp, format!("a redirect of {quoted} from another link")));
        }
        // The error travels as an answer to the quoted packet would.
        let (_, heading, connection) = self.conntrack.find(&quoted.reversed()).ok_or_else(unmatched)?;
        let sent = connection.arrives(heading.other());
        let own_end = *sent.destination.ip();
        let source = if arrival.packet.source() == *quoted.destination.ip() {
            // REQ-4, REQ-5: from the other end itself.
            Some(own_end)
        } else {
            // From a router on the way, whose address is translated only where it would show the inside.
            let outside = self.mappings.as_ref().filter(|mappings| mappings.config.outside != arrival.port);
            outside.filter(|mappings| own_end == mappings.address).map(|mappings| mappings.address)
        };
        Ok(Plan::Error { source, quoted: sent })
    }

    /// Lets a packet pass that goes on by `row`, changed as it must be.
    fn pass(
        &mut self,
        arrival: &mut Arrival,
        plan: &Plan,
        row: Row,
        rng: &mut Rng,
        context: &NodeContext<'_>,
    ) -> Result<(), Refusal> {
        let before = Subject::of(&arrival.packet);
        match plan {
            Plan::Plain => {}
            Plan::Piece { source, destination } => {
                translate_addresses(&mut arrival.packet, *source, *destination);
            }
            Plan::Error { source, quoted } => {
                let source = source.unwrap_or(arrival.packet.source());
                translate_error(&mut arrival.packet, source, *quoted.source.ip(), quoted);
            }
            Plan::Known { number, heading, flags, to, .. } => {
                self.conntrack.passed(*number, *heading, *flags, context.now());
                translate(&mut arrival.packet, to);
            }
            Plan::New { tuple, flags, inside } => {
                let to = self.begin(arrival, *tuple, *flags, *inside, row, rng, context)?;
                translate(&mut arrival.packet, &to);
            }
        }
        if let (Ok(before), Ok(after)) = (before, Subject::of(&arrival.packet)) {
            tell_translation(arrival, before, after, context);
        }
        Ok(())
    }

    /// A new connection: what its packets look like on the other side.
    #[allow(clippy::too_many_arguments, reason = "what a packet is, where it goes, and what it may use")]
    fn begin(
        &mut self,
        arrival: &Arrival,
        tuple: Tuple,
        flags: u8,
        inside: Option<SocketAddrV4>,
        row: Row,
        rng: &mut Rng,
        context: &NodeContext<'_>,
    ) -> Result<Tuple, Refusal> {
        let mut to = Tuple { destination: inside.unwrap_or(tuple.destination), ..tuple };
        let mut used = Vec::new();
        let mut outbound = None;
        if let Some(mappings) = &mut self.mappings {
            let outside = mappings.config.outside;
            let comes_in = arrival.port == outside;
            if inside.is_some() {
                used.push((tuple.protocol, tuple.destination.port()));
                outbound = comes_in.then_some(Heading::Back);
            } else if comes_in && row.port != outside {
                return Err((DropReason::NatUnasked, format!("{tuple}: an address of the inside")));
            }
            // RFC 4787 REQ-9: who comes back to the inside comes from the address outside, too.
            if !comes_in && (row.port == outside || inside.is_some()) {
                let mapped = map_source(mappings, &tuple, rng, context)?;
                used.push((tuple.protocol, mapped.port()));
                to.source = mapped;
                outbound = if inside.is_some() { None } else { Some(Heading::Forth) };
            }
        }
        let beginning = Beginning { forth: tuple, back: to.reversed(), mappings: used.clone(), outbound };
        let begun = self.conntrack.begin(beginning, flags, context.now());
        if let Some(mappings) = &mut self.mappings {
            used.iter().for_each(|key| mappings.hold(*key));
            if begun.is_err() {
                used.iter().for_each(|key| release(mappings, *key, context));
            }
        }
        match begun {
            Ok(()) => Ok(to),
            Err(NotFollowed::Full) => Err((DropReason::ConnectionsFull, tuple.to_string())),
            Err(NotFollowed::Taken) => {
                Err((DropReason::NatFull, format!("{tuple}: another connection has these ports")))
            }
        }
    }

    /// Ends what was silent for too long.
    fn expire(&mut self, now: Instant, context: &NodeContext<'_>) {
        for connection in self.conntrack.expire(now) {
            if let Some(mappings) = &mut self.mappings {
                connection.beginning.mappings.iter().for_each(|key| release(mappings, *key, context));
            }
        }
        for arrival in self.pieces.expire(now) {
            let detail = "the first fragment has never come".to_owned();
            discard(arrival.frame, DropReason::ReassemblyTimeout, detail, context);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.conntrack.next_deadline().into_iter().chain(self.pieces.next_deadline()).min()
    }
}

impl Router {
    /// What a router needs that translates or filters. The error says what is wrong with the words.
    pub(super) fn passages(
        &self,
        nat: Option<NatConfig>,
        forwards: &[Forward],
        filter: Option<Filter>,
    ) -> Result<Option<Passages>, String> {
        if let (None, Some(forward)) = (&nat, forwards.first()) {
            return Err(format!("`{forward}` needs a NAT"));
        }
        let ports = self.ports.len();
        let rules = filter.iter().flat_map(|filter| &filter.rules);
        if let Some(rule) = rules.into_iter().find(|rule| rule.in_by.max(rule.out_by) >= Some(ports)) {
            return Err(format!("`{rule}` names a port that is not there; there are {ports}, from 0"));
        }
        if nat.is_none() && filter.is_none() {
            return Ok(None);
        }
        let timeouts = nat.as_ref().map_or_else(Timeouts::default, |nat| nat.timeouts);
        let mappings = match nat {
            None => None,
            Some(nat) => {
                let outside = self.ports.get(nat.outside);
                let address = outside.ok_or(format!("a NAT to port {} of {ports}", nat.outside))?.address;
                let reserved = self.services.iter().map(|service| (UDP, service.udp_port())).collect();
                Some(Mappings::new(nat, address, forwards, reserved)?)
            }
        };
        let (conntrack, pieces) = (Conntrack::new(timeouts), Pieces::default());
        Ok(Some(Passages { conntrack, mappings, filter, pieces }))
    }

    /// The way of a packet that may be part of a connection, or of somebody's behind this router.
    pub(super) fn sort_followed(&mut self, arrival: Arrival, context: &mut NodeContext<'_>) {
        if arrival.packet.fragment_offset() != 0 {
            return self.follow_first(arrival, context);
        }
        let is_first = arrival.packet.is_fragment();
        let (datagram, now) = (Datagram::of(&arrival), context.now());
        let fate = self.go_followed(arrival, context);
        if let Some(passages) = self.passages.as_mut().filter(|_| is_first) {
            for waiting in passages.pieces.decide(datagram, fate, now) {
                self.follow_first(waiting, context);
            }
        }
    }

    fn go_followed(&mut self, arrival: Arrival, context: &mut NodeContext<'_>) -> Fate {
        let is_own = self.is_own(arrival.packet.destination());
        let Some(passages) = &self.passages else { return Fate::Stays };
        match passages.plan(&arrival, is_own) {
            Ok(Some(plan)) => self.route(arrival, &plan, context),
            Ok(None) => {
                self.on_own_packet(arrival, context);
                Fate::IsOurs
            }
            Err((reason, detail)) => {
                discard(arrival.frame, reason, detail, context);
                Fate::Stays
            }
        }
    }

    fn follow_first(&mut self, arrival: Arrival, context: &mut NodeContext<'_>) {
        let Some(passages) = &mut self.passages else { return };
        match passages.pieces.fate(&Datagram::of(&arrival)) {
            Some(Fate::Goes { source, destination }) => {
                self.route(arrival, &Plan::Piece { source, destination }, context);
            }
            Some(Fate::IsOurs) => self.on_own_packet(arrival, context),
            Some(Fate::Stays) => {
                let detail = "its first fragment went no further".to_owned();
                discard(arrival.frame, DropReason::BadFragment, detail, context);
            }
            None => {
                if let Some(arrival) = passages.pieces.wait(arrival, context.now()) {
                    let detail = "too many wait for their first".to_owned();
                    discard(arrival.frame, DropReason::ReassemblyFull, detail, context);
                }
            }
        }
    }

    /// Filters, follows and translates. False if the packet goes no further.
    pub(super) fn pass(
        &mut self,
        arrival: &mut Arrival,
        plan: &Plan,
        row: Row,
        context: &mut NodeContext<'_>,
    ) -> bool {
        let Some(passages) = &mut self.passages else { return true };
        let verdict = passages.filter.as_ref().and_then(|filter| {
            let look = look(arrival, plan, row.port)?;
            Some(filter.judge(&look)).filter(|verdict| verdict.action != Action::Allow)
        });
        if let Some(verdict) = verdict {
            discard(arrival.frame, DropReason::Filtered, verdict.why, context);
            if verdict.action == Action::Reject {
                self.reject(arrival, context);
            }
            return false;
        }
        match passages.pass(arrival, plan, row, &mut self.rng, context) {
            Ok(()) => true,
            Err((reason, detail)) => {
                discard(arrival.frame, reason, detail, context);
                false
            }
        }
    }

    /// Tells the sender that his packet is not wanted (RFC 1812 5.2.7.1; RFC 9293 3.10.7.1 for TCP).
    fn reject(&mut self, arrival: &Arrival, context: &mut NodeContext<'_>) {
        if arrival.packet.protocol() != TCP {
            return self.tell(arrival, IcmpError::Prohibited, context);
        }
        if let Some(reset) =
            answers::reset(&arrival.packet).filter(|_| answers::is_sound_tcp(&arrival.packet))
        {
            self.originate(reset, context);
        }
    }

    /// A packet as its sender had sent it, if it has been translated since.
    pub(super) fn restore(&self, packet: &mut Packet) {
        let Some(passages) = &self.passages else { return };
        let Ok(Subject::Flow { tuple, .. }) = Subject::of(packet) else { return };
        if let Some((_, heading, connection)) = passages.conntrack.find(&tuple.reversed()) {
            translate(packet, &connection.arrives(heading.other()));
        }
    }

    /// Does what is due.
    pub(super) fn poll_passages(&mut self, context: &NodeContext<'_>) {
        if let Some(passages) = &mut self.passages {
            passages.expire(context.now(), context);
        }
    }
}

/// What a filter sees of a packet; nothing of a later fragment, which follows its first.
fn look(arrival: &Arrival, plan: &Plan, out_by: usize) -> Option<Look> {
    let (tuple, established) = match plan {
        Plan::Plain | Plan::Piece { .. } => return None,
        Plan::Known { heading: Heading::Forth, answered, to, .. } => {
            let Ok(Subject::Flow { tuple, .. }) = Subject::of(&arrival.packet) else { return None };
            (Tuple { destination: to.destination, ..tuple }, *answered)
        }
        Plan::Known { to, .. } => (*to, true),
        Plan::New { tuple, inside, .. } => {
            (Tuple { destination: inside.unwrap_or(tuple.destination), ..*tuple }, false)
        }
        Plan::Error { quoted, .. } => {
            let source = SocketAddrV4::new(arrival.packet.source(), 0);
            let destination = SocketAddrV4::new(*quoted.source.ip(), 0);
            (Tuple { protocol: ICMP, source, destination }, true)
        }
    };
    Some(Look { tuple, established, in_by: arrival.port, out_by })
}

/// The address and port outside of a connection's beginner.
fn map_source(
    mappings: &mut Mappings,
    tuple: &Tuple,
    rng: &mut Rng,
    context: &NodeContext<'_>,
) -> Result<SocketAddrV4, Refusal> {
    let protocol = tuple.protocol;
    if ![TCP, UDP, ICMP].contains(&protocol) {
        return Err((DropReason::NatUntranslatable, tuple.to_string()));
    }
    let Some(mapped) = mappings.map(protocol, tuple.source, rng) else {
        return Err((DropReason::NatFull, tuple.to_string()));
    };
    let outside = SocketAddrV4::new(mappings.address, mapped.port);
    if let Some(why) = mapped.why {
        context.record(|| Nat::Mapped {
            protocol: protocol_name(protocol),
            inside: tuple.source,
            outside,
            why: why.to_owned(),
        });
    }
    Ok(outside)
}

fn release(mappings: &mut Mappings, key: (u8, u16), context: &NodeContext<'_>) {
    let Some(inside) = mappings.release(key) else { return };
    let outside = SocketAddrV4::new(mappings.address, key.1);
    context.record(|| Nat::Unmapped { protocol: protocol_name(key.0), inside, outside });
}

fn tell_translation(arrival: &Arrival, before: Subject, after: Subject, context: &NodeContext<'_>) {
    if before != after {
        let say = |subject: Subject| match subject {
            Subject::Flow { tuple, .. } => tuple.to_string(),
            Subject::Error { quoted } => format!("ICMP error about {quoted}"),
        };
        let frame = arrival.frame;
        context.record(|| Nat::Translated { frame, from: say(before), to: say(after) });
    }
}
