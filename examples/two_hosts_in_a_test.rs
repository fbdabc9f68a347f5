//! What a test of your own looks like: two hosts, a cable that loses every tenth frame, a
//! conversation, and the ladder of what happened. It takes no time, and every run is the same.
//! With `--net tap` the same conversation is held with one of our hosts and itself, on a TAP.
//!
//! `cargo run -p glasstack-examples --example two_hosts_in_a_test -- --net lab`

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack::journal::journal::Recorder;
use glasstack::sim::{Cable, SimWorld, fault};
use glasstack::stack::{Host, HostConfig, World};
use glasstack::views::{LadderOptions, ladder};
use glasstack_examples::Net;
use std::net::SocketAddr;

/// The code under test knows hosts, not worlds.
async fn conversation(client: Host, server: Host) -> anyhow::Result<String> {
    let local = SocketAddr::new(server.address(), 7);
    let listener = server.listen(local)?;
    server.spawn(async move {
        let mut stream = listener.accept().await;
        let mut said = Vec::new();
        if stream.read_to_end(&mut said).await.is_ok() {
            let _ = stream.write_all(&said).await;
        }
    });
    let mut stream = client.connect(local).await?;
    stream.write_all(b"hello").await?;
    stream.close().await?;
    let mut echo = String::new();
    stream.read_to_string(&mut echo).await?;
    Ok(echo)
}

fn main() -> anyhow::Result<()> {
    if std::env::args().any(|arg| arg == "tap") {
        let mut net = Net::from_args()?;
        let host = net.host.clone();
        println!("{}", net.run(conversation(host.clone(), host))?);
        return Ok(());
    }
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(7).observe(recorder.clone()).build();
    let [mac_a, mac_b] = [world.next_mac(), world.next_mac()];
    let a = world.add_host(HostConfig::new("client", mac_a, "10.0.0.1".parse()?, 24, None)?)?;
    let b = world.add_host(HostConfig::new("server", mac_b, "10.0.0.2".parse()?, 24, None)?)?;
    world.connect(&a, &b, Cable::new().fault(fault::loss(0.1)))?;
    assert_eq!(world.run(conversation(a, b))??, "hello");
    println!("{}", ladder(&recorder.records(), &LadderOptions::default()));
    Ok(())
}
