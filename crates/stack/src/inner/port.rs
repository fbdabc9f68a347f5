//! The device of an inner interface, between one smoltcp interface and the host's demultiplexer:
//! frames go in one by one, where they lie, and queue on their way out.

use glasstack_journal::Instant;
use glasstack_journal::event::{MacAddress, Medium};
use smoltcp::iface::{Config, Interface, PollIngressSingleResult, SocketSet};
use smoltcp::phy::{self, Checksum, DeviceCapabilities};
use smoltcp::time::Instant as SmolInstant;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpAddress, IpCidr};
use std::collections::VecDeque;
use std::net::Ipv4Addr;

/// Length of an Ethernet II header, in bytes.
pub(crate) const ETHERNET_HEADER: usize = 14;

/// What an inner interface is attached to.
pub(crate) struct Port {
    medium: Medium,
    mtu: usize,
    outgoing: VecDeque<Vec<u8>>,
}

impl Port {
    /// A port whose interface may emit IP packets of up to `mtu` bytes.
    pub(crate) fn new(medium: Medium, mtu: usize) -> Self {
        Self { medium, mtu, outgoing: VecDeque::new() }
    }

    /// Hands the interface behind this port a frame, which it processes at once.
    pub(crate) fn deliver(
        &mut self,
        frame: &[u8],
        interface: &mut Interface,
        sockets: &mut SocketSet<'static>,
        now: Instant,
    ) {
        let mut arriving = Arriving { frame: Some(frame), port: self };
        let now = smol_time(now);
        while interface.poll_ingress_single(now, &mut arriving, sockets) != PollIngressSingleResult::None {}
    }

    /// The next frame that the interface has emitted.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front()
    }
}

/// smoltcp's interface behind `port`, for a host that is `local`.
///
/// `gateway` is where it sends what is not on the link. The seed decides initial sequence numbers
/// (RFC 6528: a peer must not guess them), so it comes fresh from the world's entropy: smoltcp's
/// own generator gives itself away.
pub(crate) fn interface(port: &mut Port, mac: MacAddress, link: Link, seed: u64, now: Instant) -> Interface {
    let hardware = match port.medium {
        Medium::Ethernet => HardwareAddress::Ethernet(EthernetAddress(mac.0)),
        Medium::Ip => HardwareAddress::Ip,
    };
    let mut config = Config::new(hardware);
    config.random_seed = seed;
    let mut interface = Interface::new(config, port, smol_time(now));
    interface.update_ip_addrs(|addresses| {
        // The capacity is one and the list is empty.
        let _ = addresses.push(IpCidr::new(IpAddress::Ipv4(link.local), link.prefix_len));
    });
    if let Some(gateway) = link.gateway {
        let _ = interface.routes_mut().add_default_ipv4_route(gateway);
    }
    interface
}

/// What an inner interface knows of the link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// The host's address.
    pub(crate) local: Ipv4Addr,
    /// The length of the network prefix, in bits.
    pub(crate) prefix_len: u8,
    /// Where everything else goes.
    pub(crate) gateway: Option<Ipv4Addr>,
}

/// smoltcp counts microseconds.
pub(crate) fn smol_time(now: Instant) -> SmolInstant {
    SmolInstant::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
}

impl phy::Device for Port {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Slot<'a>;

    /// What comes in is [delivered](Self::deliver).
    fn receive(&mut self, _: SmolInstant) -> Option<(Received<'_>, Slot<'_>)> {
        None
    }

    fn transmit(&mut self, _: SmolInstant) -> Option<Slot<'_>> {
        Some(Slot(&mut self.outgoing))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        (capabilities.medium, capabilities.max_transmission_unit) = match self.medium {
            Medium::Ethernet => (phy::Medium::Ethernet, self.mtu + ETHERNET_HEADER),
            Medium::Ip => (phy::Medium::Ip, self.mtu),
        };
        // The demultiplexer has verified every checksum before a frame comes here.
        capabilities.checksum.ipv4 = Checksum::Tx;
        capabilities.checksum.tcp = Checksum::Tx;
        capabilities.checksum.udp = Checksum::Tx;
        capabilities.checksum.icmpv4 = Checksum::Tx;
        capabilities
    }
}

/// A port that one frame comes in by.
struct Arriving<'f, 'p> {
    frame: Option<&'f [u8]>,
    port: &'p mut Port,
}

impl phy::Device for Arriving<'_, '_> {
    type RxToken<'a>
        = Received<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = Slot<'a>
    where
        Self: 'a;

    fn receive(&mut self, _: SmolInstant) -> Option<(Received<'_>, Slot<'_>)> {
        let frame = self.frame.take()?;
        Some((Received(frame), Slot(&mut self.port.outgoing)))
    }

    fn transmit(&mut self, now: SmolInstant) -> Option<Slot<'_>> {
        self.port.transmit(now)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.port.capabilities()
    }
}

/// A frame on its way into the interface.
pub(crate) struct Received<'f>(&'f [u8]);

impl phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Room for a frame on its way out.
pub(crate) struct Slot<'a>(&'a mut VecDeque<Vec<u8>>);

impl phy::TxToken for Slot<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut frame = vec![0; length];
        let result = f(&mut frame);
        self.0.push_back(frame);
        result
    }
}
