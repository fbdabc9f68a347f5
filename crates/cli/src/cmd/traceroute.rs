//! `glasstack traceroute`: the routers on the way, one after the other, as traceroute(8) shows them.

use crate::args::TracerouteOptions;
use crate::failure::usage;
use crate::names;
use crate::net::Net;
use crate::output;
use anyhow::anyhow;
use futures_util::stream::{self, Stream, StreamExt};
use glasstack::dns::{ResolveError, Resolver};
use glasstack::stack::{Host, ProbeAnswer, ProbeError, ProbeKind, ProbeOptions, ProbeReply, Unreachability};
use glasstack::web::WebError;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

/// The destination has not answered.
const NOT_REACHED: u8 = 1;
/// An IP header and a TCP header with the one option that a SYN of ours has, in bytes.
const SYN_LENGTH: u16 = 44;

pub(crate) fn run(options: &TracerouteOptions) -> anyhow::Result<ExitCode> {
    check(options)?;
    output::only_one_on_stdout(&options.watch)?;
    let name = names::in_ascii(&options.host)?;
    let net = Net::open(&options.net, &options.watch, Some(&name), false)?;
    net.journey(false, |net| perform(options, net))
}

fn check(options: &TracerouteOptions) -> anyhow::Result<()> {
    if options.first > options.max_hops {
        let (first, max) = (options.first, options.max_hops);
        return Err(usage(format!("-f {first} -m {max}: the first hop lies behind the last")));
    }
    Ok(())
}

/// The probes alone, on a network that is there already.
pub(crate) fn perform(options: &TracerouteOptions, net: &mut Net) -> anyhow::Result<u8> {
    check(options)?;
    let name = names::in_ascii(&options.host)?;
    let resolver = net.resolver(&[])?;
    let host = net.host.clone();
    // One after the other is easier to follow; where time is real, waiting for each is slow.
    let usual = if net.the_lab().is_ok() { 1 } else { 16 };
    let at_once = options.sim_queries.unwrap_or(usual);
    let reached = net.run(async {
        let found = resolver.resolve(&name).await.map_err(WebError::from)?;
        let destination = found.addresses.first().copied();
        let destination = destination.ok_or_else(|| anyhow!("{name} has no address"))?;
        let names = (!options.numeric).then(|| Names::new(&resolver));
        Trace { host: &host, destination, options }.tell(names, at_once.into()).await
    });
    let settled = net.settle(Duration::from_secs(1));
    let reached = reached??;
    settled?;
    Ok(if reached { 0 } else { NOT_REACHED })
}

/// The way to one destination.
struct Trace<'a> {
    host: &'a Host,
    destination: IpAddr,
    options: &'a TracerouteOptions,
}

impl Trace<'_> {
    /// Prints the hops, a line each, until the destination answers or somebody says that there is no
    /// way there. Whether the destination has answered.
    async fn tell(&self, mut names: Option<Names<'_>>, at_once: usize) -> anyhow::Result<bool> {
        let TracerouteOptions { host, max_hops, queries, first, .. } = self.options;
        let (destination, length) = (self.destination, self.length());
        let packets = format!("{max_hops} hops max, {length} byte packets");
        output::line(format_args!("traceroute to {host} ({destination}), {packets}"))?;
        let mut answers = pin!(self.probes(at_once));
        for ttl in *first..=*max_hops {
            let mut hop = Hop::new(ttl);
            for _ in 0..*queries {
                match answers.next().await {
                    Some(Ok(reply)) => hop.push(&reply, &mut names).await,
                    Some(Err(ProbeError::TimedOut { .. })) => hop.push_silence(),
                    // What goes wrong here goes wrong for every probe.
                    Some(Err(error)) => {
                        output::line(error)?;
                        return Ok(false);
                    }
                    None => {}
                }
            }
            output::line(&hop.line)?;
            if hop.is_last {
                return Ok(hop.reached);
            }
        }
        Ok(false)
    }

    /// The answers to the probes, in the order of the probes, so many of which are under way at once.
    fn probes(&self, at_once: usize) -> impl Stream<Item = Result<ProbeReply, ProbeError>> {
        let TracerouteOptions { first, max_hops, queries, .. } = *self.options;
        let each = (first..=max_hops).flat_map(move |ttl| std::iter::repeat_n(ttl, queries.into()));
        let probe = move |(number, ttl)| {
            let options = self.probe(number, ttl);
            async move { self.host.probe(self.destination, &options).await }
        };
        stream::iter((0..).zip(each).map(probe)).buffered(at_once)
    }

    /// The probe with this number, the first being 0.
    fn probe(&self, number: u16, ttl: u8) -> ProbeOptions {
        let kind = self.options.kind();
        let usual = match kind {
            ProbeKind::Udp => 33_434,
            ProbeKind::TcpSyn => 80,
            ProbeKind::Echo => 1,
        };
        let first = self.options.port.unwrap_or(usual);
        let port = match kind {
            ProbeKind::TcpSyn => first,
            // No datagram goes to port 0.
            _ => first.checked_add(number).unwrap_or_else(|| first.wrapping_add(number).max(1)),
        };
        ProbeOptions {
            kind,
            ttl,
            port,
            length: self.length(),
            dont_fragment: self.options.dont_fragment,
            timeout: self.options.wait,
        }
    }

    fn length(&self) -> u16 {
        if self.options.kind() == ProbeKind::TcpSyn { SYN_LENGTH } else { self.options.length }
    }
}

/// A line that grows.
struct Hop {
    line: String,
    /// Who answered last: it is named once.
    from: Option<IpAddr>,
    /// Nothing lies behind this hop, or nothing can be reached behind it.
    is_last: bool,
    reached: bool,
}

impl Hop {
    fn new(ttl: u8) -> Self {
        Self { line: format!("{ttl:>2} "), from: None, is_last: false, reached: false }
    }

    async fn push(&mut self, reply: &ProbeReply, names: &mut Option<Names<'_>>) {
        if self.from != Some(reply.from) {
            let who = match names {
                Some(names) => format!("{} ({})", names.of(reply.from).await, reply.from),
                None => reply.from.to_string(),
            };
            self.line.push_str(&format!(" {who}"));
            self.from = Some(reply.from);
        }
        let millis = reply.rtt.as_secs_f64() * 1_000.0;
        self.line.push_str(&format!("  {millis:.3} ms"));
        if let ProbeAnswer::Unreachable(why) = reply.what {
            self.line.push_str(&format!(" {}", mark(why)));
        }
        self.is_last |= reply.what.is_final();
        self.reached |= reply.what.is_final() && !matches!(reply.what, ProbeAnswer::Unreachable(_));
    }

    fn push_silence(&mut self) {
        self.line.push_str(" *");
    }
}

/// traceroute(8): what stands behind the time where somebody said that it goes no further.
fn mark(why: Unreachability) -> String {
    match why {
        Unreachability::Host => "!H".to_owned(),
        Unreachability::Network => "!N".to_owned(),
        Unreachability::Protocol => "!P".to_owned(),
        Unreachability::SourceRoute => "!S".to_owned(),
        Unreachability::FragmentationNeeded { mtu } => format!("!F-{mtu}"),
        Unreachability::Prohibited => "!X".to_owned(),
        Unreachability::Other { kind: 3, code: 14 } => "!V".to_owned(),
        Unreachability::Other { kind: 3, code: 15 } => "!C".to_owned(),
        Unreachability::Other { kind: 3, code } => format!("!<{code}>"),
        Unreachability::Other { kind, code } => format!("!<{kind}-{code}>"),
    }
}

/// The names of addresses, each looked up once.
struct Names<'a> {
    resolver: &'a Resolver,
    known: BTreeMap<IpAddr, String>,
    /// Nobody can be asked, so nobody is asked again.
    given_up: bool,
}

impl<'a> Names<'a> {
    fn new(resolver: &'a Resolver) -> Self {
        Self { resolver, known: BTreeMap::new(), given_up: false }
    }

    /// The name of an address; the address where it has none.
    async fn of(&mut self, address: IpAddr) -> String {
        if let Some(name) = self.known.get(&address) {
            return name.clone();
        }
        let found = if self.given_up { None } else { self.look_up(address).await };
        let name = found.unwrap_or_else(|| address.to_string());
        self.known.insert(address, name.clone());
        name
    }

    async fn look_up(&mut self, address: IpAddr) -> Option<String> {
        match self.resolver.name_of(address).await {
            Ok(name) => Some(name.to_string()),
            Err(error) => {
                self.given_up = matches!(
                    error,
                    ResolveError::Timeout { .. }
                        | ResolveError::NoServers { .. }
                        | ResolveError::Network { .. }
                );
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn reply(last: u8, what: ProbeAnswer, micros: u64) -> ProbeReply {
        let from = [10, 0, 0, last].into();
        ProbeReply { from, what, rtt: Duration::from_micros(micros), ttl: 64 }
    }

    fn line(answers: &[Option<ProbeReply>]) -> (String, bool, bool) {
        let mut hop = Hop::new(7);
        for answer in answers {
            match answer {
                Some(reply) => hop.push(reply, &mut None).now_or_never().unwrap(),
                None => hop.push_silence(),
            }
        }
        (hop.line, hop.is_last, hop.reached)
    }

    #[test]
    fn a_hop_is_named_once_and_every_probe_has_its_time() {
        let far = ProbeAnswer::TimeExceeded;
        let one = [Some(reply(1, far, 1_002)), Some(reply(1, far, 900)), Some(reply(1, far, 12_345))];
        assert_eq!(line(&one), (" 7  10.0.0.1  1.002 ms  0.900 ms  12.345 ms".to_owned(), false, false));
        let two = [Some(reply(1, far, 1_000)), None, Some(reply(2, far, 2_000))];
        assert_eq!(line(&two).0, " 7  10.0.0.1  1.000 ms * 10.0.0.2  2.000 ms");
        assert_eq!(line(&[None, None, None]).0, " 7  * * *");
        assert_eq!(line(&[None, Some(reply(1, far, 1_000))]).0, " 7  * 10.0.0.1  1.000 ms");
    }

    #[test]
    fn the_destination_is_the_end_and_so_is_who_says_that_there_is_no_way() {
        let there = [Some(reply(9, ProbeAnswer::PortUnreachable, 3_000))];
        assert_eq!(line(&there), (" 7  10.0.0.9  3.000 ms".to_owned(), true, true));
        let no_way = |why| line(&[Some(reply(3, ProbeAnswer::Unreachable(why), 3_000))]);
        assert_eq!(no_way(Unreachability::Host), (" 7  10.0.0.3  3.000 ms !H".to_owned(), true, false));
        let too_large = Unreachability::FragmentationNeeded { mtu: 1400 };
        assert!(no_way(too_large).0.ends_with(" !F-1400"));
        assert!(no_way(Unreachability::Other { kind: 3, code: 42 }).0.ends_with(" !<42>"));
    }
}
