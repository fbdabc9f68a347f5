//! A test of a network program: the program in a private network namespace, glasstack as its client,
//! and nobody else. What is asserted here belongs into a `#[test]` of your own, where
//! `glasstack::netns::in_a_private_network` needs no root either.
//!
//! sudo -E cargo run -p glasstack-examples --example netns_test      (or: unshare -rn cargo run ...)

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the program under test uses the kernel's sockets, as its own process would"
)]

use anyhow::ensure;
use glasstack::blocking::World;
use glasstack::netns::NetNs;
use glasstack::uplink::TapConfig;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::time::Duration;

/// The program under test: it shouts what it is told. (`NetNs::spawn` would start another program.)
fn shout(listener: &TcpListener) -> std::io::Result<()> {
    let (mut stream, _) = listener.accept()?;
    let mut line = String::new();
    BufReader::new(stream.try_clone()?).read_line(&mut line)?;
    stream.write_all(line.to_uppercase().as_bytes())
}

fn main() -> anyhow::Result<()> {
    let ns = NetNs::new()?;
    let device = ns.tap(&TapConfig::default())?;
    let (world, host) = World::on_device(device)?;
    let listener = ns.run(|| TcpListener::bind("10.71.83.1:0"))??;
    let to = listener.local_addr()?;
    let server = std::thread::spawn(move || shout(&listener));

    let mut stream = host.connect(to)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"is anybody there?\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer == "IS ANYBODY THERE?\n", "it said {answer:?}");
    server.join().expect("the server does not panic")?;

    let refused = host.connect(to).expect_err("it serves one guest only");
    ensure!(refused.kind() == ErrorKind::ConnectionRefused, "{refused}");
    drop(stream);
    ensure!(world.shutdown(Duration::from_secs(10))?, "a connection was not closed in order");
    println!("as it should be: {}", answer.trim_end());
    Ok(())
}
