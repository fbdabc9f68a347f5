//! An authority made of zones (RFC 1034 4.3.2).

use super::authority::{Asked, Authority, Reply};
use super::zone::{Found, Zone};
use crate::answer::AliasChain;
use crate::message::{Question, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordData};
use futures_util::future::{BoxFuture, ready};

/// Zones that one server has authority over.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    zones: Vec<Zone>,
}

impl Zones {
    /// A server's zones. Of two with the same origin the first counts.
    pub fn new(zones: impl IntoIterator<Item = Zone>) -> Self {
        Self { zones: zones.into_iter().collect() }
    }

    /// Answers a question.
    pub fn reply(&self, question: &Question) -> Reply {
        let mut chain = AliasChain::from(question.name.clone());
        let mut reply = Reply::empty(ResponseCode::NoError, "");
        loop {
            let end = chain.end().clone();
            // Step 2: "the zone which is the nearest ancestor to QNAME".
            let Some(zone) = self.zone_of(&end) else {
                if reply.answers.is_empty() {
                    return Reply::empty(ResponseCode::Refused, format!("no zone of this server has {end}"));
                }
                reply.why = format!("an alias of {end}, which is in no zone of this server");
                return reply;
            };
            match zone.find(&end, question.record_type) {
                Found::Alias { record, target } => {
                    reply.authoritative = true;
                    reply.answers.push(record);
                    // A zone may hold a loop; whoever asks has to notice it as well.
                    if chain.follow(&target).is_err() {
                        reply.why = format!("aliases that lead nowhere, in the zone {}", zone.origin());
                        return reply;
                    }
                }
                found => {
                    self.finish(&mut reply, zone, &end, found);
                    return reply;
                }
            }
        }
    }

    /// Puts what was found at the end of the aliases into the reply.
    fn finish(&self, reply: &mut Reply, zone: &Zone, end: &DnsName, found: Found) {
        let origin = zone.origin();
        match found {
            Found::Records { records, wildcard } => {
                reply.authoritative = true;
                reply.additionals = self.addresses_named_in(&records);
                reply.answers.extend(records);
                let how = if wildcard { "a wildcard in" } else { "a record of" };
                reply.why = format!("{how} the zone {origin}");
            }
            // RFC 2308 3: a negative answer carries the zone's SOA.
            Found::NoData | Found::Alias { .. } => {
                reply.authoritative = true;
                reply.authorities = vec![zone.negative_soa()];
                reply.why = format!("{end} exists in the zone {origin}, but not with this type");
            }
            Found::NoName => {
                reply.authoritative = true;
                reply.code = ResponseCode::NxDomain;
                reply.authorities = vec![zone.negative_soa()];
                reply.why = format!("{end} does not exist in the zone {origin}");
            }
            // RFC 1034 4.3.2 step 3b: a referral is not an authoritative answer.
            Found::Delegated(servers) => {
                reply.why = format!("the zone {origin} delegates {end} to others");
                reply.additionals = self.addresses_named_in(&servers);
                reply.authorities = servers;
            }
        }
    }

    /// RFC 1034 4.3.2 step 6: addresses of the hosts that the records name, "additional section
    /// processing".
    fn addresses_named_in(&self, records: &[Record]) -> Vec<Record> {
        let mut found: Vec<Record> = Vec::new();
        for record in records {
            let host = match &record.data {
                RecordData::Ns(host) => host,
                RecordData::Mx { exchange, .. } => exchange,
                RecordData::Srv { target, .. } => target,
                _ => continue,
            };
            let Some(zone) = self.zone_of(host) else { continue };
            for address in zone.addresses(host) {
                if !found.contains(address) {
                    found.push(address.clone());
                }
            }
        }
        found
    }

    fn zone_of(&self, name: &DnsName) -> Option<&Zone> {
        let mut nearest: Option<&Zone> = None;
        for zone in self.zones.iter().filter(|zone| name.is_within(zone.origin())) {
            if nearest.is_none_or(|best| zone.origin().label_count() > best.origin().label_count()) {
                nearest = Some(zone);
            }
        }
        nearest
    }
}

impl From<Zone> for Zones {
    fn from(zone: Zone) -> Self {
        Self::new([zone])
    }
}

impl Authority for Zones {
    fn answer<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, Reply> {
        Box::pin(ready(self.reply(&asked.question)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordType;
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
