//! What a host of a topology serves: the words of `serve`, and the programs behind them.
//!
//! | word | what runs on the host |
//! |---|---|
//! | `root` | a server of the root zone, named by the resolver's hints |
//! | `tld ZONE...` | a server of these zones |
//! | `authority ZONE...` | the same: the words tell readers which kind of zones they are |
//! | `resolver` | the local name server: it walks from the roots; where there is none, it knows every name itself |
//! | `web` | the web server, on ports 80 and 443, for the host's names: those of [`SITES`](crate::SITES) as there described, a greeting for all others; without any name a greeting to everybody, on port 80 |
//! | `odd` | the server that misbehaves: each of the host's names as [`SITES`](crate::SITES) says; others talk gibberish |
//! | `ca` | the certification authorities' web server: `/root.pem`, `/root.crt`, `/issuing.pem`, `/issuing.crt`, `/root.crl`, `/issuing.crl`, and the same of the others |
//! | `crl` | their lists of revoked certificates alone |
//! | `ocsp` | who tells whether a certificate is still good (RFC 6960), by GET and POST |
//! | `echo` | port 7 over TCP and UDP (RFC 862) |
//! | `silent` | nothing: every TCP segment to or from the host is lost |
//!
//! Three more say what the name servers know besides the hosts' names, wherever they stand:
//!
//! | word | what it adds |
//! |---|---|
//! | `record NAME TYPE DATA` | a record: A, AAAA, CNAME, DNAME, MX, NS, PTR or TXT; the data as in a zone file, text without quotes |
//! | `routers ZONE ROUTER...` | for each of these routers (without any: for all) the name `ROUTER.ZONE` |
//! | `signing ZONE HOW` | how the zone is signed, if not as usual: `nsec3`, or wrongly: `expired`, `postdated`, `omitted`, `forged`, `wrong-ds`; `unsigned`: not at all |
//!
//! All names and addresses that the topology has are put where they belong: each into the nearest zone
//! above it that somebody serves, with a pointer back (PTR) where somebody serves the addresses' part of
//! `in-addr.arpa`, and every zone into the zone above it, with glue. See `zones`.

use crate::pki::Pki;
use crate::shelf::Shelf;
use crate::signing::{Manner, Signing};
use crate::zones::{self, Book, ZonesError};
use crate::{ca_server, echo_server, odd_server, web_server};
use glasstack_dns::RootHints;
use glasstack_dns::config::DNS_PORT;
use glasstack_dns::dnssec::TrustAnchors;
use glasstack_dns::server::{NameServer, ServeError, serve};
use glasstack_dns::{DnsName, RecordData, recursive};
use glasstack_sim::fault::{self, Fault};
use glasstack_sim::topology::{Network, Topology};
use glasstack_stack::Host;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// The first words of everything that can be served.
pub const SERVICES: [&str; 14] = [
    "root",
    "tld",
    "authority",
    "resolver",
    "web",
    "odd",
    "ca",
    "crl",
    "ocsp",
    "echo",
    "silent",
    "record",
    "routers",
    "signing",
];

/// One entry of `serve`, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// A name server of these zones.
    Zones(Vec<DnsName>),
    Resolver,
    Web,
    Odd,
    Ca,
    Crl,
    Ocsp,
    Echo,
    Silent,
    Record(DnsName, RecordData),
    Routers(DnsName, Vec<String>),
    Signing(DnsName, Manner),
}

/// Every entry of `serve` that cannot be understood; none if all can.
pub fn check(topology: &Topology) -> Vec<BadService> {
    let mut bad = Vec::new();
    for (host, spec) in &topology.hosts {
        for text in &spec.serve {
            bad.extend(service(text).err().map(|why| BadService::new(host, text, why)));
        }
    }
    bad
}

/// Everything that a topology's hosts serve: by host, in the order of its words.
pub(crate) fn read(topology: &Topology) -> Result<BTreeMap<String, Vec<Service>>, BadService> {
    let mut all = BTreeMap::new();
    for (host, spec) in &topology.hosts {
        let services =
            spec.serve.iter().map(|text| service(text).map_err(|why| BadService::new(host, text, why)));
        all.insert(host.clone(), services.collect::<Result<_, _>>()?);
    }
    Ok(all)
}

fn service(text: &str) -> Result<Service, String> {
    let (word, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
    let alone = |service| match rest.trim() {
        "" => Ok(service),
        rest => Err(format!("`{word}` stands alone, so `{rest}` means nothing")),
    };
    match word {
        "root" => alone(Service::Zones(vec![DnsName::root()])),
        "tld" | "authority" => match rest.split_whitespace().map(name).collect::<Result<Vec<_>, _>>()? {
            zones if zones.is_empty() => Err(format!("of which zones? `{word} example.test`, for example")),
            zones => Ok(Service::Zones(zones)),
        },
        "resolver" => alone(Service::Resolver),
        "web" => alone(Service::Web),
        "odd" => alone(Service::Odd),
        "ca" => alone(Service::Ca),
        "crl" => alone(Service::Crl),
        "ocsp" => alone(Service::Ocsp),
        "echo" => alone(Service::Echo),
        "silent" => alone(Service::Silent),
        "record" => zones::record(rest).map(|(owner, data)| Service::Record(owner, data)),
        "routers" => {
            let mut words = rest.split_whitespace();
            let zone = words.next().ok_or("in which zone? `routers transit.test`, for example")?;
            Ok(Service::Routers(name(zone)?, words.map(str::to_owned).collect()))
        }
        "signing" => match rest.split_whitespace().collect::<Vec<_>>()[..] {
            [zone, manner] => Ok(Service::Signing(name(zone)?, manner.parse()?)),
            _ => Err(format!(
                "write `signing example.test nsec3`, for example; the ways are {}",
                Manner::WORDS.join(", ")
            )),
        },
        _ => Err(format!("nothing is called `{word}`; what there is: {}", SERVICES.join(", "))),
    }
}

fn name(text: &str) -> Result<DnsName, String> {
    DnsName::parse(text).map_err(|error| format!("`{text}` is not a domain name: {error}"))
}

/// Everything that serves.
pub(crate) struct Started {
    /// What keeps the name servers running: they stop when it is dropped.
    pub(crate) running: Running,
    /// The zones that they have authority over.
    pub(crate) zones: Vec<DnsName>,
    /// Whom a resolver trusts that validates.
    pub(crate) trust_anchors: TrustAnchors,
    /// Where a walk begins, if there is a root.
    pub(crate) root_hints: Option<RootHints>,
}

/// Name servers: they stop when it is dropped.
pub(crate) type Running = Vec<NameServer>;

/// Starts everything.
pub(crate) fn start(
    topology: &Topology,
    network: &Network,
    pki: &Pki,
    signing: Signing,
) -> Result<Started, ServiceError> {
    let services = read(topology)?;
    let book = Arc::new(Book::new(topology, &services, signing)?);
    let mut known = Shelf::new(Arc::clone(&book));
    let mut running = Running::new();
    for (name, host) in network.hosts() {
        let Some(services) = services.get(name).filter(|services| !services.is_empty()) else { continue };
        let failed = |error: &dyn std::fmt::Display| ServiceError::Start {
            host: name.to_owned(),
            why: error.to_string(),
        };
        let names = topology.hosts.get(name).map_or(&[][..], |spec| &spec.names);
        let mut zones: Vec<DnsName> = Vec::new();
        for service in services {
            match service {
                Service::Zones(more) => zones.extend(more.iter().cloned()),
                Service::Resolver => running.push(start_resolver(host, &book)?.map_err(|e| failed(&e))?),
                Service::Web => web_server::start(host, names, pki).map_err(|e| failed(&e))?,
                Service::Odd => odd_server::start(host).map_err(|e| failed(&e))?,
                Service::Ca => ca_server::start(host, pki).map_err(|e| failed(&e))?,
                Service::Crl => ca_server::start_lists(host, pki).map_err(|e| failed(&e))?,
                Service::Ocsp => ca_server::start_responder(host, pki).map_err(|e| failed(&e))?,
                Service::Echo => echo_server::start(host).map_err(|e| failed(&e))?,
                Service::Silent => fall_silent(network, name),
                Service::Record(..) | Service::Routers(..) | Service::Signing(..) => {}
            }
        }
        if !zones.is_empty() {
            let server = serve(host, port(host, DNS_PORT), known.zones(zones));
            running.push(server.map_err(|e| failed(&e))?);
        }
    }
    Ok(Started {
        running,
        zones: book.names(),
        trust_anchors: book.trust_anchors().clone(),
        root_hints: book.hints(),
    })
}

/// The local name server: with roots it walks, without it knows.
fn start_resolver(host: &Host, book: &Book) -> Result<Result<NameServer, ServeError>, ZonesError> {
    let local = port(host, DNS_PORT);
    Ok(match book.hints() {
        Some(hints) => {
            let validate = Some(book.trust_anchors().clone());
            let config = recursive::RecursorConfig { validate, ..recursive::RecursorConfig::default() };
            recursive::serve_recursive(host, local, hints, config)
        }
        None => serve(host, local, book.everything()?),
    })
}

fn fall_silent(network: &Network, host: &str) {
    for (cable, _) in network.cables_of(host) {
        let deaf = fault::drop_when(|frame| frame.is_tcp()).named("loses every TCP segment");
        cable.add_fault(deaf);
    }
}

fn port(host: &Host, port: u16) -> SocketAddr {
    SocketAddr::new(host.address(), port)
}

/// An entry of `serve` that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("host {host}, serve = [\"{text}\"]: {why}")]
pub struct BadService {
    /// The host.
    pub host: String,
    /// What stands there.
    pub text: String,
    /// What is wrong with it, and what there is.
    pub why: String,
}

impl BadService {
    fn new(host: &str, text: &str, why: String) -> Self {
        Self { host: host.to_owned(), text: text.to_owned(), why }
    }

    /// The line of the entry in the TOML that the topology was read from, counted from 1.
    pub fn line_in(&self, toml: &str) -> Option<usize> {
        let of_host = |line: &&str| {
            let name = line.trim().strip_prefix("[host.").and_then(|rest| rest.split(']').next());
            name.is_some_and(|name| name.trim_matches('"') == self.host)
        };
        let begins = toml.lines().position(|line| of_host(&line))?;
        let entry = format!("\"{}\"", self.text);
        let within = toml.lines().skip(begins).position(|line| line.contains(&entry))?;
        Some(begins + within + 1)
    }
}

/// What a topology's hosts serve cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A word of `serve`.
    #[error(transparent)]
    Word(#[from] BadService),
    /// What the name servers would know does not fit together.
    #[error("names: {0}")]
    Zones(#[from] ZonesError),
    /// A program on a host does not start.
    #[error("host {host}: {why}")]
    Start {
        /// The host.
        host: String,
        /// Why.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_sim::topology::{Cidr, HostSpec};

    fn error(text: &str) -> String {
        service(text).unwrap_err()
    }

    #[test]
    fn words_are_read_with_what_belongs_to_them() {
        let name = |text| DnsName::parse(text).unwrap();
        assert_eq!(service("root"), Ok(Service::Zones(vec![DnsName::root()])));
        assert_eq!(service("tld com net"), Ok(Service::Zones(vec![name("com"), name("net")])));
        assert_eq!(service(" authority  example.test "), Ok(Service::Zones(vec![name("example.test")])));
        assert_eq!(
            service("record a.test A 192.0.2.1"),
            Ok(Service::Record(name("a.test"), RecordData::A([192, 0, 2, 1].into())))
        );
        let alias = Service::Record(name("b.test"), RecordData::Cname(name("a.test")));
        assert_eq!(service("record b.test cname a.test"), Ok(alias));
        let routers = Service::Routers(name("transit.test"), vec!["core".to_owned()]);
        assert_eq!(service("routers transit.test core"), Ok(routers));
        assert_eq!(service("signing a.test nsec3"), Ok(Service::Signing(name("a.test"), Manner::Nsec3)));
        for word in SERVICES {
            assert!(service(word).is_ok() || error(word).contains("for example"), "{word}");
        }
    }

    #[test]
    fn what_is_no_service_is_answered_with_what_there_is() {
        assert_eq!(
            error("webb"),
            "nothing is called `webb`; what there is: root, tld, authority, resolver, web, odd, ca, crl, ocsp, echo, silent, record, routers, signing"
        );
        assert_eq!(error("web 8080"), "`web` stands alone, so `8080` means nothing");
        assert_eq!(error("tld"), "of which zones? `tld example.test`, for example");
        assert!(error("authority a..b").contains("`a..b` is not a domain name"));
        assert!(error("record a.test A 1.2.3").contains("`1.2.3` is no address of this kind"));
        assert!(error("record a.test LOC here").contains("none of A, AAAA"));
        assert!(error("signing a.test md5").contains("`md5` is no way to sign a zone: nsec3, expired"));
        assert!(error("record a.test").contains("for example `record www.example.test A 192.0.2.1`"));
    }

    #[test]
    fn the_host_and_the_words_are_named_when_a_topology_asks_for_what_there_is_not() {
        let shop = HostSpec::new(Cidr::new([10, 0, 0, 2].into(), 24)).serve("wbe");
        let error = read(&Topology::new().host("shop", shop)).unwrap_err().to_string();
        let topology = Topology::new().host("shop", HostSpec::dhcp().serve("wbe").serve("echo"));
        let bad = check(&topology);
        assert_eq!(bad.len(), 1);
        let toml = "[host.wbe]\nserve = [\"wbe\"]\n\n[host.shop]\naddress = \"dhcp\"\nserve = [\n\"wbe\",\n\"echo\"]\n";
        assert_eq!(bad[0].line_in(toml), Some(7));
        assert!(error.starts_with("host shop, serve = [\"wbe\"]: nothing is called `wbe`"), "{error}");
    }

    #[test]
    fn the_page_about_topologies_has_a_row_for_every_word() {
        let page = include_str!("../../../docs/topology.md");
        for word in SERVICES {
            let is_its = |line: &str| {
                let cell = line.strip_prefix("| \"").and_then(|rest| rest.split('"').next());
                cell.and_then(|cell| cell.split(' ').next()) == Some(word)
            };
            assert!(page.lines().any(is_its), "{word}");
        }
    }

    #[test]
    fn the_page_about_the_internet_has_every_word_and_a_row_for_each_host() {
        let page = include_str!("../../../docs/internet.md");
        for word in SERVICES {
            assert!(page.contains(&format!("`{word}")), "{word}");
        }
        let roots = ('a'..='m').map(|letter| format!("{letter}-root")).collect::<Vec<_>>();
        for host in crate::plan::internet().unwrap().hosts.keys() {
            assert!(roots.contains(host) || page.contains(&format!("`{host}`")), "{host}");
        }
    }
}
