//! A link that silently swallows large packets: the MTU black hole of RFC 2923 2.1.

use super::{Fault, Verdict};
use crate::entropy::Rng;
use crate::view::FrameView;
use glasstack_journal::Instant;

/// Loses large packets; see [`blackhole_larger_than`].
pub struct BlackHole {
    name: String,
    mtu: usize,
}

/// Loses every IP packet longer than `mtu` bytes (with its IP header), and tells nobody.
pub fn blackhole_larger_than(mtu: usize) -> BlackHole {
    BlackHole { name: format!("blackhole_larger_than_{mtu}"), mtu }
}

impl Fault for BlackHole {
    fn name(&self) -> &str {
        &self.name
    }

    fn judge(&mut self, frame: &FrameView<'_>, _now: Instant, _rng: &mut Rng) -> Verdict {
        if frame.ip_len().is_some_and(|length| length > self.mtu) { Verdict::Drop } else { Verdict::Pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::testing::{udp, verdicts};

    #[test]
    fn the_ip_packet_counts_not_the_frame() {
        let got = verdicts(&mut blackhole_larger_than(1_300), &[udp(1_300 - 28), udp(1_301 - 28)]);
        assert_eq!(got, [Verdict::Pass, Verdict::Drop]);
    }
}
