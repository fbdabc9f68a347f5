use crate::ingress::*;
use std::net::*;
pub(crate) struct IcmpError {
    pub kind: IcmpErrorKind,
    pub quote: Quote,
}
pub(crate) enum IcmpErrorKind {
    X,
}
impl IcmpErrorKind {
    pub fn next_hop_mtu(&self) -> Option<u16> {
        todo!()
    }
}
impl std::fmt::Display for IcmpErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
pub(crate) struct Quote {
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
    pub protocol: u8,
    pub source_port: u16,
    pub destination_port: u16,
    pub tcp_seq: Option<u32>,
    pub echo: Option<(u16, u16)>,
    pub total_length: u16,
}
pub(crate) enum IcmpMessage<'a> {
    EchoRequest { ident: u16, seq: u16, payload: &'a [u8] },
    EchoReply { ident: u16, seq: u16, payload: &'a [u8] },
    Error(IcmpError),
    Other { kind: u8, code: u8 },
}
pub(crate) fn parse_icmp(message: &[u8]) -> Result<IcmpMessage<'_>, Discard> {
    todo!()
}
