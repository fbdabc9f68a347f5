//! Journeys under random faults: every one ends with the right page or a right error within bounded virtual
//! time, leaves nothing behind, and happens again to the byte.
//!
//! Forty of them here; `scripts/soak` asks for a thousand by `SOAK_RUNS`, from `SOAK_FIRST` on.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

mod misfortune;

#[path = "../support/mod.rs"]
mod support;

use glasstack_dns::{Resolver, ResolverConfig};
use glasstack_journal::event::Link;
use glasstack_journal::{Event, Observer, Record};
use glasstack_lab::Lab;
use glasstack_stack::World;
use glasstack_tls::{TlsClient, TlsClientConfig};
use glasstack_web::{Client, ClientConfig, Request, address_bar};
use misfortune::{Expected, Misfortune, SITES};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::PATIENCE;

/// How long connections may take to close when nobody answers any more, and what they leave behind to go:
/// a retransmission's patience, TIME-WAIT, a half-open connection.
const AFTERMATH: Duration = Duration::from_secs(400);

#[test]
fn every_journey_under_random_faults_ends_well_leaves_nothing_and_repeats_itself() {
    let number = |name: &str, usual| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let (first, runs) = (number("SOAK_FIRST", 1), number("SOAK_RUNS", 40));
    let pages: BTreeMap<&str, Vec<u8>> =
        SITES.iter().map(|url| (*url, travel(&Misfortune::none(url)).page().unwrap().to_vec())).collect();
    let (mut arrived, mut failures) = (0, BTreeMap::<u8, u64>::new());
    for seed in first..first + runs {
        let misfortune = Misfortune::of(seed);
        let once = travel(&misfortune);
        misfortune.check(&once, &pages[misfortune.url.as_str()]);
        let again = travel(&misfortune);
        assert_eq!(again, once, "the same run was another the second time:\n{misfortune}");
        match once.outcome {
            Ok(_) => arrived += 1,
            Err((code, _)) => *failures.entry(code).or_default() += 1,
        }
    }
    eprintln!("{runs} journeys: {arrived} pages, errors by curl's exit code {failures:?}");
    assert!(arrived > 0 && arrived < runs, "neither all nor none of them arrive: the faults do strike");
}

/// How a journey ended.
#[derive(Debug, PartialEq, Eq)]
struct Journey {
    /// The page, or curl's exit code and the error.
    outcome: Result<Vec<u8>, (u8, String)>,
    /// Of every frame that anybody sent or received, and when.
    frames: u64,
    /// What was left when everything had had time to end.
    left: Vec<String>,
}

impl Journey {
    fn page(&self) -> Result<&[u8], &str> {
        self.outcome.as_deref().map_err(|(_, why)| why.as_str())
    }
}

impl Misfortune {
    /// The right page or a right error, and nothing left.
    fn check(&self, journey: &Journey, page: &[u8]) {
        let codes = match &self.expected {
            Expected::Page => Vec::new(),
            Expected::PageOr(codes) | Expected::Error(codes) => codes.clone(),
        };
        match &journey.outcome {
            Ok(body) => {
                assert!(!matches!(self.expected, Expected::Error(_)), "a page, where none can come:\n{self}");
                assert!(body == page, "{} bytes of another page:\n{self}", body.len());
            }
            Err((code, why)) => {
                assert!(codes.contains(code), "exit code {code}, none of {codes:?}:\n{why}\n{self}");
            }
        }
        assert!(journey.left.is_empty(), "this was left: {}\n{self}", journey.left.join(", "));
    }
}

fn travel(misfortune: &Misfortune) -> Journey {
    let digest = Digest::default();
    let faults = misfortune.faults.iter().map(|fault| fault.parse().unwrap());
    let builder = Lab::builder(misfortune.seed).faults(faults).observe(digest.clone());
    let mut lab = builder.build().unwrap();
    let idle = lab.world.executor().live_tasks();
    let host = lab.client.clone();
    let names = ResolverConfig { servers: vec![lab.name_server], attempts: 4, ..ResolverConfig::default() };
    let tls = TlsClientConfig::new(lab.trust().unwrap());
    let tls = TlsClient::new(host.entropy(), host.scope().clock(), tls).unwrap();
    let usual = ClientConfig::new(Resolver::new(host.clone(), names), tls);
    let client = Client::new(&host, ClientConfig { follow: true, max_time: Some(PATIENCE), ..usual });
    let request = Request::get(address_bar::parse(&misfortune.url).unwrap().url);
    let began = lab.world.now();
    let outcome = lab.world.run(async {
        let page = support::read(&client, request).await;
        client.close().await;
        page
    });
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}\n{misfortune}"));
    let took = lab.world.now().since(began);
    assert!(took <= PATIENCE + Duration::from_secs(30), "it took {took:?} of virtual time\n{misfortune}");
    drop(client);
    lab.world.run_for(AFTERMATH).unwrap_or_else(|error| panic!("{error}\n{misfortune}"));
    lab.world.journal().finish().unwrap();
    let outcome = match outcome {
        Ok(page) => Ok(page.body),
        Err(error) => Err((error.curl_exit_code(), error.to_string())),
    };
    Journey { outcome, frames: digest.value(), left: left(&lab, idle) }
}

/// Connections and tasks that should have ended.
fn left(lab: &Lab, idle: usize) -> Vec<String> {
    let mut left = Vec::new();
    for (name, host) in lab.network.hosts() {
        let (held, flows) = (host.held_flows(), host.flows().len());
        if held + flows > 0 {
            left.push(format!("{held} held and {flows} open connections at {name}"));
        }
    }
    let tasks = lab.world.executor().live_tasks();
    if tasks > idle {
        left.push(format!("{} tasks", tasks - idle));
    }
    left
}

/// Sums up every frame: who, when, which way, what.
#[derive(Clone, Default)]
struct Digest(Arc<Mutex<DefaultHasher>>);

impl Digest {
    fn value(&self) -> u64 {
        self.0.lock().unwrap().finish()
    }
}

impl Observer for Digest {
    fn observe(&mut self, record: &Record) {
        if let Event::Link(Link::Frame { frame, bytes, .. }) = &record.event {
            (record.at, record.node, frame, bytes).hash(&mut *self.0.lock().unwrap());
        }
    }
}
