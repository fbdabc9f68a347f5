//! The words for what a gateway does.

use super::{Line, normal, verbose, warning};
use crate::text::count;
use glasstack_journal::event::{Answer, Gateway};

/// A gateway speaks for everybody to hear: what it does is the client's story.
pub(super) fn tell_gateway(gateway: &Gateway) -> Line {
    match gateway {
        Gateway::Carried { passage, onward, via } => {
            let onward = onward.map(|to| format!(" to {to}")).unwrap_or_default();
            let via = via.map(|via| format!(" from {via}")).unwrap_or_default();
            normal(format!("{passage} goes on over a socket of this machine{via}{onward}")).of_all()
        }
        Gateway::TurnedAway { passage, why, answer } => {
            let answer = match answer {
                Answer::Silence => "no answer was given".to_owned(),
                answer => format!("answered with {answer}"),
            };
            warning(format!("{passage} goes no further: {why}; {answer}")).of_all()
        }
        Gateway::Ended { passage, up, down, how } => {
            let (up, down) = (count(*up, "byte"), count(*down, "byte"));
            verbose(format!("{passage} is over ({how}): {up} there, {down} back"))
        }
        Gateway::Published { protocol, on, to } => {
            normal(format!("{protocol} port {on} of this machine leads to {to}")).of_all()
        }
        Gateway::QuestionPassedOn { from, server, after } => {
            let silent = match after {
                0 => String::new(),
                n => format!(" ({} before it kept silent)", count(*n as u64, "server")),
            };
            verbose(format!("a question from {from} goes on to this machine's name server {server}{silent}"))
        }
        Gateway::QuestionUnanswered { from, why } => {
            warning(format!("a question from {from} stays without an answer: {why}")).of_all()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_journal::event::Passage;

    fn told(fact: Gateway) -> String {
        tell_gateway(&fact).text
    }

    #[test]
    fn it_is_told_where_something_goes_on_and_what_its_sender_hears_if_it_does_not() {
        let passage =
            Passage::Tcp { from: "10.71.84.2:49152".parse().unwrap(), to: "10.71.84.1:80".parse().unwrap() };
        let onward = Some("127.0.0.1:80".parse().unwrap());
        let via = Some("127.0.0.1:40000".parse().unwrap());
        assert_eq!(
            told(Gateway::Carried { passage, onward, via }),
            "TCP 10.71.84.2:49152 -> 10.71.84.1:80 goes on over a socket of this machine from 127.0.0.1:40000 to 127.0.0.1:80"
        );
        let why = "this machine cannot connect: Connection refused".to_owned();
        assert_eq!(
            told(Gateway::TurnedAway { passage, why, answer: Answer::Reset }),
            "TCP 10.71.84.2:49152 -> 10.71.84.1:80 goes no further: this machine cannot connect: Connection refused; answered with RST"
        );
        let silence =
            told(Gateway::TurnedAway { passage, why: "nobody".to_owned(), answer: Answer::Silence });
        assert!(silence.ends_with("nobody; no answer was given"), "{silence}");
    }

    #[test]
    fn the_end_of_what_was_carried_is_for_those_who_ask_for_more() {
        let passage =
            Passage::Udp { from: "10.71.84.2:5353".parse().unwrap(), to: "192.0.2.7:53".parse().unwrap() };
        let ended = Gateway::Ended { passage, up: 1, down: 1460, how: "idle".to_owned() };
        let line = tell_gateway(&ended);
        assert_eq!(
            line.text,
            "UDP 10.71.84.2:5353 -> 192.0.2.7:53 is over (idle): 1 byte there, 1 460 bytes back"
        );
        assert!(line.level > super::super::Level::Normal);
    }
}
