//! What was found out about a name.

use crate::answer::{AliasChain, AliasError, End, Meaning, synthesized};
use crate::cache::{Found, Known, Negative, Rank, RrSet};
use crate::dnssec::{Reason, Security, Validated};
use crate::error::{ResolveError, explanation};
use crate::iterate::Answered;
use crate::lookup::Lookup;
use crate::memory::{Companion, Memory};
use crate::message::{Edns, ExtendedError, Message, Question, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use crate::response::records_of;
use glasstack_journal::event::LookupSource;
use glasstack_stack::Host;
use std::net::SocketAddr;
use std::time::Duration;

/// What was found out about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The name at the end of the aliases.
    pub(crate) canonical: DnsName,
    /// How it went.
    pub(crate) code: ResponseCode,
    /// The aliases, and behind them the records asked for.
    pub(crate) answers: Vec<RrSet>,
    /// The SOA record and proofs of a negative answer, or the zone's servers.
    pub(crate) authorities: Vec<RrSet>,
    /// What came along.
    pub(crate) additionals: Vec<RrSet>,
    /// There is nothing at the end.
    pub(crate) nothing: Option<Negative>,
    /// What validation has found; `Unchecked` if any part of it has not been looked at.
    pub(crate) security: Security,
    /// And why.
    pub(crate) reason: Option<Reason>,
    /// And what who was asked last says of why.
    pub(crate) explained: Vec<ExtendedError>,
    /// The zone that its end lies in, if that is served here (RFC 6303).
    pub(crate) served_here: Option<DnsName>,
    /// Who was asked last; nobody if all of it was remembered.
    pub(crate) server: Option<SocketAddr>,
    /// The name is an alias of itself.
    pub(crate) circular: bool,
    /// Whether it has expired.
    pub(crate) stale: bool,
    /// It is good for so little of its time any more that it should be asked for again, and for how long.
    pub(crate) nearly_over: Option<Duration>,
}

impl Finding {
    /// Nothing yet.
    pub(crate) fn new(name: &DnsName) -> Self {
        Self {
            canonical: name.clone(),
            code: ResponseCode::NoError,
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            nothing: None,
            security: Security::Secure,
            reason: None,
            explained: Vec::new(),
            served_here: None,
            server: None,
            circular: false,
            stale: false,
            nearly_over: None,
        }
    }

    /// What the cache knows of the chain's end.
    pub(crate) fn absorb_known(&mut self, found: &Found, chain: &mut AliasChain) -> Result<End, AliasError> {
        let end = match found {
            Found::Records(known) => {
                let set = self.set_of(known);
                self.answers.push(set);
                End::Records(Vec::new())
            }
            Found::Alias(known) => {
                let set = self.set_of(known);
                self.answers.push(set);
                match known.set.records.first().and_then(Record::alias) {
                    Some(target) => self.go_on(chain.follow(target))?,
                    // To look for the end of it would be to look for the same name again, for ever.
                    None => End::Records(Vec::new()),
                }
            }
            Found::Redirect(known) => {
                let redirect = self.set_of(known);
                let target = redirect.records.first().and_then(|record| match &record.data {
                    RecordData::Dname(target) => chain.end().substitute(&redirect.name, target),
                    _ => None,
                });
                // RFC 6672 3.1
                let alias = target.as_ref().map(|target| synthesized(chain.end(), &redirect, target));
                self.add(std::iter::once(redirect).chain(alias));
                match target {
                    Some(target) => self.go_on(chain.follow(&target))?,
                    None => {
                        self.code = ResponseCode::YxDomain;
                        End::TooLong
                    }
                }
            }
            Found::Nothing(nothing) => {
                self.nothing = Some(nothing.what);
                self.code = code_of(nothing.what);
                let proofs = std::mem::replace(&mut self.authorities, RrSet::group(&nothing.proof()));
                self.prove(proofs);
                self.security = and(self.security, nothing.security);
                End::Nothing { what: nothing.what, proof: Vec::new() }
            }
        };
        chain.end().clone_into(&mut self.canonical);
        Ok(end)
    }

    /// What somebody has said.
    pub(crate) fn absorb(&mut self, meaning: Meaning, answered: Answered, chain: &AliasChain) -> End {
        let Meaning { aliases, end } = meaning;
        let proofs = std::mem::take(&mut self.authorities);
        self.server = Some(answered.server);
        self.explained = answered.response.extended_errors;
        self.canonical = chain.end().clone();
        let part = aliases.iter().fold(self.security, |security, set| and(security, set.security));
        self.security = part;
        self.add(aliases);
        match &end {
            End::Records(sets) => {
                self.security = sets.iter().fold(part, |security, set| and(security, set.security));
                self.add(sets.iter().cloned());
                self.authorities = answered.response.authorities;
                self.additionals = answered.response.additionals;
            }
            End::Nothing { what, proof } => {
                self.nothing = Some(*what);
                self.code = code_of(*what);
                self.security = Security::Unchecked;
                self.authorities = match proof.is_empty() {
                    true => answered.response.authorities,
                    false => proof.clone(),
                };
                self.additionals = answered.response.additionals;
            }
            End::TooLong => {
                self.code = ResponseCode::YxDomain;
                self.security = Security::Unchecked;
            }
            End::Circle => {
                self.circular = true;
                self.security = Security::Unchecked;
            }
            End::Unknown => self.prove(answered.response.authorities),
        }
        self.prove(proofs);
        end
    }

    /// Proofs about the names on the way, which wildcards have answered.
    fn prove(&mut self, sets: impl IntoIterator<Item = RrSet>) {
        for set in sets {
            let is_proof = matches!(set.record_type, RecordType::Nsec | RecordType::Nsec3);
            let same = |own: &RrSet| own.name == set.name && own.record_type == set.record_type;
            if is_proof && !self.authorities.iter().any(same) {
                self.authorities.push(set);
            }
        }
    }

    /// What it means that an alias was followed.
    fn go_on(&mut self, followed: Result<(), AliasError>) -> Result<End, AliasError> {
        match followed {
            Ok(()) => Ok(End::Unknown),
            Err(AliasError::Itself) => {
                self.circular = true;
                Ok(End::Circle)
            }
            Err(error) => Err(error),
        }
    }

    /// More of the answer; of a DNAME record that leads on twice once is enough.
    fn add(&mut self, sets: impl IntoIterator<Item = RrSet>) {
        for set in sets {
            let same = |own: &RrSet| own.name == set.name && own.record_type == set.record_type;
            if !self.answers.iter().any(same) {
                self.answers.push(set);
            }
        }
    }

    fn set_of(&mut self, known: &Known) -> RrSet {
        self.security = and(self.security, known.security());
        self.stale |= known.stale;
        let left = Duration::from_secs(known.ttl.into());
        if !known.stale && known.ttl.saturating_mul(10) <= known.set.ttl() && known.set.ttl() > 0 {
            self.nearly_over = Some(self.nearly_over.map_or(left, |own| own.max(left)));
        }
        known.to_set()
    }

    /// What came along when it was learnt, as far as it is remembered.
    pub(crate) fn accompany(
        &mut self,
        memory: &Memory,
        name: &DnsName,
        record_type: RecordType,
        host: &Host,
    ) {
        if self.nothing.is_some() {
            return;
        }
        self.explain_alias(memory, name, host);
        let proofs = std::mem::take(&mut self.authorities);
        for (additional, set) in company(memory, name, record_type, host) {
            if additional { self.additionals.push(set) } else { self.authorities.push(set) }
        }
        self.prove(proofs);
    }

    /// The same of a name on the way, of which only the proofs count, and what made it an alias.
    pub(crate) fn accompany_alias(&mut self, memory: &Memory, name: &DnsName, host: &Host) {
        self.prove(company(memory, name, RecordType::Cname, host).into_iter().map(|(_, set)| set));
        self.explain_alias(memory, name, host);
    }

    /// A CNAME record that was made from a DNAME record comes with that one (RFC 6672 3.1).
    fn explain_alias(&mut self, memory: &Memory, name: &DnsName, host: &Host) {
        let made = |set: &RrSet| set.name == *name && set.signatures.is_empty();
        let Some(at) = self.answers.iter().position(made) else { return };
        let Some(known) = memory.cache().redirect(name, host.now()) else { return };
        let target = known.set.records.first().and_then(|record| match &record.data {
            RecordData::Dname(target) => name.substitute(&known.set.name, target),
            _ => None,
        });
        let same = |own: &RrSet| own.name == known.set.name && own.record_type == RecordType::Dname;
        if target.as_ref() == self.answers[at].records.first().and_then(Record::alias)
            && target.is_some()
            && !self.answers.iter().any(same)
        {
            self.answers.insert(at, known.to_set());
        }
    }

    /// Whether there is neither an answer nor the word that there is none.
    pub(crate) fn answers_nobody(&self) -> bool {
        self.answers.is_empty() && self.nothing.is_none()
    }

    /// The message that it is, signatures included.
    pub(crate) fn to_message(&self, question: &Question) -> Message {
        let edns = Edns { dnssec_ok: true, ..Edns::default() };
        let query = Message::query(0, question.clone(), Some(edns));
        Message {
            answers: records_of(&self.answers),
            authorities: records_of(&self.authorities),
            additionals: records_of(&self.additionals),
            ..query.response(self.code)
        }
    }

    /// What validation has found.
    pub(crate) fn judged(&mut self, validated: Validated) {
        self.security = validated.security;
        self.reason = Some(validated.reason);
        let set = |records: &[Record]| RrSet::group(records);
        if self.answers.iter().all(|set| set.record_type != RecordType::Rrsig) {
            self.answers = set(&validated.message.answers);
        }
        self.authorities = set(&validated.message.authorities);
    }

    /// What it is to whoever asked for `asked`; that there is nothing is an error to them.
    pub(crate) fn into_lookup(
        self,
        asked: &DnsName,
        record_type: RecordType,
    ) -> Result<Lookup, ResolveError> {
        if let Some(what) = self.nothing {
            let said_by = match self.server {
                Some(server) => format!("{server}{}", explanation(", which says why: ", &self.explained)),
                None => match &self.served_here {
                    Some(zone) => format!("here, as {zone} means another thing in every network, RFC 6303"),
                    None => "this process's cache".to_owned(),
                },
            };
            return Err(ResolveError::nothing(what, asked, &self.canonical, record_type, said_by));
        }
        if self.circular {
            let what = "it is an alias of itself".to_owned();
            return Err(ResolveError::CnameLoop { name: asked.clone(), what });
        }
        if self.code != ResponseCode::NoError {
            let what = "the name that it stands for is too long".to_owned();
            return Err(ResolveError::CnameLoop { name: asked.clone(), what });
        }
        let records: Vec<Record> = self.answers.iter().flat_map(|set| set.records.iter().cloned()).collect();
        let signatures = self.answers.iter().flat_map(|set| set.signatures.iter().cloned()).collect();
        let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
        Ok(Lookup {
            name: asked.to_string(),
            canonical: self.canonical.to_string(),
            addresses: records.iter().filter_map(Record::address).collect(),
            records,
            signatures,
            ttl: Duration::from_secs(ttl.into()),
            source: if self.server.is_some() { LookupSource::Server } else { LookupSource::Cache },
            server: self.server,
            security: self.security,
            reason: self.reason,
        })
    }
}

/// What came along with an answer, as far as it is remembered: whether in the additional section, and what.
fn company(memory: &Memory, name: &DnsName, record_type: RecordType, host: &Host) -> Vec<(bool, RrSet)> {
    let now = host.now();
    let recall = |companion: Companion| {
        let Companion { name, record_type, additional } = companion;
        let known = memory.cache().get(&name, record_type, Rank::Additional, now)?;
        Some((additional, known.to_set()))
    };
    memory.company(name, record_type).into_iter().filter_map(recall).collect()
}

/// The security of a whole of which one part is not secure: as long as nobody has looked, nothing is known.
fn and(one: Security, other: Security) -> Security {
    match (one, other) {
        (Security::Bogus, _) | (_, Security::Bogus) => Security::Bogus,
        (Security::Unchecked, _) | (_, Security::Unchecked) => Security::Unchecked,
        _ => one.and(other),
    }
}

fn code_of(what: Negative) -> ResponseCode {
    match what {
        Negative::NoName => ResponseCode::NxDomain,
        Negative::NoData => ResponseCode::NoError,
    }
}
