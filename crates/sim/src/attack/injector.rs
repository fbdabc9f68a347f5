//! Somebody on the path who sees a connection and ends it by RSTs to whoever gets data, as some censors do.

use super::forge::{self, Control, Header};
use super::station::Sent;
use crate::node::{Node, NodeContext, WireFrame};
use crate::view::FrameView;
use glasstack_journal::event::{Link, TcpFlags};
use std::net::{IpAddr, SocketAddrV4};

/// How well an injector aims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The very sequence number that the receiver expects next (RFC 5961 3.2: it is believed).
    Exact,
    /// So many bytes beside it. Inside the window it gets a challenge ACK, outside it is dropped.
    Beside(u32),
}

/// A box with two ports on a cable. It passes everything on, and sends a RST with each data segment of a
/// connection to or from a port, right behind it.
pub struct ResetInjector {
    port: u16,
    aim: Aim,
    left: u32,
    sent: Sent,
}

impl ResetInjector {
    /// For connections to or from `port`; `count` data segments are answered like that.
    pub fn new(port: u16, aim: Aim, count: u32) -> Self {
        Self { port, aim, left: count, sent: Sent::default() }
    }

    /// Counts what it sends in `sent`.
    #[must_use]
    pub fn counted(mut self, sent: Sent) -> Self {
        self.sent = sent;
        self
    }

    fn reset(&self, frame: &FrameView<'_>) -> Option<Vec<u8>> {
        let address = |ip, port| match ip {
            Some(IpAddr::V4(ip)) => Some(SocketAddrV4::new(ip, port?)),
            _ => None,
        };
        let header =
            Header { source: frame.source_mac()?, destination: frame.destination_mac()?, vlan: frame.vlan() };
        let from = address(frame.source_ip(), frame.source_port())?;
        let to = address(frame.destination_ip(), frame.destination_port())?;
        let length = u32::try_from(frame.payload().len()).ok()? + u32::from(frame.is_fin());
        let expected = frame.tcp_seq()?.wrapping_add(length);
        let seq = match self.aim {
            Aim::Exact => expected,
            Aim::Beside(bytes) => expected.wrapping_add(bytes),
        };
        let control = Control { seq, ack: 0, flags: TcpFlags(TcpFlags::RST), window: 0 };
        Some(forge::tcp(header, from, to, control, &[]))
    }
}

impl Node for ResetInjector {
    fn ports(&self) -> usize {
        2
    }

    fn on_frame(&mut self, port: usize, frame: WireFrame, context: &mut NodeContext<'_>) {
        let other = 1 - port.min(1);
        let reset = {
            let view = frame.view();
            let is_meant = self.left > 0 && view.is_tcp_data() && view.has_port(self.port);
            is_meant.then(|| self.reset(&view)).flatten()
        };
        context.send(other, frame);
        let Some(reset) = reset else { return };
        self.left -= 1;
        self.sent.add_one();
        let reset = context.new_frame(reset);
        let (bytes, id) = (reset.bytes.as_slice(), reset.id);
        context.record(|| Link::Injected {
            frame: id,
            cable: "through the injector".to_owned(),
            by: "ResetInjector".to_owned(),
            bytes: bytes.into(),
        });
        context.send(other, reset);
    }

    fn is_attacker(&self) -> bool {
        true
    }
}
