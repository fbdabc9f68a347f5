use crate::ingress::TcpHeader;
use glasstack_journal::Instant;
use glasstack_journal::event::*;
#[derive(Clone, Copy)]
pub(crate) enum Trigger {
    Application,
    Segment,
    Timer,
    MtuLowered { mtu: usize },
}
#[derive(Default)]
pub(crate) struct SegmentHistory {
    una: u32,
    nxt: u32,
    rcv: u32,
    retr: u64,
}
pub(crate) struct Received {
    pub reason: SegmentReason,
    pub discard: Option<DropReason>,
}
fn len(h: &TcpHeader<'_>) -> u32 {
    h.payload.len() as u32 + u32::from(h.flags.has(TcpFlags::SYN)) + u32::from(h.flags.has(TcpFlags::FIN))
}
impl SegmentHistory {
    pub fn new(_role: Role) -> Self {
        Self::default()
    }
    pub fn sent(&mut self, h: &TcpHeader<'_>, _trigger: Trigger, _now: Instant) -> SegmentReason {
        let end = h.seq.wrapping_add(len(h));
        if self.nxt == 0 {
            self.una = h.seq;
            self.nxt = end;
        }
        if h.flags.has(TcpFlags::RST) {
            return SegmentReason::Reset(ResetReason::Aborted);
        }
        if (end.wrapping_sub(self.nxt) as i32) > 0 {
            self.nxt = end;
            SegmentReason::NewData { acknowledges: false }
        } else if len(h) > 0 {
            self.retr += 1;
            SegmentReason::Retransmission(Retransmission::Recovery)
        } else {
            SegmentReason::Ack(AckReason::Data)
        }
    }
    pub fn received(&mut self, h: &TcpHeader<'_>, _now: Instant) -> Received {
        let end = h.seq.wrapping_add(len(h));
        if h.flags.has(TcpFlags::SYN) || (h.seq == self.rcv) {
            self.rcv = end;
        }
        if let Some(a) = h.ack {
            self.una = a;
        }
        Received { reason: SegmentReason::NewData { acknowledges: false }, discard: None }
    }
    pub fn relative(&self, h: &TcpHeader<'_>, _d: Direction) -> (u32, Option<u32>) {
        (h.seq, h.ack)
    }
    pub fn scaled_window(&self, h: &TcpHeader<'_>, _d: Direction) -> u32 {
        h.window.into()
    }
    pub fn bytes_sent_acked(&self) -> u64 {
        self.una.into()
    }
    pub fn bytes_received(&self) -> u64 {
        0
    }
    pub fn retransmissions(&self) -> u64 {
        self.retr
    }
    pub fn in_flight_contains(&self, _seq: u32) -> bool {
        true
    }
    pub fn rcv_nxt(&self) -> u32 {
        self.rcv
    }
}
