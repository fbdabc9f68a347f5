//! What a response means (RFC 1034 5.3.3, RFC 2308 2): records, an alias, or nothing.

use crate::cache::Negative;
use crate::message::{Message, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};

/// How many aliases may follow each other; as many as BIND and unbound allow.
const MAX_ALIASES: usize = 11;

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
    /// It is too long.
    TooLong(usize),
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
        if self.end == *target || self.passed.contains(target) {
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
    /// The aliases in it that were followed, each with its record, from the name asked for on.
    pub(crate) aliases: Vec<Record>,
    /// What is at the end of them.
    pub(crate) end: End,
}

/// What a chain of aliases ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The records asked for.
    Records(Vec<Record>),
    /// A name that this response says nothing about: it has to be asked for.
    Unknown,
    /// There is nothing. The SOA's TTL says for how long; without one this must not be kept
    /// (RFC 2308 5).
    Nothing { what: Negative, soa: Option<Record> },
}

/// Reads a response to a question about `chain`'s end, following its aliases.
pub(crate) fn interpret(
    record_type: RecordType,
    message: &Message,
    chain: &mut AliasChain,
) -> Result<Meaning, AliasError> {
    let mut aliases = Vec::new();
    loop {
        let name = chain.end();
        let found = at(&message.answers, name, record_type);
        if !found.is_empty() {
            return Ok(Meaning { aliases, end: End::Records(found) });
        }
        // RFC 1034 3.6.2: a name has one CNAME; of several the first is taken.
        let Some((record, target)) = message.answers.iter().find_map(|record| alias_at(record, name)) else {
            break;
        };
        chain.follow(target)?;
        aliases.push(record.clone());
    }
    let soa = negative_soa(&message.authorities, chain.end());
    let end = match message.code {
        // RFC 2308 2.1: with aliases, the name that does not exist is the last one's target.
        ResponseCode::NxDomain => End::Nothing { what: Negative::NoName, soa },
        _ if !aliases.is_empty() && soa.is_none() => End::Unknown,
        _ => End::Nothing { what: Negative::NoData, soa },
    };
    Ok(Meaning { aliases, end })
}

fn at(records: &[Record], name: &DnsName, wanted: RecordType) -> Vec<Record> {
    let fits = |record: &&Record| {
        record.owner == *name && (wanted == RecordType::Any || record.record_type() == wanted)
    };
    records.iter().filter(fits).cloned().collect()
}

fn alias_at<'a>(record: &'a Record, name: &DnsName) -> Option<(&'a Record, &'a DnsName)> {
    record.alias().filter(|_| record.owner == *name).map(|target| (record, target))
}

/// RFC 2308 5: a negative answer is good for the lower of the SOA's own TTL and its MINIMUM field, which
/// becomes its TTL; only the SOA of a zone that the name can be in counts.
fn negative_soa(authorities: &[Record], name: &DnsName) -> Option<Record> {
    authorities.iter().find_map(|record| match &record.data {
        RecordData::Soa(soa) if name.is_within(&record.owner) => {
            Some(Record { ttl: record.ttl.min(soa.minimum), ..record.clone() })
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Question;
    use crate::record::Soa;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn record(owner: &str, data: RecordData) -> Record {
        Record { owner: name(owner), ttl: 300, data }
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
        interpret(RecordType::A, message, &mut AliasChain::from(name("www.test")))
    }

    /// What there is not, and for how long, in seconds.
    fn nothing(message: &Message) -> (Negative, Option<u32>) {
        match meaning(message).unwrap().end {
            End::Nothing { what, soa } => (what, soa.map(|soa| soa.ttl)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn records_of_the_name_and_type_are_the_answer_and_others_are_not() {
        let others = vec![a("other.test"), record("www.test", RecordData::text("x")), a("www.test")];
        let meaning = meaning(&response(ResponseCode::NoError, others, vec![])).unwrap();
        assert_eq!(meaning.end, End::Records(vec![a("www.test")]));
    }

    #[test]
    fn aliases_are_followed_in_any_order() {
        let answers = vec![a("c.test"), cname("b.test", "c.test"), cname("www.test", "b.test")];
        let meaning = meaning(&response(ResponseCode::NoError, answers, vec![])).unwrap();
        assert_eq!(meaning.aliases, [cname("www.test", "b.test"), cname("b.test", "c.test")]);
        assert_eq!(meaning.end, End::Records(vec![a("c.test")]));
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

    #[test]
    fn a_loop_of_aliases_is_caught() {
        let answers = vec![cname("www.test", "b.test"), cname("b.test", "www.test")];
        let message = response(ResponseCode::NoError, answers, vec![]);
        assert_eq!(meaning(&message), Err(AliasError::Loop(name("www.test"))));
    }

    #[test]
    fn eleven_aliases_are_followed_and_a_twelfth_is_not() {
        let chain = |length: usize| {
            let hop = |n| if n == 0 { "www.test".to_owned() } else { format!("n{n}.test") };
            let mut answers: Vec<Record> = (0..length).map(|n| cname(&hop(n), &hop(n + 1))).collect();
            answers.push(a(&hop(length)));
            meaning(&response(ResponseCode::NoError, answers, vec![]))
        };
        assert!(matches!(chain(11).unwrap().end, End::Records(_)));
        assert_eq!(chain(12), Err(AliasError::TooLong(11)));
    }

    #[test]
    fn an_alias_itself_can_be_asked_for() {
        let message = response(ResponseCode::NoError, vec![cname("www.test", "b.test")], vec![]);
        let mut chain = AliasChain::from(name("www.test"));
        let meaning = interpret(RecordType::Cname, &message, &mut chain).unwrap();
        assert_eq!(meaning.end, End::Records(vec![cname("www.test", "b.test")]));
        assert_eq!(chain.last_alias(), None);
    }
}
