//! What a response is worth to somebody who walks down the tree: an answer, a referral, or nothing.

use crate::error::ServerProblem;
use crate::message::{Message, Question, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};

/// A response, weighed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) worth: Worth,
    /// What came along and is none of the sender's business (RFC 5452 6: "in-bailiwick").
    pub(super) foreign: Vec<Record>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// Whoever has authority says so; nothing in it is foreign.
    Answer(Message),
    /// Others know more.
    Referral(Referral),
    /// Another server has to be asked.
    Nothing(ServerProblem),
}

/// Who serves a zone further down.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Referral {
    pub(super) zone: DnsName,
    /// NS records of the zone.
    pub(super) servers: Vec<Record>,
    /// Addresses of those servers.
    pub(super) glue: Vec<Record>,
}

impl Referral {
    /// The servers' names.
    pub(super) fn names(&self) -> impl Iterator<Item = &DnsName> {
        self.servers.iter().filter_map(name_server)
    }
}

/// What `message` is worth, from a server of `zone` that was asked `question`.
pub(super) fn judge(zone: &DnsName, question: &Question, message: Message) -> Judged {
    let mut foreign = Vec::new();
    let message = within(zone, message, &mut foreign);
    let worth = weigh(zone, question, message, &mut foreign);
    Judged { worth, foreign }
}

/// The message without records about names outside of the zone.
fn within(zone: &DnsName, mut message: Message, foreign: &mut Vec<Record>) -> Message {
    for section in [&mut message.answers, &mut message.authorities, &mut message.additionals] {
        let (own, others) = section.drain(..).partition(|record| record.owner.is_within(zone));
        *section = own;
        foreign.extend::<Vec<Record>>(others);
    }
    message
}

fn weigh(zone: &DnsName, question: &Question, message: Message, foreign: &mut Vec<Record>) -> Worth {
    if !matches!(message.code, ResponseCode::NoError | ResponseCode::NxDomain) {
        return Worth::Nothing(ServerProblem::Code(message.code));
    }
    let answers = message.answers.iter().any(|record| record.owner == question.name);
    if message.authoritative && (answers || message.code == ResponseCode::NxDomain) {
        return Worth::Answer(message);
    }
    let cut = message.authorities.iter().find(|record| record.record_type() == RecordType::Ns);
    match cut.map(|record| record.owner.clone()) {
        // RFC 1034 5.3.3 4b: "if the response contains a better delegation to other servers"; better is only what
        // is nearer to the name.
        Some(cut) if !answers && cut != *zone && question.name.is_within(&cut) => {
            Worth::Referral(referral(cut, message, foreign))
        }
        // RFC 2308 2.2: the name is there, but has no such record; the zone's own NS records may come along.
        _ if message.authoritative => Worth::Answer(message),
        Some(cut) if !answers => Worth::Nothing(ServerProblem::NoWayDown { zone: zone.clone(), to: cut }),
        _ => Worth::Nothing(ServerProblem::Lame { zone: zone.clone() }),
    }
}

/// Only addresses of the servers named are glue.
fn referral(zone: DnsName, message: Message, foreign: &mut Vec<Record>) -> Referral {
    let of_zone = |record: &Record| record.owner == zone && record.record_type() == RecordType::Ns;
    let servers: Vec<Record> = message.authorities.into_iter().filter(of_zone).collect();
    let is_glue = |record: &Record| {
        record.address().is_some() && servers.iter().filter_map(name_server).any(|name| *name == record.owner)
    };
    let (glue, others) = message.additionals.into_iter().partition(is_glue);
    foreign.extend::<Vec<Record>>(others);
    Referral { zone, servers, glue }
}

/// The name in an NS record.
pub(super) fn name_server(record: &Record) -> Option<&DnsName> {
    match &record.data {
        RecordData::Ns(name) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn a(owner: &str) -> Record {
        Record { owner: name(owner), ttl: 300, data: RecordData::A([192, 0, 2, 1].into()) }
    }

    fn ns(owner: &str, server: &str) -> Record {
        Record { owner: name(owner), ttl: 300, data: RecordData::Ns(name(server)) }
    }

    /// What a server of `test` says about www.example.test.
    fn response(change: impl FnOnce(&mut Message)) -> Judged {
        let question = Question::new(name("www.example.test"), RecordType::A);
        let mut message = Message::query(1, question.clone(), None).response(ResponseCode::NoError);
        change(&mut message);
        judge(&name("test"), &question, message)
    }

    fn problem(judged: Judged) -> String {
        match judged.worth {
            Worth::Nothing(problem) => problem.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_has_authority_answers_and_may_say_that_there_is_nothing() {
        let answer = response(|m| (m.authoritative, m.answers) = (true, vec![a("www.example.test")]));
        assert!(matches!(answer.worth, Worth::Answer(_)));
        let nothing = response(|m| (m.authoritative, m.code) = (true, ResponseCode::NxDomain));
        assert!(matches!(nothing.worth, Worth::Answer(_)));
        let no_data = response(|m| (m.authoritative, m.authorities) = (true, vec![ns("test", "ns.test")]));
        assert!(matches!(no_data.worth, Worth::Answer(_)));
    }

    #[test]
    fn a_referral_leads_down_with_the_addresses_of_the_servers_it_names() {
        let judged = response(|m| {
            m.authorities = vec![ns("example.test", "ns.example.test"), ns("example.test", "ns.other.test")];
            m.additionals = vec![a("ns.example.test"), a("www.test"), a("ns.elsewhere")];
        });
        let Worth::Referral(referral) = judged.worth else { panic!() };
        assert_eq!(referral.zone, name("example.test"));
        assert_eq!(referral.names().count(), 2);
        assert_eq!(referral.glue, [a("ns.example.test")]);
        assert_eq!(judged.foreign, [a("ns.elsewhere"), a("www.test")]);
    }

    #[test]
    fn a_referral_that_leads_up_or_aside_leads_nowhere() {
        let to = |zone: &str| problem(response(|m| m.authorities = vec![ns(zone, "ns.test")]));
        assert_eq!(
            to("test"),
            "it has no authority over test and refers to test, which leads no further down"
        );
        assert!(to("other.test").contains("refers to other.test"));
        // What lies outside is not even looked at.
        assert_eq!(to("."), "it has no authority over test (a lame delegation)");
    }

    #[test]
    fn an_answer_without_authority_is_none() {
        let lame = response(|m| m.answers = vec![a("www.example.test")]);
        assert_eq!(problem(lame), "it has no authority over test (a lame delegation)");
        let lame = response(|m| m.code = ResponseCode::NxDomain);
        assert_eq!(problem(lame), "it has no authority over test (a lame delegation)");
        assert_eq!(problem(response(|m| m.code = ResponseCode::Refused)), "it answers REFUSED");
    }

    #[test]
    fn what_is_not_the_senders_business_is_taken_out() {
        let judged = response(|m| {
            m.authoritative = true;
            m.answers = vec![a("www.example.test"), a("www.bank.example")];
        });
        let Worth::Answer(answer) = judged.worth else { panic!() };
        assert_eq!(answer.answers, [a("www.example.test")]);
        assert_eq!(judged.foreign, [a("www.bank.example")]);
    }
}
