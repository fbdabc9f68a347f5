//! Zones of one's own before a recursive server: what they hold is answered from them, and all else is
//! found out (unbound's `auth-zone`, BIND's zones on a resolver). Where they lead elsewhere, by an alias or a
//! delegation, who wants recursion gets what is found there.

use super::authority::{Asked, Authority, Reply, Transfer};
use super::zones::Zones;
use crate::message::{Question, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordType};
use futures_util::future::BoxFuture;

/// Zones, and somebody to ask for everything else.
pub struct ZonesFirst<A> {
    zones: Zones,
    others: A,
}

impl<A: Authority> ZonesFirst<A> {
    /// What is in `zones` comes from there, all else from `others`.
    pub fn new(zones: Zones, others: A) -> Self {
        Self { zones, others }
    }

    /// What the zones say; none if the name is in none of them.
    fn own(&self, asked: &Asked) -> Option<Own> {
        if !self.zones.is_own(&asked.question.name) {
            return None;
        }
        let reply = self.zones.reply_to(asked);
        // RFC 1034 4.3.2: who does not want recursion is told where it goes on.
        let further = if asked.recursion_desired { self.further(asked, &reply) } else { None };
        Some(Own { reply, further })
    }

    /// The name that others know more of: an alias out of the zones, or what they delegate.
    fn further(&self, asked: &Asked, reply: &Reply) -> Option<DnsName> {
        let aliases = [RecordType::Cname, RecordType::Any];
        let alias = reply.answers.iter().rev().find_map(Record::alias);
        let alias = alias.filter(|_| !aliases.contains(&asked.question.record_type));
        let has = |wanted| reply.authorities.iter().any(|record| record.record_type() == wanted);
        let name = alias.unwrap_or(&asked.question.name);
        let is_alias_of_others = alias.is_some_and(|target| !self.zones.is_own(target));
        let is_delegated = !reply.answers.iter().any(|record| record.owner == *name)
            && has(RecordType::Ns)
            && !has(RecordType::Soa);
        let goes_on = reply.code == ResponseCode::NoError && (is_alias_of_others || is_delegated);
        goes_on.then(|| name.clone())
    }

    /// The answer of the zones, with what others say of the name that it leads to.
    async fn go_on(&self, asked: &Asked, own: Own) -> Reply {
        let Own { reply, further: Some(name) } = own else { return own.reply };
        let question = Question { name, ..asked.question.clone() };
        let rest = self.others.answer(&Asked { question, ..asked.clone() }).await;
        // RFC 1035 4.1.1: AA is about the first name; RFC 4035 3.2.3: AD is about all of them.
        let is_whole = reply.answers.is_empty();
        Reply {
            authoritative: reply.authoritative,
            authentic_data: rest.authentic_data && is_whole,
            answers: [reply.answers, rest.answers].concat(),
            ..rest
        }
    }
}

/// An answer of the zones'.
struct Own {
    reply: Reply,
    /// The name that others are to be asked for.
    further: Option<DnsName>,
}

impl<A: Authority> Authority for ZonesFirst<A> {
    fn answer<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, Reply> {
        match self.own(asked) {
            Some(own) => Box::pin(self.go_on(asked, own)),
            None => self.others.answer(asked),
        }
    }

    fn answer_now(&self, asked: &Asked) -> Option<Reply> {
        match self.own(asked) {
            Some(Own { reply, further: None }) => Some(reply),
            Some(_) => None,
            None => self.others.answer_now(asked),
        }
    }

    fn recursion_available(&self) -> bool {
        self.others.recursion_available()
    }

    fn is_own(&self, name: &DnsName) -> bool {
        self.zones.is_own(name) || self.others.is_own(name)
    }

    fn transfer(&self, origin: &DnsName) -> Option<Transfer<'_>> {
        self.zones.transfer(origin).or_else(|| self.others.transfer(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordData;
    use crate::zone::Zone;
    use futures_util::FutureExt;
    use std::net::IpAddr;

    /// Knows every name.
    struct Everything;

    impl Authority for Everything {
        fn answer<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, Reply> {
            let address = RecordData::from(IpAddr::from([203, 0, 113, 1]));
            let answers = vec![Record { owner: asked.question.name.clone(), ttl: 9, data: address }];
            let reply = Reply::empty(ResponseCode::NoError, "found out");
            Box::pin(async move { Reply { answers, authentic_data: true, ..reply } })
        }

        fn recursion_available(&self) -> bool {
            true
        }
    }

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn ask(text: &str, record_type: RecordType, recursion_desired: bool) -> (Vec<String>, bool, bool) {
        let zone = Zone::new("home.test")
            .and_then(|zone| zone.with("www", IpAddr::from([192, 0, 2, 80])))
            .and_then(|zone| zone.with("alias", RecordData::Cname(name("www.home.test"))))
            .and_then(|zone| zone.with("away", RecordData::Cname(name("www.example.test"))))
            .and_then(|zone| zone.with("down", RecordData::Cname(name("www.sub.home.test"))))
            .and_then(|zone| zone.with("sub", RecordData::Ns(name("ns.example.test"))));
        let both = ZonesFirst::new(zone.unwrap().into(), Everything);
        let question = Question::new(name(text), record_type);
        let asked = Asked { recursion_desired, ..Asked::new(question) };
        let reply = both.answer_now(&asked).or_else(|| both.answer(&asked).now_or_never()).unwrap();
        let line = |record: &Record| format!("{} {}", record.owner, record.data);
        (reply.answers.iter().map(line).collect(), reply.authoritative, reply.authentic_data)
    }

    #[test]
    fn where_the_zones_lead_elsewhere_who_wants_recursion_gets_what_is_found_there() {
        let found = |name: &str| format!("{name} 203.0.113.1");
        let away = "away.home.test www.example.test.".to_owned();
        let asked = |text| ask(text, RecordType::A, true);
        assert_eq!(asked("away.home.test"), (vec![away, found("www.example.test")], true, false));
        let down = "down.home.test www.sub.home.test.".to_owned();
        assert_eq!(asked("down.home.test"), (vec![down, found("www.sub.home.test")], true, false));
        assert_eq!(asked("www.sub.home.test"), (vec![found("www.sub.home.test")], false, true));
        assert_eq!(asked("www.example.test"), (vec![found("www.example.test")], false, true));
    }

    #[test]
    fn what_the_zones_hold_is_answered_from_them_alone() {
        let (records, own, _) = ask("alias.home.test", RecordType::A, true);
        assert_eq!((records.len(), own), (2, true));
        assert_eq!(ask("no.home.test", RecordType::A, true).0.len(), 0);
        assert_eq!(ask("away.home.test", RecordType::Cname, true).0.len(), 1);
        assert_eq!(ask("away.home.test", RecordType::A, false).0.len(), 1, "recursion was not desired");
        assert_eq!(ask("www.sub.home.test", RecordType::A, false).0.len(), 0);
    }
}
