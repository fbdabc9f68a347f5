//! Asks whether somebody is there, by ICMP echo.
//!
//! `cargo run -p glasstack-examples --example ping -- --net lab www.example.test`
//! `cargo run -p glasstack-examples --example ping -- --net tap 10.71.83.1`

use glasstack::stack::PingOptions;
use glasstack_examples::Net;

fn main() -> anyhow::Result<()> {
    let mut net = Net::from_args()?;
    let name = net.arg_or(if net.is_lab() { "www.example.test" } else { "10.71.83.1" }).to_owned();
    let (host, resolver) = (net.host.clone(), net.resolver());
    net.run(async move {
        for address in resolver.resolve(&name).await?.addresses {
            let reply = host.ping(address, &PingOptions::default()).await?;
            println!("{name}: {} bytes from {} in {:?}", reply.length, reply.from, reply.rtt);
        }
        Ok(())
    })
}
