//! Which network, and who we are on it.

use super::OnOff;
use clap::Args;
use glasstack::uplink::{InterfaceAddress, Mode};
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Which network, and who we are on it.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetOptions {
    /// The network: the built-in lab, the user's own through this machine's sockets, a TAP or a TUN
    /// device; `auto` takes the lab for names under .test, and `user` for everything else
    #[arg(long, value_name = "auto|lab|user|tap[:NAME]|tun[:NAME]", default_value = "auto")]
    pub(crate) net: NetChoice,
    /// The stack's own address, as 10.0.0.2/24 (TAP, TUN, user)
    #[arg(long, value_name = "CIDR")]
    pub(crate) addr: Option<InterfaceAddress>,
    /// The default gateway (TAP, TUN, user)
    #[arg(long, value_name = "IP")]
    pub(crate) gateway: Option<IpAddr>,
    /// The name server, repeatable; `iterate` walks down from the root servers instead [default: the
    /// lab's in the lab, elsewhere /etc/resolv.conf's]
    #[arg(long, value_name = "IP|iterate", visible_alias = "dns-servers", value_delimiter = ',')]
    pub(crate) dns: Vec<WhoKnows>,
    /// Check whether answers are what the zones' owners signed; `resolve` shows the signatures, too
    /// [default: off, with --dns iterate on]
    #[arg(
        long,
        value_name = "on|off",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on"
    )]
    pub(crate) dnssec: Option<OnOff>,
    /// The keys that are believed then, as DS or DNSKEY records [default: the root's, in the lab the
    /// lab's root's]
    #[arg(long, value_name = "FILE")]
    pub(crate) trust_anchor: Option<PathBuf>,
    /// Keep what is learnt of names in FILE, so that the next command profits
    #[arg(long, value_name = "FILE")]
    pub(crate) dns_cache: Option<PathBuf>,
    /// The hosts file [default: none in the lab, elsewhere /etc/hosts]
    #[arg(long, value_name = "FILE")]
    pub(crate) hosts: Option<PathBuf>,
    /// Ask for an address by DHCP (lab, TAP)
    #[arg(long)]
    pub(crate) dhcp: bool,
    #[command(flatten)]
    pub(crate) lab: LabOptions,
}

impl NetOptions {
    /// The name servers that were named.
    pub(crate) fn name_servers(&self) -> Vec<IpAddr> {
        let address = |server: &WhoKnows| match server {
            WhoKnows::Server(address) => Some(*address),
            WhoKnows::Root => None,
        };
        self.dns.iter().filter_map(address).collect()
    }

    /// Whether no name server is to be asked, but everybody from the root down.
    pub(crate) fn walks(&self) -> bool {
        self.dns.contains(&WhoKnows::Root)
    }

    /// Whether signatures are checked: who believes no name server has to, and who names keys means it.
    pub(crate) fn validates(&self) -> bool {
        match self.dnssec {
            Some(choice) => choice == OnOff::On,
            None => self.walks() || self.trust_anchor.is_some(),
        }
    }
}

/// The choice of `--dns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhoKnows {
    /// This name server.
    Server(IpAddr),
    /// Whoever has authority, found from the root down.
    Root,
}

impl FromStr for WhoKnows {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "iterate" => Ok(Self::Root),
            _ => text
                .parse()
                .map(Self::Server)
                .map_err(|_| format!("`{text}` is neither an IP address nor `iterate`")),
        }
    }
}

/// How the lab is to be. Whoever says something of it means the lab.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "The lab")]
pub(crate) struct LabOptions {
    /// Makes everything that is left to chance follow from N (lab only: real peers must not guess)
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The network that FILE describes instead of the default Internet
    #[arg(long, value_name = "FILE")]
    pub(crate) topology: Option<PathBuf>,
    /// What goes wrong, in a sentence such as `lose client SYN-ACK 1`; repeatable
    #[arg(long, value_name = "SENTENCE")]
    pub(crate) fault: Vec<String>,
    /// Which host is the user's own [default: client]
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
}

impl LabOptions {
    /// The first option here that means the lab, if there is one.
    pub(crate) fn means_the_lab(&self) -> Option<&'static str> {
        let said = [
            ("--topology", self.topology.is_some()),
            ("--fault", !self.fault.is_empty()),
            ("--client", self.client.is_some()),
        ];
        said.into_iter().find_map(|(option, is_said)| is_said.then_some(option))
    }
}

/// The choice of `--net`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NetChoice {
    /// By the name.
    Auto,
    /// The built-in one.
    Lab,
    /// This machine's, through a gateway in the process.
    User,
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
            ("user", None) => Ok(Self::User),
            ("host", None) => Err(
                "`host` publishes a server's ports on this machine, and this command serves nothing: `user` is the same network for a client"
                    .to_owned(),
            ),
            ("tap", _) => Ok(Self::Device { mode: Mode::Tap, name }),
            ("tun", _) => Ok(Self::Device { mode: Mode::Tun, name }),
            _ => Err(format!("`{text}` is no network: auto, lab, user, tap, tap:NAME, tun or tun:NAME")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_named_by_kind_and_device() {
        let tap = |name: Option<&str>| NetChoice::Device { mode: Mode::Tap, name: name.map(Into::into) };
        assert_eq!("tap".parse(), Ok(tap(None)));
        assert_eq!("tap:glass7".parse(), Ok(tap(Some("glass7"))));
        assert!("tap:".parse::<NetChoice>().is_err());
        assert_eq!("user".parse(), Ok(NetChoice::User));
        assert!("lab:x".parse::<NetChoice>().is_err() && "user:x".parse::<NetChoice>().is_err());
        assert!("wifi".parse::<NetChoice>().is_err());
    }
}
