//! What is remembered of servers: how fast each answers, whether it answers at all, what it understands, for
//! which zones it is of no use; and whom to ask next, with the evidence.
//!
//! ```text
//!   answered in 20 ms    srtt, rttvar -> rto            RFC 6298
//!   silent               rto doubles; after a few times it is left alone, then probed once in a while
//!   choose               fastest rto + 400 ms: among those chance decides, as unbound does, so that
//!                        nobody can foresee who is asked (RFC 5452 4.4) and each is measured now and then
//! ```

mod saved;

pub(crate) use saved::SavedServer;

use crate::name::DnsName;
use crate::record::RecordType;
use glasstack_journal::Instant;
use glasstack_stack::Entropy;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// How servers are remembered. The figures are unbound's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InfrastructureConfig {
    /// How many servers. 10 000; the one not heard of longest gives way.
    pub capacity: usize,
    /// How long what was learnt of a server counts. 15 min.
    pub keep: Duration,
    /// Servers that are so much slower than the fastest are as good as it. 400 ms; zero: the fastest alone.
    pub band: Duration,
    /// How long a server of which nothing is known is taken to need. 376 ms.
    pub unknown: Duration,
    /// No answer is waited for less long. 50 ms.
    pub min_rto: Duration,
    /// Nor longer. 2 min.
    pub max_rto: Duration,
    /// A server whose time-out has grown to this by its silence is left alone until it is probed. 12 s.
    pub silent_rto: Duration,
    /// For how many zones of a server it is remembered that it is of no use there. 64.
    pub max_lame: usize,
}

impl Default for InfrastructureConfig {
    fn default() -> Self {
        Self {
            capacity: 10_000,
            keep: Duration::from_secs(900),
            band: Duration::from_millis(400),
            unknown: Duration::from_millis(376),
            min_rto: Duration::from_millis(50),
            max_rto: Duration::from_secs(120),
            silent_rto: Duration::from_secs(12),
            max_lame: 64,
        }
    }
}

/// What is remembered of all servers.
#[derive(Debug)]
pub struct Infrastructure {
    config: InfrastructureConfig,
    servers: BTreeMap<SocketAddr, Server>,
    /// The same by when they were last heard of or asked.
    by_age: BTreeSet<(Instant, SocketAddr)>,
}

#[derive(Clone, Debug)]
struct Server {
    learnt: Instant,
    /// Smoothed round-trip time and its variation (RFC 6298 2); none before the first answer.
    measured: Option<(Duration, Duration)>,
    rto: Duration,
    /// In a row.
    timeouts: u32,
    /// The same for questions of type A, of type AAAA, and all others.
    unanswered: [u32; 3],
    /// When it may be asked again, if it is left alone.
    probe_at: Instant,
    edns: EdnsSupport,
    keeps_case: Option<bool>,
    /// Zones that it is said to serve, but does not; each until then.
    lame: BTreeMap<DnsName, Instant>,
}

/// Whether a server understands EDNS (RFC 6891).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EdnsSupport {
    /// It has not been asked yet.
    #[default]
    Unknown,
    /// It does; answers up to so many bytes have come through, or may.
    Understood {
        /// What it should be offered, in bytes.
        udp_payload: u16,
    },
    /// It does not.
    Lacking,
}

/// What is known of a server at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: it counts as moderately fast, so that it is tried.
    Unknown,
    /// It answers.
    Measured {
        /// The smoothed round-trip time (RFC 6298 2).
        srtt: Duration,
        /// How long an answer is waited for.
        rto: Duration,
        /// How often in a row it has been silent since.
        timeouts: u32,
    },
    /// It has never answered.
    Silent {
        /// How long an answer is waited for.
        rto: Duration,
        /// How often in a row it was silent.
        timeouts: u32,
    },
    /// It was silent so often that it is left alone until it is probed.
    LeftAlone {
        /// How often in a row it was silent.
        timeouts: u32,
        /// For how much longer.
        left: Duration,
    },
    /// It is said to serve the zone, but does not.
    Lame,
}

impl fmt::Display for Standing {
    /// As `20 ms`, `not measured yet`, `silent 3 times`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("not measured yet"),
            Self::Measured { srtt, timeouts: 0, .. } => write!(f, "{} ms", srtt.as_millis()),
            Self::Measured { srtt, timeouts, .. } => {
                write!(f, "{} ms, but silent {}", srtt.as_millis(), times(*timeouts))
            }
            Self::Silent { timeouts, .. } => write!(f, "silent {}", times(*timeouts)),
            Self::LeftAlone { timeouts, left } => {
                write!(f, "silent {}: left alone for another {} s", times(*timeouts), left.as_secs())
            }
            Self::Lame => f.write_str("lame"),
        }
    }
}

fn times(times: u32) -> String {
    match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

/// Whom to ask, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Whom.
    pub server: SocketAddr,
    /// Why.
    pub why: WhyServer,
    /// All that could have been asked, with what is known of them, in the order in which they were given.
    pub candidates: Vec<(SocketAddr, Standing)>,
}

/// Why a server is asked rather than the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyServer {
    /// There is no other.
    Only,
    /// Chance: so many are equally good.
    AmongEquals(usize),
    /// It is faster than the others by more than the band.
    Fastest,
    /// It was left alone for long enough: it is time to see whether it is back.
    Probe,
    /// All are left alone or lame; this one has the least against it.
    LeastBad,
}

impl fmt::Display for WhyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only => f.write_str("it is the only one"),
            Self::AmongEquals(count) => write!(f, "chance, among {count} that are fast enough"),
            Self::Fastest => f.write_str("it is the fastest by far"),
            Self::Probe => f.write_str("it was silent, and it is time to see whether it is back"),
            Self::LeastBad => f.write_str("all were silent or lame, and it has the least against it"),
        }
    }
}

/// So many questions of one type without an answer, and it is taken for one that does not answer such.
const SILENT_TO: u32 = 3;

/// Which of the counts a type has.
fn kind_of(record_type: RecordType) -> usize {
    match record_type {
        RecordType::A => 0,
        RecordType::Aaaa => 1,
        _ => 2,
    }
}

impl Infrastructure {
    /// Of no server anything is known.
    pub fn new(config: InfrastructureConfig) -> Self {
        Self { config, servers: BTreeMap::new(), by_age: BTreeSet::new() }
    }

    /// How servers are remembered.
    pub fn config(&self) -> &InfrastructureConfig {
        &self.config
    }

    /// It has answered after `rtt`.
    pub fn note_answer(&mut self, server: SocketAddr, rtt: Duration, now: Instant) {
        let (min, max) = (self.config.min_rto, self.config.max_rto);
        let server = self.heard_of(server, now);
        // RFC 6298 2.2 and 2.3
        let (srtt, variation) = match server.measured {
            None => (rtt, rtt / 2),
            Some((srtt, variation)) => ((srtt * 7 + rtt) / 8, (variation * 3 + srtt.abs_diff(rtt)) / 4),
        };
        server.measured = Some((srtt, variation));
        server.rto = (srtt + variation * 4).clamp(min, max);
        server.timeouts = 0;
    }

    /// It was silent for as long as it was given.
    pub fn note_timeout(&mut self, server: SocketAddr, waited: Duration, now: Instant) {
        let (max, silent, band) = (self.config.max_rto, self.config.silent_rto, self.config.band);
        let server = self.heard_of(server, now);
        server.timeouts = server.timeouts.saturating_add(1);
        // RFC 6298 5.5; a question that was given less time than others meanwhile says nothing new.
        if waited * 2 >= server.rto {
            server.rto = (server.rto.max(waited) * 2).min(max);
        }
        if server.rto >= silent {
            server.probe_at = now + server.rto.max(band);
        }
    }

    /// Whether a question for this type was answered. Some servers are silent to types that they do not know.
    pub fn note_type(&mut self, server: SocketAddr, record_type: RecordType, answered: bool, now: Instant) {
        if let Some(count) = self.heard_of(server, now).unanswered.get_mut(kind_of(record_type)) {
            *count = if answered { 0 } else { count.saturating_add(1) };
        }
    }

    /// It cannot be reached at all: as if it had been silent for long.
    pub fn note_unreachable(&mut self, server: SocketAddr, now: Instant) {
        let silent = self.config.silent_rto;
        let server = self.heard_of(server, now);
        server.timeouts = server.timeouts.saturating_add(1);
        server.rto = server.rto.max(silent);
        server.probe_at = now + server.rto;
    }

    /// What it understands of EDNS.
    pub fn note_edns(&mut self, server: SocketAddr, support: EdnsSupport, now: Instant) {
        self.heard_of(server, now).edns = support;
    }

    /// Whether it repeats a question's letters as they were sent.
    pub fn note_case(&mut self, server: SocketAddr, kept: bool, now: Instant) {
        self.heard_of(server, now).keeps_case = Some(kept);
    }

    /// It is said to serve `zone`, but does not.
    pub fn note_lame(&mut self, server: SocketAddr, zone: &DnsName, now: Instant) {
        let (most, until) = (self.config.max_lame, now + self.config.keep);
        let lame = &mut self.heard_of(server, now).lame;
        lame.retain(|_, until| *until > now);
        if lame.len() < most {
            lame.insert(zone.clone(), until);
        }
    }

    /// What is known of a server that is said to serve `zone`.
    pub fn standing(&self, server: SocketAddr, zone: &DnsName, now: Instant) -> Standing {
        let Some(known) = self.known(server, now) else { return Standing::Unknown };
        if known.lame.get(zone).is_some_and(|until| *until > now) {
            return Standing::Lame;
        }
        let (rto, timeouts) = (known.rto, known.timeouts);
        if timeouts > 0 && rto >= self.config.silent_rto && known.probe_at > now {
            return Standing::LeftAlone { timeouts, left: known.probe_at.since(now) };
        }
        match known.measured {
            Some((srtt, _)) => Standing::Measured { srtt, rto, timeouts },
            None if timeouts > 0 => Standing::Silent { rto, timeouts },
            None => Standing::Unknown,
        }
    }

    /// How long an answer of this server should be waited for.
    pub fn rto(&self, server: SocketAddr, now: Instant) -> Duration {
        self.known(server, now).map_or(self.config.unknown, |known| known.rto)
    }

    /// What it understands of EDNS.
    pub fn edns(&self, server: SocketAddr, now: Instant) -> EdnsSupport {
        self.known(server, now).map(|known| known.edns).unwrap_or_default()
    }

    /// Whether it has been silent to the last three questions for this type: one more is enough to see whether it
    /// still is.
    pub fn is_silent_to(&self, server: SocketAddr, record_type: RecordType, now: Instant) -> bool {
        let known = self.known(server, now).and_then(|known| known.unanswered.get(kind_of(record_type)));
        known.is_some_and(|count| *count >= SILENT_TO)
    }

    /// Whether it repeats a question's letters as they were sent; none if that is not known.
    pub fn keeps_case(&self, server: SocketAddr, now: Instant) -> Option<bool> {
        self.known(server, now)?.keeps_case
    }

    /// Whom of `servers` of `zone` to ask; nobody if there is none.
    pub fn choose(
        &self,
        servers: &[SocketAddr],
        zone: &DnsName,
        now: Instant,
        entropy: &dyn Entropy,
    ) -> Option<Choice> {
        let candidates: Vec<(SocketAddr, Standing)> =
            servers.iter().map(|server| (*server, self.standing(*server, zone, now))).collect();
        let pick = |among: &[SocketAddr]| {
            let count = u32::try_from(among.len()).unwrap_or(u32::MAX);
            let index = if count > 1 { entropy.below(count) } else { 0 };
            among.get(usize::try_from(index).unwrap_or_default()).copied()
        };
        let times = |(server, standing): &(SocketAddr, Standing)| Some((*server, self.time_of(standing)?));
        let usable: Vec<(SocketAddr, Duration)> = candidates.iter().filter_map(times).collect();
        let Some(fastest) = usable.iter().map(|(_, time)| *time).min() else {
            // Those that are lame come after those that are silent.
            let against = |(server, standing): &(SocketAddr, Standing)| match standing {
                Standing::LeftAlone { left, .. } => (false, *left, *server),
                _ => (true, Duration::ZERO, *server),
            };
            let server = candidates.iter().min_by_key(|candidate| against(candidate))?.0;
            return Some(Choice { server, why: WhyServer::LeastBad, candidates });
        };
        let fast_enough = |(server, time): &(SocketAddr, Duration)| {
            (*time <= fastest + self.config.band).then_some(*server)
        };
        let equals: Vec<SocketAddr> = usable.iter().filter_map(fast_enough).collect();
        let server = pick(&equals)?;
        let why = match equals.len() {
            1 if candidates.len() == 1 => WhyServer::Only,
            1 if fastest >= self.config.silent_rto => WhyServer::Probe,
            1 => WhyServer::Fastest,
            equal => WhyServer::AmongEquals(equal),
        };
        Some(Choice { server, why, candidates })
    }

    /// All servers of which something is known, by address.
    pub fn servers(&self, now: Instant) -> impl Iterator<Item = (SocketAddr, Standing, EdnsSupport)> {
        let root = DnsName::root();
        let known = self.servers.keys().filter(move |server| self.known(**server, now).is_some());
        known.map(move |server| (*server, self.standing(*server, &root, now), self.edns(*server, now)))
    }

    /// The servers that have been measured or of which it is known whether they understand EDNS: silence may be over by
    /// the time somebody reads it.
    pub(crate) fn save(&self, now: Instant) -> impl Iterator<Item = SavedServer> {
        let known =
            self.servers.keys().filter_map(move |address| Some((*address, self.known(*address, now)?)));
        let saved = known.map(|(address, server)| SavedServer {
            address,
            measured: server.measured,
            edns: server.edns,
        });
        saved.filter(|saved| saved.measured.is_some() || saved.edns != EdnsSupport::Unknown)
    }

    /// Learns what was saved.
    pub(crate) fn restore(&mut self, saved: &SavedServer, now: Instant) {
        let (min, max) = (self.config.min_rto, self.config.max_rto);
        let server = self.heard_of(saved.address, now);
        server.edns = saved.edns;
        if let Some((srtt, variation)) = saved.measured {
            server.measured = Some((srtt, variation));
            server.rto = srtt.saturating_add(variation.saturating_mul(4)).clamp(min, max);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.servers.clear();
        self.by_age.clear();
    }

    /// What a server costs, as far as the choice goes; none if it is not to be asked.
    fn time_of(&self, standing: &Standing) -> Option<Duration> {
        match standing {
            Standing::Unknown => Some(self.config.unknown),
            Standing::Measured { rto, .. } | Standing::Silent { rto, .. } => Some(*rto),
            Standing::LeftAlone { .. } | Standing::Lame => None,
        }
    }

    fn known(&self, server: SocketAddr, now: Instant) -> Option<&Server> {
        self.servers.get(&server).filter(|known| known.learnt + self.config.keep > now)
    }

    fn heard_of(&mut self, address: SocketAddr, now: Instant) -> &mut Server {
        let outdated = match self.servers.get(&address) {
            Some(known) => {
                self.by_age.remove(&(known.learnt, address));
                known.learnt + self.config.keep <= now
            }
            None => {
                if self.servers.len() >= self.config.capacity
                    && let Some((_, oldest)) = self.by_age.pop_first()
                {
                    self.servers.remove(&oldest);
                }
                true
            }
        };
        self.by_age.insert((now, address));
        let unknown = self.config.unknown;
        let server = self.servers.entry(address).or_insert_with(|| Server::new(unknown, now));
        if outdated {
            *server = Server::new(unknown, now);
        }
        server.learnt = now;
        server
    }
}

impl Server {
    fn new(rto: Duration, now: Instant) -> Self {
        Self {
            learnt: now,
            measured: None,
            rto,
            timeouts: 0,
            unanswered: [0; 3],
            probe_at: Instant::ZERO,
            edns: EdnsSupport::Unknown,
            keeps_case: None,
            lame: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Counts up.
    #[derive(Default)]
    struct Counter(AtomicU32);

    impl Entropy for Counter {
        fn fill(&self, bytes: &mut [u8]) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            bytes.iter_mut().zip(next.into_iter().cycle()).for_each(|(byte, next)| *byte = next);
        }

        fn is_reproducible(&self) -> bool {
            false
        }
    }

    fn server(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 53))
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn known() -> Infrastructure {
        Infrastructure::new(InfrastructureConfig::default())
    }

    /// Who is chosen of four servers in so many tries, and why the last time.
    fn chosen(known: &Infrastructure, now: Instant) -> (BTreeSet<SocketAddr>, WhyServer) {
        let servers: Vec<SocketAddr> = (1..=4).map(server).collect();
        let entropy = Counter::default();
        let choices: Vec<Choice> =
            (0..40).map(|_| known.choose(&servers, &DnsName::root(), now, &entropy).unwrap()).collect();
        (choices.iter().map(|choice| choice.server).collect(), choices[39].why)
    }

    #[test]
    fn times_are_smoothed_and_give_the_time_that_is_waited() {
        let mut known = known();
        assert_eq!(known.rto(server(1), at(0)), ms(376));
        known.note_answer(server(1), ms(80), at(0));
        assert_eq!(known.rto(server(1), at(0)), ms(240));
        known.note_answer(server(1), ms(160), at(1));
        let Standing::Measured { srtt, rto, timeouts: 0 } =
            known.standing(server(1), &DnsName::root(), at(1))
        else {
            panic!("it has answered")
        };
        assert_eq!((srtt, rto), (ms(90), ms(290)));
        for _ in 0..50 {
            known.note_answer(server(1), ms(1), at(2));
        }
        assert_eq!(known.rto(server(1), at(2)), ms(50), "but never less");
    }

    #[test]
    fn chance_decides_among_those_that_are_fast_enough() {
        let mut known = known();
        assert_eq!(chosen(&known, at(0)), ((1..=4).map(server).collect(), WhyServer::AmongEquals(4)));
        known.note_answer(server(1), ms(20), at(0));
        known.note_answer(server(2), ms(300), at(0));
        let (servers, why) = chosen(&known, at(0));
        assert_eq!(servers, [1, 3, 4].map(server).into());
        assert_eq!(why, WhyServer::AmongEquals(3));
        known.note_timeout(server(3), ms(376), at(0));
        known.note_timeout(server(4), ms(376), at(0));
        let (servers, why) = chosen(&known, at(0));
        assert_eq!((servers, why), ([server(1)].into(), WhyServer::Fastest));
    }

    #[test]
    fn a_silent_server_is_left_alone_then_probed_then_trusted_again() {
        let mut known = known();
        for _ in 0..5 {
            let waited = known.rto(server(1), at(0));
            known.note_timeout(server(1), waited, at(0));
        }
        let alone = known.standing(server(1), &DnsName::root(), at(0));
        assert_eq!(alone, Standing::LeftAlone { timeouts: 5, left: ms(12_032) });
        assert_eq!(alone.to_string(), "silent 5 times: left alone for another 12 s");
        assert_eq!(chosen(&known, at(0)).0, [2, 3, 4].map(server).into());
        let only = |known: &Infrastructure, now| {
            known.choose(&[server(1), server(2)], &DnsName::root(), now, &Counter::default()).unwrap()
        };
        for _ in 0..5 {
            known.note_timeout(server(2), ms(6000), at(0));
        }
        assert_eq!(only(&known, at(0)).why, WhyServer::LeastBad);
        assert_eq!((only(&known, at(13)).server, only(&known, at(13)).why), (server(1), WhyServer::Probe));
        known.note_answer(server(1), ms(20), at(13));
        assert!(matches!(
            known.standing(server(1), &DnsName::root(), at(13)),
            Standing::Measured { timeouts: 0, .. }
        ));
    }

    #[test]
    fn several_questions_that_were_under_way_count_as_one_silence() {
        let mut known = known();
        for _ in 0..10 {
            known.note_timeout(server(1), ms(376), at(0));
        }
        assert_eq!(known.rto(server(1), at(0)), ms(752 * 2));
    }

    #[test]
    fn a_server_is_lame_for_one_zone_and_for_a_while() {
        let mut known = known();
        let zone = DnsName::parse("example.test").unwrap();
        known.note_lame(server(1), &zone, at(0));
        assert_eq!(known.standing(server(1), &zone, at(1)), Standing::Lame);
        assert_eq!(known.standing(server(1), &DnsName::root(), at(1)), Standing::Unknown);
        let choice = known.choose(&[server(1)], &zone, at(1), &Counter::default()).unwrap();
        assert_eq!((choice.server, choice.why), (server(1), WhyServer::LeastBad));
        assert_eq!(known.standing(server(1), &zone, at(900)), Standing::Unknown);
    }

    #[test]
    fn what_a_server_understands_is_remembered_for_a_while() {
        let mut known = known();
        known.note_edns(server(1), EdnsSupport::Lacking, at(0));
        known.note_case(server(1), false, at(1));
        assert_eq!(known.edns(server(1), at(1)), EdnsSupport::Lacking);
        assert_eq!(known.keeps_case(server(1), at(1)), Some(false));
        assert_eq!(known.edns(server(1), at(901)), EdnsSupport::Unknown);
        known.note_answer(server(1), ms(10), at(901));
        assert_eq!(known.edns(server(1), at(901)), EdnsSupport::Unknown, "it begins anew");
    }

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let mut known = Infrastructure::new(InfrastructureConfig { capacity: 3, ..Default::default() });
        for (second, last) in [1, 2, 3, 1, 4].into_iter().enumerate() {
            known.note_answer(server(last), ms(10), at(second as u64));
        }
        let left: Vec<SocketAddr> = known.servers(at(5)).map(|(server, ..)| server).collect();
        assert_eq!(left, [1, 3, 4].map(server));
        assert_eq!(known.by_age.len(), 3);
    }
}
