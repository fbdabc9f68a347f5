//! A scenario's configuration, in unbound's words (`unbound.conf(5)`), as what our resolver is told.

use crate::packet::{Packet, Section, date};
use crate::scenario::Scenario;
use glasstack_dns::dnssec::TrustAnchors;
use glasstack_dns::server::{Access, AccessList, AccessRule, ServeOptions};
use glasstack_dns::{
    AddressRange, DnsName, IterateConfig, Minimisation, Record, RecursorConfig, RootHints, ServeStale,
    ZoneElsewhere,
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// What is set up before the first step.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) hints: RootHints,
    pub(crate) config: RecursorConfig,
    /// How the server goes about its client.
    pub(crate) options: ServeOptions,
    /// The wall clock, in seconds since 1970, where the scenario sets it.
    pub(crate) clock: Option<u64>,
    /// DS and DNSKEY records.
    anchors: Vec<Record>,
    /// Whether there is a validator at all.
    validates: bool,
}

/// A clause with its options and their values, in their order.
#[derive(Debug)]
struct Clause {
    name: String,
    options: Vec<(String, String)>,
}

impl Settings {
    /// What the scenario's configuration means; an error is an option that is declined.
    pub(crate) fn of(scenario: &Scenario) -> Result<Self, String> {
        // unbound speaks IPv6, and asks a silent server five times (outbound-msg-retry).
        let iterate = IterateConfig { ipv6: true, rounds: 5, ..IterateConfig::default() };
        let config = RecursorConfig { iterate, ..RecursorConfig::default() };
        // Whoever may ask may not look into the cache without wanting recursion, unless it is said.
        // Nor is anybody told why, unless that is wanted (ede).
        let access = AccessList::new(Access::Allow);
        let options = ServeOptions { access, extended_errors: false, ..ServeOptions::default() };
        let mut settings = Self {
            hints: RootHints::iana(),
            config,
            options,
            clock: None,
            anchors: Vec::new(),
            validates: true,
        };
        let clauses = clauses(&scenario.config)?;
        for clause in &clauses {
            match clause.name.as_str() {
                "server" => {
                    for (option, value) in &clause.options {
                        settings.server(option, value).map_err(|why| format!("{option}: {value}: {why}"))?;
                    }
                }
                "stub-zone" | "forward-zone" => {
                    let zone = elsewhere(clause).map_err(|why| format!("{}: {why}", clause.name))?;
                    settings.config.iterate.zones.push(zone);
                }
                other => return Err(format!("there is no {other} here")),
            }
        }
        if settings.validates && !settings.anchors.is_empty() {
            settings.config.validate = Some(TrustAnchors::new(settings.anchors.clone()));
        }
        Ok(settings)
    }

    fn server(&mut self, option: &str, value: &str) -> Result<(), String> {
        let iterate = &mut self.config.iterate;
        match option {
            "qname-minimisation" => {
                iterate.qname_minimisation =
                    if yes(value)? { Minimisation::Relaxed } else { Minimisation::Off };
            }
            "target-fetch-policy" => {
                let depths: Result<_, _> = value.split_whitespace().map(str::parse).collect();
                iterate.target_fetch = depths.map_err(|_| "not numbers")?;
            }
            "minimal-responses" => self.config.minimal_responses = yes(value)?,
            "iter-scrub-promiscuous" => iterate.scrub_promiscuous = yes(value)?,
            "iter-scrub-ns" => iterate.scrub_ns = number(value)?,
            "harden-referral-path" if !yes(value)? => {}
            "harden-unverified-glue" => iterate.harden_unverified_glue = yes(value)?,
            "private-address" => iterate.private_addresses.push(parsed(value)?),
            "private-domain" => iterate.private_domains.push(name(value)?),
            "prefetch" => iterate.prefetch = yes(value)?,
            "do-ip4" => iterate.ipv4 = yes(value)?,
            "do-ip6" => iterate.ipv6 = yes(value)?,
            "do-nat64" if !yes(value)? => iterate.nat64 = None,
            // RFC 6052 2.1: the well-known prefix, unless there is another.
            "do-nat64" => {
                iterate.nat64.get_or_insert(parsed("64:ff9b::/96")?);
            }
            "nat64-prefix" => iterate.nat64 = Some(parsed::<AddressRange>(value)?),
            // There is one cache here, for messages and for records.
            "msg-cache-size" => self.config.cache.max_bytes = number(value)?,
            "do-not-query-localhost" => iterate.do_not_query_localhost = yes(value)?,
            "max-query-restarts" => iterate.max_query_restarts = number(value)?,
            "max-global-quota" => iterate.max_queries = number(value)?,
            "tcp-upstream" => iterate.tcp_upstream = yes(value)?,
            "serve-expired" => {
                iterate.serve_stale = yes(value)?.then(|| iterate.serve_stale.unwrap_or_default());
            }
            "serve-expired-client-timeout" => {
                let client_timeout = Duration::from_millis(number(value)?);
                let stale = iterate.serve_stale.unwrap_or_default();
                iterate.serve_stale = Some(ServeStale { client_timeout, ..stale });
            }
            "val-override-date" => self.clock = Some(date(value)?),
            "trust-anchor" => {
                let mut packet = Packet::default();
                packet.add(Section::Answer, value)?;
                self.anchors.extend(packet.message()?.answers);
            }
            "module-config" if value == "iterator" => self.validates = false,
            // Signatures with DSA, and with RSA and SHA-1, are believed unread: the scenario is not about them.
            "fake-sha1" if yes(value)? => self.config.validation.taken_on_trust = [3, 5, 6, 7].into(),
            // Nobody is told which trust anchors we have (RFC 8145).
            "trust-anchor-signaling" if !yes(value)? => {}
            "ede" => self.options.extended_errors = yes(value)?,
            // Records of a set keep their order here.
            "rrset-roundrobin" if !yes(value)? => {}
            // The one client is at 127.0.0.1, whatever its address is here.
            "access-control" => {
                let rule: AccessRule = parsed(value)?;
                if rule.range.contains(Ipv4Addr::LOCALHOST.into()) {
                    self.options.access = AccessList::new(rule.access);
                }
            }
            // There is one client, so what it may have under way is what may be under way at all.
            "num-queries-per-thread" => self.options.limits.queries_under_way = number(value)?,
            // How much is logged, and how the cache is cut into parts.
            "verbosity" | "msg-cache-slabs" => {}
            _ => return Err("there is no such option here".to_owned()),
        }
        Ok(())
    }
}

/// stub-zone and forward-zone.
fn elsewhere(clause: &Clause) -> Result<ZoneElsewhere, String> {
    let (mut zone, mut servers, mut names) = (None, Vec::new(), Vec::new());
    let (mut prime, mut first, mut tcp) = (false, false, false);
    for (option, value) in &clause.options {
        match option.split_once('-').map_or(option.as_str(), |(_, option)| option) {
            "name" => zone = Some(name(value)?),
            "addr" => servers.push(SocketAddr::new(parsed::<IpAddr>(value)?, 53)),
            "host" => names.push(name(value)?),
            "prime" => prime = yes(value)?,
            "first" => first = yes(value)?,
            "tcp-upstream" => tcp = yes(value)?,
            _ => return Err(format!("{option}: there is no such option here")),
        }
    }
    let zone = zone.ok_or("it has no name")?;
    Ok(match clause.name.as_str() {
        "stub-zone" => ZoneElsewhere::Stub { zone, servers, names, prime, first, tcp },
        _ => ZoneElsewhere::Forward { zone, servers, names, first, tcp },
    })
}

fn clauses(lines: &[String]) -> Result<Vec<Clause>, String> {
    let mut clauses: Vec<Clause> = Vec::new();
    let mut words = lines.iter().flat_map(|line| words(line)).peekable();
    while let Some(word) = words.next() {
        let Some(key) = word.strip_suffix(':') else { return Err(format!("{word:?} is no option")) };
        if matches!(key, "server" | "stub-zone" | "forward-zone" | "auth-zone") {
            clauses.push(Clause { name: key.to_owned(), options: Vec::new() });
            continue;
        }
        let mut value = words.next().ok_or_else(|| format!("{key} has no value"))?;
        // Options with two values.
        while let Some(more) = words.next_if(|word| !word.ends_with(':')) {
            value = format!("{value} {more}");
        }
        let clause = clauses.last_mut().ok_or_else(|| format!("{key} belongs to no clause"))?;
        clause.options.push((key.to_owned(), value));
    }
    Ok(clauses)
}

/// The words of a line; what stands between quotation marks is one.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').zip([false, true].into_iter().cycle());
    parts
        .flat_map(|(part, quoted)| {
            let words: Vec<&str> = if quoted { vec![part] } else { part.split_whitespace().collect() };
            words.into_iter().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

fn yes(value: &str) -> Result<bool, String> {
    match value {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("neither yes nor no".to_owned()),
    }
}

fn number<T: FromStr>(value: &str) -> Result<T, String> {
    value.parse().map_err(|_| "no number".to_owned())
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(value: &str) -> Result<T, String> {
    value.parse().map_err(|error: T::Err| error.to_string())
}

fn name(value: &str) -> Result<DnsName, String> {
    DnsName::parse(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(config: &str) -> Result<Settings, String> {
        let text = format!("{config}\nCONFIG_END\nSCENARIO_BEGIN x\nSCENARIO_END\n");
        Settings::of(&Scenario::parse(&text).unwrap())
    }

    #[test]
    fn options_are_what_they_are_in_unbound() {
        let settings = settings(
            "server:\n\tqname-minimisation: \"no\"\n\ttarget-fetch-policy: \"3 2 1\" # less\n\
             val-override-date: \"19700102000000\"\nforward-zone: name: \".\" forward-addr: 192.0.2.1\n\
             stub-zone:\n name: \"a.test\"\n stub-addr: 2001:db8::1\n stub-prime: yes",
        )
        .unwrap();
        let iterate = settings.config.iterate;
        assert_eq!((iterate.qname_minimisation, iterate.ipv6), (Minimisation::Off, true));
        assert_eq!((iterate.target_fetch.as_slice(), settings.clock), (&[3, 2, 1][..], Some(86_400)));
        let [ZoneElsewhere::Forward { zone, servers, .. }, stub] = &iterate.zones[..] else {
            panic!("{:?}", iterate.zones)
        };
        assert!(zone.is_root() && *servers == ["192.0.2.1:53".parse().unwrap()]);
        let ZoneElsewhere::Stub { zone, servers, prime: true, .. } = stub else { panic!("{stub:?}") };
        assert!(zone.as_str() == "a.test" && *servers == ["[2001:db8::1]:53".parse().unwrap()]);
    }

    #[test]
    fn what_is_not_there_is_declined() {
        let declined = |config: &str| settings(config).unwrap_err();
        assert_eq!(
            declined("server:\nuse-caps-for-id: yes"),
            "use-caps-for-id: yes: there is no such option here"
        );
        assert_eq!(declined("auth-zone:\nname: \"a.test\""), "there is no auth-zone here");
        assert_eq!(declined("server:\nprefetch: maybe"), "prefetch: maybe: neither yes nor no");
    }
}
