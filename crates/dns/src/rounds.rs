//! Which server is asked next, and why (resolv.conf(5): all of them in turn, then again).

use crate::error::{NetworkError, ResolveError, ServerProblem};
use crate::matching::Mismatch;
use crate::message::ResponseCode;
use crate::name::DnsName;
use glasstack_journal::event::QueryReason;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// Why a server was of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OfNoUse {
    /// It did not answer in time.
    TimedOut { waited: Duration, ignored: Option<Mismatch> },
    /// It answered, but not the question.
    Problem(ServerProblem),
    /// It could not be reached.
    Network(NetworkError),
}

impl OfNoUse {
    /// Whether it said anything at all.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self, Self::Problem(_))
    }

    /// Whether it may be of use if it is asked again: it was silent, or a connection broke.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::Network(NetworkError::Broken(_)))
    }
}

impl OfNoUse {
    /// The same in a few words, for those who ask this resolver.
    pub(crate) fn brief(&self) -> String {
        match self {
            Self::Problem(ServerProblem::Code { code, .. }) => format!("it answers {code}"),
            Self::Network(error) => error.brief(),
            Self::TimedOut { .. } | Self::Problem(_) => self.to_string(),
        }
    }
}

impl fmt::Display for OfNoUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { waited, .. } => write!(f, "it did not answer within {} ms", waited.as_millis()),
            Self::Problem(problem) => write!(f, "{problem}"),
            Self::Network(error) => write!(f, "it cannot be reached ({error})"),
        }
    }
}

/// The rounds that a question makes.
#[derive(Debug)]
pub(crate) struct Rounds {
    servers: Vec<SocketAddr>,
    rounds: u32,
    round: u32,
    next: usize,
    /// What became of each server, the last time.
    failures: Vec<Option<OfNoUse>>,
    last_failed: Option<usize>,
    tries: u32,
}

impl Rounds {
    /// `rounds` rounds over all `servers`.
    pub(crate) fn new(servers: Vec<SocketAddr>, rounds: u32) -> Self {
        let failures = vec![None; servers.len()];
        Self { servers, rounds: rounds.max(1), round: 0, next: 0, failures, last_failed: None, tries: 0 }
    }

    /// Whom to ask now, and why if it is not the first to be asked; none when everybody had their
    /// turns. A server that was only silent is asked again in the next round; one that said what it
    /// had to say is not.
    pub(crate) fn next(&mut self) -> Option<(SocketAddr, Option<QueryReason>)> {
        loop {
            if let Some(next) = self.next_of_round() {
                return Some(next);
            }
            if !self.begin_round() {
                return None;
            }
        }
    }

    /// Whom to ask now, as [`next`](Self::next), but only as long as this round goes on.
    fn next_of_round(&mut self) -> Option<(SocketAddr, Option<QueryReason>)> {
        while let Some(server) = self.servers.get(self.next).copied() {
            let index = self.next;
            self.next += 1;
            if matches!(self.failure_of(index), None | Some(OfNoUse::TimedOut { .. })) {
                self.tries += 1;
                return Some((server, self.reason(index)));
            }
        }
        None
    }

    /// Begins the next round, if there is to be one more.
    fn begin_round(&mut self) -> bool {
        self.next = 0;
        self.round += 1;
        self.round < self.rounds
    }

    /// The server that was given last was of no use.
    pub(crate) fn failed(&mut self, failure: OfNoUse) {
        let Some(index) = self.next.checked_sub(1) else { return };
        if let Some(slot) = self.failures.get_mut(index) {
            *slot = Some(failure);
            self.last_failed = Some(index);
        }
    }

    /// What to say when nobody was of use: what a server said counts for more than silence, and
    /// silence for more than not having reached anybody.
    pub(crate) fn into_error(self, name: &DnsName, each: Duration) -> ResolveError {
        let name = name.clone();
        let mut ignored = None;
        let mut silent = false;
        let mut unreachable = None;
        for (server, failure) in self.servers.iter().zip(self.failures) {
            match failure {
                Some(OfNoUse::Problem(ServerProblem::Code { code: ResponseCode::Refused, why })) => {
                    return ResolveError::Refused { name, server: *server, why };
                }
                Some(OfNoUse::Problem(what)) => {
                    return ResolveError::ServerFailure { name, server: *server, what };
                }
                Some(OfNoUse::TimedOut { ignored: seen, .. }) => {
                    silent = true;
                    ignored = ignored.or(seen.map(Box::new));
                }
                Some(OfNoUse::Network(source)) => unreachable = Some((*server, source)),
                None => {}
            }
        }
        match unreachable {
            Some((server, source)) if !silent => {
                ResolveError::Network { name, server, source: Box::new(source) }
            }
            _ if silent => {
                ResolveError::Timeout { name, servers: self.servers, tries: self.tries, each, ignored }
            }
            _ => ResolveError::NoServers { name },
        }
    }

    fn failure_of(&self, index: usize) -> Option<&OfNoUse> {
        self.failures.get(index)?.as_ref()
    }

    fn reason(&self, index: usize) -> Option<QueryReason> {
        let last = self.last_failed?;
        match (self.failure_of(index), self.servers.get(last), self.failure_of(last)) {
            (Some(OfNoUse::TimedOut { waited, .. }), ..) => Some(QueryReason::Timeout { waited: *waited }),
            (_, Some(server), Some(failure)) => {
                Some(QueryReason::NextServer { because: format!("{server}: {failure}") })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_stack::UdpError;

    const WAIT: Duration = Duration::from_secs(5);

    fn servers(count: u8) -> Vec<SocketAddr> {
        (1..=count).map(|n| SocketAddr::from(([10, 0, 0, n], 53))).collect()
    }

    fn silence() -> OfNoUse {
        OfNoUse::TimedOut { waited: WAIT, ignored: None }
    }

    fn code(code: ResponseCode) -> OfNoUse {
        OfNoUse::Problem(ServerProblem::Code { code, why: Vec::new() })
    }

    /// Whom is asked why when they fail so, and the error in the end.
    fn story(count: u8, rounds: u32, failures: &[OfNoUse]) -> (Vec<String>, String) {
        let mut rounds = Rounds::new(servers(count), rounds);
        let mut told = Vec::new();
        let mut failures = failures.iter();
        while let Some((server, why)) = rounds.next() {
            told.push(format!("{}: {}", server.ip(), why.unwrap_or(QueryReason::First)));
            rounds.failed(failures.next().expect("a failure for each try").clone());
        }
        assert_eq!(failures.next(), None, "too few tries");
        (told, rounds.into_error(&DnsName::host("www.test").unwrap(), WAIT).to_string())
    }

    #[test]
    fn a_silent_server_is_asked_again() {
        let (told, error) = story(1, 2, &[silence(), silence()]);
        assert_eq!(told, ["10.0.0.1: the answer is not known here", "10.0.0.1: no answer within 5000 ms"]);
        assert_eq!(
            error,
            "no answer about www.test from 10.0.0.1:53 (asked twice, 5000 ms each): is that the right name server \
             (--dns IP), and can it be reached?"
        );
    }

    #[test]
    fn all_servers_have_their_turn_before_one_is_asked_again() {
        let (told, _) = story(2, 2, &[silence(), silence(), silence(), silence()]);
        assert_eq!(
            told,
            [
                "10.0.0.1: the answer is not known here",
                "10.0.0.2: next server, because 10.0.0.1:53: it did not answer within 5000 ms",
                "10.0.0.1: no answer within 5000 ms",
                "10.0.0.2: no answer within 5000 ms",
            ]
        );
    }

    #[test]
    fn who_said_something_is_not_asked_again() {
        let (told, error) = story(2, 2, &[code(ResponseCode::ServFail), silence(), silence()]);
        assert_eq!(told[1], "10.0.0.2: next server, because 10.0.0.1:53: it answers SERVFAIL");
        assert_eq!(told[2], "10.0.0.2: no answer within 5000 ms");
        assert!(error.starts_with("10.0.0.1:53 cannot resolve www.test: it answers SERVFAIL"), "{error}");
        let (told, error) = story(1, 2, &[code(ResponseCode::Refused)]);
        assert_eq!(told.len(), 1);
        assert!(error.starts_with("10.0.0.1:53 refuses to resolve www.test"), "{error}");
    }

    #[test]
    fn an_unreachable_server_is_named_if_nothing_better_can_be_said() {
        let next_hop = "10.0.0.1".parse().unwrap();
        let unreachable = OfNoUse::Network(UdpError::NoArpReply { next_hop }.into());
        let (_, error) = story(1, 2, std::slice::from_ref(&unreachable));
        assert!(error.contains("no ARP reply from 10.0.0.1"), "{error}");
        let (_, error) = story(2, 1, &[unreachable, silence()]);
        assert!(error.starts_with("no answer about www.test"), "{error}");
    }
}
