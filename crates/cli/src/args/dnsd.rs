//! `glasstack dnsd`.

use super::values::some_seconds;
use super::{LabOptions, NetChoice, WatchOptions};
use clap::{Args, ValueEnum};
use glasstack::dns::AddressRange;
use glasstack::dns::server::AccessRule;
use glasstack::uplink::{InterfaceAddress, Mode};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct DnsdOptions {
    /// Have authority over the zone in FILE; its name is what NAME, $ORIGIN or the SOA record says;
    /// repeatable
    #[arg(long, value_name = "[NAME=]FILE")]
    pub(crate) zone: Vec<ZoneFile>,
    /// Find out for others what the zones do not hold
    #[arg(long)]
    pub(crate) recursive: bool,
    /// Only check the zones, as named-checkzone does; 1 if one is bad
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) place: PlaceOptions,
    #[command(flatten)]
    pub(crate) clients: ClientOptions,
    #[command(flatten)]
    pub(crate) recursion: RecursionOptions,
    #[command(flatten)]
    pub(crate) end: EndOptions,
    #[command(flatten)]
    pub(crate) lab: LabOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
}

/// Where it serves.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct PlaceOptions {
    /// The network: this machine's ports, a TAP or a TUN device, the built-in lab [default: host, or
    /// lab where something is said of it]
    #[arg(long, value_name = "host|lab|tap[:NAME]|tun[:NAME]")]
    pub(crate) net: Option<ServerNet>,
    /// Where to listen; with --net host repeatable [default: port 53 of 127.0.0.1, elsewhere of the
    /// stack's own address]
    #[arg(long, value_name = "ADDR[:PORT]")]
    pub(crate) listen: Vec<Listen>,
    /// The address that others are asked from; with --net host one of each family [default: what the
    /// routes say]
    #[arg(long, value_name = "IP")]
    pub(crate) outgoing: Vec<IpAddr>,
    /// The stack's own address, as 10.0.0.2/24 (TAP, TUN)
    #[arg(long, value_name = "CIDR")]
    pub(crate) addr: Option<InterfaceAddress>,
    /// The default gateway (TAP, TUN)
    #[arg(long, value_name = "IP")]
    pub(crate) gateway: Option<IpAddr>,
}

/// Who may ask, and how much.
#[derive(Debug, Args)]
#[command(next_help_heading = "Clients")]
pub(crate) struct ClientOptions {
    /// What is done about clients in PREFIX: deny, refuse, allow or allow_snoop; the longest prefix
    /// counts; repeatable [default: zones allow everybody, --recursive this machine and the stack's
    /// own network]
    #[arg(long, value_name = "PREFIX=ACTION")]
    pub(crate) access_control: Vec<AccessRule>,
    /// Who may have a zone as a whole (AXFR); repeatable [default: nobody]
    #[arg(long, value_name = "PREFIX")]
    pub(crate) allow_axfr: Vec<AddressRange>,
    /// How often a second the same may be told to the same network over UDP [default: any number]
    #[arg(long, value_name = "N")]
    pub(crate) rate_limit: Option<u32>,
    /// Every so manyth answer that --rate-limit withholds sends its client to TCP; 0 for none
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) slip: u32,
    /// Whom --rate-limit is not for; repeatable
    #[arg(long, value_name = "PREFIX")]
    pub(crate) rate_limit_exempt: Vec<AddressRange>,
    /// How many questions a second one address may ask [default: any number]
    #[arg(long, value_name = "N")]
    pub(crate) ip_ratelimit: Option<u32>,
    /// The largest answer over UDP, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1232, value_parser = clap::value_parser!(u16).range(512..))]
    pub(crate) max_udp_size: u16,
    /// What id.server and hostname.bind are told [default: nothing]
    #[arg(long, value_name = "TEXT")]
    pub(crate) identity: Option<String>,
    /// What clients are told who ask which of several servers this is (NSID) [default: nothing]
    #[arg(long, value_name = "TEXT", value_parser = short_text)]
    pub(crate) nsid: Option<String>,
    /// What version.server and version.bind are told [default: nothing]
    #[arg(long, value_name = "TEXT")]
    pub(crate) server_version: Option<String>,
}

/// A text that fits beside an answer in the smallest datagram.
fn short_text(text: &str) -> Result<String, String> {
    const MOST: usize = 128;
    if text.len() > MOST {
        return Err(format!("it has {} bytes, and {MOST} are the most", text.len()));
    }
    Ok(text.to_owned())
}

/// How others' answers are found out.
#[derive(Debug, Args)]
#[command(next_help_heading = "Recursion")]
pub(crate) struct RecursionOptions {
    /// The root's servers, as in named.root [default: the Internet's, in the lab its own]
    #[arg(long, value_name = "FILE")]
    pub(crate) root_hints: Option<PathBuf>,
    /// Ask this recursive server, for everything or for the names in ZONE; repeatable
    #[arg(long, value_name = "[ZONE=]ADDR[:PORT]")]
    pub(crate) forward: Vec<ServerOf>,
    /// Ask this server about the names in ZONE, which has authority over them; repeatable
    #[arg(long, value_name = "ZONE=ADDR[:PORT]")]
    pub(crate) stub: Vec<ServerOf>,
    /// Tell servers on the way down no more of the name than they need
    #[arg(long, value_name = "on|off|strict", default_value = "on")]
    pub(crate) qname_minimisation: MinimisationChoice,
    /// Ask servers over IPv6, too (--net host)
    #[arg(long, value_name = "on|off", default_value = "off")]
    pub(crate) ipv6: OnOff,
    /// Check signatures [default: on, but for --root-hints and --forward without --trust-anchor]
    #[arg(long, value_name = "on|off")]
    pub(crate) dnssec: Option<OnOff>,
    /// The keys that are believed, as DS or DNSKEY records [default: the root's]
    #[arg(long, value_name = "FILE")]
    pub(crate) trust_anchor: Option<PathBuf>,
    /// Give what has expired where nothing newer can be had (RFC 8767)
    #[arg(long)]
    pub(crate) serve_stale: bool,
    /// Ask again for what is asked for often, shortly before it expires
    #[arg(long)]
    pub(crate) prefetch: bool,
    /// Send names in random upper and lower case, as one more thing that a forger would have to guess
    #[arg(long)]
    pub(crate) mixed_case: bool,
}

/// When it ends, and what it says until then.
#[derive(Debug, Args)]
#[command(next_help_heading = "The end")]
pub(crate) struct EndOptions {
    /// Ask the server this itself, print the answer and end; repeatable
    #[arg(long, value_name = "NAME [TYPE]")]
    pub(crate) query: Vec<String>,
    /// Ask what FILE says, a question a line, as dnsperf has it; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) queries: Option<PathBuf>,
    /// End after so long, in seconds [default: when it is interrupted]
    #[arg(long, value_name = "SECONDS", value_parser = some_seconds)]
    pub(crate) seconds: Option<Duration>,
    /// Print statistics so often, in seconds [default: at the end]
    #[arg(long, value_name = "SECONDS", value_parser = some_seconds)]
    pub(crate) statistics: Option<Duration>,
}

/// `[NAME=]FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ZoneFile {
    pub(crate) name: Option<String>,
    pub(crate) path: PathBuf,
}

impl FromStr for ZoneFile {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A name has no slash; a path that has an `=` in its first part can be written ./a=b.
        Ok(match text.split_once('=') {
            Some((name, path)) if !name.contains('/') && !name.is_empty() => {
                Self { name: Some(name.to_owned()), path: path.into() }
            }
            _ => Self { name: None, path: text.into() },
        })
    }
}

/// `[ZONE=]ADDR[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerOf {
    pub(crate) zone: Option<String>,
    pub(crate) address: Listen,
}

impl FromStr for ServerOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (zone, address) = match text.split_once('=') {
            Some((zone, address)) => (Some(zone.to_owned()), address),
            None => (None, text),
        };
        Ok(Self { zone, address: address.parse()? })
    }
}

/// `ADDR[:PORT]`, an IPv6 address in brackets if a port follows; unbound's `ADDR@PORT` as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    pub(crate) address: IpAddr,
    pub(crate) port: Option<u16>,
}

impl Listen {
    /// The two together.
    pub(crate) fn or_port(self, port: u16) -> SocketAddr {
        SocketAddr::new(self.address, self.port.unwrap_or(port))
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse() {
            return Ok(Self { address, port: None });
        }
        let bad = || format!("`{text}` is no address with a port, as 127.0.0.1:5353 or [::1]:5353");
        let socket: SocketAddr = match text.split_once('@') {
            Some((address, port)) => {
                SocketAddr::new(address.parse().map_err(|_| bad())?, port.parse().map_err(|_| bad())?)
            }
            None => text.parse().map_err(|_| bad())?,
        };
        Ok(Self { address: socket.ip(), port: Some(socket.port()) })
    }
}

/// The choice of `--net` for a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerNet {
    /// This machine's ports.
    Host,
    /// A network of a client's.
    Other(NetChoice),
}

impl FromStr for ServerNet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "host" => Ok(Self::Host),
            "user" => Err("`user` is a network for clients, where nobody can reach a server: `host` is the same network with its ports on this machine".to_owned()),
            "auto" => Err("`auto` goes by the name that is asked for: a server takes host, lab, tap or tun".to_owned()),
            _ => text.parse().map(Self::Other).map_err(|_| {
                format!("`{text}` is no network for a server: host, lab, tap, tap:NAME, tun or tun:NAME")
            }),
        }
    }
}

impl ServerNet {
    /// Whether it is a device of the operating system's.
    pub(crate) fn is_device(&self) -> bool {
        matches!(self, Self::Other(NetChoice::Device { mode: Mode::Tap | Mode::Tun, .. }))
    }
}

/// `on` or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnOff {
    #[value(alias = "yes")]
    On,
    #[value(alias = "no")]
    Off,
}

/// `--qname-minimisation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MinimisationChoice {
    #[value(aliases = ["yes", "relaxed"])]
    On,
    #[value(alias = "no")]
    Off,
    Strict,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_file_may_say_its_zones_name() {
        let read = |text: &str| text.parse::<ZoneFile>().unwrap();
        assert_eq!(read("example.test=zones/a.db").name.as_deref(), Some("example.test"));
        assert_eq!(read("zones/a.db").name, None);
        assert_eq!(read("./a=b"), ZoneFile { name: None, path: "./a=b".into() });
    }

    #[test]
    fn an_address_may_have_a_port_in_three_spellings() {
        let read = |text: &str| text.parse::<Listen>().map(|listen| listen.or_port(53).to_string());
        assert_eq!(read("127.0.0.1").unwrap(), "127.0.0.1:53");
        assert_eq!(read("127.0.0.1:5353").unwrap(), "127.0.0.1:5353");
        assert_eq!(read("127.0.0.1@5353").unwrap(), "127.0.0.1:5353");
        assert_eq!(read("::1").unwrap(), "[::1]:53");
        assert_eq!(read("[::1]").unwrap(), "[::1]:53");
        assert_eq!(read("[::1]:5353").unwrap(), "[::1]:5353");
        assert!(read("localhost").is_err() && read("127.0.0.1:dns").is_err());
    }

    #[test]
    fn a_server_has_networks_that_somebody_reaches_it_on() {
        assert_eq!("host".parse(), Ok(ServerNet::Host));
        assert_eq!("lab".parse(), Ok(ServerNet::Other(NetChoice::Lab)));
        assert!("tap:x".parse::<ServerNet>().unwrap().is_device());
        assert!("user".parse::<ServerNet>().is_err() && "auto".parse::<ServerNet>().is_err());
    }
}
