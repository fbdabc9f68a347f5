//! An authority made of zones (RFC 1034 4.3.2).

use super::answering::Answering;
use super::authority::{Asked, Authority, Reply, Transfer};
use crate::message::Question;
use crate::name::DnsName;
use crate::record::RecordType;
use crate::zone::{Path, Zone};
use futures_util::future::{BoxFuture, ready};
use std::collections::BTreeMap;

/// Zones that one server has authority over.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    /// By their origins' keys.
    zones: BTreeMap<Box<[u8]>, Zone>,
    minimal: MinimalResponses,
}

/// How much a response holds beside the answer, as BIND's `minimal-responses` has it. What a client
/// cannot do without is always there: the SOA of a negative answer, a referral's name servers and glue,
/// proofs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MinimalResponses {
    /// The zone's name servers come along with each answer.
    No,
    /// They do not; the addresses of mail exchanges, services and name servers that are answered do.
    #[default]
    NoAuth,
    /// Nothing but the answer.
    Yes,
}

impl Zones {
    /// A server's zones. Of two with the same origin the first counts.
    pub fn new(zones: impl IntoIterator<Item = Zone>) -> Self {
        let mut all = Self::default();
        for zone in zones {
            all.zones.entry(Path::of(zone.origin()).key().into()).or_insert(zone);
        }
        all
    }

    /// The zones, with so much in their answers.
    #[must_use]
    pub fn minimal_responses(mut self, minimal: MinimalResponses) -> Self {
        self.minimal = minimal;
        self
    }

    /// The zones, by their origins in canonical order.
    pub fn iter(&self) -> impl Iterator<Item = &Zone> {
        self.zones.values()
    }

    /// The zone with this origin.
    pub fn get(&self, origin: &DnsName) -> Option<&Zone> {
        self.zones.get(Path::of(origin).key())
    }

    /// Answers a question, without DNSSEC's records.
    pub fn reply(&self, question: &Question) -> Reply {
        Answering::new(self, question, false).reply()
    }

    /// Answers a question as it was put.
    pub fn reply_to(&self, asked: &Asked) -> Reply {
        Answering::new(self, &asked.question, asked.dnssec_ok).reply()
    }

    /// How much a response holds beside the answer.
    pub(super) fn minimal(&self) -> MinimalResponses {
        self.minimal
    }

    /// RFC 1034 4.3.2 step 2: "Search the available zones for the zone which is the nearest ancestor to
    /// QNAME." For the DS records at a zone cut that is the zone above, where it is served here
    /// (RFC 4035 3.1.4.1).
    pub(super) fn zone_of(&self, path: &Path, record_type: RecordType) -> Option<&Zone> {
        let served = |labels: usize| self.zones.get(path.ancestor(labels));
        let above = if record_type == RecordType::Ds { path.labels() } else { path.labels() + 1 };
        (0..above).rev().find_map(served).or_else(|| served(path.labels()))
    }
}

impl From<Zone> for Zones {
    fn from(zone: Zone) -> Self {
        Self::new([zone])
    }
}

impl FromIterator<Zone> for Zones {
    fn from_iter<I: IntoIterator<Item = Zone>>(zones: I) -> Self {
        Self::new(zones)
    }
}

impl Authority for Zones {
    fn answer<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, Reply> {
        Box::pin(ready(self.reply_to(asked)))
    }

    fn answer_now(&self, asked: &Asked) -> Option<Reply> {
        Some(self.reply_to(asked))
    }

    fn is_own(&self, name: &DnsName) -> bool {
        self.zone_of(&Path::of(name), RecordType::A).is_some()
    }

    fn transfer(&self, origin: &DnsName) -> Option<Transfer<'_>> {
        Some(Box::new(self.get(origin)?.transfer()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::ResponseCode;
    use crate::record::{Record, RecordData};
    use std::net::IpAddr;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn zones() -> Zones {
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let example = Zone::new("example.test")
            .and_then(|zone| zone.with("www", address(80)))
            .and_then(|zone| zone.with("mail", address(25)))
            .and_then(|zone| {
                zone.with("@", RecordData::Mx { preference: 10, exchange: name("mail.example.test") })
            })
            .and_then(|zone| zone.with("alias", RecordData::Cname(name("www.example.test"))))
            .and_then(|zone| zone.with("dangling", RecordData::Cname(name("no.example.test"))))
            .and_then(|zone| zone.with("far", RecordData::Cname(name("x.other.test"))))
            .and_then(|zone| zone.with("away", RecordData::Cname(name("www.example.com"))))
            .and_then(|zone| zone.with("one", RecordData::Cname(name("two.example.test"))))
            .and_then(|zone| zone.with("two", RecordData::Cname(name("one.example.test"))))
            .and_then(|zone| zone.with("sub", RecordData::Ns(name("ns.sub.example.test"))))
            .and_then(|zone| zone.with("ns.sub", address(54)))
            .unwrap();
        let other = Zone::new("other.test").and_then(|zone| zone.with("x", address(1))).unwrap();
        let top = Zone::new("test").unwrap();
        Zones::new([top, example, other])
    }

    fn reply(text: &str, record_type: RecordType) -> Reply {
        zones().reply(&Question::new(name(text), record_type))
    }

    fn print(records: &[Record]) -> Vec<String> {
        records.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_nearest_zone_answers_with_authority() {
        let www = reply("www.example.test", RecordType::A);
        assert_eq!(print(&www.answers), ["www.example.test. 300 IN A 192.0.2.80"]);
        assert!(www.authoritative);
        assert_eq!(www.why, "a record of the zone example.test");
        assert_eq!(reply("www.example.com", RecordType::A).code, ResponseCode::Refused);
    }

    #[test]
    fn negative_answers_carry_the_soa_with_the_time_they_may_be_kept() {
        let soa = "example.test. 60 IN SOA ns.example.test. hostmaster.example.test. 1 7200 3600 1209600 60";
        let missing = reply("no.example.test", RecordType::A);
        assert_eq!(
            (missing.code, print(&missing.authorities)),
            (ResponseCode::NxDomain, vec![soa.to_owned()])
        );
        let empty = reply("www.example.test", RecordType::Aaaa);
        assert_eq!((empty.code, print(&empty.authorities)), (ResponseCode::NoError, vec![soa.to_owned()]));
        assert!(empty.answers.is_empty());
    }

    #[test]
    fn aliases_are_followed_as_far_as_the_zones_reach() {
        let types = |reply: &Reply| reply.answers.iter().map(Record::record_type).collect::<Vec<_>>();
        assert_eq!(types(&reply("alias.example.test", RecordType::A)), [RecordType::Cname, RecordType::A]);
        assert_eq!(types(&reply("far.example.test", RecordType::A)), [RecordType::Cname, RecordType::A]);
        let dangling = reply("dangling.example.test", RecordType::A);
        assert_eq!((types(&dangling), dangling.code), (vec![RecordType::Cname], ResponseCode::NxDomain));
        let away = reply("away.example.test", RecordType::A);
        assert_eq!((types(&away), away.code), (vec![RecordType::Cname], ResponseCode::NoError));
        assert!(away.authorities.is_empty());
        assert_eq!(types(&reply("one.example.test", RecordType::A)).len(), 2);
    }

    #[test]
    fn what_lies_below_a_cut_is_referred_to_its_servers_with_glue() {
        let referral = reply("www.sub.example.test", RecordType::A);
        assert!(!referral.authoritative && referral.answers.is_empty());
        assert_eq!(print(&referral.authorities), ["sub.example.test. 300 IN NS ns.sub.example.test."]);
        assert_eq!(print(&referral.additionals), ["ns.sub.example.test. 300 IN A 192.0.2.54"]);
    }

    #[test]
    fn the_mail_exchanges_addresses_come_along() {
        let mx = reply("example.test", RecordType::Mx);
        assert_eq!(print(&mx.additionals), ["mail.example.test. 300 IN A 192.0.2.25"]);
    }
}
