//! What of a response is its sender's business at all (RFC 2181 5.4.1, RFC 5452 6). The rules are unbound's.
//!
//! ```text
//!   answer       the name asked for: its alias, or its records; what is behind an alias is asked anew
//!   authority    one set of NS records on the way to the name, SOA, and proofs
//!   additional   addresses of servers named above
//!   everywhere   nothing from outside the sender's zone, no private addresses in public names
//! ```

use super::options::IterateConfig;
use crate::address_range::AddressRange;
use crate::cache::RrSet;
use crate::message::{Message, Question, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use crate::response::{Response, name_server};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How many addresses of one host come along; who wants all of them asks for them.
const MOST_ADDRESSES: usize = 32;

/// Why records are not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// Its owner lies outside of the zone that the sender serves.
    OutOfZone,
    /// It is about another name or type than was asked for.
    NotAsked,
    /// It is behind an alias: who has authority there is asked.
    BehindAlias,
    /// NS records that nobody asked for.
    UnaskedServers,
    /// An address that no record refers to.
    Unreferred,
    /// More than are kept of a kind.
    TooMany,
    /// A private address of a public name.
    Private,
    /// An alias whose target cannot be read.
    Unreadable,
}

impl Why {
    pub(super) fn say(self, zone: &DnsName) -> String {
        match self {
            Self::OutOfZone => format!("a server of {zone} has no say about names outside of it"),
            Self::NotAsked => "that is not what was asked".to_owned(),
            Self::BehindAlias => "what is behind an alias is asked for anew".to_owned(),
            Self::UnaskedServers => "name servers that nobody asked for may be planted".to_owned(),
            Self::Unreferred => "no record of this answer refers to it".to_owned(),
            Self::TooMany => "there are more than are kept".to_owned(),
            Self::Private => "no public name has a private address".to_owned(),
            Self::Unreadable => "an alias that cannot be read leads nowhere".to_owned(),
        }
    }
}

/// What has been taken out.
pub(super) type Ignored = Vec<(Why, Record)>;

/// What a server of `zone` may say to `question`, of what it said.
pub(super) fn scrub(
    zone: &DnsName,
    question: &Question,
    message: &Message,
    config: &IterateConfig,
) -> (Response, Ignored) {
    let response = Response::new(message, question.record_type);
    let mut scrub = Scrub { zone, question, config, ignored: Vec::new() };
    let response = scrub.all(response);
    (response, scrub.ignored)
}

struct Scrub<'a> {
    zone: &'a DnsName,
    question: &'a Question,
    config: &'a IterateConfig,
    ignored: Ignored,
}

impl Scrub<'_> {
    fn all(&mut self, mut response: Response) -> Response {
        for section in [&mut response.answers, &mut response.authorities, &mut response.additionals] {
            section.iter_mut().for_each(|set| self.drop_unreadable(set));
            section.retain(|set| !set.records.is_empty());
        }
        self.move_ds(&mut response);
        let answered = !response.answers.is_empty();
        response.answers = self.answers(&mut response);
        response.authorities = self.authorities(&mut response, answered);
        response.additionals = self.additionals(&mut response);
        for section in [&mut response.answers, &mut response.authorities, &mut response.additionals] {
            section.iter_mut().for_each(|set| self.drop_private(set));
            section.retain(|set| !set.records.is_empty());
        }
        response
    }

    /// A referral may carry the DS records that were asked for in its authority section (RFC 4035 3.1.4.1).
    fn move_ds(&self, response: &mut Response) {
        let wanted = |set: &RrSet| set.record_type == RecordType::Ds && set.name == self.question.name;
        if self.question.record_type == RecordType::Ds
            && response.answers.is_empty()
            && let Some(at) = response.authorities.iter().position(wanted)
        {
            response.answers.push(response.authorities.remove(at));
        }
    }

    /// RFC 1034 3.6.2, RFC 6672 3.1: the chain of aliases from the name on, of which the first step is kept.
    fn answers(&mut self, response: &mut Response) -> Vec<RrSet> {
        let mut sets = std::mem::take(&mut response.answers).into_iter().peekable();
        let wanted = self.question.record_type;
        let mut name = self.question.name.clone();
        let mut aliases = 0;
        let mut kept: Vec<RrSet> = Vec::new();
        while let Some(mut set) = sets.next() {
            let first = kept.iter().all(|set| set.record_type == RecordType::Dname);
            if !set.name.is_within(self.zone) {
                self.ignore(Why::OutOfZone, set);
            } else if let Some(target) = redirection(&set, &name) {
                let Some(substituted) = name.substitute(&set.name, target) else {
                    // RFC 6672 2.2: what would be too long is said to be so.
                    response.code = ResponseCode::YxDomain;
                    kept.push(set);
                    break;
                };
                let ttl = set.ttl();
                if !first || wanted == RecordType::Dname {
                    self.ignore(Why::BehindAlias, set);
                    continue;
                }
                kept.push(set);
                // RFC 6672 3.1: the CNAME that goes with it is made from it, whoever sent another one.
                let record =
                    Record { owner: name.clone(), ttl, data: RecordData::Cname(substituted.clone()) };
                let sent = sets.next_if(|next| is_alias_of(next, &name));
                if let Some(sent) =
                    sent.filter(|sent| sent.records.first().and_then(Record::alias) != Some(&substituted))
                {
                    self.ignore(Why::NotAsked, sent);
                }
                kept.push(RrSet::new(name.clone(), RecordType::Cname, vec![record]));
                response.code = ResponseCode::NoError;
                aliases += 1;
                name = substituted;
            } else if set.name != name {
                let behind = aliases > 0;
                self.ignore(if behind { Why::BehindAlias } else { Why::NotAsked }, set);
            } else if set.record_type == RecordType::Cname && wanted != RecordType::Cname {
                // RFC 2181 10.1: "there is always exactly one".
                set.records.split_off(1).into_iter().for_each(|more| self.ignored.push((Why::TooMany, more)));
                if let Some(target) = set.records.first().and_then(Record::alias)
                    && wanted != RecordType::Any
                {
                    name = target.clone();
                }
                aliases += 1;
                // RFC 2308 2.1: that code is about the end of the chain.
                response.code = ResponseCode::NoError;
                let enough = aliases > self.config.scrub_cname;
                match first && !enough {
                    true => kept.push(set),
                    false if !enough => {
                        response.announced.push(set.name.clone());
                        self.ignore(Why::BehindAlias, set);
                    }
                    false => self.ignore(Why::TooMany, set),
                }
            } else if wanted != RecordType::Any && set.record_type != wanted {
                self.ignore(Why::NotAsked, set);
            } else if aliases > 0 && wanted != RecordType::Any {
                self.ignore(Why::BehindAlias, set);
            } else {
                kept.push(set);
            }
        }
        sets.for_each(|set| self.ignore(Why::BehindAlias, set));
        kept
    }

    fn authorities(&mut self, response: &mut Response, answered: bool) -> Vec<RrSet> {
        let has_soa = response.authorities.iter().any(|set| set.record_type == RecordType::Soa);
        let nothing = response.code == ResponseCode::NxDomain
            || (response.code == ResponseCode::NoError && has_soa && !answered);
        let is_alias = |set: &RrSet| matches!(set.record_type, RecordType::Cname | RecordType::Dname);
        let wanted = self.question.record_type;
        let cut_off = !response.answers.is_empty()
            && response.answers.iter().all(|set| is_alias(set) && set.record_type != wanted);
        let aliased = !matches!(wanted, RecordType::Cname | RecordType::Any)
            && response.answer(&self.question.name, RecordType::Cname).is_some();
        let is_servers = |set: &&RrSet| set.record_type == RecordType::Ns;
        let servers: BTreeSet<DnsName> =
            response.authorities.iter().filter(is_servers).map(|set| set.name.clone()).collect();
        let mut kept: Vec<RrSet> = Vec::new();
        for mut set in std::mem::take(&mut response.authorities) {
            match set.record_type {
                // RFC 2308 2.1: it is about the end of the chain, of which only the beginning was kept.
                RecordType::Soa if aliased || cut_off => {
                    self.ignore(Why::BehindAlias, set);
                    continue;
                }
                RecordType::Ns => {
                    let second = kept.iter().any(|set| set.record_type == RecordType::Ns);
                    let aside = !self.question.name.is_within(&set.name);
                    if aside || second {
                        self.ignore(Why::NotAsked, set);
                        continue;
                    }
                    // Of a zone above: that is how it shows that it has no authority here.
                    let upward = self.zone.is_within(&set.name) && set.name != *self.zone;
                    if upward && !answered && response.code == ResponseCode::NoError {
                        kept.push(set);
                        continue;
                    }
                    let promiscuous =
                        self.config.scrub_promiscuous && (answered || response.code != ResponseCode::NoError);
                    if nothing || promiscuous {
                        self.ignore(Why::UnaskedServers, set);
                        continue;
                    }
                    if set.records.len() > self.config.scrub_ns {
                        let more = set.records.split_off(self.config.scrub_ns);
                        more.into_iter().for_each(|record| self.ignored.push((Why::TooMany, record)));
                    }
                }
                RecordType::Soa | RecordType::Nsec | RecordType::Nsec3 => {}
                // RFC 4035 3.1.4.1: they come with the NS records of a referral.
                RecordType::Ds if servers.contains(&set.name) => {}
                // Nothing else has a place there: it would be believed as an answer that nobody asked for.
                _ => {
                    self.ignore(Why::NotAsked, set);
                    continue;
                }
            }
            match set.name.is_within(self.zone) {
                true => kept.push(set),
                false => self.ignore(Why::OutOfZone, set),
            }
        }
        kept
    }

    /// Only addresses of hosts that are named above help.
    fn additionals(&mut self, response: &mut Response) -> Vec<RrSet> {
        for set in &mut response.answers {
            if set.record_type == RecordType::Ns && set.records.len() > self.config.scrub_ns {
                let more = set.records.split_off(self.config.scrub_ns);
                more.into_iter().for_each(|record| self.ignored.push((Why::TooMany, record)));
            }
        }
        let lame = response.name_servers().is_some_and(|set| !set.name.is_within(self.zone));
        let named: BTreeSet<DnsName> = response
            .answers
            .iter()
            .chain(&response.authorities)
            .flat_map(|set| set.records.iter().filter_map(host_in))
            .cloned()
            .collect();
        let mut kept = Vec::new();
        for mut set in std::mem::take(&mut response.additionals) {
            if set.records.len() > MOST_ADDRESSES {
                let more = set.records.split_off(MOST_ADDRESSES);
                more.into_iter().for_each(|record| self.ignored.push((Why::TooMany, record)));
            }
            let is_address = matches!(set.record_type, RecordType::A | RecordType::Aaaa);
            if !set.name.is_within(self.zone) {
                self.ignore(Why::OutOfZone, set);
            } else if !is_address || lame || !named.contains(&set.name) {
                self.ignore(Why::Unreferred, set);
            } else if response.answer(&set.name, set.record_type).is_none() {
                kept.push(set);
            }
        }
        kept
    }

    /// Data that is not what it should be is for who asks for it to judge; but an alias is followed.
    fn drop_unreadable(&mut self, set: &mut RrSet) {
        if matches!(set.record_type, RecordType::Cname | RecordType::Dname) {
            let unreadable = |record: &mut Record| matches!(record.data, RecordData::Other { .. });
            let dropped = set.records.extract_if(.., unreadable);
            self.ignored.extend(dropped.map(|record| (Why::Unreadable, record)));
        }
    }

    /// Against names that are made to lead into somebody's own network ("DNS rebinding").
    fn drop_private(&mut self, set: &mut RrSet) {
        let config = self.config;
        if config.private_addresses.is_empty()
            || config.private_domains.iter().any(|domain| set.name.is_within(domain))
        {
            return;
        }
        let (private, public) = std::mem::take(&mut set.records)
            .into_iter()
            .partition(|record| is_private(record, &config.private_addresses));
        let private: Vec<Record> = private;
        set.records = public;
        self.ignored.extend(private.into_iter().map(|record| (Why::Private, record)));
    }

    fn ignore(&mut self, why: Why, set: RrSet) {
        self.ignored.extend(set.records.into_iter().map(|record| (why, record)));
    }
}

/// The target of a DNAME record above `name`.
fn redirection<'a>(set: &'a RrSet, name: &DnsName) -> Option<&'a DnsName> {
    match &set.records.first()?.data {
        RecordData::Dname(target) if name.is_within(&set.name) && *name != set.name => Some(target),
        _ => None,
    }
}

fn is_alias_of(set: &RrSet, name: &DnsName) -> bool {
    set.record_type == RecordType::Cname && set.name == *name
}

/// The host that a record refers to, so that its addresses help.
fn host_in(record: &Record) -> Option<&DnsName> {
    match &record.data {
        RecordData::Mx { exchange, .. } => Some(exchange),
        RecordData::Srv { target, .. } => Some(target),
        _ => name_server(record),
    }
}

fn is_private(record: &Record, ranges: &[AddressRange]) -> bool {
    let private = |address: IpAddr| ranges.iter().any(|range| range.contains(address));
    match record.address() {
        Some(address) => private(address),
        None => service_hints(record).into_iter().any(private),
    }
}

/// The addresses in a SVCB or HTTPS record (RFC 9460 2.2, 7.3): ipv4hint is key 4, ipv6hint key 6.
fn service_hints(record: &Record) -> Vec<IpAddr> {
    let RecordData::Other { number: 64 | 65, bytes } = &record.data else { return Vec::new() };
    let mut hints = Vec::new();
    // Priority, then the target's name, uncompressed.
    let mut at = 2;
    while let Some(length @ 1..) = bytes.get(at) {
        at += 1 + usize::from(*length);
    }
    let mut rest = bytes.get(at + 1..).unwrap_or_default();
    while let [key0, key1, length0, length1, more @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*length0, *length1]));
        let Some((value, behind)) = more.split_at_checked(length) else { break };
        match u16::from_be_bytes([*key0, *key1]) {
            4 => hints.extend(
                value.as_chunks::<4>().0.iter().map(|octets| IpAddr::from(Ipv4Addr::from_octets(*octets))),
            ),
            6 => hints.extend(
                value.as_chunks::<16>().0.iter().map(|octets| IpAddr::from(Ipv6Addr::from_octets(*octets))),
            ),
            _ => {}
        }
        rest = behind;
    }
    hints
}
