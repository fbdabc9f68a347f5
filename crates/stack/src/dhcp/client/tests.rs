//! The machine alone: what strangers may say to it, and what it makes of what servers say.

use super::*;
use crate::dhcp::{Answer, BadMessage, Server, ServerConfig};
use glasstack_journal::event::DropReason;
use proptest::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

const MAC: MacAddress = MacAddress([2, 0, 0, 0, 0, 7]);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 100);
const FRAME: FrameId = FrameId(1);

struct Dice(AtomicU64);

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let n = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte = (n >> 32) as u8;
        }
    }
    fn is_reproducible(&self) -> bool {
        true
    }
}

fn config() -> ClientConfig {
    ClientConfig {
        mac: MAC,
        host_name: Some("me".to_owned()),
        client_id: vec![1, 2, 0, 0, 0, 0, 7],
        requested: None,
        remembered: None,
        collect: Duration::ZERO,
        probe: false,
        broadcast: false,
    }
}

fn server() -> Server {
    Server::new(ServerConfig {
        server: SERVER,
        prefix_len: 24,
        pool: ADDRESS..=ADDRESS,
        router: Some(SERVER),
        name_servers: vec![SERVER],
        domain: None,
        mtu: None,
        lease: Duration::from_secs(3600),
    })
}

/// A client, a server and the time, with nothing between them.
struct Talk {
    client: Client,
    server: Server,
    now: Instant,
}

impl Talk {
    fn new(config: ClientConfig) -> Self {
        let now = Instant::ZERO;
        let client = Client::new(config, Arc::new(Dice(AtomicU64::new(1))), now);
        Self { client, server: server(), now }
    }

    /// The messages that the client sends now.
    fn sent(&mut self) -> Vec<Message> {
        let actions = std::iter::from_fn(|| self.client.poll(self.now));
        actions
            .filter_map(|action| match action {
                Action::Send { message, .. } => Some(*message),
                _ => None,
            })
            .collect()
    }

    fn sent_one(&mut self) -> Message {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }

    fn ask_server(&mut self, message: &Message) -> Message {
        let Answer { reply, why, .. } = self.server.answer(&message.emit(), self.now).unwrap();
        reply.unwrap_or_else(|| panic!("{why}"))
    }

    fn hear(&mut self, message: &Message) -> Result<(), Rejection> {
        self.client.on_datagram(FRAME, &message.emit(), self.now)
    }

    /// The offer to a client that has just asked.
    fn offer(&mut self) -> Message {
        let discover = self.sent_one();
        self.ask_server(&discover)
    }

    /// The DHCPACK to a client that has just taken an offer up.
    fn ack(&mut self) -> Message {
        let offer = self.offer();
        self.hear(&offer).unwrap();
        let request = self.sent_one();
        self.ask_server(&request)
    }

    fn bound(mut self) -> Self {
        let ack = self.ack();
        self.hear(&ack).unwrap();
        assert_eq!(self.sent(), []);
        assert_eq!(self.client.state(), DhcpState::Bound);
        self
    }

    #[track_caller]
    fn rejects(&mut self, message: &Message, expected: &Rejection) {
        let state = self.client.state();
        assert_eq!(self.hear(message).as_ref(), Err(expected));
        assert_eq!(self.client.state(), state, "nothing has come of it");
    }
}

#[test]
fn the_messages_say_what_table_5_of_rfc_2131_wants() {
    let mut talk = Talk::new(config());
    let discover = talk.sent_one();
    assert_eq!((discover.kind, discover.client_mac), (Kind::Discover, MAC));
    assert_eq!((discover.requested, discover.server), (None, None));
    assert_eq!(discover.client_id, Some(config().client_id));
    assert_eq!((discover.host_name.as_deref(), discover.longest), (Some("me"), Some(1472)));
    assert_eq!(discover.wishes, WISHES);
    let offer = talk.ask_server(&discover);
    talk.hear(&offer).unwrap();
    let request = talk.sent_one();
    assert_eq!((request.kind, request.transaction), (Kind::Request, discover.transaction));
    assert_eq!((request.requested, request.server), (Some(ADDRESS), Some(SERVER)));
    assert_eq!(request.client_address, Ipv4Addr::UNSPECIFIED);
    let ack = talk.ask_server(&request);
    talk.hear(&ack).unwrap();
    assert_eq!(talk.sent(), []);
    // Who renews says so with ciaddr alone, in another transaction.
    talk.now = Instant::ZERO + Duration::from_secs(1800);
    let renewal = talk.sent_one();
    assert_eq!((renewal.client_address, renewal.requested, renewal.server), (ADDRESS, None, None));
    assert_ne!(renewal.transaction, request.transaction);
}

#[test]
fn the_seconds_count_since_the_first_question_and_a_request_repeats_them() {
    let mut talk = Talk::new(config());
    assert_eq!(talk.sent_one().elapsed, 0);
    talk.now = talk.now + Duration::from_secs(5);
    let again = talk.sent_one();
    assert_eq!(again.elapsed, 5);
    talk.now = talk.now + Duration::from_secs(1);
    let offer = talk.ask_server(&again);
    talk.hear(&offer).unwrap();
    assert_eq!(talk.sent_one().elapsed, 5);
}

#[test]
fn answers_to_others_or_to_nothing_are_rejected_each_with_its_reason() {
    let mut talk = Talk::new(config());
    let offer = talk.offer();
    let (kind, transaction) = (Kind::Offer, offer.transaction ^ 1);
    let wrong = Message { transaction, ..offer.clone() };
    talk.rejects(&wrong, &Rejection::OtherTransaction { kind, transaction });
    let mac = MacAddress([2, 0, 0, 0, 0, 8]);
    talk.rejects(&Message { client_mac: mac, ..offer.clone() }, &Rejection::OtherClient { kind, mac });
    let client_id = Some(vec![9, 9]);
    talk.rejects(&Message { client_id, ..offer.clone() }, &Rejection::OtherIdentifier(kind));
    talk.rejects(&Message { server: None, ..offer.clone() }, &Rejection::NoServer(kind));
    talk.rejects(&Message { server: Some(Ipv4Addr::BROADCAST), ..offer.clone() }, &Rejection::NoServer(kind));
    talk.rejects(&Message { lease: None, ..offer.clone() }, &Rejection::NoTime(kind));
    talk.rejects(&Message { lease: Some(0), ..offer.clone() }, &Rejection::NoTime(kind));
    let discover = Message { kind: Kind::Discover, ..offer.clone() };
    talk.rejects(&discover, &Rejection::ForServers(Kind::Discover));
    let (kind, state) = (Kind::Ack, DhcpState::Selecting);
    talk.rejects(&Message { kind, ..offer.clone() }, &Rejection::Unexpected { kind, state });
    let bytes = offer.emit();
    let client = &mut talk.client;
    let short = Rejection::Malformed(BadMessage::Short(100));
    assert_eq!(client.on_datagram(FRAME, &bytes[..100], talk.now), Err(short));
    let long = [bytes.as_slice(), &[0; 1500]].concat();
    assert_eq!(client.on_datagram(FRAME, &long, talk.now), Err(Rejection::TooLong(long.len())));
    talk.hear(&offer).unwrap();
}

#[test]
fn an_address_that_no_host_can_have_is_not_taken() {
    let mut talk = Talk::new(config());
    let offer = talk.offer();
    for address in ["0.0.0.0", "127.0.0.1", "224.0.0.9", "255.255.255.255", "10.0.0.0", "10.0.0.255"] {
        let your_address = address.parse().unwrap();
        let rejected = talk.hear(&Message { your_address, ..offer.clone() }).unwrap_err();
        assert!(matches!(rejected, Rejection::Unusable { .. }), "{address}: {rejected}");
        assert_eq!(rejected.reason(), DropReason::BadDhcp);
    }
}

#[test]
fn only_the_server_asked_can_grant_or_refuse_and_only_the_address_asked_for() {
    let mut talk = Talk::new(config());
    let ack = talk.ack();
    let other = Ipv4Addr::new(10, 0, 0, 66);
    for kind in [Kind::Ack, Kind::Nak] {
        let rejection = Rejection::OtherServer { kind, server: other, asked: SERVER };
        assert_eq!(rejection.reason(), DropReason::UnmatchedDhcp);
        talk.rejects(&Message { kind, server: Some(other), ..ack.clone() }, &rejection);
    }
    let rejection = Rejection::OtherAddress { granted: other, asked: ADDRESS };
    talk.rejects(&Message { your_address: other, ..ack.clone() }, &rejection);
    talk.hear(&ack).unwrap();
    let (kind, state) = (Kind::Ack, DhcpState::Bound);
    talk.rejects(&ack, &Rejection::Unexpected { kind, state });
    // A renewal is granted by the same server only, a rebinding by any.
    talk.now = Instant::ZERO + Duration::from_secs(1800);
    let renewal = talk.sent_one();
    let mut renewed = talk.ask_server(&renewal);
    renewed.server = Some(other);
    talk.rejects(&renewed, &Rejection::OtherServer { kind, server: other, asked: SERVER });
    talk.now = Instant::ZERO + Duration::from_secs(3150);
    let rebinding = talk.sent().pop().unwrap();
    renewed.transaction = rebinding.transaction;
    talk.hear(&renewed).unwrap();
    talk.sent();
    assert_eq!(talk.client.lease().map(|lease| lease.server), Some(other));
}

#[test]
fn a_refusal_takes_the_address_away_and_all_begins_anew() {
    let mut talk = Talk::new(config()).bound();
    talk.now = Instant::ZERO + Duration::from_secs(1800);
    let renewal = talk.sent_one();
    let mut nak = Message::new(Kind::Nak, renewal.transaction, MAC);
    (nak.server, nak.text) = (Some(SERVER), Some("the network has moved".to_owned()));
    talk.hear(&nak).unwrap();
    assert_eq!((talk.client.state(), talk.client.lease()), (DhcpState::Init, None));
    assert_eq!(talk.client.trouble(), Some("10.0.0.1 refuses it: the network has moved"));
    assert!(matches!(talk.client.next_action(), Some(Action::Tell(_))), "the refusal");
    let went = std::iter::from_fn(|| talk.client.next_action()).any(|a| matches!(a, Action::GoWithout));
    assert!(went);
    assert_eq!(talk.sent_one().kind, Kind::Discover);
}

#[test]
fn a_server_that_offers_and_refuses_for_ever_is_asked_ever_more_seldom() {
    let mut talk = Talk::new(config());
    let mut times = Vec::new();
    while times.len() < 6 {
        talk.now = talk.client.deadline().unwrap().max(talk.now);
        let discover = talk.sent_one();
        times.push((talk.now - Instant::ZERO).as_secs());
        let mut offer = talk.ask_server(&discover);
        talk.hear(&offer).unwrap();
        talk.sent();
        (offer.kind, offer.your_address) = (Kind::Nak, Ipv4Addr::UNSPECIFIED);
        talk.hear(&offer).unwrap();
    }
    assert_eq!(times, [0, 0, 1, 3, 7, 15]);
}

#[test]
fn what_makes_no_sense_in_a_lease_is_left_out_and_told() {
    let mut talk = Talk::new(config());
    let mut ack = talk.ack();
    ack.routers = vec![Ipv4Addr::new(192, 168, 0, 1)];
    ack.mtu = Some(68);
    ack.domain = Some("\u{1b}[2J".to_owned());
    ack.name_servers = vec![Ipv4Addr::UNSPECIFIED, SERVER, Ipv4Addr::BROADCAST];
    (ack.renew_after, ack.rebind_after) = (Some(4000), Some(0));
    talk.hear(&ack).unwrap();
    let notes: Vec<String> = std::iter::from_fn(|| talk.client.poll(talk.now))
        .filter_map(|action| match action {
            Action::Tell(event) => match *event {
                Event::Note(note) => Some(note.text),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(
        notes,
        [
            "DHCP: the gateway 192.168.0.1 is not on the link 10.0.0.0/24: left out",
            "DHCP: the domain that it names is none: left out",
            "DHCP: an MTU of 68 bytes is below 576: left out",
        ]
    );
    let lease = talk.client.lease().unwrap();
    assert_eq!((lease.router, lease.mtu, lease.domain.as_deref()), (None, None, None));
    assert_eq!(lease.name_servers, [SERVER]);
    assert_eq!((lease.renew_after, lease.rebind_after), (1800, 3150));
}

#[test]
fn without_a_mask_the_class_of_the_address_decides() {
    for (address, len) in [("10.0.0.7", 8), ("172.16.0.7", 16), ("192.168.0.7", 24)] {
        let mut talk = Talk::new(config());
        let mut offer = talk.offer();
        (offer.your_address, offer.prefix_len) = (address.parse().unwrap(), None);
        talk.hear(&offer).unwrap();
        talk.sent();
        talk.hear(&Message { kind: Kind::Ack, ..offer }).unwrap();
        assert_eq!(talk.client.lease().map(|lease| lease.prefix_len), Some(len), "{address}");
    }
}

#[test]
fn what_is_granted_cannot_be_refused_while_it_probes() {
    let mut talk = Talk::new(ClientConfig { probe: true, ..config() });
    let ack = talk.ack();
    talk.hear(&ack).unwrap();
    let (kind, state) = (Kind::Nak, DhcpState::Requesting);
    talk.rejects(&Message { kind, ..ack }, &Rejection::Unexpected { kind, state });
}

/// RFC 2131 4.4.5: "the client SHOULD wait one-half of the remaining time until T2".
#[test]
fn a_renewal_is_repeated_after_half_the_time_that_is_left() {
    let mut talk = Talk::new(config()).bound();
    for (now, next) in [(1_800, 2_475_000), (2_475, 2_812_500)] {
        talk.now = Instant::ZERO + Duration::from_secs(now);
        talk.sent_one();
        assert_eq!(talk.client.deadline(), Some(Instant::from_millis(next)));
    }
}

#[test]
fn so_many_offers_are_compared_and_no_more() {
    let mut talk = Talk::new(ClientConfig { collect: Duration::from_secs(1), ..config() });
    let offer = talk.offer();
    for last in 1..=100 {
        let server = Some(Ipv4Addr::new(10, 0, 0, last));
        talk.hear(&Message { server, ..offer.clone() }).unwrap();
    }
    assert_eq!(talk.client.offers.len(), MOST_OFFERS);
    talk.now = talk.now + Duration::from_secs(1);
    assert_eq!(talk.sent_one().server, Some(SERVER), "the first is still the first");
}

#[test]
fn a_lease_for_ever_is_never_renewed() {
    let mut talk = Talk::new(config());
    let mut ack = talk.ack();
    ack.lease = Some(u32::MAX);
    talk.hear(&ack).unwrap();
    talk.sent();
    assert_eq!((talk.client.state(), talk.client.deadline()), (DhcpState::Bound, None));
}

#[test]
fn the_shortest_lease_does_not_make_the_client_spin() {
    let mut talk = Talk::new(config());
    let mut ack = talk.ack();
    (ack.lease, ack.renew_after, ack.rebind_after) = (Some(1), None, None);
    talk.hear(&ack).unwrap();
    talk.sent();
    assert_eq!(talk.client.deadline(), Some(Instant::ZERO + Duration::from_secs(1)));
    talk.now = Instant::ZERO + Duration::from_secs(1);
    assert!(talk.sent().len() <= 3);
    assert!(talk.client.deadline().unwrap() > talk.now);
}

#[test]
fn a_rival_that_shows_up_while_it_probes_gets_the_address() {
    let mut talk = Talk::new(ClientConfig { probe: true, ..config() });
    let ack = talk.ack();
    talk.hear(&ack).unwrap();
    let probes = std::iter::from_fn(|| talk.client.poll(talk.now));
    assert_eq!(probes.filter(|action| matches!(action, Action::Probe(ADDRESS))).count(), 1);
    talk.client.on_in_use(MacAddress([2, 0, 0, 0, 0, 9]), talk.now);
    let decline = talk.sent_one();
    assert_eq!(
        (decline.kind, decline.requested, decline.server),
        (Kind::Decline, Some(ADDRESS), Some(SERVER))
    );
    // RFC 2131 4.4.4: and no address of its own.
    assert_eq!(decline.client_address, Ipv4Addr::UNSPECIFIED);
    assert_eq!(talk.client.deadline(), Some(talk.now + AFTER_A_CONFLICT));
    // Once it has the address, the probes are over.
    let before = talk.client.state();
    talk.client.on_in_use(MAC, talk.now);
    assert_eq!(talk.client.state(), before);
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic_or_spin(
        seed in any::<u64>(),
        kind in prop::sample::select(vec![Kind::Offer, Kind::Ack, Kind::Nak]),
        lease in any::<Option<u32>>(),
        renew_after in any::<Option<u32>>(),
        rebind_after in any::<Option<u32>>(),
        prefix_len in prop::option::of(0_u8..=32),
        address in any::<[u8; 4]>(),
        flip in any::<(usize, u8)>(),
    ) {
        let mut talk = Talk::new(ClientConfig { probe: seed % 2 == 0, ..config() });
        let offer = talk.offer();
        for kind in [Kind::Offer, kind, Kind::Ack] {
            let given = Message {
                kind, lease, renew_after, rebind_after, prefix_len,
                your_address: address.into(),
                ..offer.clone()
            };
            let mut bytes = given.emit();
            let _ = talk.client.on_datagram(FRAME, &bytes, talk.now);
            let at = flip.0 % bytes.len();
            bytes[at] = flip.1;
            let _ = talk.client.on_datagram(FRAME, &bytes, talk.now);
            for _ in 0..20 {
                prop_assert!(std::iter::from_fn(|| talk.client.poll(talk.now)).take(100).count() < 100);
                let Some(next) = talk.client.deadline() else { break };
                prop_assert!(next > talk.now, "it would spin");
                talk.now = next;
            }
        }
    }
}
