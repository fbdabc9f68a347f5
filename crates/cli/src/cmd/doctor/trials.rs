//! Two ways tried out, silently: a connection in the lab, and one over `--net user`.

use crate::args::{self, Command, NetOptions, WatchOptions};
use crate::net::Net;
use anyhow::{Context, bail};
use glasstack::stack::ConnectError;
use std::net::SocketAddr;
use std::time::Duration;

/// For a connection that takes milliseconds, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(10);
const GOODBYE: Duration = Duration::from_secs(1);

/// Looks a name of the lab up and connects to its server.
pub(super) fn lab() -> anyhow::Result<()> {
    let mut net = open("lab")?;
    let host = net.host.clone();
    let resolver = net.resolver(&[])?;
    let connected = net.run(async {
        let found = resolver.resolve_port("www.example.test", 80).await?;
        let address = *found.addresses.first().context("www.example.test has no address")?;
        host.connect(SocketAddr::new(address, 80)).await?;
        anyhow::Ok(())
    })?;
    net.end(GOODBYE, false)?;
    connected
}

/// Connects to a port of this machine's loopback: that the kernel refuses it, or that it does not,
/// has come all the way back to the stack.
pub(super) fn user() -> anyhow::Result<()> {
    let mut net = open("user")?;
    let host = net.host.clone();
    let tcpmux = SocketAddr::from(([127, 0, 0, 1], 1));
    let answer = net.run(host.timeout(PATIENCE, host.connect(tcpmux)))?;
    let ended = net.end(GOODBYE, false);
    match answer {
        Ok(Ok(_) | Err(ConnectError::Refused { .. })) => ended,
        Ok(Err(error)) => Err(error.into()),
        Err(_) => bail!("nothing came back within {} s", PATIENCE.as_secs()),
    }
}

fn open(net: &str) -> anyhow::Result<Net> {
    let watch = WatchOptions { silent: true, ..WatchOptions::default() };
    Net::open(&options(net)?, &watch, None, false)
}

/// The network's options as they are when nothing but its name is said.
fn options(net: &str) -> anyhow::Result<NetOptions> {
    let words = ["glasstack", "resolve", "--net", net, "localhost"];
    match args::try_parse(words)? {
        Command::Resolve(options) => Ok(options.net),
        _ => bail!("`glasstack resolve` is another command"),
    }
}
