//! Aggressive use of what DNSSEC has proved (RFC 8198): who has seen a denial denies more without asking.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod dnssec;

use dnssec::{Net, Plan, Tree, keys, nsec3, question};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use glasstack_dns::dnssec::signer::Denial;
use glasstack_dns::{
    Asked, Authority, Message, NoAnswer, Query, RecordType, Recursor, RecursorConfig, Reply, ResponseCode,
    RootHints, Upstream,
};
use glasstack_stack::{Host, World};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Every server is the same one, has all zones, and remembers what it was asked.
struct Servers {
    tree: Arc<Tree>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Upstream for Servers {
    fn exchange<'a>(&'a self, host: &'a Host, query: &'a Query) -> BoxFuture<'a, Result<Message, NoAnswer>> {
        self.asked.lock().unwrap().push(query.question.to_string());
        async move {
            host.sleep(Duration::from_millis(20)).await;
            Ok(self.tree.respond(&query.question))
        }
        .boxed()
    }
}

struct Scene {
    net: Net,
    recursor: Arc<Recursor>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    fn new(plan: Plan, change: impl FnOnce(&mut RecursorConfig)) -> Self {
        let net = Net::with(plan);
        let hints = RootHints::new([("a.root.test", IpAddr::from([10, 0, 0, 1]))]).unwrap();
        let mut config = RecursorConfig::default();
        config.iterate.prime = false;
        config.validate = Some(keys(".").trust_anchor());
        change(&mut config);
        let asked = Arc::new(Mutex::default());
        let upstream = Arc::new(Servers { tree: Arc::clone(&net.tree), asked: Arc::clone(&asked) });
        let recursor = Arc::new(Recursor::with_upstream(net.host.clone(), hints, config, upstream));
        Self { net, recursor, asked }
    }

    fn signed_by(denial: Denial) -> Self {
        Self::new(Plan { denial, ..Plan::default() }, |_| {})
    }

    fn ask_in(&mut self, text: &str, change: impl FnOnce(&mut Asked)) -> Reply {
        let mut asked = Asked { dnssec_ok: true, ..Asked::new(question(text)) };
        change(&mut asked);
        self.net.world.run(self.recursor.answer(&asked)).unwrap()
    }

    /// The answer, and how many questions it took.
    fn ask(&mut self, text: &str) -> (Reply, usize) {
        self.asked.lock().unwrap().clear();
        let reply = self.ask_in(text, |_| {});
        let asked = self.asked.lock().unwrap().len();
        (reply, asked)
    }

    fn denied_unasked(&mut self, text: &str, code: ResponseCode) {
        let (reply, asked) = self.ask(text);
        assert_eq!((reply.code, asked), (code, 0), "{text}: {}", reply.why);
        assert!(reply.authentic_data && reply.answers.is_empty(), "{text}: {:?}", reply.answers);
        // RFC 8198 5.1: as the zone's own servers would say it, with what proves it.
        let message = Message {
            authorities: reply.authorities,
            ..Message::query(1, question(text), None).response(code)
        };
        let validated = self.net.validate_this(text, message);
        assert!(
            validated.security == glasstack_dns::dnssec::Security::Secure,
            "{text}: {}",
            validated.reason
        );
    }
}

#[test]
fn between_two_names_that_follow_each_other_there_is_nothing() {
    for denial in [Denial::Nsec, nsec3(0, false)] {
        let mut scene = Scene::signed_by(denial.clone());
        let (first, asked) = scene.ask("no.example.test A");
        assert!(first.code == ResponseCode::NxDomain && asked > 0);
        if denial == Denial::Nsec {
            scene.denied_unasked("nobody.example.test AAAA", ResponseCode::NxDomain);
            scene.denied_unasked("or.nothing.example.test MX", ResponseCode::NxDomain);
        }
        // Of a name that exists all types are known.
        assert_eq!(scene.ask("www.example.test TXT").0.code, ResponseCode::NoError);
        scene.denied_unasked("www.example.test MX", ResponseCode::NoError);
        scene.denied_unasked("www.example.test DS", ResponseCode::NoError);
        let (there, _) = scene.ask("www.example.test A");
        assert!(there.answers.len() == 3, "{there:?}");
    }
}

#[test]
fn hashes_deny_what_lies_between_them_too() {
    let mut scene = Scene::signed_by(nsec3(1, false));
    // Whoever asks for enough names that are not there has seen all there is.
    for number in 0..60 {
        scene.ask(&format!("n{number}.example.test A"));
    }
    scene.denied_unasked("quite.new.example.test A", ResponseCode::NxDomain);
    scene.denied_unasked("newer.example.test A", ResponseCode::NxDomain);
}

#[test]
fn where_unsigned_delegations_may_lie_between_every_name_is_asked_for() {
    let mut scene = Scene::signed_by(nsec3(0, true));
    for number in 0..60 {
        scene.ask(&format!("n{number}.example.test A"));
    }
    assert!(scene.ask("newer.example.test A").1 > 0);
}

#[test]
fn nothing_is_denied_longer_than_was_proved() {
    let mut scene = Scene::signed_by(Denial::Nsec);
    let (first, _) = scene.ask("no.example.test A");
    let ttl = first.authorities.iter().map(|record| record.ttl).min().unwrap();
    scene.net.world.run_for(Duration::from_secs(u64::from(ttl) - 1)).unwrap();
    scene.denied_unasked("nobody.example.test A", ResponseCode::NxDomain);
    scene.net.world.run_for(Duration::from_secs(2)).unwrap();
    assert!(scene.ask("nowhere.example.test A").1 > 0);
}

#[test]
fn who_does_not_wish_so_has_every_name_asked_for() {
    let mut scene = Scene::new(Plan::default(), |config| config.cache.aggressive_nsec = false);
    scene.ask("no.example.test A");
    assert!(scene.ask("nobody.example.test A").1 > 0);
}

/// RFC 7646: what is below a negative trust anchor is not what the zones above know.
#[test]
fn what_is_proved_above_a_zone_that_is_not_to_be_checked_denies_nothing_in_it() {
    let anchors = || keys(".").trust_anchor().without(dnssec::name("nobody.example.test"));
    let mut scene = Scene::new(Plan::default(), |config| config.validate = Some(anchors()));
    scene.ask("no.example.test A");
    assert!(scene.ask("nobody.example.test A").1 > 0);
    scene.denied_unasked("noone.example.test A", ResponseCode::NxDomain);
}

#[test]
fn what_nobody_has_checked_denies_nothing_else() {
    let mut scene = Scene::signed_by(Denial::Nsec);
    scene.ask_in("no.example.test A", |asked| asked.checking_disabled = true);
    assert!(scene.ask("nobody.example.test A").1 > 0);
    let mut plain = Scene::new(Plan::default(), |config| config.validate = None);
    plain.ask("no.example.test A");
    assert!(plain.ask("nobody.example.test A").1 > 0);
}

#[test]
fn the_proof_of_an_alias_that_a_wildcard_made_is_remembered_for_whatever_is_asked_for() {
    let mut scene = Scene::signed_by(Denial::Nsec);
    for text in ["x.away.example.test TXT", "x.away.example.test DS", "x.away.example.test MX"] {
        let (reply, _) = scene.ask(text);
        assert_eq!((reply.code, reply.answers.len()), (ResponseCode::NoError, 2), "{text}: {}", reply.why);
    }
}

#[test]
fn an_alias_made_from_a_dname_record_comes_with_that_when_it_is_asked_for_itself() {
    let mut scene = Scene::signed_by(Denial::Nsec);
    for _ in 0..2 {
        let (reply, _) = scene.ask("host.renamed.example.test CNAME");
        assert_eq!((reply.code, reply.answers.len()), (ResponseCode::NoError, 3), "{}", reply.why);
        assert!(reply.authentic_data);
    }
}

/// Whatever has been learnt before, nobody is told anything else than who has learnt nothing.
#[test]
fn no_answer_is_another_one_for_what_was_proved_before() {
    let names = [
        "example.test",
        "www.example.test",
        "x.www.example.test",
        "alias.example.test",
        "dangling.example.test",
        "b.deep.example.test",
        "deep.example.test",
        "c.deep.example.test",
        "x.away.example.test",
        "wild.example.test",
        "x.wild.example.test",
        "x.y.wild.example.test",
        "host.wild.example.test",
        "x.host.wild.example.test",
        "host.renamed.example.test",
        "renamed.example.test",
        "unsigned.test",
        "www.unsigned.test",
        "no.unsigned.test",
        "example.opt.test",
        "wrong-ds.test",
        "odd-digest.test",
        "test",
        "no",
        "www.plain.opt",
        "www.signed.opt",
        "no.signed.opt",
        "www.iter",
        "no.iter",
        "plain",
    ];
    for denial in [Denial::Nsec, nsec3(0, false), nsec3(1, true)] {
        let plan = || Plan { denial: denial.clone(), ..Plan::default() };
        let mut learnt = Scene::new(plan(), |_| {});
        for round in 0..2 {
            for record_type in [RecordType::Txt, RecordType::A, RecordType::Ds, RecordType::Cname] {
                for name in names {
                    let text = format!("{name} {record_type}");
                    let mut fresh = Scene::new(plan(), |config| config.cache.aggressive_nsec = false);
                    let (theirs, _) = fresh.ask(&text);
                    let (ours, _) = learnt.ask(&text);
                    let told = |reply: &Reply| {
                        let mut data: Vec<String> =
                            reply.answers.iter().map(|record| record.data.to_string()).collect();
                        data.sort();
                        (reply.code, reply.authentic_data, data)
                    };
                    assert_eq!(
                        told(&ours),
                        told(&theirs),
                        "{text} with {denial:?} in round {round}: {}",
                        ours.why
                    );
                }
            }
        }
    }
}
