//! The command line, in one place: the options with curl's letters have curl's meanings.

use clap::{Args, Parser, Subcommand};
use glasstack::uplink::{InterfaceAddress, Mode};
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A see-through network stack: performs a whole web request, from the ARP question to the last
/// ACK, and says why every byte was sent.
#[derive(Debug, Parser)]
#[command(name = "glasstack", version, max_term_width = 100, args_override_self = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fetch a URL: the body on stdout, the journey on stderr
    Get(Box<GetOptions>),
    /// Look a name up
    Resolve(ResolveOptions),
    /// Send ICMP echo requests
    Ping(PingOptions),
    /// Ask the routing table
    Route(RouteOptions),
    /// Show what the address bar makes of a text
    Url(UrlOptions),
}

/// Which network, and who we are on it.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetOptions {
    /// The network: the built-in lab, a TAP or a TUN device; `auto` takes the lab for names under
    /// .test
    #[arg(long, value_name = "auto|lab|tap[:NAME]|tun[:NAME]", default_value = "auto")]
    pub(crate) net: NetChoice,
    /// The stack's own address, as 10.0.0.2/24 (TAP, TUN)
    #[arg(long, value_name = "CIDR")]
    pub(crate) addr: Option<InterfaceAddress>,
    /// The default gateway (TAP, TUN)
    #[arg(long, value_name = "IP")]
    pub(crate) gateway: Option<IpAddr>,
    /// The name server, repeatable [default: /etc/resolv.conf's on a device, the lab's in the lab]
    #[arg(long, value_name = "IP")]
    pub(crate) dns: Vec<IpAddr>,
    /// The hosts file [default: /etc/hosts on a device, none in the lab]
    #[arg(long, value_name = "FILE")]
    pub(crate) hosts: Option<PathBuf>,
    /// Makes everything that is left to chance follow from N (lab only: real peers must not guess)
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// What is shown and saved.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What is shown and saved")]
pub(crate) struct WatchOptions {
    /// Say nothing but the result
    #[arg(short = 's', long)]
    pub(crate) silent: bool,
    /// Tell every segment
    #[arg(short = 'v', long)]
    pub(crate) verbose: bool,
    /// Write every frame, with comments and TLS secrets, as pcapng
    #[arg(long, value_name = "FILE")]
    pub(crate) capture: Option<PathBuf>,
    /// Write every record of the journal as a line of JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Draw the ladder of segments on stderr at the end
    #[arg(long)]
    pub(crate) ladder: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GetOptions {
    /// What would be typed into the address bar
    pub(crate) url: String,
    /// Write the body to FILE instead of stdout
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Ask for the head only, and show it
    #[arg(short = 'I', long)]
    pub(crate) head: bool,
    /// Follow redirects
    #[arg(short = 'L', long)]
    pub(crate) location: bool,
    /// How many redirects to follow; -1 for any number
    #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true)]
    pub(crate) max_redirs: i64,
    /// The method
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(crate) request: Option<String>,
    /// A header field, as "Name: value"; "Name:" takes one away, "Name;" sends it empty
    #[arg(short = 'H', long, value_name = "LINE")]
    pub(crate) header: Vec<String>,
    /// Send a body, by POST; repeated ones are joined by &
    #[arg(short = 'd', long, value_name = "DATA")]
    pub(crate) data: Vec<String>,
    /// The User-Agent field
    #[arg(short = 'A', long, value_name = "NAME")]
    pub(crate) user_agent: Option<String>,
    /// Accept any certificate
    #[arg(short = 'k', long)]
    pub(crate) insecure: bool,
    /// Believe the certificate authorities in FILE (PEM) instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Ask for a compressed body, and decompress it
    #[arg(long)]
    pub(crate) compressed: bool,
    /// Fail on a status of 400 and above, without its body
    #[arg(short = 'f', long)]
    pub(crate) fail: bool,
    /// How long everything may take, in seconds
    #[arg(short = 'm', long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) max_time: Option<Duration>,
    /// How long connecting may take: name, TCP and TLS, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) connect_timeout: Option<Duration>,
    /// Take ADDRESS for HOST at PORT
    #[arg(long, value_name = "HOST:PORT:ADDRESS[,ADDRESS]")]
    pub(crate) resolve: Vec<String>,
    /// Wait until TIME-WAIT is over (TAP, TUN; in the lab time costs nothing)
    #[arg(long)]
    pub(crate) linger: bool,
    #[command(flatten)]
    pub(crate) net: NetOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ResolveOptions {
    /// The name
    pub(crate) name: String,
    /// The record type
    #[arg(default_value = "A")]
    pub(crate) record_type: String,
    #[command(flatten)]
    pub(crate) net: NetOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
}

#[derive(Debug, Args)]
pub(crate) struct PingOptions {
    /// A name or an address
    pub(crate) host: String,
    /// How many
    #[arg(short = 'c', long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) count: u16,
    /// Between two requests, in seconds
    #[arg(short = 'i', long, default_value = "1", value_parser = seconds)]
    pub(crate) interval: Duration,
    /// How long a reply may take, in seconds
    #[arg(short = 'W', long, default_value = "1", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Payload, in bytes
    #[arg(short = 'l', long, default_value_t = 56)]
    pub(crate) length: usize,
    /// Time to live, in hops
    #[arg(short = 't', long, default_value_t = 64)]
    pub(crate) ttl: u8,
    #[command(flatten)]
    pub(crate) net: NetOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
}

#[derive(Debug, Args)]
pub(crate) struct RouteOptions {
    #[command(subcommand)]
    pub(crate) command: RouteCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RouteCommand {
    /// Which way packets for ADDRESS go, and why
    Get {
        /// The destination
        address: IpAddr,
        #[command(flatten)]
        net: NetOptions,
    },
}

#[derive(Debug, Args)]
pub(crate) struct UrlOptions {
    /// What would be typed into the address bar
    pub(crate) text: String,
}

/// The choice of `--net`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NetChoice {
    /// By the name.
    Auto,
    /// The built-in one.
    Lab,
    /// A device of the operating system.
    Device {
        /// TAP or TUN.
        mode: Mode,
        /// Which; none for the default.
        name: Option<String>,
    },
}

impl FromStr for NetChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, name) = match text.split_once(':') {
            Some((_, "")) => return Err(format!("`{text}`: a device's name belongs behind the colon")),
            Some((kind, name)) => (kind, Some(name.to_owned())),
            None => (text, None),
        };
        match (kind, &name) {
            ("auto", None) => Ok(Self::Auto),
            ("lab", None) => Ok(Self::Lab),
            ("tap", _) => Ok(Self::Device { mode: Mode::Tap, name }),
            ("tun", _) => Ok(Self::Device { mode: Mode::Tun, name }),
            _ => Err(format!("`{text}` is no network: auto, lab, tap, tap:NAME, tun or tun:NAME")),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a number of seconds, as 5 or 0.25");
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_network_is_named_by_kind_and_device() {
        let tap = |name: Option<&str>| NetChoice::Device { mode: Mode::Tap, name: name.map(Into::into) };
        assert_eq!("tap".parse(), Ok(tap(None)));
        assert_eq!("tap:glass7".parse(), Ok(tap(Some("glass7"))));
        assert!("tap:".parse::<NetChoice>().is_err());
        assert!("lab:x".parse::<NetChoice>().is_err());
        assert!("wifi".parse::<NetChoice>().is_err());
    }

    #[test]
    fn times_are_seconds_with_fractions() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        assert!(seconds("-1").is_err() && seconds("soon").is_err() && seconds("1e30").is_err());
    }
}
