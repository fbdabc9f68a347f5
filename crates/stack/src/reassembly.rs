use crate::ingress::*;
use glasstack_journal::Instant;
use glasstack_journal::event::*;
use std::time::Duration;
#[derive(Default)]
pub(crate) struct Reassembler;
impl Reassembler {
    pub fn push(
        &mut self,
        now: Instant,
        packet: &Ipv4Packet<'_>,
        frame: FrameId,
    ) -> Result<Option<Reassembled>, Discard> {
        todo!()
    }
    pub fn expire(&mut self, now: Instant) -> Vec<(FrameId, Discard)> {
        todo!()
    }
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!()
    }
}
pub(crate) struct Reassembled {
    pub packet: Vec<u8>,
    pub fragments: usize,
    pub after: Duration,
}
