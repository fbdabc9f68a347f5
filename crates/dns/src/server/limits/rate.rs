//! Response rate limiting, as BIND and NSD do it: who asks from a forged address makes the server
//! flood whose address it is. So the same is told to the same network only so many times a second.

use super::clients::Bucket;
use super::table::Table;
use crate::address_range::AddressRange;
use crate::message::{Message, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordType};
use glasstack_journal::Instant;
use glasstack_journal::event::Withheld;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// How often the same may be told to the same network. Over UDP only: who has a connection, has the
/// address, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseRateLimit {
    /// Answers with records to one question, a second.
    pub responses_per_second: u32,
    /// Referrals to one zone, a second.
    pub referrals_per_second: u32,
    /// Times that one name has no such records, a second.
    pub nodata_per_second: u32,
    /// Times that names of one zone do not exist, a second.
    pub nxdomains_per_second: u32,
    /// Errors of all kinds, a second.
    pub errors_per_second: u32,
    /// Responses of all kinds, a second; 0 for any number.
    pub all_per_second: u32,
    /// Every so manyth response that is withheld is sent as truncated, so that who really asked comes
    /// back over TCP; 0 for none, 1 for all. 2.
    pub slip: u32,
    /// For how many seconds one that is withheld counts. 15.
    pub window: u32,
    /// How many bits of an IPv4 address make a network. 24.
    pub ipv4_prefix: u8,
    /// How many of an IPv6 address. 56.
    pub ipv6_prefix: u8,
    /// Clients that are not limited.
    pub exempt: Vec<AddressRange>,
    /// How many networks and answers are remembered. 20 000.
    pub table_size: usize,
}

impl ResponseRateLimit {
    /// The same limit for each kind, and otherwise what BIND has.
    pub fn of(responses_per_second: u32) -> Self {
        Self {
            responses_per_second,
            referrals_per_second: responses_per_second,
            nodata_per_second: responses_per_second,
            nxdomains_per_second: responses_per_second,
            errors_per_second: responses_per_second,
            all_per_second: 0,
            slip: 2,
            window: 15,
            ipv4_prefix: 24,
            ipv6_prefix: 56,
            exempt: Vec::new(),
            table_size: 20_000,
        }
    }

    fn limit(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Answer => self.responses_per_second,
            Kind::Referral => self.referrals_per_second,
            Kind::NoData => self.nodata_per_second,
            Kind::NxDomain => self.nxdomains_per_second,
            Kind::Error => self.errors_per_second,
            Kind::All => self.all_per_second,
        }
    }

    fn network(&self, client: IpAddr) -> AddressRange {
        let client = client.to_canonical();
        AddressRange::new(client, if client.is_ipv4() { self.ipv4_prefix } else { self.ipv6_prefix })
    }
}

/// What is the same about two responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Answer,
    Referral,
    NoData,
    NxDomain,
    Error,
    All,
}

/// The network, the kind, and what it is about: the question, the zone, or nothing more.
type Key = (AddressRange, Kind, Option<DnsName>, u16);

#[derive(Debug)]
struct Account {
    bucket: Bucket,
    /// Withheld since the last one that was sent as truncated.
    withheld: u32,
}

/// What is done with a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is sent.
    Send,
    /// An empty one that says TC is sent.
    Slip(Withheld),
    /// None is.
    Drop(Withheld),
}

/// What was told to whom lately.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    limit: ResponseRateLimit,
    accounts: Mutex<Table<Key, Account>>,
}

impl RateLimiter {
    pub(crate) fn new(limit: ResponseRateLimit) -> Self {
        Self { accounts: Mutex::new(Table::new(limit.table_size)), limit }
    }

    /// Judges a response to `client`, which counts by that.
    pub(crate) fn judge(
        &self,
        client: IpAddr,
        response: &Message,
        wildcard: Option<&DnsName>,
        now: Instant,
    ) -> Verdict {
        if self.limit.exempt.iter().any(|range| range.contains(client.to_canonical())) {
            return Verdict::Send;
        }
        let network = self.limit.network(client);
        let (kind, name, number) = subject(response, wildcard);
        let verdict = self.take((network, kind, name, number), now);
        if verdict != Verdict::Send || self.limit.all_per_second == 0 {
            return verdict;
        }
        self.take((network, Kind::All, None, 0), now)
    }

    fn take(&self, key: Key, now: Instant) -> Verdict {
        let limit = self.limit.limit(key.1);
        if limit == 0 {
            return Verdict::Send;
        }
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let about = (key.1, key.2.clone(), key.3);
        let account = accounts.entry(key, || Account { bucket: Bucket::full(limit, now), withheld: 0 });
        if account.bucket.take(limit, self.limit.window, now) {
            return Verdict::Send;
        }
        account.withheld += 1;
        let why = Withheld::ResponseRate { about: in_words(about), limit };
        if self.limit.slip == 0 || account.withheld < self.limit.slip {
            return Verdict::Drop(why);
        }
        account.withheld = 0;
        Verdict::Slip(why)
    }
}

/// What a response is about, as far as it counts: an attacker who asks for ever new names below one
/// zone gets the same from it.
fn subject(response: &Message, wildcard: Option<&DnsName>) -> (Kind, Option<DnsName>, u16) {
    let question = response.question.as_ref();
    let asked = || question.map(|question| question.name.clone());
    let owner_of = |wanted: RecordType| {
        let found = |record: &&Record| record.record_type() == wanted;
        response.authorities.iter().find(found).map(|record| record.owner.clone())
    };
    match response.code {
        ResponseCode::NxDomain => (Kind::NxDomain, owner_of(RecordType::Soa).or_else(asked), 0),
        ResponseCode::NoError if !response.answers.is_empty() => {
            let number = question.map_or(0, |question| question.record_type.number());
            (Kind::Answer, wildcard.cloned().or_else(asked), number)
        }
        ResponseCode::NoError => match owner_of(RecordType::Ns) {
            Some(zone) if !response.authoritative => (Kind::Referral, Some(zone), 0),
            _ => (Kind::NoData, asked(), 0),
        },
        _ => (Kind::Error, None, 0),
    }
}

fn in_words((kind, name, number): (Kind, Option<DnsName>, u16)) -> String {
    let name = name.unwrap_or_else(DnsName::root);
    match kind {
        Kind::Answer => format!("{name} {}", RecordType::from_number(number)),
        Kind::Referral => format!("the servers of {name}"),
        Kind::NoData => format!("what {name} does not have"),
        Kind::NxDomain => format!("NXDOMAIN in {name}"),
        Kind::Error => "errors".to_owned(),
        Kind::All => "anything".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Question;
    use crate::record::{RecordData, Soa};

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn record(owner: &str, data: impl Into<RecordData>) -> Record {
        Record { owner: name(owner), ttl: 60, data: data.into() }
    }

    fn response(owner: &str, code: ResponseCode) -> Message {
        Message::query(1, Question::new(name(owner), RecordType::A), None).response(code)
    }

    fn answer(owner: &str) -> Message {
        let answers = vec![record(owner, IpAddr::from([192, 0, 2, 80]))];
        Message { authoritative: true, answers, ..response(owner, ResponseCode::NoError) }
    }

    fn client(last: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, last])
    }

    fn soa() -> Record {
        let soa = Soa {
            primary: name("ns.example.test"),
            mailbox: name("hostmaster.example.test"),
            serial: 1,
            refresh: 2,
            retry: 3,
            expire: 4,
            minimum: 5,
        };
        record("example.test", RecordData::Soa(soa))
    }

    /// How many of `count` responses at once are sent, slipped and dropped.
    fn at_once(limiter: &RateLimiter, count: u8, response: impl Fn(u8) -> Message) -> [usize; 3] {
        of_wildcard(limiter, count, None, response)
    }

    fn of_wildcard(
        limiter: &RateLimiter,
        count: u8,
        wildcard: Option<&DnsName>,
        response: impl Fn(u8) -> Message,
    ) -> [usize; 3] {
        let mut counts = [0; 3];
        for turn in 0..count {
            let verdict = limiter.judge(client(turn), &response(turn), wildcard, Instant::ZERO);
            counts[match verdict {
                Verdict::Send => 0,
                Verdict::Slip(_) => 1,
                Verdict::Drop(_) => 2,
            }] += 1;
        }
        counts
    }

    #[test]
    fn a_network_is_told_the_same_so_often_and_every_second_time_it_is_withheld_to_come_over_tcp() {
        let limiter = RateLimiter::new(ResponseRateLimit::of(5));
        assert_eq!(at_once(&limiter, 25, |_| answer("www.example.test")), [5, 10, 10]);
        let other = at_once(&limiter, 5, |_| answer("mail.example.test"));
        assert_eq!(other, [5, 0, 0], "another answer counts for itself");
        let elsewhere = IpAddr::from([203, 0, 113, 1]);
        let verdict = limiter.judge(elsewhere, &answer("www.example.test"), None, Instant::ZERO);
        assert_eq!(verdict, Verdict::Send);
    }

    #[test]
    fn slip_one_sends_all_to_tcp_and_slip_none_nobody() {
        let slip = |slip| RateLimiter::new(ResponseRateLimit { slip, ..ResponseRateLimit::of(5) });
        assert_eq!(at_once(&slip(1), 15, |_| answer("www.example.test")), [5, 10, 0]);
        assert_eq!(at_once(&slip(0), 15, |_| answer("www.example.test")), [5, 0, 10]);
    }

    #[test]
    fn random_names_below_a_zone_count_as_one_and_so_do_those_of_a_wildcard() {
        let limiter = RateLimiter::new(ResponseRateLimit::of(5));
        let random = |turn| {
            let response = response(&format!("x{turn}.example.test"), ResponseCode::NxDomain);
            Message { authorities: vec![soa()], ..response }
        };
        assert_eq!(at_once(&limiter, 9, random), [5, 2, 2]);
        let wildcard = name("*.example.test");
        let wild = |turn| answer(&format!("y{turn}.example.test"));
        assert_eq!(of_wildcard(&limiter, 9, Some(&wildcard), wild), [5, 2, 2]);
    }

    #[test]
    fn each_kind_has_its_own_limit_and_zero_is_none() {
        let limit = ResponseRateLimit {
            responses_per_second: 0,
            errors_per_second: 1,
            all_per_second: 8,
            slip: 0,
            ..ResponseRateLimit::of(5)
        };
        let limiter = RateLimiter::new(limit);
        let refused = |turn| response(&format!("z{turn}.test"), ResponseCode::Refused);
        assert_eq!(at_once(&limiter, 4, refused), [1, 0, 3], "errors are one, whatever was asked");
        let same = at_once(&limiter, 20, |_| answer("www.example.test"));
        assert_eq!(same, [7, 0, 13], "eight altogether, one was an error");
    }

    #[test]
    fn the_exempt_are_not_limited_and_the_limit_ends_with_the_flood() {
        let exempt = vec!["198.51.100.64/26".parse().unwrap()];
        let limiter = RateLimiter::new(ResponseRateLimit { exempt, slip: 0, ..ResponseRateLimit::of(5) });
        let judge = |last, at| limiter.judge(client(last), &answer("www.example.test"), None, at);
        for _ in 0..500 {
            assert_eq!(judge(65, Instant::ZERO), Verdict::Send);
            judge(1, Instant::ZERO);
        }
        assert!(matches!(judge(1, Instant::from_millis(14_000)), Verdict::Drop(_)), "fifteen seconds count");
        assert_eq!(judge(1, Instant::from_millis(16_000)), Verdict::Send);
    }

    #[test]
    fn what_was_withheld_is_said_in_words() {
        let limiter = RateLimiter::new(ResponseRateLimit { slip: 0, ..ResponseRateLimit::of(1) });
        let judge = || limiter.judge(client(1), &answer("www.example.test"), None, Instant::ZERO);
        judge();
        let Verdict::Drop(why) = judge() else { unreachable!("the second of one a second") };
        assert_eq!(why.to_string(), "its network was told of www.example.test A more than 1 times a second");
    }
}
