//! Turns a name into addresses, and says who knew.
//!
//! `cargo run -p glasstack-examples --example resolve -- --net lab www.example.test`
//! `cargo run -p glasstack-examples --example resolve -- --net tap localhost`

use glasstack_examples::Net;

fn main() -> anyhow::Result<()> {
    let mut net = Net::from_args()?;
    let name = net.arg_or(if net.is_lab() { "www.example.test" } else { "localhost" }).to_owned();
    let resolver = net.resolver();
    net.run(async move {
        let lookup = resolver.resolve(&name).await?;
        for address in &lookup.addresses {
            println!("{name} is {address}, from {}", lookup.source);
        }
        for record in &lookup.records {
            println!("  {record}");
        }
        Ok(())
    })
}
