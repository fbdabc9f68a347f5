//! What a DHCP server answers (RFC 2131 4.3).

use super::message::{BadMessage, Kind, Message};
use super::{CLIENT_PORT, SERVER_PORT};
use crate::route::Prefix;
use glasstack_journal::Instant;
use glasstack_journal::event::{Dhcp, MacAddress};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long an offer keeps its address for the client that has not asked for it yet.
const OFFER_LASTS: Duration = Duration::from_secs(60);
/// How long an address that somebody was found to use already is given to nobody.
const DECLINED_LASTS: Duration = Duration::from_secs(600);
/// Clients that are remembered; an address each.
const MOST_LEASES: usize = 4096;

/// What a server gives.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The server's own address.
    pub server: Ipv4Addr,
    /// The length of the link's prefix, in bits.
    pub prefix_len: u8,
    /// The addresses to give, first and last.
    pub pool: RangeInclusive<Ipv4Addr>,
    /// The default gateway.
    pub router: Option<Ipv4Addr>,
    /// The name servers, the best first.
    pub name_servers: Vec<Ipv4Addr>,
    /// The domain for names without a dot.
    pub domain: Option<String>,
    /// The link's MTU in bytes, where it is not what is usual.
    pub mtu: Option<u16>,
    /// How long an address is the client's; whole seconds.
    pub lease: Duration,
}

/// A server, and what it has given to whom.
#[derive(Clone, Debug)]
pub struct Server {
    config: ServerConfig,
    leases: BTreeMap<Ipv4Addr, Lease>,
}

/// To whom an address is given.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lease {
    /// None: nobody may have it, since somebody uses it already.
    client: Option<Vec<u8>>,
    until: Instant,
}

/// What a server does about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it was asked.
    pub asked: Kind,
    /// By whom.
    pub client: MacAddress,
    /// The message to send, if any.
    pub reply: Option<Message>,
    /// Where it goes; from the server's own address and [`SERVER_PORT`].
    pub to: SocketAddrV4,
    /// The station that it goes to. The client's own is known from its message: it may not answer
    /// ARP yet for the address that it is told (RFC 2131 4.1).
    pub station: MacAddress,
    /// Why this and nothing else, in words.
    pub why: String,
}

impl Server {
    /// A server that has given nothing yet.
    pub fn new(config: ServerConfig) -> Self {
        Self { config, leases: BTreeMap::new() }
    }

    /// Decides about a datagram that came to [`SERVER_PORT`].
    pub fn answer(&mut self, datagram: &[u8], now: Instant) -> Result<Answer, BadMessage> {
        let message = Message::parse(datagram)?;
        self.leases.retain(|_, lease| lease.until > now);
        let (reply, why) = match message.kind {
            _ if !message.relay.is_unspecified() => {
                (None, format!("it came through the relay {}, from another link", message.relay))
            }
            Kind::Discover => self.discover(&message, now),
            Kind::Request => self.request(&message, now),
            Kind::Decline => self.decline(&message, now),
            Kind::Release => self.release(&message),
            Kind::Inform if message.client_address.is_unspecified() => {
                (None, "it asks for the rest, but does not say which address it has".to_owned())
            }
            Kind::Inform => (
                Some(self.reply(&message, Kind::Ack, Ipv4Addr::UNSPECIFIED)),
                "it has an address and asks for the rest".to_owned(),
            ),
            Kind::Offer | Kind::Ack | Kind::Nak => (None, format!("a {} is for clients", message.kind)),
        };
        let to = destination(&message, reply.as_ref());
        let station = if to.is_broadcast() { MacAddress::BROADCAST } else { message.client_mac };
        let to = SocketAddrV4::new(to, CLIENT_PORT);
        Ok(Answer { asked: message.kind, client: message.client_mac, reply, to, station, why })
    }

    /// RFC 2131 4.3.1.
    fn discover(&mut self, message: &Message, now: Instant) -> (Option<Message>, String) {
        let client = identity(message);
        let Some((address, why)) = self.choose(&client, message.requested) else {
            let pool = &self.config.pool;
            return (None, format!("no address of {} to {} is free", pool.start(), pool.end()));
        };
        let offered = Lease { client: Some(client), until: now + OFFER_LASTS };
        // An offer of the address that the client has already does not shorten its lease.
        let lease = self.leases.entry(address).or_insert_with(|| offered.clone());
        lease.until = lease.until.max(offered.until);
        (Some(self.reply(message, Kind::Offer, address)), format!("{address} {why}"))
    }

    /// RFC 2131 4.3.2: the client takes an offer up, comes back with an address it had, or renews.
    fn request(&mut self, message: &Message, now: Instant) -> (Option<Message>, String) {
        if let Some(other) = message.server.filter(|server| *server != self.config.server) {
            self.take_back(&identity(message));
            return (None, format!("it has taken the offer of {other}"));
        }
        let renews = !message.client_address.is_unspecified();
        let wanted =
            if renews { message.client_address } else { message.requested.unwrap_or(Ipv4Addr::UNSPECIFIED) };
        let client = identity(message);
        let refusal = if !self.is_for_clients(wanted) {
            Some(format!("{wanted} is not on this link"))
        } else {
            match self.leases.get(&wanted) {
                Some(lease) if lease.client.as_ref() != Some(&client) => {
                    Some(format!("{wanted} is another's"))
                }
                None if self.leases.len() >= MOST_LEASES => Some("no more clients are remembered".to_owned()),
                // RFC 2131 4.3.2, INIT-REBOOT: about a client without a record a server stays
                // silent. This one is alone on its link, so that its word can be given.
                _ => None,
            }
        };
        if let Some(refusal) = refusal {
            let mut nak = self.reply(message, Kind::Nak, Ipv4Addr::UNSPECIFIED);
            nak.text = Some(refusal.clone());
            return (Some(nak), refusal);
        }
        self.take_back(&client);
        self.leases.insert(wanted, Lease { client: Some(client), until: now + self.config.lease });
        let why =
            if renews { "it has that address and may keep it" } else { "it asks for what it was offered" };
        (Some(self.reply(message, Kind::Ack, wanted)), why.to_owned())
    }

    /// RFC 2131 4.3.3.
    fn decline(&mut self, message: &Message, now: Instant) -> (Option<Message>, String) {
        match message.requested.filter(|address| self.is_held_by(*address, message)) {
            Some(address) => {
                self.leases.insert(address, Lease { client: None, until: now + DECLINED_LASTS });
                (None, format!("{address} is used by somebody else: nobody gets it for a while"))
            }
            None => (None, "it declines what it was not given".to_owned()),
        }
    }

    /// RFC 2131 4.3.4.
    fn release(&mut self, message: &Message) -> (Option<Message>, String) {
        if self.is_held_by(message.client_address, message) {
            self.leases.remove(&message.client_address);
            (None, format!("{} is free again", message.client_address))
        } else {
            (None, "it gives back what it does not have".to_owned())
        }
    }

    /// The address for a client, and why this one: the one it has or had, the one it would like,
    /// the first that is free (RFC 2131 4.3.1).
    fn choose(&self, client: &[u8], wish: Option<Ipv4Addr>) -> Option<(Ipv4Addr, &'static str)> {
        let own = self.leases.iter().find(|(_, lease)| lease.client.as_deref() == Some(client));
        if let Some((address, _)) = own {
            return Some((*address, "is the client's already"));
        }
        if self.leases.len() >= MOST_LEASES {
            return None;
        }
        let is_free =
            |address: &Ipv4Addr| self.is_for_clients(*address) && !self.leases.contains_key(address);
        if let Some(wish) = wish.filter(is_free) {
            return Some((wish, "is what the client would like"));
        }
        let (first, last) = (self.config.pool.start().to_bits(), self.config.pool.end().to_bits());
        (first..=last).map(Ipv4Addr::from_bits).find(is_free).map(|address| (address, "is free"))
    }

    /// Whether a client may have an address: one of the pool that is no one's by its nature.
    fn is_for_clients(&self, address: Ipv4Addr) -> bool {
        let config = &self.config;
        let link = Prefix::new(config.server, config.prefix_len);
        let is_links = |link: Prefix| Some(address) == link.broadcast() || address == link.network();
        config.pool.contains(&address)
            && address != config.server
            && config.router != Some(address)
            && !link.is_some_and(is_links)
    }

    fn is_held_by(&self, address: Ipv4Addr, message: &Message) -> bool {
        let client = identity(message);
        self.leases.get(&address).is_some_and(|lease| lease.client.as_ref() == Some(&client))
    }

    fn take_back(&mut self, client: &[u8]) {
        self.leases.retain(|_, lease| lease.client.as_deref() != Some(client));
    }

    /// RFC 2131 4.3.1, table 3.
    fn reply(&self, to: &Message, kind: Kind, address: Ipv4Addr) -> Message {
        let config = &self.config;
        let bare = Message {
            broadcast: to.broadcast,
            server: Some(config.server),
            client_id: to.client_id.clone(),
            ..Message::new(kind, to.transaction, to.client_mac)
        };
        if kind == Kind::Nak {
            return bare;
        }
        let lease = u32::try_from(config.lease.as_secs()).unwrap_or(u32::MAX);
        Message {
            client_address: if kind == Kind::Ack { to.client_address } else { Ipv4Addr::UNSPECIFIED },
            your_address: address,
            lease: (to.kind != Kind::Inform).then_some(lease),
            // RFC 2131 4.4.5: renewed at half the time, with any server at seven eighths.
            renew_after: (to.kind != Kind::Inform).then_some(lease / 2),
            rebind_after: (to.kind != Kind::Inform).then_some(lease / 8 * 7),
            prefix_len: Some(config.prefix_len),
            routers: config.router.into_iter().collect(),
            name_servers: config.name_servers.clone(),
            domain: config.domain.clone(),
            mtu: config.mtu,
            ..bare
        }
    }
}

/// RFC 2131 4.2: the client identifier, or the MAC address where there is none.
fn identity(message: &Message) -> Vec<u8> {
    match &message.client_id {
        Some(id) => [&[0], id.as_slice()].concat(),
        None => [&[1], message.client_mac.0.as_slice()].concat(),
    }
}

/// RFC 2131 4.1: to the address that the client has, or to the one that it is told, unless it cannot
/// hear that yet; a refusal to everybody.
fn destination(message: &Message, reply: Option<&Message>) -> Ipv4Addr {
    match reply {
        Some(reply) if reply.kind != Kind::Nak => match message.client_address {
            none if none.is_unspecified() && message.broadcast => Ipv4Addr::BROADCAST,
            none if none.is_unspecified() => reply.your_address,
            address => address,
        },
        _ => Ipv4Addr::BROADCAST,
    }
}

impl Answer {
    /// What was decided, for the journal.
    pub fn fact(&self) -> Dhcp {
        let about = self.reply.as_ref().map(|reply| reply.your_address);
        Dhcp::Served {
            client: self.client,
            asked: self.asked,
            answered: self.reply.as_ref().map(|reply| reply.kind),
            about: about.filter(|address| !address.is_unspecified()),
            why: self.why.clone(),
        }
    }
}

/// Where a server's messages come from.
impl ServerConfig {
    /// Its address, and [`SERVER_PORT`].
    pub fn from(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.server, SERVER_PORT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
    const LAST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 3);
    const NOW: Instant = Instant::ZERO;

    fn server() -> Server {
        Server::new(ServerConfig {
            server: SERVER,
            prefix_len: 24,
            pool: FIRST..=LAST,
            router: Some(SERVER),
            name_servers: vec![SERVER],
            domain: None,
            mtu: Some(1500),
            lease: Duration::from_secs(3600),
        })
    }

    fn from(client: u8, kind: Kind) -> Message {
        Message::new(kind, u32::from(client), MacAddress([2, 0, 0, 0, 0, client]))
    }

    fn ask(server: &mut Server, message: &Message, now: Instant) -> Answer {
        server.answer(&message.emit(), now).unwrap()
    }

    /// The whole dance: the address that the client ends up with.
    fn lease(server: &mut Server, client: u8, now: Instant) -> Option<Ipv4Addr> {
        let offer = ask(server, &from(client, Kind::Discover), now).reply?;
        assert_eq!(offer.kind, Kind::Offer);
        let mut request = from(client, Kind::Request);
        request.requested = Some(offer.your_address);
        request.server = offer.server;
        let ack = ask(server, &request, now).reply?;
        assert_eq!((ack.kind, ack.your_address), (Kind::Ack, offer.your_address));
        Some(ack.your_address)
    }

    #[test]
    fn a_client_is_offered_an_address_and_gets_it_with_all_that_belongs_to_it() {
        let mut server = server();
        let offer = ask(&mut server, &from(7, Kind::Discover), NOW);
        assert_eq!((*offer.to.ip(), offer.to.port()), (FIRST, 68), "to the address that it gets");
        assert_eq!(offer.station, from(7, Kind::Discover).client_mac, "which it does not have yet");
        let offer = offer.reply.unwrap();
        assert_eq!((offer.your_address, offer.prefix_len, offer.lease), (FIRST, Some(24), Some(3600)));
        assert_eq!((offer.renew_after, offer.rebind_after), (Some(1800), Some(3150)));
        assert_eq!((offer.routers, offer.name_servers), (vec![SERVER], vec![SERVER]));
        assert_eq!((offer.transaction, offer.mtu), (7, Some(1500)));
        assert_eq!(lease(&mut server, 7, NOW), Some(FIRST));
        assert_eq!(lease(&mut server, 7, NOW), Some(FIRST), "the same client, the same address");
        assert_eq!(lease(&mut server, 8, NOW), Some(LAST));
    }

    #[test]
    fn a_client_that_cannot_hear_its_own_address_yet_is_answered_before_everybody() {
        let mut server = server();
        let discover = Message { broadcast: true, ..from(7, Kind::Discover) };
        let answer = ask(&mut server, &discover, NOW);
        assert_eq!((*answer.to.ip(), answer.station), (Ipv4Addr::BROADCAST, MacAddress::BROADCAST));
        assert!(answer.reply.unwrap().broadcast);
    }

    #[test]
    fn what_comes_through_a_relay_is_not_about_this_link() {
        let relay = Ipv4Addr::new(10, 9, 9, 9);
        let answer = ask(&mut server(), &Message { relay, ..from(7, Kind::Discover) }, NOW);
        assert_eq!(answer.reply, None);
        assert_eq!(answer.why, "it came through the relay 10.9.9.9, from another link");
    }

    /// RFC 2131 4.3.5: the answer to a DHCPINFORM goes to the address in `ciaddr`.
    #[test]
    fn a_client_that_informs_without_an_address_cannot_be_answered() {
        let mut server = server();
        let nowhere = ask(&mut server, &from(7, Kind::Inform), NOW);
        assert_eq!(nowhere.reply, None);
        let client_address = Ipv4Addr::new(10, 0, 0, 77);
        let told = ask(&mut server, &Message { client_address, ..from(7, Kind::Inform) }, NOW);
        assert_eq!((told.reply.map(|reply| reply.kind), *told.to.ip()), (Some(Kind::Ack), client_address));
    }

    #[test]
    fn an_answer_is_no_question() {
        let mut offer = from(7, Kind::Offer).emit();
        let answer = server().answer(&offer, NOW).unwrap();
        assert_eq!((answer.reply, answer.why.as_str()), (None, "a DHCPOFFER is for clients"));
        offer[0] = 1;
        assert_eq!(server().answer(&offer, NOW), Err(BadMessage::Op { kind: Kind::Offer, op: 1 }));
    }

    #[test]
    fn an_empty_pool_is_answered_by_silence_until_a_lease_is_over() {
        let mut server = server();
        assert!(lease(&mut server, 7, NOW).is_some() && lease(&mut server, 8, NOW).is_some());
        let answer = ask(&mut server, &from(9, Kind::Discover), NOW);
        assert_eq!((answer.reply, answer.why.as_str()), (None, "no address of 10.0.0.2 to 10.0.0.3 is free"));
        let later = NOW + Duration::from_secs(3601);
        assert_eq!(lease(&mut server, 9, later), Some(FIRST));
    }

    #[test]
    fn an_offer_that_nobody_takes_up_is_free_again_after_a_minute() {
        let mut server = server();
        for client in [7, 8] {
            assert!(ask(&mut server, &from(client, Kind::Discover), NOW).reply.is_some());
        }
        assert_eq!(lease(&mut server, 9, NOW), None);
        assert_eq!(lease(&mut server, 9, NOW + Duration::from_secs(61)), Some(FIRST));
    }

    #[test]
    fn a_client_that_takes_another_servers_offer_frees_ours() {
        let mut server = server();
        ask(&mut server, &from(7, Kind::Discover), NOW);
        let mut request = from(7, Kind::Request);
        request.server = Some(Ipv4Addr::new(10, 0, 0, 99));
        assert_eq!(ask(&mut server, &request, NOW).reply, None);
        assert_eq!(lease(&mut server, 8, NOW), Some(FIRST));
    }

    #[test]
    fn what_is_anothers_or_not_on_this_link_is_refused_to_everybodys_ears() {
        let mut server = server();
        lease(&mut server, 7, NOW);
        for wanted in [FIRST, Ipv4Addr::new(192, 168, 0, 5)] {
            let mut request = from(8, Kind::Request);
            request.requested = Some(wanted);
            let answer = ask(&mut server, &request, NOW);
            let nak = answer.reply.unwrap();
            assert_eq!((nak.kind, nak.your_address), (Kind::Nak, Ipv4Addr::UNSPECIFIED));
            assert_eq!(answer.to.ip(), &Ipv4Addr::BROADCAST);
            assert!(nak.text.unwrap().contains(&wanted.to_string()));
        }
    }

    #[test]
    fn a_renewal_is_answered_to_the_clients_own_address() {
        let mut server = server();
        lease(&mut server, 7, NOW);
        let mut request = from(7, Kind::Request);
        request.client_address = FIRST;
        let half = NOW + Duration::from_secs(1800);
        let answer = ask(&mut server, &request, half);
        assert_eq!((answer.reply.unwrap().kind, *answer.to.ip()), (Kind::Ack, FIRST));
        assert_eq!(lease(&mut server, 8, NOW + Duration::from_secs(4000)), Some(LAST), "it was renewed");
    }

    #[test]
    fn released_addresses_are_given_again_and_declined_ones_are_not() {
        let mut server = server();
        lease(&mut server, 7, NOW);
        let mut release = from(8, Kind::Release);
        release.client_address = FIRST;
        assert_eq!(ask(&mut server, &release, NOW).why, "it gives back what it does not have");
        let release = Message { client_mac: from(7, Kind::Release).client_mac, ..release };
        ask(&mut server, &release, NOW);
        assert_eq!(lease(&mut server, 9, NOW), Some(FIRST));
        let mut decline = from(9, Kind::Decline);
        decline.requested = Some(FIRST);
        ask(&mut server, &decline, NOW);
        assert_eq!(lease(&mut server, 9, NOW), Some(LAST));
    }

    #[test]
    fn an_offer_does_not_shorten_a_lease() {
        let mut server = server();
        lease(&mut server, 7, NOW);
        // Anybody can put another's MAC address into a question.
        ask(&mut server, &from(7, Kind::Discover), NOW);
        let later = NOW + Duration::from_secs(120);
        assert_eq!(lease(&mut server, 8, later), Some(LAST));
    }

    #[test]
    fn addresses_that_are_no_clients_are_not_granted_even_if_the_pool_has_them() {
        let pool = Ipv4Addr::new(10, 0, 0, 0)..=Ipv4Addr::new(10, 0, 0, 255);
        let mut server = Server::new(ServerConfig { pool, ..server().config });
        for wanted in [Ipv4Addr::new(10, 0, 0, 0), SERVER, Ipv4Addr::new(10, 0, 0, 255)] {
            let mut request = from(7, Kind::Request);
            request.requested = Some(wanted);
            assert_eq!(ask(&mut server, &request, NOW).reply.map(|reply| reply.kind), Some(Kind::Nak));
            let mut discover = from(7, Kind::Discover);
            discover.requested = Some(wanted);
            let offer = ask(&mut server, &discover, NOW).reply.unwrap();
            assert_eq!(offer.your_address, FIRST, "{wanted} instead");
        }
    }

    #[test]
    fn so_many_clients_are_remembered_and_no_more() {
        let pool = Ipv4Addr::new(10, 0, 0, 2)..=Ipv4Addr::new(10, 0, 255, 254);
        let config = ServerConfig { pool, prefix_len: 16, ..server().config };
        let mut server = Server::new(config);
        for n in 0..MOST_LEASES + 10 {
            let wanted = Ipv4Addr::from_bits(FIRST.to_bits() + u32::try_from(n).unwrap());
            let kind = if n % 2 == 0 { Kind::Request } else { Kind::Discover };
            let mut message = from(7, kind);
            message.client_id = Some(n.to_be_bytes().to_vec());
            message.requested = Some(wanted);
            ask(&mut server, &message, NOW);
        }
        assert_eq!(server.leases.len(), MOST_LEASES);
    }
}
