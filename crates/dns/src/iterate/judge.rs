//! What a scrubbed response is worth to somebody who walks down the tree (RFC 1034 5.3.3 step 4): an answer, an
//! alias, a referral, or nothing. The distinctions are unbound's.

use crate::error::ServerProblem;
use crate::message::{Question, ResponseCode};
use crate::name::DnsName;
use crate::record::RecordType;
use crate::response::Response;

/// What a response is worth.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// It says what there is, or that there is nothing.
    Answer,
    /// It says that the name is an alias.
    Alias,
    /// Others know more: the servers of this zone further down.
    Referral(DnsName),
    /// It says nothing at all. Should nobody say more, then there is nothing.
    Empty,
    /// It does not serve the zone.
    Lame(ServerProblem),
    /// It knows from others what it should know by itself: another one is better.
    OnlyRecursive,
    /// Another server has to be asked.
    Nothing(ServerProblem),
}

/// What `response` is worth, from a server of `zone` that was asked `question`; whether it was `asked_to_recurse`,
/// so that it may know from others.
pub(super) fn judge(
    zone: &DnsName,
    question: &Question,
    response: &Response,
    asked_to_recurse: bool,
) -> Worth {
    // RFC 2181 9; over TCP nothing can have been left out.
    if response.truncated {
        return Worth::Nothing(ServerProblem::Truncated);
    }
    let secondhand = response.recursive && !response.authoritative && !asked_to_recurse;
    match response.code {
        ResponseCode::NxDomain if secondhand => return Worth::OnlyRecursive,
        ResponseCode::NxDomain => return Worth::Answer,
        ResponseCode::YxDomain if has_redirection(response) => return Worth::Answer,
        ResponseCode::NoError => {}
        code => {
            let why = response.extended_errors.clone();
            return Worth::Nothing(ServerProblem::Code { code, why });
        }
    }
    // A server of the zone above may answer for the zone below with its NS records (RFC 2181 6.1).
    let below = |owner: &DnsName| owner != zone && owner.is_within(zone);
    if question.record_type == RecordType::Ns
        && let Some(servers) = response.answer(&question.name, RecordType::Ns)
        && below(&servers.name)
    {
        // Who finds out for others answers with them, too, and has authority over none.
        let is_answer = response.authoritative || asked_to_recurse;
        return if is_answer { Worth::Answer } else { Worth::Referral(servers.name.clone()) };
    }
    let has_answer = response
        .answers
        .iter()
        .any(|set| set.name == question.name && set.record_type == question.record_type);
    if has_answer && response.authoritative {
        return Worth::Answer;
    }
    if !has_answer && !response.answers.is_empty() {
        let any = question.record_type == RecordType::Any;
        return if any { Worth::Answer } else { Worth::Alias };
    }
    // RFC 2308 2.2: the normal way of saying that there is nothing.
    if response.soa(&question.name).is_some() {
        return if secondhand { Worth::OnlyRecursive } else { Worth::Answer };
    }
    if let Some(servers) = response.name_servers() {
        return by_servers(zone, &servers.name, response, secondhand, asked_to_recurse);
    }
    if response.is_empty() {
        return Worth::Empty;
    }
    if secondhand { Worth::OnlyRecursive } else { Worth::Answer }
}

/// What the zone of the NS records in the authority section says about who sent them.
fn by_servers(
    zone: &DnsName,
    of: &DnsName,
    response: &Response,
    secondhand: bool,
    asked_to_recurse: bool,
) -> Worth {
    if of == zone {
        return match () {
            () if secondhand => Worth::OnlyRecursive,
            // RFC 2308 2.2 wants authority and an SOA record for that there is nothing; this is the delegation that
            // led here.
            () if response.answers.is_empty() && !response.authoritative && !asked_to_recurse => {
                Worth::Nothing(ServerProblem::Lame { zone: zone.clone() })
            }
            () => Worth::Answer,
        };
    }
    // RFC 1034 5.3.3 4b: "if the response contains a better delegation"; better is only what is nearer.
    if zone.is_within(of) {
        let problem = ServerProblem::NoWayDown { zone: zone.clone(), to: of.clone() };
        return if asked_to_recurse { Worth::Nothing(problem) } else { Worth::Lame(problem) };
    }
    Worth::Referral(of.clone())
}

fn has_redirection(response: &Response) -> bool {
    response.answers.iter().any(|set| set.record_type == RecordType::Dname)
}
