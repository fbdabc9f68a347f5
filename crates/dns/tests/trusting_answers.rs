//! What a client is given that wants its answers checked: a resolver with the root's key, and one server of a whole
//! signed tree, to whose responses things are done on the way.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod dnssec;

use dnssec::{Net, Plan, Tree, keys, name, question};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use glasstack_dns::record::{Nsec, Soa};
use glasstack_dns::{
    Asked, Authority, Message, NoAnswer, Query, Question, Record, RecordData, RecordType, Recursor,
    RecursorConfig, Reply, ResponseCode, RootHints, ServeStale, Upstream,
};
use glasstack_stack::{Host, World};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Every server is the same one, and has all zones.
struct EverybodyKnows {
    tree: Arc<Tree>,
    silent: Arc<AtomicBool>,
}

impl Upstream for EverybodyKnows {
    fn exchange<'a>(&'a self, host: &'a Host, query: &'a Query) -> BoxFuture<'a, Result<Message, NoAnswer>> {
        async move {
            if self.silent.load(Ordering::Relaxed) {
                host.sleep(query.timeout).await;
                return Err(NoAnswer::TimedOut { ignored: None });
            }
            host.sleep(Duration::from_millis(20)).await;
            Ok(self.tree.respond(&query.question))
        }
        .boxed()
    }
}

struct Scene {
    net: Net,
    recursor: Arc<Recursor>,
    silent: Arc<AtomicBool>,
}

impl Scene {
    fn tampering(
        tamper: impl Fn(&Question, &mut Message) + Send + Sync + 'static,
        change: impl FnOnce(&mut RecursorConfig),
    ) -> Self {
        let net = Net::with(Plan { tamper: Some(Box::new(tamper)), ..Plan::default() });
        let hints = RootHints::new([("a.root.test", IpAddr::from([10, 0, 0, 1]))]).unwrap();
        let mut config = RecursorConfig { minimal_responses: false, ..RecursorConfig::default() };
        config.iterate.prime = false;
        config.validate = Some(keys(".").trust_anchor());
        change(&mut config);
        let silent = Arc::new(AtomicBool::new(false));
        let upstream = Arc::new(EverybodyKnows { tree: Arc::clone(&net.tree), silent: Arc::clone(&silent) });
        let recursor = Arc::new(Recursor::with_upstream(net.host.clone(), hints, config, upstream));
        Self { net, recursor, silent }
    }

    fn ask(&mut self, text: &str) -> Reply {
        self.ask_in(text, |_| {})
    }

    fn ask_in(&mut self, text: &str, change: impl FnOnce(&mut Asked)) -> Reply {
        let mut asked = Asked { dnssec_ok: true, ..Asked::new(question(text)) };
        change(&mut asked);
        self.net.world.run(self.recursor.answer(&asked)).unwrap()
    }
}

/// The address in place of the one that was signed.
fn forge(asked: &Question, message: &mut Message) {
    if asked.record_type == RecordType::A {
        message.answers.iter_mut().filter(|record| record.address().is_some()).for_each(|record| {
            record.data = RecordData::from(IpAddr::from([6, 6, 6, 6]));
        });
    }
}

fn unchanged(_: &Question, _: &mut Message) {}

fn is_empty(reply: &Reply) {
    assert!(reply.answers.is_empty() && !reply.authentic_data, "{:?} ({})", reply.answers, reply.why);
}

#[test]
fn what_has_just_turned_out_to_be_bogus_is_not_served_as_stale() {
    let stale = Some(ServeStale::default());
    let mut scene = Scene::tampering(forge, |config| config.iterate.serve_stale = stale);
    for _ in 0..3 {
        let reply = scene.ask("www.example.test A");
        assert_eq!(reply.code, ResponseCode::ServFail, "{}", reply.why);
        is_empty(&reply);
        scene.net.world.run_for(Duration::from_secs(90)).unwrap();
    }
}

#[test]
fn what_nobody_has_looked_at_yet_is_given_to_nobody_who_wants_it_checked() {
    let mut scene = Scene::tampering(forge, |_| {});
    let unchecked = scene.ask_in("www.example.test A", |asked| asked.checking_disabled = true);
    assert_eq!(unchecked.answers.len(), 3, "{}", unchecked.why);
    // Nor is it to somebody who only wants to know what is known.
    is_empty(&scene.ask_in("www.example.test A", |asked| asked.recursion_desired = false));
    is_empty(&scene.ask("www.example.test A"));
    is_empty(&scene.ask_in("www.example.test A", |asked| asked.recursion_desired = false));
}

#[test]
fn who_wants_it_unchecked_gets_what_is_bogus_even_a_moment_after_it_was_found_so() {
    let mut scene = Scene::tampering(forge, |_| {});
    assert_eq!(scene.ask("www.example.test A").code, ResponseCode::ServFail);
    let unchecked = scene.ask_in("www.example.test A", |asked| asked.checking_disabled = true);
    assert_eq!((unchecked.code, unchecked.answers.len()), (ResponseCode::NoError, 3), "{}", unchecked.why);
    assert!(!unchecked.authentic_data);
    assert_eq!(scene.ask("www.example.test A").code, ResponseCode::ServFail);
}

#[test]
fn that_an_alias_leads_to_nothing_needs_a_proof_too() {
    let nothing_at_all = |asked: &Question, message: &mut Message| {
        if asked.name == name("www.example.test") {
            message.answers.clear();
            message.authorities.clear();
        }
    };
    let mut scene = Scene::tampering(nothing_at_all, |_| {});
    let reply = scene.ask("alias.example.test A");
    assert_eq!(reply.code, ResponseCode::ServFail, "{:?}: {}", reply.answers, reply.why);
    is_empty(&reply);
}

#[test]
fn what_is_put_beside_a_proof_is_not_secure() {
    let planting = |asked: &Question, message: &mut Message| {
        if asked.name == name("no.example.test") {
            let ns = name("ns.evil.example.test");
            let soa = Soa {
                mailbox: ns.clone(),
                primary: ns.clone(),
                serial: 1,
                refresh: 1,
                retry: 1,
                expire: 1,
                minimum: 1,
            };
            let nsec = Nsec { next: ns.into(), types: [RecordType::Mx].into() };
            let planted = |data| Record { owner: name("no.example.test"), ttl: 1, data };
            message.authorities.insert(0, planted(RecordData::Soa(soa)));
            message.authorities.insert(0, planted(RecordData::Nsec(nsec)));
        }
    };
    let mut scene = Scene::tampering(planting, |_| {});
    for _ in 0..2 {
        let reply = scene.ask("no.example.test A");
        assert_eq!(reply.code, ResponseCode::NxDomain, "{}", reply.why);
        assert!(reply.authentic_data);
        let planted = reply.authorities.iter().find(|record| record.to_string().contains("evil"));
        assert_eq!(planted, None);
    }
}

#[test]
fn what_is_remembered_is_good_for_no_longer_than_its_signature() {
    // A TTL may be counted down on the way, and not up (RFC 4035 5.3.3): the one that was signed is 300 s.
    let longer = |_: &Question, message: &mut Message| {
        let all = message.answers.iter_mut().chain(&mut message.authorities);
        all.for_each(|record| record.ttl = 80_000);
    };
    let mut scene = Scene::tampering(longer, |_| {});
    for _ in 0..2 {
        let reply = scene.ask("www.example.test A");
        assert!(reply.authentic_data, "{}", reply.why);
        assert!(reply.answers.iter().all(|record| record.ttl <= 300), "{:?}", reply.answers);
    }
    let again = scene.ask("www.example.test A");
    assert!(again.why.contains("known"), "{}", again.why);
}

#[test]
fn what_could_not_be_renewed_is_given_as_long_as_it_is_good() {
    let mut scene = Scene::tampering(unchanged, |config| config.iterate.prefetch = true);
    assert!(scene.ask("www.example.test A").authentic_data);
    scene.net.world.run_for(Duration::from_secs(280)).unwrap();
    scene.silent.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        let reply = scene.ask("www.example.test A");
        assert_eq!(reply.code, ResponseCode::NoError, "{}", reply.why);
        scene.net.world.run_for(Duration::from_secs(4)).unwrap();
    }
}
