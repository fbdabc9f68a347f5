//! A network of your own as text, what goes wrong in it as a sentence, and a page fetched across it. A test
//! that keeps the seed, the text and the sentence has the same bytes every time.
//!
//! `cargo run -p glasstack-examples --example mini_internet`

use glasstack::dns::{Resolver, ResolverConfig};
use glasstack::journal::journal::Recorder;
use glasstack::lab::{FaultSpec, Lab};
use glasstack::sim::topology::Topology;
use glasstack::stack::World;
use glasstack::tls::{TlsClient, TlsClientConfig};
use glasstack::views::{LadderOptions, Layer, ladder};
use glasstack::web::{Client, ClientConfig, Request, address_bar};

const NETWORK: &str = r#"
host.client = { address = "192.168.7.2/24", gateway = "192.168.7.1", name_servers = ["203.0.113.53"] }
host.names = { address = "203.0.113.53/24", gateway = "203.0.113.1", serve = ["resolver"] }
host.shop = { address = "203.0.113.80/24", gateway = "203.0.113.1", serve = ["web"], names = ["shop.test"] }
switch.lan = {}
router.home = { ports = [{ address = "192.168.7.1/24" }, { address = "203.0.113.1/24" }], nat = { outside = 1 } }
cable = [
    { between = ["client", "home:0"], latency = "2ms" },
    { between = ["home:1", "lan"] },
    { between = ["names", "lan"] },
    { between = ["shop", "lan"], rate = "10Mbit/s" },
]
"#;

fn main() -> anyhow::Result<()> {
    let topology = Topology::parse(NETWORK)?;
    println!("{}", topology.as_text());
    let recorder = Recorder::new();
    let fault = FaultSpec::parse("lose client SYN-ACK 1")?;
    let mut lab = Lab::builder(7).topology(topology).faults([fault]).observe(recorder.clone()).build()?;
    let host = lab.client.clone();
    let names = ResolverConfig { servers: vec![lab.name_server], ..ResolverConfig::default() };
    let tls = TlsClient::new(host.entropy(), host.scope().clock(), TlsClientConfig::new(lab.trust()?))?;
    let client = Client::new(&host, ClientConfig::new(Resolver::new(host.clone(), names), tls));
    let request = Request::get(address_bar::parse("https://shop.test/")?.url);
    let page = lab.world.run(async {
        let mut response = client.fetch(request).await?;
        let mut page = Vec::new();
        while let Some(chunk) = response.body.chunk().await? {
            page.extend_from_slice(&chunk);
        }
        client.close().await;
        anyhow::Ok(page)
    })??;
    println!("{}", String::from_utf8_lossy(&page));
    println!("{}", ladder(&recorder.records(), &LadderOptions::only(&[Layer::Tcp])));
    Ok(())
}
