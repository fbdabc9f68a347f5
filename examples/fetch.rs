//! Fetches a page, redirects and TLS included.
//!
//! `cargo run -p glasstack-examples --example fetch -- --net lab http://www.example.test/`
//! `cargo run -p glasstack-examples --example fetch -- --net user http://localhost:8000/`
//! `cargo run -p glasstack-examples --example fetch -- --net tap http://10.71.83.1:8000/`

use glasstack::web::{Request, address_bar};
use glasstack_examples::Net;
use std::io::Write;

fn main() -> anyhow::Result<()> {
    let mut net = Net::from_args()?;
    let typed = if net.is_lab() { "http://www.example.test/" } else { "http://10.71.83.1:8000/" };
    let address = address_bar::parse(net.arg_or(typed))?;
    let client = net.client()?;
    net.run(async move {
        let mut response = client.fetch(Request::get(address.url)).await?;
        for hop in &response.hops {
            eprintln!("{} {}", hop.head.status, hop.url);
        }
        eprintln!("{} {}", response.head.status, response.url);
        while let Some(chunk) = response.body.chunk().await? {
            std::io::stdout().write_all(&chunk)?;
        }
        client.close().await;
        Ok(())
    })
}
