//! A signed tree in memory for the tests of validation: the root, `test` and its children, and zones that
//! are signed in other ways, or not at all.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use glasstack_dns::dnssec::signer::{Denial, FlawAt, Nsec3Settings};
use glasstack_dns::dnssec::{
    Fetch, Limits, Security, SignOptions, Signer, TrustAnchors, Validated, Validator, ZoneKeys,
};
use glasstack_dns::{Asked, DnsName, Message, Question, Record, RecordData, ResolveError, Zone, Zones};
use glasstack_journal::WallTime;
use glasstack_journal::event::MacAddress;
use glasstack_sim::SimWorld;
use glasstack_stack::{Host, HostConfig, World};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const DAY: Duration = Duration::from_secs(24 * 3600);

pub fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

pub fn question(text: &str) -> Question {
    let (owner, record_type) = text.split_once(' ').unwrap();
    Question::new(name(owner), record_type.parse().unwrap())
}

pub fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

pub fn nsec3(iterations: u16, opt_out: bool) -> Denial {
    Denial::Nsec3(Nsec3Settings { iterations, salt: vec![0xab], opt_out })
}

pub fn keys(zone: &str) -> ZoneKeys {
    ZoneKeys::from_seed(&name(zone), &[1; 32])
}

/// What is done to a response on the way.
pub type Tamper = Box<dyn Fn(&Question, &mut Message) + Send + Sync>;

/// A world with one host, a tree of zones, and a validator.
pub struct Net {
    pub world: SimWorld,
    pub host: Host,
    pub tree: Arc<Tree>,
    pub validator: Arc<Validator>,
}

/// Answers as the authorities of the tree would.
pub struct Tree {
    pub zones: Zones,
    pub tamper: Option<Tamper>,
    /// What is done to the responses of the servers that are asked next; none if there are none.
    pub elsewhere: Option<Tamper>,
    pub asked: Mutex<Vec<String>>,
}

/// How the tree is made.
pub struct Plan {
    pub denial: Denial,
    /// A mistake in `example.test`.
    pub flaw: Option<FlawAt>,
    pub tamper: Option<Tamper>,
    pub elsewhere: Option<Tamper>,
    pub limits: Limits,
    /// Further zones.
    pub more: Vec<Zone>,
    pub anchors: TrustAnchors,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            denial: Denial::Nsec,
            flaw: None,
            tamper: None,
            elsewhere: None,
            limits: Limits::default(),
            more: Vec::new(),
            anchors: keys(".").trust_anchor(),
        }
    }
}

impl Net {
    pub fn new() -> Self {
        Self::with(Plan::default())
    }

    pub fn with(plan: Plan) -> Self {
        let mut world = SimWorld::builder(1).build();
        let mac = MacAddress([2, 0, 0, 0, 0, 1]);
        let config = HostConfig::new("client", mac, "10.0.0.2".parse().unwrap(), 24, None).unwrap();
        let host = world.add_host(config).unwrap();
        let now = host.wall();
        let mut zones = zones(now, &plan.denial, plan.flaw);
        zones.extend(plan.more);
        let zones = Zones::new(zones);
        let tree =
            Arc::new(Tree { zones, tamper: plan.tamper, elsewhere: plan.elsewhere, asked: Mutex::default() });
        let validator = Arc::new(Validator::new(plan.anchors, plan.limits));
        Self { world, host, tree, validator }
    }

    /// The response to a question, and what validation makes of it.
    pub fn validate(&mut self, text: &str) -> Validated {
        let question = question(text);
        let message = self.tree.respond(&question);
        self.validate_this(text, message)
    }

    pub fn validate_this(&mut self, text: &str, message: Message) -> Validated {
        let (host, tree, validator) =
            (self.host.clone(), Arc::clone(&self.tree), Arc::clone(&self.validator));
        let question = question(text);
        let validating = async move { validator.validate(&host, &*tree, &question, message).await };
        self.world.run(validating.boxed()).unwrap()
    }

    /// The outcome and the reason.
    pub fn outcome(&mut self, text: &str) -> (Security, String) {
        let validated = self.validate(text);
        (validated.security, validated.reason.to_string())
    }

    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.tree.asked.lock().unwrap())
    }
}

impl Tree {
    /// The answer of whoever has authority, as it comes in.
    pub fn respond(&self, question: &Question) -> Message {
        let mut message = self.truth(question);
        if let Some(tamper) = &self.tamper {
            tamper(question, &mut message);
        }
        message
    }

    fn truth(&self, question: &Question) -> Message {
        let asked = Asked { dnssec_ok: true, ..Asked::new(question.clone()) };
        let reply = self.zones.reply_to(&asked);
        let mut message = Message::query(1, question.clone(), None).response(reply.code);
        message.authoritative = reply.authoritative;
        message.answers = reply.answers;
        message.authorities = reply.authorities;
        message.additionals = reply.additionals;
        message
    }
}

impl Fetch for Tree {
    fn fetch<'a>(
        &'a self,
        _host: &'a Host,
        question: &'a Question,
    ) -> BoxFuture<'a, Result<Message, ResolveError>> {
        self.asked.lock().unwrap().push(question.to_string());
        futures_util::future::ready(Ok(self.respond(question))).boxed()
    }

    fn fetch_elsewhere<'a>(
        &'a self,
        _host: &'a Host,
        question: &'a Question,
    ) -> BoxFuture<'a, Option<Result<Message, ResolveError>>> {
        self.asked.lock().unwrap().push(format!("{question} elsewhere"));
        let another = |elsewhere: &Tamper| {
            let mut message = self.truth(question);
            elsewhere(question, &mut message);
            Ok(message)
        };
        futures_util::future::ready(self.elsewhere.as_ref().map(another)).boxed()
    }
}

pub fn options(now: WallTime, denial: Denial) -> SignOptions {
    SignOptions { denial, ..SignOptions::from(now, 30 * DAY) }
}

/// Everything below the root.
fn zones(now: WallTime, denial: &Denial, flaw: Option<FlawAt>) -> Vec<Zone> {
    let mut flaw = flaw;
    let mut sign = |zone: Zone, denial: &Denial| {
        let is_example = *zone.origin() == name("example.test");
        let keys = keys(zone.origin().to_string().as_str());
        let signer = Signer::new(keys, options(now, denial.clone()));
        let flaw = flaw.take_if(|_| is_example);
        flaw.into_iter().fold(signer, Signer::with_flaw).sign_zone(zone).unwrap()
    };
    let mut root = Zone::new(".").unwrap();
    for tld in ["test", "opt", "iter", "plain"] {
        root = root.delegating(tld, &[("ns.test", Some(address(1)))]).unwrap();
        if tld != "plain" {
            root.add_record(keys(tld).ds_record(300).unwrap()).unwrap();
        }
    }
    let mut test = Zone::new("test").and_then(|zone| zone.with("ns", address(1))).unwrap();
    for child in ["example", "unsigned", "wrong-ds", "odd-algorithm", "odd-digest"] {
        test = test.delegating(child, &[("ns.test", None)]).unwrap();
    }
    test.add_record(keys("example.test").ds_record(300).unwrap()).unwrap();
    test.add_record(keys("wrong-ds.test").wrong_ds_record(300).unwrap()).unwrap();
    for (child, change) in [("odd-algorithm.test", (250, 2)), ("odd-digest.test", (15, 250))] {
        let mut record = keys(child).ds_record(300).unwrap();
        if let RecordData::Ds(ds) = &mut record.data {
            (ds.algorithm, ds.digest_type) = change;
        }
        test.add_record(record).unwrap();
    }
    let mut opt = Zone::new("opt").unwrap();
    for child in ["signed", "plain"] {
        opt = opt.delegating(child, &[("ns.test", None)]).unwrap();
    }
    opt.add_record(keys("signed.opt").ds_record(300).unwrap()).unwrap();
    let simple = |origin: &str| Zone::new(origin).and_then(|zone| zone.with("www", address(80))).unwrap();
    vec![
        sign(root, denial),
        sign(test, denial),
        sign(example_zone(), denial),
        sign(opt, &nsec3(0, true)),
        sign(simple("signed.opt"), denial),
        simple("plain.opt"),
        sign(simple("iter"), &nsec3(150, false)),
        simple("plain"),
        simple("unsigned.test"),
        sign(simple("wrong-ds.test"), denial),
        sign(simple("odd-algorithm.test"), denial),
        sign(simple("odd-digest.test"), denial),
    ]
}

fn example_zone() -> Zone {
    Zone::new("example.test")
        .and_then(|zone| zone.with("@", RecordData::Ns(name("ns.test"))))
        .and_then(|zone| zone.with("www", address(80)))
        .and_then(|zone| zone.with("www", address(81)))
        .and_then(|zone| zone.with("alias", RecordData::Cname(name("www.example.test"))))
        .and_then(|zone| zone.with("dangling", RecordData::Cname(name("no.example.test"))))
        .and_then(|zone| zone.with("to-plain", RecordData::Cname(name("www.plain"))))
        .and_then(|zone| zone.with("far", RecordData::Cname(name("www.elsewhere.example"))))
        .and_then(|zone| zone.with("renamed", RecordData::Dname(name("wild.example.test"))))
        .and_then(|zone| {
            zone.with("short", RecordData::Dname(name(&format!("{}.example.test", "l".repeat(60)))))
        })
        .and_then(|zone| zone.with("*.away", RecordData::Cname(name("www.plain"))))
        .and_then(|zone| zone.with("*.wild", address(9)))
        .and_then(|zone| zone.with("host.wild", address(10)))
        .and_then(|zone| zone.with("a.b.deep", address(1)))
        .unwrap()
}

/// The records of one type, with their signatures.
pub fn without_signatures(records: &mut Vec<Record>) {
    records.retain(|record| !matches!(record.data, RecordData::Rrsig(_)));
}
