//! How a server is reached.

use crate::args::values::{ports, seconds};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Names, addresses, TCP, proxies.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The connection")]
pub(crate) struct ConnectionOptions {
    /// Take ADDRESS for HOST at PORT
    #[arg(long, value_name = "HOST:PORT:ADDRESS[,ADDRESS]")]
    pub(crate) resolve: Vec<String>,
    /// Connect to HOST2:PORT2 where HOST1:PORT1 is asked for
    #[arg(long, value_name = "HOST1:PORT1:HOST2:PORT2")]
    pub(crate) connect_to: Vec<String>,
    /// The address to connect from: the stack's own, or its name
    #[arg(long, value_name = "NAME|ADDRESS")]
    pub(crate) interface: Option<String>,
    /// The port to connect from
    #[arg(long, value_name = "PORT[-PORT]", value_parser = ports)]
    pub(crate) local_port: Option<(u16, u16)>,
    /// Use IPv4 addresses only, as is done anyway
    #[arg(short = '4', long)]
    pub(crate) ipv4: bool,
    /// Send small segments at once, as is done anyway; --no-tcp-nodelay gathers them
    #[arg(long)]
    pub(crate) tcp_nodelay: bool,
    #[arg(long, hide = true)]
    pub(crate) no_tcp_nodelay: bool,
    /// How long a connection is at rest before TCP asks whether the peer is there [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) keepalive_time: Option<Duration>,
    /// Never ask whether the peer is there
    #[arg(long = "no-keepalive")]
    pub(crate) no_keepalive: bool,
    /// The proxy; none with ""
    #[arg(short = 'x', long, value_name = "[SCHEME://]HOST[:PORT]")]
    pub(crate) proxy: Option<String>,
    /// A SOCKS 4 proxy; names are resolved here
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) socks4: Option<String>,
    /// A SOCKS 4a proxy, which resolves names
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) socks4a: Option<String>,
    /// A SOCKS 5 proxy; names are resolved here
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) socks5: Option<String>,
    /// A SOCKS 5 proxy, which resolves names
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) socks5_hostname: Option<String>,
    /// User and password for the proxy
    #[arg(short = 'U', long, value_name = "USER[:PASSWORD]")]
    pub(crate) proxy_user: Option<String>,
    /// Say who we are to the proxy by Basic, as is done anyway
    #[arg(long)]
    pub(crate) proxy_basic: bool,
    /// Hosts that are asked without the proxy, with commas; * for all
    #[arg(long, value_name = "HOSTS")]
    pub(crate) noproxy: Option<String>,
    /// Let the proxy connect, and speak through it
    #[arg(short = 'p', long)]
    pub(crate) proxytunnel: bool,
    /// A header field for the proxy's CONNECT
    #[arg(long, value_name = "LINE|@FILE")]
    pub(crate) proxy_header: Vec<String>,
    /// Accept any certificate of the proxy
    #[arg(long)]
    pub(crate) proxy_insecure: bool,
    /// Believe the certificate authorities in FILE (PEM) about the proxy
    #[arg(long, value_name = "FILE")]
    pub(crate) proxy_cacert: Option<PathBuf>,
    /// Wait until TIME-WAIT is over (TAP, TUN; in the lab time costs nothing)
    #[arg(long)]
    pub(crate) linger: bool,
}
