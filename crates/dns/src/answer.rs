//! What a response means (RFC 1034 5.3.3, RFC 2308 2): records, an alias, or nothing.

use crate::cache::{Negative, RrSet};
use crate::message::ResponseCode;
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use crate::response::Response;

/// How many aliases may follow each other, however they came to be known.
const MAX_ALIASES: usize = 64;

/// The names that led from the one asked for to its canonical name (RFC 1034 3.6.2).
#[derive(Clone, Debug)]
pub(crate) struct AliasChain {
    passed: Vec<DnsName>,
    end: DnsName,
}

/// Why a chain of aliases leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AliasError {
    /// It comes back to this name.
    Loop(DnsName),
    /// It is longer than so many aliases.
    TooLong(usize),
    /// More than so many of its names have to be asked for.
    TooManyRestarts(u32),
    /// The name is an alias of itself.
    Itself,
}

impl AliasChain {
    pub(crate) fn from(name: DnsName) -> Self {
        Self { passed: Vec::new(), end: name }
    }

    /// The name reached so far.
    pub(crate) fn end(&self) -> &DnsName {
        &self.end
    }

    /// The alias followed last, if any was.
    pub(crate) fn last_alias(&self) -> Option<&DnsName> {
        self.passed.last()
    }

    /// RFC 1034 3.6.2: "alias loops and chains which point to non-existent names should be caught
    /// and an error condition passed back".
    pub(crate) fn follow(&mut self, target: &DnsName) -> Result<(), AliasError> {
        if self.end == *target {
            return Err(AliasError::Itself);
        }
        if self.passed.contains(target) {
            return Err(AliasError::Loop(target.clone()));
        }
        if self.passed.len() == MAX_ALIASES {
            return Err(AliasError::TooLong(MAX_ALIASES));
        }
        self.passed.push(std::mem::replace(&mut self.end, target.clone()));
        Ok(())
    }
}

/// What a response means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// The aliases in it that were followed, each with its record, from the name asked for on; before a CNAME record
    /// that comes from one, the DNAME record.
    pub(crate) aliases: Vec<RrSet>,
    /// What is at the end of them.
    pub(crate) end: End,
}

/// What a chain of aliases ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The records asked for.
    Records(Vec<RrSet>),
    /// A name that this response says nothing about: it has to be asked for.
    Unknown,
    /// There is nothing, and the SOA record and proofs that say so. The SOA's TTL says for how long; without one this
    /// must not be kept (RFC 2308 5).
    Nothing { what: Negative, proof: Vec<RrSet> },
    /// The name that a DNAME record leads to would be too long (RFC 6672 2.2).
    TooLong,
    /// The name that it is already.
    Circle,
}

/// Reads a response to a question about `chain`'s end, following its aliases.
pub(crate) fn interpret(
    record_type: RecordType,
    response: &Response,
    chain: &mut AliasChain,
) -> Result<Meaning, AliasError> {
    let mut aliases = Vec::new();
    loop {
        let name = chain.end();
        let found = at(&response.answers, name, record_type);
        if !found.is_empty() {
            // RFC 6672 5.3.1: a CNAME record that was made from a DNAME record is proved by that one alone.
            if record_type == RecordType::Cname {
                aliases.extend(response.answers.iter().filter(|set| above(set, name).is_some()).cloned());
            }
            return Ok(Meaning { aliases, end: End::Records(found) });
        }
        let Some(alias) = alias_at(&response.answers, name) else { break };
        match alias {
            Some((sets, target)) => {
                aliases.extend(sets);
                match chain.follow(&target) {
                    Err(AliasError::Itself) => return Ok(Meaning { aliases, end: End::Circle }),
                    followed => followed?,
                }
            }
            None => {
                aliases.extend(response.answers.iter().filter(|set| above(set, name).is_some()).cloned());
                return Ok(Meaning { aliases, end: End::TooLong });
            }
        }
    }
    let proof = proof(&response.authorities, chain.end());
    let end = match response.code {
        // RFC 2308 2.1: with aliases, the name that does not exist is the last one's target.
        ResponseCode::NxDomain => End::Nothing { what: Negative::NoName, proof },
        ResponseCode::YxDomain => End::TooLong,
        _ if !aliases.is_empty() && proof.is_empty() => End::Unknown,
        _ => End::Nothing { what: Negative::NoData, proof },
    };
    Ok(Meaning { aliases, end })
}

fn at(sets: &[RrSet], name: &DnsName, wanted: RecordType) -> Vec<RrSet> {
    let fits = |set: &&RrSet| set.name == *name && (wanted == RecordType::Any || set.record_type == wanted);
    sets.iter().filter(fits).cloned().collect()
}

/// The records that make `name` an alias, and of what; the inner one is none if the target is too long to be a name.
fn alias_at(sets: &[RrSet], name: &DnsName) -> Option<Option<(Vec<RrSet>, DnsName)>> {
    let redirect = sets.iter().find_map(|set| Some((set, above(set, name)?)));
    // RFC 1034 3.6.2: a name has one CNAME; of several the first is taken.
    let alias = sets.iter().find_map(|set| Some((set, alias_of(set, name)?)));
    match (redirect, alias) {
        (None, Some((set, target))) => Some(Some((vec![set.clone()], target.clone()))),
        (Some((redirect, target)), alias) => {
            // RFC 6672 3.1: whoever knows DNAME makes the CNAME record himself.
            let Some(target) = name.substitute(&redirect.name, target) else { return Some(None) };
            let made = || synthesized(name, redirect, &target);
            let sent = alias.filter(|(_, sent)| **sent == target).map(|(set, _)| set.clone());
            Some(Some((vec![redirect.clone(), sent.unwrap_or_else(made)], target)))
        }
        (None, None) => None,
    }
}

/// The CNAME record that goes with a DNAME record (RFC 6672 3.1), of the same TTL.
pub(crate) fn synthesized(name: &DnsName, redirect: &RrSet, target: &DnsName) -> RrSet {
    let data = RecordData::Cname(target.clone());
    let record = Record { owner: name.clone(), ttl: redirect.ttl(), data };
    RrSet { security: redirect.security, ..RrSet::new(name.clone(), RecordType::Cname, vec![record]) }
}

/// The target of a CNAME set at `name`.
fn alias_of<'a>(set: &'a RrSet, name: &DnsName) -> Option<&'a DnsName> {
    set.records.first().filter(|_| set.name == *name)?.alias()
}

/// The target of a DNAME set above `name`.
pub(crate) fn above<'a>(set: &'a RrSet, name: &DnsName) -> Option<&'a DnsName> {
    match &set.records.first()?.data {
        RecordData::Dname(target) if name.is_within(&set.name) && *name != set.name => Some(target),
        _ => None,
    }
}

/// RFC 2308 5: a negative answer is good for the lower of the SOA's own TTL and its MINIMUM field, which
/// becomes its TTL; only the SOA of a zone that the name can be in counts.
fn proof(authorities: &[RrSet], name: &DnsName) -> Vec<RrSet> {
    let soa = authorities.iter().find(|set| set.record_type == RecordType::Soa && name.is_within(&set.name));
    let Some(soa) = soa else { return Vec::new() };
    let mut soa = soa.clone();
    for record in &mut soa.records {
        if let RecordData::Soa(data) = &record.data {
            record.ttl = record.ttl.min(data.minimum);
        }
    }
    let ttl = soa.ttl();
    soa.signatures.iter_mut().for_each(|signature| signature.ttl = ttl);
    let proofs =
        authorities.iter().filter(|set| matches!(set.record_type, RecordType::Nsec | RecordType::Nsec3));
    std::iter::once(soa).chain(proofs.cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, Question};
    use crate::record::Soa;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn record(owner: &str, data: RecordData) -> Record {
        Record { owner: name(owner), ttl: 300, data }
    }

    fn set(record: Record) -> RrSet {
        RrSet::new(record.owner.clone(), record.record_type(), vec![record])
    }

    fn cname(owner: &str, target: &str) -> Record {
        record(owner, RecordData::Cname(name(target)))
    }

    fn a(owner: &str) -> Record {
        record(owner, RecordData::A([192, 0, 2, 80].into()))
    }

    fn soa(owner: &str, minimum: u32) -> Record {
        let (primary, mailbox) = (name("ns.test"), name("admin.test"));
        record(
            owner,
            RecordData::Soa(Soa { primary, mailbox, serial: 1, refresh: 1, retry: 1, expire: 1, minimum }),
        )
    }

    fn response(code: ResponseCode, answers: Vec<Record>, authorities: Vec<Record>) -> Message {
        let query = Message::query(1, Question::new(name("www.test"), RecordType::A), None);
        Message { answers, authorities, ..query.response(code) }
    }

    fn meaning(message: &Message) -> Result<Meaning, AliasError> {
        interpret(
            RecordType::A,
            &Response::new(message, RecordType::A),
            &mut AliasChain::from(name("www.test")),
        )
    }

    /// What there is not, and for how long, in seconds.
    fn nothing(message: &Message) -> (Negative, Option<u32>) {
        match meaning(message).unwrap().end {
            End::Nothing { what, proof } => (what, proof.first().map(RrSet::ttl)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn records_of_the_name_and_type_are_the_answer_and_others_are_not() {
        let others = vec![a("other.test"), record("www.test", RecordData::text("x")), a("www.test")];
        let meaning = meaning(&response(ResponseCode::NoError, others, vec![])).unwrap();
        assert_eq!(meaning.end, End::Records(vec![set(a("www.test"))]));
    }

    #[test]
    fn aliases_are_followed_in_any_order() {
        let answers = vec![a("c.test"), cname("b.test", "c.test"), cname("www.test", "b.test")];
        let meaning = meaning(&response(ResponseCode::NoError, answers, vec![])).unwrap();
        assert_eq!(meaning.aliases, [set(cname("www.test", "b.test")), set(cname("b.test", "c.test"))]);
        assert_eq!(meaning.end, End::Records(vec![set(a("c.test"))]));
    }

    #[test]
    fn an_alias_without_its_target_leaves_a_question() {
        let message = response(ResponseCode::NoError, vec![cname("www.test", "elsewhere.example")], vec![]);
        assert_eq!(meaning(&message).unwrap().end, End::Unknown);
        // An SOA of the target's zone says that there is nothing (RFC 2308 2.2).
        let message = Message { authorities: vec![soa("example", 60)], ..message };
        assert_eq!(nothing(&message), (Negative::NoData, Some(60)));
        // One of another zone does not.
        let message = Message { authorities: vec![soa("test", 60)], ..message };
        assert_eq!(meaning(&message).unwrap().end, End::Unknown);
    }

    #[test]
    fn negative_answers_take_the_lower_of_ttl_and_minimum() {
        let nx = response(ResponseCode::NxDomain, vec![], vec![soa("test", 3600)]);
        assert_eq!(nothing(&nx), (Negative::NoName, Some(300)));
        let no_data = response(ResponseCode::NoError, vec![], vec![soa("test", 30)]);
        assert_eq!(nothing(&no_data), (Negative::NoData, Some(30)));
        let bare = response(ResponseCode::NxDomain, vec![], vec![]);
        assert_eq!(nothing(&bare), (Negative::NoName, None));
        let foreign = response(ResponseCode::NxDomain, vec![], vec![soa("example", 60)]);
        assert_eq!(nothing(&foreign), (Negative::NoName, None));
    }

    fn dname(owner: &str, target: &str) -> Record {
        record(owner, RecordData::Dname(name(target)))
    }

    /// RFC 6672 3.1
    #[test]
    fn below_a_dname_the_alias_is_made_from_it_whatever_was_sent() {
        let lie = vec![dname("test", "example"), cname("www.test", "elsewhere.example")];
        let made = meaning(&response(ResponseCode::NoError, lie, vec![])).unwrap();
        let aliases = [set(dname("test", "example")), set(cname("www.test", "www.example"))];
        assert_eq!((made.aliases.as_slice(), made.end), (aliases.as_slice(), End::Unknown));
    }

    #[test]
    fn a_dname_whose_target_is_too_long_leads_nowhere() {
        let long = vec!["a".repeat(63); 3].join(".") + "." + &"b".repeat(60);
        let message = response(ResponseCode::NoError, vec![dname("test", &long)], vec![]);
        assert_eq!(meaning(&message).unwrap().end, End::TooLong);
    }

    #[test]
    fn a_loop_of_aliases_is_caught() {
        let answers = vec![cname("www.test", "b.test"), cname("b.test", "www.test")];
        let message = response(ResponseCode::NoError, answers, vec![]);
        assert_eq!(meaning(&message), Err(AliasError::Loop(name("www.test"))));
    }

    #[test]
    fn an_alias_of_itself_is_told_apart() {
        let message = response(ResponseCode::NoError, vec![cname("www.test", "www.test")], vec![]);
        assert_eq!(meaning(&message).unwrap().end, End::Circle);
    }

    #[test]
    fn so_many_aliases_are_followed_and_no_more() {
        let chain = |length: usize| {
            let hop = |n| if n == 0 { "www.test".to_owned() } else { format!("n{n}.test") };
            let mut answers: Vec<Record> = (0..length).map(|n| cname(&hop(n), &hop(n + 1))).collect();
            answers.push(a(&hop(length)));
            meaning(&response(ResponseCode::NoError, answers, vec![]))
        };
        assert!(matches!(chain(MAX_ALIASES).unwrap().end, End::Records(_)));
        assert_eq!(chain(MAX_ALIASES + 1), Err(AliasError::TooLong(MAX_ALIASES)));
    }

    #[test]
    fn an_alias_itself_can_be_asked_for() {
        let message = response(ResponseCode::NoError, vec![cname("www.test", "b.test")], vec![]);
        let mut chain = AliasChain::from(name("www.test"));
        let meaning =
            interpret(RecordType::Cname, &Response::new(&message, RecordType::Cname), &mut chain).unwrap();
        assert_eq!(meaning.end, End::Records(vec![set(cname("www.test", "b.test"))]));
        assert_eq!(chain.last_alias(), None);
    }
}
