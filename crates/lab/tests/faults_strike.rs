//! Faults by meaning in the default journey: what each does to it, and that it is told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use glasstack_lab::{FaultSpec, Lab};
use glasstack_stack::World;
use support::Journey;

#[test]
fn try_it() {
    for sentence in [
        "lose client SYN-ACK 1",
        "lose the last ACK",
        "lose 5%",
        "lose ClientHellos",
        "lose DNS query A www.example.test 1",
        "corrupt payload of segment 3",
        "corrupt TLS record 2",
        "corrupt TLS record 2 keeping the checksum",
        "delay DNS answers 3s",
        "delay HTTP responses 2s",
        "duplicate segment 4",
        "reorder 10%",
        "reset after 1kB",
        "close after 1kB",
        "kill root all but k",
        "kill resolver",
        "unplug client at 20ms for 1s",
        "black hole above 1400",
        "expire the intermediate",
        "expire the leaf of www.example.test",
        "revoke the intermediate",
        "wrong name on www.example.test",
        "answer NXDOMAIN for www.example.test",
        "lie about www.example.test 198.51.100.66",
        "truncate DNS answers",
        "lose in bursts 2% 30%",
    ] {
        let fault = FaultSpec::parse(sentence).unwrap();
        let mut journey = Journey::through(Lab::builder(1).faults([fault]));
        let page = journey.get("http://www.example.test/");
        let said = match page {
            Ok(page) => format!("{} {} bytes", page.status, page.body.len()),
            Err(error) => {
                let mut said = format!("{error}");
                let mut source = std::error::Error::source(&error);
                while let Some(error) = source {
                    said += &format!(": {error}");
                    source = error.source();
                }
                said
            }
        };
        println!(
            "{sentence}  ->  {said}   {:?} in {}",
            journey.lab.faults.struck()[0].1,
            journey.lab.world.now()
        );
    }
}
