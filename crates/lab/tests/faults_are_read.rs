//! Sentences about faults: what they say, what is wrong with them, and that nothing makes the parser panic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use glasstack_lab::fault::{CableFault, FaultSpec, Window};
use glasstack_lab::fault::{Frames, Kind, Mishap, Place, Thing, Which};
use proptest::prelude::*;

/// Sentences that `Display` gives back letter for letter.
const CANONICAL: &[&str] = &[
    "lose client SYN-ACK 1",
    "lose the last ACK",
    "lose 5%",
    "lose 5% of DNS messages",
    "lose in bursts 2% 30%",
    "lose ClientHellos",
    "lose DNS query A www.example.test 1",
    "corrupt payload of segment 3",
    "corrupt TLS record 2",
    "corrupt TLS record 2 keeping the checksum",
    "delay DNS answers 3s",
    "delay HTTP responses 2s",
    "duplicate segment 4",
    "duplicate segments 3 times",
    "reorder 10%",
    "reset after 10kB",
    "kill root all but k",
    "kill root b, c",
    "kill resolver",
    "unplug client at 2s for 1s",
    "unplug home <-> access",
    "black hole above 1400",
    "expire the intermediate",
    "expire the leaf of www.example.test",
    "revoke the intermediate",
    "wrong name on www.example.test",
    "answer NXDOMAIN for www.example.test",
    "lie about www.example.test 203.0.113.66",
    "truncate DNS answers",
    "duplicate ARP replies from mallory",
    "spoof ARP for home from mallory",
    "forge DNS answers for www.example.test 203.0.113.66 from mallory",
    "SYN flood web by mallory 200 a second 1000 in all",
    "redirect client by mallory",
    "lose SYN 2 at home <-> access towards access on port 443 from 2s to 5s",
    "lose the first 3 DNS queries after 1s",
];

#[test]
fn every_sentence_is_read_and_written_again() {
    for sentence in CANONICAL {
        let fault = FaultSpec::parse(sentence).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(fault.to_string(), *sentence);
    }
}

#[test]
fn the_same_can_be_said_in_other_words() {
    for (one, other) in [
        ("lose every ClientHello", "lose ClientHellos"),
        ("LOSE the FIRST syn", "lose SYN 1"),
        ("lose the third SYN ACK", "lose SYN-ACK 3"),
        ("lose the SYN", "lose SYN 1"),
        ("corrupt TCP payload of segment 3", "corrupt payload of segment 3"),
        ("lose 5% of DNS", "lose 5% of DNS messages"),
        ("duplicate ARP reply from mallory", "duplicate ARP replies from mallory"),
        ("kill roots b and c", "kill root b, c"),
        ("SYN flood web by mallory", "SYN flood web by mallory 200 a second 1000 in all"),
        ("delay DNS answers 1.5s", "delay DNS answers 1500ms"),
        ("lose SYN at client", "lose client SYNs"),
    ] {
        assert_eq!(FaultSpec::parse(one).unwrap().to_string(), other);
    }
}

#[test]
fn a_sentence_becomes_data() {
    let expected = FaultSpec::Cable(CableFault {
        mishap: Mishap::Lose(Frames { thing: Thing::Plain(Kind::SynAck), which: Which::Nth(1) }),
        place: Some(Place::Of("client".to_owned())),
        heading: None,
        port: None,
        window: Window::default(),
    });
    assert_eq!(FaultSpec::parse("lose client SYN-ACK 1").unwrap(), expected);
    let json = serde_json::to_string(&expected).unwrap();
    assert_eq!(json, "\"lose client SYN-ACK 1\"");
    assert_eq!(serde_json::from_str::<FaultSpec>(&json).unwrap(), expected);
}

/// Asserts what the message about a sentence says.
fn says(sentence: &str, carets: &str, rest: &str) {
    let message = FaultSpec::parse(sentence).unwrap_err().to_string();
    let (first, second) = message.split_once('\n').unwrap();
    assert_eq!(first, sentence);
    assert!(second.starts_with(&format!("{carets} ")) && second.ends_with(rest), "{message}");
}

#[test]
fn a_message_points_at_the_first_wrong_word_and_says_what_was_expected() {
    says("loose SYN 1", "^^^^^", "did you mean lose?");
    says("lose SYNACK 1", "     ^^^^^^", "did you mean SYN-ACK?");
    says("lose", "     ^", "HTTP request, frame, ...)");
    says("lose SYN 0", "         ^", "frames are counted from 1");
    says("lose SYN 1 2", "           ^", "after, before)");
    says("lose the last SYN", "              ^^^", "is known for the last when it passes");
    says("delay DNS answers", "                  ^", "expected how much later, as 3s or 20ms");
    says("delay DNS answers 3", "                    ^", "expected how much later, as 3s or 20ms");
    says("lose 105%", "     ^^^^", "expected a share between 0 and 100 %, as 5%");
    says("lose -3%", "     ^^^", "expected a share between 0 and 100 %, as 5%");
    says("lose client 500% of SYNs", "            ^^^^", "expected a share between 0 and 100 %, as 5%");
    says("lose in bursts 5% 500%", "                  ^^^^", "expected a share between 0 and 100 %, as 5%");
    says("lose SYN 99999999999999999999", "         ^^^^^^^^^^^^^^^^^^^^", "the number is too large");
    says("lose the first 99999999999999999999 SYNs", "               ^^^^^^^^^^^^^^^^^^^^", "too large");
    says(
        "SYN flood web by mallory 99999999999999999999",
        "                         ^^^^^^^^^^^^^^^^^^^^",
        "too large",
    );
    says("black hole above 99999999999999999999", "                 ^^^^^^^^^^^^^^^^^^^^", "too large");
    says(
        "kill root all but z",
        "                  ^",
        "expected the letter of a root name server, from a to m",
    );
    says("unplug client at noon", "                 ^^^^", "expected a time, as 2s or 150ms");
    says("lose SYN from 5s to 2s", "                    ^^", "expected a time behind the beginning, as 5s");
    says("lose client SYN at web", "                ^^", "the cable has been named already");
    says("expire the intermediat", "           ^^^^^^^^^^^", "did you mean intermediate?");
    says("answer NXDOMIAN for a.test", "       ^^^^^^^^", "did you mean NXDOMAIN?");
    says("", "^", "...)");
}

#[test]
fn behind_the_name_of_a_host_the_word_that_is_wrong_is_pointed_at() {
    says("lose client SYNACK 1", "            ^^^^^^", "did you mean SYN-ACK?");
    says("lose client nonsense", "            ^^^^^^^^", "HTTP request, frame, ...)");
    says("delay web TSL record 2 3s", "          ^^^", "did you mean TLS record?");
    says("black hole client abov 1400", "                  ^^^^", "did you mean above?");
    says("reset web aftr 10kB", "          ^^^^", "did you mean after?");
    says("lose in burst 5% 50%", "     ^^", "did you mean in bursts?");
    // Without a host, or without a word behind it.
    says("lose SYNACK 1 at web", "     ^^^^^^", "did you mean SYN-ACK?");
    says("lose nonsense 1", "     ^^^^^^^^", "HTTP request, frame, ...)");
    says("lose nonsense at client", "     ^^^^^^^^", "HTTP request, frame, ...)");
}

#[test]
fn a_record_type_that_does_not_exist_is_answered_with_one_that_does() {
    says("lose DNS query AX www.example.test 1", "               ^^", "did you mean A?");
    says("lose DNS answers CNAMEE", "                 ^^^^^^", "did you mean CNAME?");
    says("lose DNS quary A", "         ^^^^^", "did you mean query?");
    says("lose DNS queries att client", "                 ^^^", "did you mean at?");
}

#[test]
fn what_cannot_be_seen_does_not_move_the_caret() {
    let message = FaultSpec::parse("lose \u{1b}[31m SYN").unwrap_err().to_string();
    assert!(message.starts_with("lose \u{fffd}[31m SYN\n     ^^^^^ expected"), "{message}");
    assert!(FaultSpec::parse(&"lose ".repeat(1_000)).is_err());
}

/// Words that sentences are made of, and a few that none has.
fn word() -> impl Strategy<Value = String> {
    let known = CANONICAL.iter().flat_map(|sentence| sentence.split(' ')).map(str::to_owned);
    let others =
        ["0", "-1", "99999999999999999999", "the", "last", "\u{2003}", "é", "<->", "%", "1.5s", "a", "of"];
    prop::sample::select(known.chain(others.map(str::to_owned)).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = FaultSpec::parse(&text).map_err(|error| error.to_string());
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = FaultSpec::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| error.to_string());
    }

    #[test]
    fn whatever_is_read_is_written_so_that_it_is_read_again(words in prop::collection::vec(word(), 1..9)) {
        let sentence = words.join(" ");
        match FaultSpec::parse(&sentence) {
            Ok(fault) => prop_assert_eq!(FaultSpec::parse(&fault.to_string()).unwrap(), fault),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
