//! The algorithm of an authoritative answer (RFC 1034 4.3.2, RFC 4035 3.1).

use super::authority::Reply;
use super::zones::{MinimalResponses, Zones};
use crate::answer::AliasChain;
use crate::message::{ExtendedError, Question, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use crate::zone::{Found, Node, Path, Set, Zone};
use std::collections::BTreeSet;

/// RFC 8914 4.21.
const NOT_AUTHORITATIVE: u16 = 20;

/// A question on its way through the zones.
pub(super) struct Answering<'z> {
    zones: &'z Zones,
    record_type: RecordType,
    dnssec_ok: bool,
    chain: AliasChain,
    reply: Reply,
    /// The hosts whose addresses are among the additional records.
    added: BTreeSet<&'z DnsName>,
}

/// Whether the answer goes on somewhere else.
enum Next {
    /// The name is another one now.
    Elsewhere,
    /// This is the answer.
    Done,
}

impl<'z> Answering<'z> {
    pub(super) fn new(zones: &'z Zones, question: &Question, dnssec_ok: bool) -> Self {
        Self {
            zones,
            record_type: question.record_type,
            dnssec_ok,
            chain: AliasChain::from(question.name.clone()),
            reply: Reply::empty(ResponseCode::NoError, ""),
            added: BTreeSet::new(),
        }
    }

    /// The answer: from zone to zone, as aliases lead.
    pub(super) fn reply(mut self) -> Reply {
        loop {
            let name = self.chain.end().clone();
            let path = Path::of(&name);
            let Some(zone) = self.zones.zone_of(&path, self.record_type) else {
                return self.not_ours(&name);
            };
            match self.look_into(zone, &name, &path) {
                Next::Elsewhere => {}
                Next::Done => return self.reply,
            }
        }
    }

    fn not_ours(self, name: &DnsName) -> Reply {
        if self.reply.answers.is_empty() {
            return Reply::empty(ResponseCode::Refused, format!("no zone of this server has {name}"))
                .because(ExtendedError { code: NOT_AUTHORITATIVE, text: String::new() });
        }
        Reply { why: format!("an alias of {name}, which is in no zone of this server"), ..self.reply }
    }

    fn look_into(&mut self, zone: &'z Zone, name: &DnsName, path: &Path) -> Next {
        let origin = zone.origin();
        let found = zone.find_at(path, self.record_type);
        if !matches!(found, Found::Delegated { .. }) {
            self.reply.authoritative = true;
        }
        match found {
            Found::Records { set, node, encloser } => {
                self.answer_with(zone, set, name);
                self.expanded(zone, name, node, encloser);
                self.add_addresses(zone, set, false);
                self.add_name_servers(zone, node, set);
                let how = if encloser.is_some() { "a wildcard in" } else { "a record of" };
                self.reply.why = format!("{how} the zone {origin}");
                Next::Done
            }
            Found::Signatures { node, encloser } => {
                self.reply.answers.extend(node.signatures().map(|record| renamed(record, name)));
                self.expanded(zone, name, node, encloser);
                self.reply.why = format!("signatures of the zone {origin}");
                Next::Done
            }
            Found::Alias { set, node, encloser } => {
                self.answer_with(zone, set, name);
                self.expanded(zone, name, node, encloser);
                match set.records().first().and_then(Record::alias) {
                    Some(target) => self.follow(target, origin),
                    None => Next::Done,
                }
            }
            Found::Renamed { set, node } => self.rename(zone, set, node, name),
            Found::NoData { node, encloser } => {
                self.deny(zone);
                if self.dnssec_ok {
                    self.show(zone, &zone.prove_no_data(name, node, encloser));
                }
                self.reply.why = format!("{name} exists in the zone {origin}, but not with this type");
                Next::Done
            }
            Found::NoName { encloser } => {
                self.reply.code = ResponseCode::NxDomain;
                self.deny(zone);
                if self.dnssec_ok {
                    self.show(zone, &zone.prove_no_name(name, encloser));
                }
                self.reply.why = format!("{name} does not exist in the zone {origin}");
                Next::Done
            }
            Found::Delegated { node, servers } => {
                self.refer(zone, node, servers);
                self.reply.why = format!("the zone {origin} delegates {name} to others");
                Next::Done
            }
            Found::Outside => Next::Done,
        }
    }

    /// The records of a set as an answer about `name`, and their signatures if they are wanted.
    fn answer_with(&mut self, zone: &Zone, set: &Set, name: &DnsName) {
        self.reply.answers.extend(set.records().iter().map(|record| renamed(record, name)));
        if self.dnssec_ok {
            let signatures = zone.signatures(set);
            self.reply.answers.extend(signatures.iter().map(|record| renamed(record, name)));
        }
    }

    /// Goes on with an alias's target.
    fn follow(&mut self, target: &DnsName, origin: &DnsName) -> Next {
        // A zone may hold a loop; whoever asks has to notice it as well.
        if self.chain.follow(target).is_err() {
            self.reply.why = format!("aliases that lead nowhere, in the zone {origin}");
            return Next::Done;
        }
        Next::Elsewhere
    }

    /// RFC 6672 3.2: the part of the name below the DNAME record's owner stays, the rest changes.
    fn rename(&mut self, zone: &Zone, set: &Set, node: &Node, name: &DnsName) -> Next {
        let origin = zone.origin();
        // One that leads below itself is passed again and again.
        if !set.records().iter().any(|record| self.reply.answers.contains(record)) {
            self.answer_with(zone, set, node.name());
        }
        let Some(RecordData::Dname(target)) = set.records().first().map(|record| &record.data) else {
            return Next::Done;
        };
        let Some(renamed) = name.substitute(node.name(), target) else {
            // RFC 6672 2.2: "the server MUST return an RCODE of YXDOMAIN".
            self.reply.code = ResponseCode::YxDomain;
            self.reply.why = format!("{name} would be too long below {target}, where {} leads", node.name());
            return Next::Done;
        };
        // RFC 6672 3.1: the CNAME record for those who do not know DNAME, with the same TTL.
        let ttl = set.ttl();
        self.reply.answers.push(Record {
            owner: name.clone(),
            ttl,
            data: RecordData::Cname(renamed.clone()),
        });
        if matches!(self.record_type, RecordType::Cname | RecordType::Any) {
            self.reply.why = format!("a name that the zone {origin} has renamed");
            return Next::Done;
        }
        self.follow(&renamed, origin)
    }

    /// RFC 2308 3: a negative answer carries the zone's SOA; its TTL says how long it may be kept.
    fn deny(&mut self, zone: &Zone) {
        let kept = zone.negative_ttl();
        let limited = |record: &Record| Record { ttl: record.ttl.min(kept), ..record.clone() };
        let Some(set) = zone.soa_set() else { return };
        self.reply.authorities.extend(set.records().iter().map(limited));
        if self.dnssec_ok {
            self.reply.authorities.extend(zone.signatures(set).iter().map(limited));
        }
    }

    /// RFC 1034 4.3.2 step 3b: a referral is not an authoritative answer.
    fn refer(&mut self, zone: &Zone, node: &Node, servers: &'z Set) {
        self.reply.authorities.extend_from_slice(servers.records());
        if self.dnssec_ok {
            self.show(zone, &zone.prove_delegation(node));
        }
        self.add_addresses(zone, servers, true);
    }

    /// RFC 1034 4.3.2 step 6: addresses of the hosts that the records name, "additional section
    /// processing". Of a referral they are all that the zone has (RFC 9471 3: those of name servers below
    /// the cut, and of others in the zone, must be there); what is below a cut is no answer to others.
    fn add_addresses(&mut self, zone: &Zone, set: &'z Set, referral: bool) {
        if self.zones.minimal() == MinimalResponses::Yes && !referral {
            return;
        }
        let hosts = set.records().iter().filter_map(|record| match &record.data {
            RecordData::Ns(host) => Some((host, true)),
            RecordData::Mx { exchange, .. } => Some((exchange, false)),
            RecordData::Srv { target, .. } => Some((target, false)),
            _ => None,
        });
        for (host, glue) in hosts {
            let delegated = zone.is_delegated(host);
            if delegated && !glue || !self.added.insert(host) {
                continue;
            }
            for addresses in zone.addresses(host) {
                self.reply.additionals.extend_from_slice(addresses.records());
                if self.dnssec_ok && !delegated {
                    self.reply.additionals.extend_from_slice(&zone.signatures(addresses));
                }
            }
        }
    }

    /// The zone's own name servers, for who is told everything.
    fn add_name_servers(&mut self, zone: &'z Zone, node: &Node, answered: &Set) {
        let is_answer = answered.record_type() == RecordType::Ns && node.name() == zone.origin();
        if self.zones.minimal() != MinimalResponses::No || is_answer {
            return;
        }
        let top = zone.node(zone.origin());
        let Some(servers) = top.and_then(|top| top.set(RecordType::Ns)) else { return };
        self.reply.authorities.extend_from_slice(servers.records());
        if self.dnssec_ok {
            self.reply.authorities.extend_from_slice(&zone.signatures(servers));
        }
        self.add_addresses(zone, servers, false);
    }

    /// What comes along where a wildcard has answered.
    fn expanded(&mut self, zone: &Zone, name: &DnsName, node: &Node, encloser: Option<&Node>) {
        let Some(encloser) = encloser else { return };
        self.reply.wildcard = Some(node.name().clone());
        if self.dnssec_ok {
            self.show(zone, &zone.prove_expansion(name, encloser));
        }
    }

    /// A proof, for who wants DNSSEC's records.
    fn show(&mut self, zone: &Zone, proof: &[&Set]) {
        for set in proof {
            if self.reply.authorities.iter().any(|known| Some(known) == set.records().first()) {
                continue;
            }
            self.reply.authorities.extend_from_slice(set.records());
            self.reply.authorities.extend_from_slice(&zone.signatures(set));
        }
    }
}

/// The record with this owner.
fn renamed(record: &Record, owner: &DnsName) -> Record {
    Record { owner: owner.clone(), ..record.clone() }
}
