//! Two questions at once that need the same name server's address look for it once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod scripted;

use glasstack_dns::{Minimisation, RecordType};
use scripted::Scene;

const A: RecordType = RecordType::A;

/// The zones one, two and three have servers in other zones, whose addresses nobody gives along.
fn scene(lines: &str) -> Scene {
    let tree = format!(
        "{lines}
        10.0.0.1  *.hoster  : | hoster. NS a.nic.hoster. | a.nic.hoster. A 10.0.0.9
        10.0.0.9  ns.hoster A   AA : ns.hoster. 300 A 10.0.0.8
        10.0.0.9  *.hoster      AA : | hoster. 300 SOA a.nic.hoster. x. 1 1 1 1 1
        10.0.0.1  *.one  : | one. NS ns.hoster.
        10.0.0.1  *.two  : | two. NS ns.hoster.
        10.0.0.8  www.one A  AA : www.one. 300 A 192.0.2.1
        10.0.0.8  www.two A  AA : www.two. 300 A 192.0.2.2"
    );
    Scene::with(&tree, |config| config.iterate.qname_minimisation = Minimisation::Off)
}

#[test]
fn one_address_is_asked_for_once_however_many_need_it() {
    let mut scene = scene("");
    let replies = scene.answers_at_once(&["www.one", "www.two"], A);
    assert_eq!(replies, [vec!["NOERROR", "www.one A 192.0.2.1"], vec!["NOERROR", "www.two A 192.0.2.2"]]);
    let asked = scene.asked();
    let times = asked.iter().filter(|asked| asked.ends_with("ns.hoster A")).count();
    // Once of the root's server, once of the zone's.
    assert_eq!(times, 2, "{asked:?}");
}

/// Each zone's server lies in the other zone: who asks for one waits for who asks for the other.
#[test]
fn who_would_wait_for_each_other_does_not_join() {
    let mut scene = scene(
        "10.0.0.1  *.left   : | left. NS ns.right.
         10.0.0.1  *.right  : | right. NS ns.left.",
    );
    let before = scene.host.now();
    let replies = scene.answers_at_once(&["www.left", "www.right"], A);
    assert_eq!(replies, [["SERVFAIL"], ["SERVFAIL"]]);
    assert!(
        scene.host.now().since(before) < std::time::Duration::from_secs(1),
        "{:?}",
        scene.host.now().since(before)
    );
}

#[test]
fn who_joined_in_vain_looks_for_himself() {
    // The lookup that www.one begins comes to nothing where it comes from.
    let mut scene = scene(
        "10.0.0.1  *.three  : | three. NS ns.four.
         10.0.0.1  *.four   : | four. NS ns.three. ; four. NS ns.hoster.
         10.0.0.8  ns.four A  AA : ns.four. 300 A 10.0.0.7
         10.0.0.7  www.three A  AA : www.three. 300 A 192.0.2.3
         10.0.0.8  www.four A  AA : www.four. 300 A 192.0.2.4",
    );
    let replies = scene.answers_at_once(&["www.three", "www.four", "www.one", "www.two"], A);
    let last = |reply: &Vec<String>| reply.last().cloned().unwrap();
    let found: Vec<String> = replies.iter().map(last).collect();
    assert_eq!(
        found,
        ["www.three A 192.0.2.3", "www.four A 192.0.2.4", "www.one A 192.0.2.1", "www.two A 192.0.2.2"]
    );
}
