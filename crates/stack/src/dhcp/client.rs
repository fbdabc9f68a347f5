//! What a DHCP client does (RFC 2131 4.4), as a state machine.
//!
//! ```text
//!   INIT --DHCPDISCOVER--> SELECTING --DHCPREQUEST--> REQUESTING --DHCPACK, nobody has it--> BOUND
//!    ^                                                    |                              T1 |   ^
//!    |<------------ DHCPNAK, silence, or in use ----------+                                 v   | ACK
//!    |                                                                                 RENEWING-+
//!    |                                                                                 T2 |     |
//!    |                                                                                    v     |
//!    +<------------------- DHCPNAK, or the lease is over ---------------------------- REBINDING-+
//!
//!   INIT-REBOOT --DHCPREQUEST--> REBOOTING --DHCPACK--> BOUND        (an address is remembered)
//! ```
//!
//! It touches no socket and no clock: datagrams and times are given in, and [`Action`]s come out.

mod answer;
#[cfg(test)]
mod tests;

pub use answer::Rejection;

use super::lease::Lease;
use super::message::{Kind, Message};
use crate::environment::Entropy;
use glasstack_journal::Instant;
use glasstack_journal::event::{Dhcp, DhcpState, Event, FrameId, MacAddress, Note};
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// RFC 2131 4.1: how long the first wait for an answer is; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(4);
/// RFC 2131 4.1: the longest wait for an answer.
const LONGEST_WAIT: Duration = Duration::from_secs(64);
/// RFC 2131 4.1: each wait is longer or shorter by up to a second.
const SPREAD: Duration = Duration::from_secs(1);
/// RFC 2131 3.1.5: how often an offered address is asked for before all begins anew: about a minute.
const MOST_REQUESTS: u32 = 4;
/// How often a remembered address is asked for before all begins anew (RFC 2131 3.2.3 leaves it
/// open): about twelve seconds.
const MOST_REBOOTS: u32 = 2;
/// RFC 2131 4.4.5: no more often than that a lease's renewal is asked for.
const SHORTEST_RENEWAL: Duration = Duration::from_secs(60);
/// RFC 2131 3.1.5: after an address was found in use.
const AFTER_A_CONFLICT: Duration = Duration::from_secs(10);
/// ARP probes for an address (RFC 5227 2.1.1, PROBE_NUM).
const PROBES: u8 = 3;
/// Between two probes, and after the last. RFC 5227 has seconds, for links where whole floors wake
/// up at once; a server has made sure already, and the program waits.
const PROBE_INTERVAL: Duration = Duration::from_millis(250);
/// Offers compared: strangers may make up any number of servers.
const MOST_OFFERS: usize = 16;
/// The longest message taken, in bytes: what fits into a frame.
const LONGEST: usize = 1472;
/// What servers are asked for (option 55): mask, routers, name servers, domain, MTU, lease, T1, T2.
const WISHES: [u8; 8] = [1, 3, 6, 15, 26, 51, 58, 59];

/// Who the client is, and how it asks.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Its MAC address.
    pub mac: MacAddress,
    /// What it calls itself (option 12).
    pub host_name: Option<String>,
    /// What tells it from other clients (option 61).
    pub client_id: Vec<u8>,
    /// The address that it would like (option 50).
    pub requested: Option<Ipv4Addr>,
    /// An address that it had here before: it asks for that at once (RFC 2131 3.2).
    pub remembered: Option<Ipv4Addr>,
    /// How long it waits for further offers after the first.
    pub collect: Duration,
    /// Whether it asks by ARP before it takes an address.
    pub probe: bool,
    /// Whether servers are to answer everybody (RFC 2131 4.1).
    pub broadcast: bool,
}

/// What is to be done for the client.
#[derive(Clone, Debug)]
pub enum Action {
    /// Send a message.
    Send {
        /// What.
        message: Box<Message>,
        /// To which server; none: to everybody, from 0.0.0.0 as long as there is no address.
        to: Option<Ipv4Addr>,
        /// How often it has been sent by now, from 1.
        attempt: u32,
    },
    /// Ask by ARP if anybody has this address, without claiming it (RFC 5227 2.1.1).
    Probe(Ipv4Addr),
    /// The address and what belongs to it are this host's, or go on to be.
    Take(Lease),
    /// The host has no address any more.
    GoWithout,
    /// Tell the journal.
    Tell(Box<Event>),
}

/// A client, and how far it has come.
pub struct Client {
    config: ClientConfig,
    entropy: Arc<dyn Entropy>,
    state: DhcpState,
    /// Of the exchange under way (`xid`). RFC 2131 4.4.1: not to be guessed.
    transaction: u32,
    /// When the exchange began.
    begun: Instant,
    /// RFC 2131 4.4.1: a DHCPREQUEST repeats the seconds of the DHCPDISCOVER.
    elapsed: u16,
    /// Messages sent in this state.
    attempts: u32,
    /// When something is to be sent (again), or begun.
    next: Instant,
    offers: Vec<Lease>,
    /// Until when further offers are waited for.
    collect_until: Option<Instant>,
    /// What is asked for: the offer taken up, or the address remembered.
    wanted: Option<Wanted>,
    /// It is granted, and probed for.
    granted: Option<Lease>,
    probes: u8,
    held: Option<Held>,
    refusals: u32,
    discovers: u32,
    trouble: Option<String>,
    actions: VecDeque<Action>,
}

/// The address asked for, and of whom.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    address: Ipv4Addr,
    server: Option<Ipv4Addr>,
}

/// A lease, and when it was asked for: its time runs from then on (RFC 2131 4.4.1).
#[derive(Clone, Debug)]
struct Held {
    lease: Lease,
    since: Instant,
}

impl Client {
    /// A client that begins at once.
    pub fn new(config: ClientConfig, entropy: Arc<dyn Entropy>, now: Instant) -> Self {
        let state = if config.remembered.is_some() { DhcpState::InitReboot } else { DhcpState::Init };
        Self {
            config,
            entropy,
            state,
            transaction: 0,
            begun: now,
            elapsed: 0,
            attempts: 0,
            next: now,
            offers: Vec::new(),
            collect_until: None,
            wanted: None,
            granted: None,
            probes: 0,
            held: None,
            refusals: 0,
            discovers: 0,
            trouble: None,
            actions: VecDeque::new(),
        }
    }

    /// What it is about.
    pub fn state(&self) -> DhcpState {
        self.state
    }

    /// What it has now.
    pub fn lease(&self) -> Option<&Lease> {
        self.held.as_ref().map(|held| &held.lease)
    }

    /// How often it has looked for servers so far.
    pub fn discovers(&self) -> u32 {
        self.discovers
    }

    /// What went wrong last, if anything did.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// The next thing to do; none until [`deadline`](Self::deadline), or until an answer comes.
    pub fn poll(&mut self, now: Instant) -> Option<Action> {
        while self.actions.is_empty() && self.deadline().is_some_and(|at| at <= now) {
            self.on_time(now);
        }
        self.actions.pop_front()
    }

    /// What is left to do of what it has decided, whatever time it is.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether it has been offered anything in this attempt.
    pub fn has_offers(&self) -> bool {
        !self.offers.is_empty() || self.wanted.is_some()
    }

    /// When it wants to be polled although no answer has come.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            DhcpState::Bound => self.held.as_ref()?.at(|lease| lease.renew_after),
            DhcpState::Renewing => earlier(self.next, self.held.as_ref()?.at(|lease| lease.rebind_after)),
            DhcpState::Rebinding => earlier(self.next, self.held.as_ref()?.at(|lease| lease.seconds)),
            DhcpState::Selecting => earlier(self.next, self.collect_until),
            _ => Some(self.next),
        }
    }

    fn on_time(&mut self, now: Instant) {
        match self.state {
            DhcpState::Init => self.discover(now),
            DhcpState::Selecting => match self.collect_until {
                Some(at) if at <= now => self.select(now),
                _ => self.send_discover(now),
            },
            DhcpState::Requesting | DhcpState::Rebooting if self.granted.is_some() => self.probe(now),
            DhcpState::Requesting if self.attempts >= MOST_REQUESTS => {
                self.begin_anew(now, Duration::ZERO, "the server does not answer any more".to_owned());
            }
            DhcpState::Rebooting if self.attempts >= MOST_REBOOTS => {
                self.begin_anew(now, Duration::ZERO, "nobody knows the address remembered".to_owned());
            }
            DhcpState::Requesting | DhcpState::Rebooting => self.send_request(now),
            DhcpState::InitReboot => self.reboot(now),
            DhcpState::Bound => self.extend(DhcpState::Renewing, "T1: half the lease is over", now),
            DhcpState::Renewing if self.is_over(|lease| lease.rebind_after, now) => {
                self.extend(DhcpState::Rebinding, "T2: the server that granted it is silent", now);
            }
            DhcpState::Rebinding if self.is_over(|lease| lease.seconds, now) => {
                self.lose("the lease is over, and nobody has renewed it", now);
            }
            DhcpState::Renewing | DhcpState::Rebinding => self.send_request(now),
        }
    }

    /// An answer has come, in this frame. What is none of this client's is rejected.
    pub fn on_datagram(&mut self, frame: FrameId, datagram: &[u8], now: Instant) -> Result<(), Rejection> {
        let answer = self.check(datagram)?;
        let (message, server) = (&answer.message, answer.server);
        let about = Some(message.your_address).filter(|address| !address.is_unspecified());
        let received = Dhcp::Received {
            frame,
            kind: message.kind,
            transaction: message.transaction,
            server,
            about,
            text: message.text.clone(),
        };
        match message.kind {
            Kind::Offer => {
                let (lease, notes) = answer.lease()?;
                self.tell(received);
                self.on_offer(lease, now);
                self.tell_all(notes);
            }
            Kind::Ack => {
                let (lease, notes) = answer.lease()?;
                self.tell(received);
                self.tell_all(notes);
                self.on_ack(lease, now);
            }
            _ => {
                self.tell(received);
                self.on_nak(server, message.text.as_deref(), now);
            }
        }
        Ok(())
    }

    /// Somebody has the address that is probed for (RFC 2131 4.4.1, RFC 5227 2.1.1).
    pub fn on_in_use(&mut self, by: MacAddress, now: Instant) {
        let Some(lease) = self.granted.take() else { return };
        let Lease { address, server, .. } = lease;
        self.tell(Dhcp::InUse { address, by });
        let mut decline = self.message(Kind::Decline, self.transaction);
        (decline.requested, decline.server) = (Some(address), Some(server));
        self.send(decline, None, 1);
        self.begin_anew(now, AFTER_A_CONFLICT, format!("{address} is used by {by} already"));
    }

    /// The program needs the address no longer (RFC 2131 4.4.6). What was given back.
    pub fn release(&mut self, now: Instant) -> Option<Lease> {
        let held = self.held.take()?;
        let Lease { address, server, .. } = held.lease;
        let mut release = self.message(Kind::Release, self.entropy.u32());
        (release.client_address, release.server) = (address, Some(server));
        self.send(release, Some(server), 1);
        self.tell(Dhcp::Released { address, server });
        self.go_to(DhcpState::Init, "the lease is given back");
        self.actions.push_back(Action::GoWithout);
        self.next = now;
        Some(held.lease)
    }

    // ---- an address for the first time

    /// RFC 2131 4.4.1.
    fn discover(&mut self, now: Instant) {
        (self.transaction, self.begun) = (self.entropy.u32(), now);
        self.offers.clear();
        self.collect_until = None;
        self.wanted = None;
        self.go_to(DhcpState::Selecting, "it looks for servers");
        self.send_discover(now);
    }

    fn send_discover(&mut self, now: Instant) {
        self.discovers = self.discovers.saturating_add(1);
        self.attempts += 1;
        self.elapsed = u16::try_from((now - self.begun).as_secs()).unwrap_or(u16::MAX);
        let mut discover = self.message(Kind::Discover, self.transaction);
        discover.requested = self.config.requested;
        self.send(discover, None, self.attempts);
        self.next = now + self.wait();
    }

    fn on_offer(&mut self, offer: Lease, now: Instant) {
        if self.state != DhcpState::Selecting {
            return self.pass_over(&offer, "another was taken up already");
        }
        // The same server again: its answer to a question asked again.
        if let Some(known) = self.offers.iter_mut().find(|known| known.server == offer.server) {
            *known = offer;
            return;
        }
        if self.offers.len() >= MOST_OFFERS {
            return self.pass_over(&offer, "there are offers enough");
        }
        self.offers.push(offer);
        let until = *self.collect_until.get_or_insert(now + self.config.collect);
        if until <= now {
            self.select(now);
        }
    }

    /// RFC 2131 4.4.1: the client chooses; the address that it would like, or else who came first.
    fn select(&mut self, now: Instant) {
        let offers = std::mem::take(&mut self.offers);
        let wish = offers.iter().position(|offer| Some(offer.address) == self.config.requested);
        let chosen = wish.unwrap_or(0);
        let why = match wish {
            Some(_) => "it is the address that was asked for",
            None if offers.len() == 1 => "the only offer so far",
            None => "the first offer",
        };
        for (index, offer) in offers.iter().enumerate() {
            if index == chosen {
                let Lease { address, server, seconds, .. } = *offer;
                self.tell(Dhcp::Offer { server, address, seconds, taken: true, why: why.to_owned() });
                self.wanted = Some(Wanted { address, server: Some(server) });
            } else {
                self.pass_over(
                    offer,
                    if wish.is_some() { "another suits better" } else { "another was first" },
                );
            }
        }
        self.collect_until = None;
        self.go_to(DhcpState::Requesting, "an offer is taken up");
        self.begun = now;
        self.send_request(now);
    }

    fn pass_over(&mut self, offer: &Lease, why: &str) {
        let Lease { address, server, seconds, .. } = *offer;
        self.tell(Dhcp::Offer { server, address, seconds, taken: false, why: why.to_owned() });
    }

    /// RFC 2131 4.4.2.
    fn reboot(&mut self, now: Instant) {
        let Some(address) = self.config.remembered.take() else {
            return self.go_to(DhcpState::Init, "nothing is remembered");
        };
        (self.transaction, self.begun, self.elapsed) = (self.entropy.u32(), now, 0);
        self.wanted = Some(Wanted { address, server: None });
        self.go_to(DhcpState::Rebooting, "it asks for the address that it had");
        self.send_request(now);
    }

    /// What a DHCPREQUEST says, RFC 2131 4.3.2 and table 5: the server and the address after an
    /// offer, the address alone after a restart, `ciaddr` alone from who has it.
    fn send_request(&mut self, now: Instant) {
        let mut request = self.message(Kind::Request, self.transaction);
        let mut to = None;
        match (&self.held, self.wanted) {
            (Some(held), _) => {
                request.client_address = held.lease.address;
                to = (self.state == DhcpState::Renewing).then_some(held.lease.server);
            }
            (None, Some(wanted)) => {
                (request.requested, request.server) = (Some(wanted.address), wanted.server);
            }
            (None, None) => return,
        }
        self.attempts += 1;
        self.send(request, to, self.attempts);
        self.next = now + self.wait_for_ack(now);
    }

    fn on_ack(&mut self, lease: Lease, now: Instant) {
        if self.held.is_some() || !self.config.probe {
            return self.bind(lease);
        }
        self.tell(Dhcp::Probing { address: lease.address });
        (self.granted, self.probes) = (Some(lease), 0);
        self.probe(now);
    }

    /// RFC 2131 4.4.1: the client should check that nobody uses the address.
    fn probe(&mut self, now: Instant) {
        match self.granted.take() {
            Some(lease) if self.probes < PROBES => {
                self.probes += 1;
                self.actions.push_back(Action::Probe(lease.address));
                self.granted = Some(lease);
                self.next = now + PROBE_INTERVAL;
            }
            Some(lease) => self.bind(lease),
            None => {}
        }
    }

    fn bind(&mut self, lease: Lease) {
        let again = self.held.is_some();
        self.go_to(DhcpState::Bound, if again { "it is renewed" } else { "the address is this host's" });
        (self.refusals, self.trouble, self.wanted) = (0, None, None);
        self.actions.push_back(Action::Take(lease.clone()));
        self.tell(Dhcp::Leased {
            address: lease.address,
            prefix_len: lease.prefix_len,
            router: lease.router,
            name_servers: lease.name_servers.clone(),
            domain: lease.domain.clone(),
            server: lease.server,
            seconds: lease.seconds,
            renew_after: lease.renew_after,
            rebind_after: lease.rebind_after,
            again,
        });
        // RFC 2131 4.4.1: the lease runs from when it was asked for.
        self.held = Some(Held { lease, since: self.begun });
    }

    fn on_nak(&mut self, server: Ipv4Addr, text: Option<&str>, now: Instant) {
        let text = text.map(|text| format!(": {text}")).unwrap_or_default();
        if self.held.is_some() {
            return self.lose(&format!("{server} refuses it{text}"), now);
        }
        // A server that refuses what it has just offered is not asked for ever.
        let wait = match self.refusals {
            0 => Duration::ZERO,
            n => Duration::from_secs(1 << (n - 1).min(6)),
        };
        self.refusals += 1;
        let address = self.wanted.map(|wanted| format!(" {}", wanted.address)).unwrap_or_default();
        self.begin_anew(now, wait, format!("{server} refuses{address}{text}"));
    }

    fn begin_anew(&mut self, now: Instant, wait: Duration, why: String) {
        self.granted = None;
        self.wanted = None;
        self.go_to(DhcpState::Init, &why);
        self.trouble = Some(why);
        self.next = now + wait;
    }

    // ---- the address for a while longer

    /// RFC 2131 4.4.5.
    fn extend(&mut self, state: DhcpState, why: &str, now: Instant) {
        (self.transaction, self.begun, self.elapsed) = (self.entropy.u32(), now, 0);
        self.go_to(state, why);
        self.send_request(now);
    }

    fn lose(&mut self, why: &str, now: Instant) {
        if let Some(held) = self.held.take() {
            self.tell(Dhcp::Lost { address: held.lease.address, why: why.to_owned() });
            self.actions.push_back(Action::GoWithout);
        }
        self.begin_anew(now, Duration::ZERO, why.to_owned());
    }

    fn is_over(&self, seconds: impl Fn(&Lease) -> u32, now: Instant) -> bool {
        self.held.as_ref().and_then(|held| held.at(seconds)).is_some_and(|at| at <= now)
    }

    // ---- what all of them need

    /// RFC 2131 4.1: 4, 8, 16, 32, 64 seconds, each longer or shorter by up to a second.
    fn wait(&self) -> Duration {
        let doublings = self.attempts.saturating_sub(1).min(6);
        let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
        let spread = u32::try_from(2 * SPREAD.as_millis()).unwrap_or_default() + 1;
        wait - SPREAD + Duration::from_millis(self.entropy.below(spread).into())
    }

    /// RFC 2131 4.4.5: who has an address asks again after half the time that is left for it.
    fn wait_for_ack(&self, now: Instant) -> Duration {
        let left = match (&self.held, self.state) {
            (Some(held), DhcpState::Renewing) => held.at(|lease| lease.rebind_after),
            (Some(held), _) => held.at(|lease| lease.seconds),
            (None, _) => return self.wait(),
        };
        left.map_or(LONGEST_WAIT, |at| (at - now) / 2).max(SHORTEST_RENEWAL)
    }

    /// RFC 2131 4.4.1, table 5.
    fn message(&self, kind: Kind, transaction: u32) -> Message {
        let asks = matches!(kind, Kind::Discover | Kind::Request);
        let config = &self.config;
        Message {
            elapsed: if asks { self.elapsed } else { 0 },
            broadcast: asks && config.broadcast && self.held.is_none(),
            client_id: Some(config.client_id.clone()),
            host_name: config.host_name.clone().filter(|_| asks),
            wishes: if asks { WISHES.to_vec() } else { Vec::new() },
            longest: asks.then(|| u16::try_from(LONGEST).unwrap_or(u16::MAX)),
            ..Message::new(kind, transaction, config.mac)
        }
    }

    fn send(&mut self, message: Message, to: Option<Ipv4Addr>, attempt: u32) {
        self.actions.push_back(Action::Send { message: Box::new(message), to, attempt });
    }

    fn go_to(&mut self, to: DhcpState, why: &str) {
        let from = std::mem::replace(&mut self.state, to);
        self.attempts = 0;
        if from != to {
            self.tell(Dhcp::StateChanged { from, to, why: why.to_owned() });
        }
    }

    fn tell(&mut self, fact: impl Into<Event>) {
        self.actions.push_back(Action::Tell(Box::new(fact.into())));
    }

    fn tell_all(&mut self, remarks: Vec<String>) {
        for remark in remarks {
            self.tell(Note::warning(format!("DHCP: {remark}")));
        }
    }
}

impl Held {
    /// When so many seconds of the lease are over; never, if it is for ever (RFC 2131 3.3).
    fn at(&self, seconds: impl Fn(&Lease) -> u32) -> Option<Instant> {
        (self.lease.seconds != u32::MAX)
            .then(|| self.since + Duration::from_secs(seconds(&self.lease).into()))
    }
}

fn earlier(at: Instant, or: Option<Instant>) -> Option<Instant> {
    Some(or.map_or(at, |or| or.min(at)))
}
