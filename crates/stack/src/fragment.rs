use crate::ingress::Discard;
pub(crate) fn fragment(packet: &[u8], mtu: usize, identification: u16) -> Result<Vec<Vec<u8>>, Discard> {
    todo!()
}
