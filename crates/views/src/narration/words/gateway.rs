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
