//! Gets a page as a program does that knows nothing but `std::io::Read` and `Write`; the connection is
//! our own stack's, over the user network (no privilege, no set-up) or over a TAP.
//!
//! `cargo run -p glasstack-examples --example blocking_get -- http://127.0.0.1:8000/`
//! `cargo run -p glasstack-examples --example blocking_get -- --net tap http://10.71.83.1:8000/`

use anyhow::{Context, anyhow};
use glasstack::blocking::{Host, TcpStream, World};
use glasstack::dns::{HostsFile, ResolvConf, Resolver, ResolverConfig};
use glasstack::uplink::{TapConfig, UserNetConfig};
use glasstack::web::address_bar;
use std::fs::read_to_string;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

/// A connection to the first address of `name` that answers.
fn connect(host: &Host, name: &str, port: u16) -> anyhow::Result<TcpStream> {
    let conf = ResolvConf::parse(&read_to_string("/etc/resolv.conf").unwrap_or_default());
    let hosts = HostsFile::parse(&read_to_string("/etc/hosts").unwrap_or_default());
    let resolver =
        Resolver::new(host.host().clone(), ResolverConfig { hosts, ..ResolverConfig::from(&conf) });
    let mut outcome = Err(anyhow!("{name} has no address"));
    for address in host.block_on(resolver.resolve(name))??.addresses {
        outcome = host.connect((address, port)).with_context(|| format!("{name} at {address}"));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let on_tap =
        args.first().is_some_and(|arg| arg == "--net") && args.get(1).is_some_and(|arg| arg == "tap");
    let typed = args.get(if on_tap { 2 } else { 0 }).context("which page? say http://HOST:PORT/PATH")?;
    let url = address_bar::parse(typed)?.url;

    let (world, host) = match on_tap {
        true => World::on_tap(&TapConfig::default())?,
        false => World::on_user_net(UserNetConfig::default())?,
    };
    let name = url.host_str().context("no host in the URL")?;
    let mut stream = connect(&host, name, url.port().unwrap_or(80))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET {} HTTP/1.0\r\nHost: {name}\r\n\r\n", url.path())?;

    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    while answer.read_line(&mut line)? > 2 {
        eprint!("{line}");
        line.clear();
    }
    io::copy(&mut answer.by_ref(), &mut io::stdout())?;
    drop(answer);
    world.shutdown(Duration::from_secs(5))?;
    Ok(())
}
