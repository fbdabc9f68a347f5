//! DHCP on the gateway: a client that comes without an address is given the one that is meant for it
//! (RFC 2131). The stack's own client has its address from the start; this is for other stacks on
//! the same wire.

use super::UserNetConfig;
use super::gateway::Gateway;
use glasstack_stack::BindError;
use glasstack_stack::dhcp::ServerConfig;
use std::time::Duration;

/// How long an address is the client's: there is nobody else to want it.
const LEASE: Duration = Duration::from_secs(86_400);

/// Offers the client's address, the one of the network that is free, on port 67 of the gateway.
pub(super) fn serve(gateway: &Gateway, config: &UserNetConfig) -> Result<(), BindError> {
    let own = gateway.plan.gateway;
    let config = ServerConfig {
        server: own,
        prefix_len: gateway.plan.network.prefix_len(),
        pool: config.client..=config.client,
        router: Some(own),
        name_servers: gateway.has_name_server.then_some(own).into_iter().collect(),
        domain: None,
        mtu: u16::try_from(config.mtu).ok(),
        lease: LEASE,
    };
    glasstack_stack::dhcp::serve(&gateway.host, config)
}

#[cfg(test)]
mod tests {
    use crate::user::{UserNetConfig, open};
    use crate::{TapWorld, WireEnd};
    use glasstack_journal::event::MacAddress;
    use glasstack_stack::dhcp::{Kind, Message};
    use glasstack_stack::{Frame, FrameDevice, World};
    use std::net::Ipv4Addr;
    use std::time::Duration;

    const MAC: MacAddress = MacAddress([2, 0, 0, 0, 0, 9]);

    /// A frame for everybody from somebody without an address.
    fn broadcast(message: &Message) -> Frame {
        let payload = message.emit();
        let udp_length = u16::try_from(8 + payload.len()).unwrap();
        let mut ip = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255];
        ip[2..4].copy_from_slice(&(20 + udp_length).to_be_bytes());
        let sum: u32 = ip.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        ip[10..12].copy_from_slice(&(!((folded & 0xffff) + (folded >> 16)) as u16).to_be_bytes());
        let mut bytes = [&[0xff; 6][..], &MAC.0, &[0x08, 0x00], &ip].concat();
        // From port 68 to port 67; RFC 768: no checksum.
        bytes.extend_from_slice(&[0, 68, 0, 67]);
        bytes.extend_from_slice(&udp_length.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&payload);
        Frame { id: None, bytes }
    }

    fn ask(world: &mut TapWorld, wire: &mut WireEnd, question: &Message) -> Message {
        wire.send(broadcast(question)).unwrap();
        let executor = world.environment().executor.clone();
        world
            .run(async {
                loop {
                    if let Some(frame) = wire.recv().unwrap()
                        && frame.bytes.get(12..14) == Some(&[0x08, 0x00])
                    {
                        assert_eq!(frame.bytes[..6], MAC.0, "it answers no ARP request yet");
                        return Message::parse(&frame.bytes[14 + 20 + 8..]).unwrap();
                    }
                    executor.sleep(Duration::from_millis(1)).await;
                }
            })
            .unwrap()
    }

    #[test]
    fn a_client_without_an_address_gets_the_one_that_is_meant_for_it() {
        let mut world = TapWorld::new().unwrap();
        let config =
            UserNetConfig { name_servers: vec!["127.0.0.1:9".parse().unwrap()], ..UserNetConfig::default() };
        let (mut wire, far) = world.wire("eth0", 1500);
        let host = world.add_host_on_wire(config.gateway_host().unwrap(), far).unwrap();
        let _gateway = open(&world, config, host).unwrap();
        let offer = ask(&mut world, &mut wire, &Message::new(Kind::Discover, 7, MAC));
        assert_eq!((offer.kind, offer.transaction), (Kind::Offer, 7));
        assert_eq!(offer.your_address, Ipv4Addr::new(10, 71, 84, 2));
        let mut request = Message::new(Kind::Request, 7, MAC);
        (request.requested, request.server) = (Some(offer.your_address), offer.server);
        let ack = ask(&mut world, &mut wire, &request);
        let gateway = Ipv4Addr::new(10, 71, 84, 1);
        assert_eq!((ack.kind, ack.your_address), (Kind::Ack, offer.your_address));
        assert_eq!((ack.routers, ack.name_servers), (vec![gateway], vec![gateway]));
        assert_eq!((ack.prefix_len, ack.mtu), (Some(24), Some(1500)));
    }
}
