//! The client's side of a conversation by our own stack, on a TAP or behind a gateway, in a world of
//! its own each time.

use crate::Networks;
use crate::conversation::{CHUNK, Conversation, read_report};
use crate::figures::Outcome;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_stack::{Host, World};
use glasstack_uplink::{Addressing, TapConfig, TapDevice, TapWorld, UserNet, UserNetConfig};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Far beyond what any measurement takes.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn converse(networks: &Networks, conversation: Conversation, server: SocketAddr) -> Outcome {
    let config = TapConfig { name: Some(networks.tap.clone()), ..TapConfig::default() };
    let device = TapDevice::open(&config).unwrap();
    let addressing = Addressing::choose(device.host_side(), Some(networks.ours), None).unwrap();
    let mut world = TapWorld::new().unwrap();
    let host = world.add_host(addressing.host_config("ours").unwrap(), device).unwrap();
    converse_in(&mut world, &host, conversation, server)
}

/// The same behind a gateway in this process, to a server on the machine's loopback interface.
pub(crate) fn converse_over_gateway(mtu: usize, conversation: Conversation, server: SocketAddr) -> Outcome {
    let mut world = TapWorld::new().unwrap();
    let net = UserNet::join(&mut world, UserNetConfig { mtu, ..UserNetConfig::default() }).unwrap();
    converse_in(&mut world, net.host(), conversation, server)
}

fn converse_in(world: &mut TapWorld, host: &Host, conversation: Conversation, server: SocketAddr) -> Outcome {
    let outcome = world.run(host.timeout(LIMIT, speak(host, conversation, server))).unwrap().unwrap();
    assert!(world.drain(LIMIT).unwrap(), "every connection is closed in order");
    outcome
}

async fn speak(host: &Host, conversation: Conversation, server: SocketAddr) -> Outcome {
    if let Conversation::Connections(count) = conversation {
        return open_and_close(host, count, server).await;
    }
    let mut stream = host.connect(server).await.unwrap();
    match conversation {
        Conversation::Receive(_) => {
            let mut chunk = vec![0; CHUNK];
            let mut count = u64::try_from(stream.read(&mut chunk).await.unwrap()).unwrap();
            let begun = Instant::now();
            loop {
                match stream.read(&mut chunk).await.unwrap() {
                    0 => return Outcome { count, took: begun.elapsed() },
                    length => count += u64::try_from(length).unwrap(),
                }
            }
        }
        Conversation::Send(lasts) => {
            let chunk = vec![0x67; CHUNK];
            let begun = Instant::now();
            while begun.elapsed() < lasts {
                stream.write_all(&chunk).await.unwrap();
            }
            stream.close().await.unwrap();
            let mut report = [0; 16];
            stream.read_exact(&mut report).await.unwrap();
            read_report(report)
        }
        Conversation::RoundTrips(count) => {
            stream.set_nodelay(true);
            let begun = Instant::now();
            for _ in 0..count {
                stream.write_all(b"?").await.unwrap();
                stream.read_exact(&mut [0]).await.unwrap();
            }
            Outcome { count: count.into(), took: begun.elapsed() }
        }
        Conversation::Connections(_) => unreachable!("done above"),
    }
}

async fn open_and_close(host: &Host, count: u32, server: SocketAddr) -> Outcome {
    let begun = Instant::now();
    for _ in 0..count {
        let mut stream = host.connect(server).await.unwrap();
        stream.close().await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    }
    Outcome { count: count.into(), took: begun.elapsed() }
}
