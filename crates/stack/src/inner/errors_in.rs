//! ICMP errors that arrive: whom they are about, and what they do (RFC 1122 3.2.2, 4.2.3.9).

use super::core::Core;
use super::tuple::Tuple;
use crate::error::{PingError, UdpError};
use crate::icmp_error::IcmpError;
use crate::ingress::{Ipv4Packet, protocol};
use glasstack_journal::Instant;
use glasstack_journal::event::{DropReason, FrameId, Icmp, IcmpEffect};
use std::net::SocketAddrV4;

impl Core {
    /// An ICMP error from the wire.
    pub(super) fn on_icmp_error(
        &mut self,
        frame: FrameId,
        packet: &Ipv4Packet<'_>,
        error: &IcmpError,
        now: Instant,
    ) {
        let quote = &error.quote;
        let source = SocketAddrV4::new(quote.source, quote.source_port);
        let destination = SocketAddrV4::new(quote.destination, quote.destination_port);
        let from = packet.source;
        // The span of what the error is about, so that the record stands there.
        let mut scope = self.wire.scope.clone();
        let nothing = |what: &str| IcmpEffect::Ignored {
            reason: DropReason::UnmatchedIcmp,
            why: format!("no {what} of this host is meant"),
        };
        let effect = match quote.protocol {
            _ if quote.source != self.wire.local && !self.wire.transparent => nothing("packet"),
            _ if self.is_about_probe(quote) => {
                scope = self.on_error_about_probe(packet, error, now).unwrap_or(scope);
                IcmpEffect::ProbeAnswered
            }
            protocol::TCP => {
                let tuple = Tuple { local: source, remote: destination };
                match self.flow_at(&tuple) {
                    Some(id) => {
                        let mut effect = nothing("connection");
                        self.with_flow(id, now, |flow, wire| {
                            scope = flow.scope.clone();
                            let (what, fate) = flow.on_icmp_error(wire, frame, from, error, now);
                            effect = what;
                            fate
                        });
                        effect
                    }
                    None => nothing("connection"),
                }
            }
            protocol::UDP => match self.udp.get_mut(&quote.source_port) {
                Some(port) if port.has_sent_to(destination) => {
                    scope = port.scope.clone();
                    port.push_error(UdpError::Unreachable {
                        to: destination.into(),
                        from: from.into(),
                        what: error.kind.to_string(),
                    });
                    self.wire.wakers.append(&mut port.wakers);
                    IcmpEffect::Reported
                }
                Some(_) => nothing("datagram"),
                None => nothing("UDP port"),
            },
            protocol::ICMP => {
                match quote.echo.and_then(|(ident, seq)| Some((seq, self.pings.get_mut(&ident)?))) {
                    Some((seq, ping)) if ping.seq == seq && ping.destination == quote.destination => {
                        scope = ping.scope.clone();
                        ping.outcome = Some(Err(PingError::Unreachable {
                            destination: ping.destination.into(),
                            from: from.into(),
                            what: error.kind.to_string(),
                        }));
                        self.wire.wakers.extend(ping.waker.take());
                        IcmpEffect::Reported
                    }
                    _ => nothing("echo request"),
                }
            }
            _ => nothing("packet"),
        };
        if let IcmpEffect::Ignored { reason, why } = &effect {
            self.wire.discard(&scope, Some(frame), *reason, why.clone());
        }
        let what = error.kind.to_string();
        let (source, destination) = (source.into(), destination.into());
        scope.record(|| Icmp::ErrorReceived { frame, from, what, source, destination, effect });
    }
}
