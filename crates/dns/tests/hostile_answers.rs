//! What servers may say that mean harm, and what it may lead to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod scripted;

use glasstack_dns::{DnsName, Minimisation, RecordType, ZoneElsewhere};
use scripted::Scene;

#[test]
fn a_forwarder_that_refers_to_others_sends_nobody_there() {
    let forward = |config: &mut glasstack_dns::RecursorConfig| {
        config.iterate.qname_minimisation = Minimisation::Off;
        config.iterate.zones = vec![ZoneElsewhere::Forward {
            zone: DnsName::parse("corp.test").unwrap(),
            servers: vec!["10.0.0.5:53".parse().unwrap()],
            names: Vec::new(),
            first: false,
            tcp: false,
        }];
    };
    let mut scene = Scene::with(
        "10.0.0.5  *.corp.test  : | sub.corp.test. NS ns.sub.corp.test. | ns.sub.corp.test. A 10.0.0.6
         10.0.0.6  *.corp.test  AA : www.sub.corp.test. A 6.6.6.6",
        forward,
    );
    assert_eq!(scene.answer("www.sub.corp.test", RecordType::A), ["SERVFAIL"]);
    let asked = scene.asked();
    assert!(asked.iter().all(|asked| asked.starts_with("10.0.0.5 ")), "{asked:?}");
}
