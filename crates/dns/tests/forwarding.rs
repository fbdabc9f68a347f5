//! A resolver that asks another one, which checks signatures: who wants what is bogus gets it, and nobody else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use glasstack_dns::message::ExtendedError;
use glasstack_dns::{
    Asked, Authority, DnsName, Message, NoAnswer, Query, Question, Record, RecordData, RecordType, Recursor,
    RecursorConfig, Reply, ResponseCode, RootHints, Upstream, ZoneElsewhere,
};
use glasstack_journal::event::MacAddress;
use glasstack_sim::SimWorld;
use glasstack_stack::{Host, HostConfig, World};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

/// What it says is bogus is not told to who wants it checked (RFC 4035 5.5).
#[derive(Default)]
struct Checks {
    /// Whether each query had CD set.
    asked: Mutex<Vec<bool>>,
}

impl Upstream for Checks {
    fn exchange<'a>(&'a self, _: &'a Host, query: &'a Query) -> BoxFuture<'a, Result<Message, NoAnswer>> {
        self.asked.lock().unwrap().push(query.checking_disabled);
        let asked = Message::query(0, query.question.clone(), query.edns.clone());
        let mut response = asked.response(ResponseCode::NoError);
        response.recursion_available = true;
        if query.checking_disabled {
            let address = RecordData::from(IpAddr::from([192, 0, 2, 66]));
            response.answers.push(Record { owner: query.question.name.clone(), ttl: 300, data: address });
        } else {
            response.code = ResponseCode::ServFail;
            if let Some(edns) = &mut response.edns {
                edns.extended_errors.push(ExtendedError { code: 6, text: "no signature fits".to_owned() });
            }
        }
        async move { Ok(response) }.boxed()
    }
}

struct Scene {
    world: SimWorld,
    recursor: Recursor,
    upstream: Arc<Checks>,
}

impl Scene {
    fn new() -> Self {
        let mut world = SimWorld::new(1);
        let mac = MacAddress([2, 0, 0, 0, 0, 1]);
        let host = HostConfig::new("resolver", mac, "10.0.0.99".parse().unwrap(), 24, None).unwrap();
        let host = world.add_host(host).unwrap();
        let servers = vec!["10.0.0.53:53".parse().unwrap()];
        let (zone, names) = (DnsName::root(), Vec::new());
        let mut config = RecursorConfig::default();
        config.iterate.zones =
            vec![ZoneElsewhere::Forward { zone, servers, names, first: false, tcp: false }];
        let upstream = Arc::new(Checks::default());
        let recursor = Recursor::with_upstream(host, RootHints::iana(), config, upstream.clone());
        Self { world, recursor, upstream }
    }

    /// What a client gets that wants signatures, and how the question went on.
    fn ask(&mut self, checking_disabled: bool) -> (Reply, Vec<bool>) {
        let question = Question::new(DnsName::parse("www.bogus.example").unwrap(), RecordType::A);
        let asked = Asked { dnssec_ok: true, checking_disabled, ..Asked::new(question) };
        let reply = self.world.run(self.recursor.answer(&asked)).unwrap();
        (reply, std::mem::take(&mut *self.upstream.asked.lock().unwrap()))
    }
}

#[test]
fn who_does_not_check_leaves_the_checking_to_whom_he_asks() {
    let (reply, asked) = Scene::new().ask(false);
    assert_eq!((reply.code, asked), (ResponseCode::ServFail, vec![false]), "{}", reply.why);
}

#[test]
fn who_wants_it_unchecked_gets_it_unchecked_and_nobody_else() {
    let mut scene = Scene::new();
    let (reply, asked) = scene.ask(true);
    assert_eq!((reply.code, asked), (ResponseCode::NoError, vec![true]), "{}", reply.why);
    assert!(reply.answers.len() == 1 && !reply.authentic_data);
    let (reply, asked) = scene.ask(false);
    assert_eq!((reply.code, asked), (ResponseCode::ServFail, vec![false]), "{}", reply.why);
    // That it has failed for others a moment ago is of no concern to who does not want it checked.
    let (reply, _) = scene.ask(true);
    assert_eq!((reply.code, reply.answers.len()), (ResponseCode::NoError, 1), "{}", reply.why);
    let (reply, asked) = scene.ask(false);
    assert_eq!((reply.code, asked), (ResponseCode::ServFail, vec![]), "{}", reply.why);
}
