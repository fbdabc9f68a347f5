//! Dialogues. Numbers are relative, as in Wireshark: each side's SYN is 0, its first byte 1. Both
//! real streams wrap on the way.

use super::*;
use std::net::SocketAddrV4;
use std::time::Duration;

const OURS: u32 = 0xffff_ffce;
const THEIRS: u32 = 0xffff_fff0;
const ZEROS: [u8; 4_000] = [0; 4_000];

/// One segment, in relative numbers.
#[derive(Clone, Debug)]
struct Seg {
    flags: u8,
    seq: i64,
    ack: i64,
    len: usize,
    window: u16,
    options: Vec<TcpOption>,
}

impl Seg {
    fn win(mut self, window: u16) -> Self {
        self.window = window;
        self
    }

    fn sack(mut self, left: i64, right: i64) -> Self {
        let blocks = vec![(OURS.wrapping_add(left as u32), OURS.wrapping_add(right as u32))];
        self.options.push(TcpOption::Sack(blocks));
        self
    }

    fn scaled(mut self, shift: u8) -> Self {
        self.options.push(TcpOption::WindowScale(shift));
        self
    }
}

/// `seg("SYN ACK", seq, ack, payload bytes)`.
fn seg(flags: &str, seq: i64, ack: i64, len: usize) -> Seg {
    let flags = flags.split(' ').fold(0, |bits, name| {
        bits | match name {
            "SYN" => TcpFlags::SYN,
            "ACK" => TcpFlags::ACK,
            "FIN" => TcpFlags::FIN,
            "RST" => TcpFlags::RST,
            other => panic!("{other} is no flag here"),
        }
    });
    Seg { flags, seq, ack, len, window: 10_000, options: Vec::new() }
}

struct Dialogue {
    history: SegmentHistory,
    now: Instant,
}

impl Dialogue {
    fn new(role: Role) -> Self {
        Self { history: SegmentHistory::new(role), now: Instant::ZERO }
    }

    /// A client behind its handshake.
    fn client() -> Self {
        let mut d = Self::new(Role::Active);
        assert_eq!(d.sends(seg("SYN", 0, 0, 0), Trigger::Application), SegmentReason::Open);
        assert_eq!(d.hears(seg("SYN ACK", 0, 1, 0)), SegmentReason::OpenAnswer);
        assert_eq!(d.sends(seg("ACK", 1, 1, 0), Trigger::Segment), ack(AckReason::Handshake));
        d
    }

    fn wait(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
    }

    fn header(seg: &Seg, own: u32, other: u32) -> TcpHeader<'static> {
        let flags = TcpFlags(seg.flags);
        TcpHeader {
            source: SocketAddrV4::new([10, 0, 0, 1].into(), 1),
            destination: SocketAddrV4::new([10, 0, 0, 2].into(), 2),
            seq: own.wrapping_add(seg.seq as u32),
            ack: flags.has(TcpFlags::ACK).then(|| other.wrapping_add(seg.ack as u32)),
            flags,
            window: seg.window,
            options: seg.options.clone(),
            payload: &ZEROS[..seg.len],
        }
    }

    fn sends(&mut self, seg: Seg, trigger: Trigger) -> SegmentReason {
        self.history.sent(&Self::header(&seg, OURS, THEIRS), trigger, self.now)
    }

    fn judges(&mut self, seg: Seg) -> (SegmentReason, Option<DropReason>) {
        let received = self.history.received(&Self::header(&seg, THEIRS, OURS), self.now);
        (received.reason, received.discard)
    }

    /// A segment that arrives and is taken.
    #[track_caller]
    fn hears(&mut self, seg: Seg) -> SegmentReason {
        let (reason, discard) = self.judges(seg);
        assert_eq!(discard, None, "{reason}");
        reason
    }
}

fn ack(why: AckReason) -> SegmentReason {
    SegmentReason::Ack(why)
}

fn again(why: Retransmission) -> SegmentReason {
    SegmentReason::Retransmission(why)
}

fn timeout(millis: u64, attempt: u32) -> SegmentReason {
    again(Retransmission::Timeout { after: Duration::from_millis(millis), attempt })
}

fn data(acknowledges: bool) -> SegmentReason {
    SegmentReason::NewData { acknowledges }
}

fn fin(with_data: bool, answers_fin: bool) -> SegmentReason {
    SegmentReason::Fin { with_data, answers_fin }
}

use Trigger::{Application, Segment, Timer};

#[test]
fn a_listener_answers_the_syn_and_hears_the_third_step() {
    let mut d = Dialogue::new(Role::Passive);
    assert_eq!(d.hears(seg("SYN", 0, 0, 0)), SegmentReason::Open);
    assert_eq!(d.sends(seg("SYN ACK", 0, 1, 0), Segment), SegmentReason::OpenAnswer);
    assert_eq!(d.hears(seg("ACK", 1, 1, 0)), ack(AckReason::Handshake));
}

#[test]
fn an_unanswered_syn_is_repeated_after_a_timeout_and_again_after_another() {
    let mut d = Dialogue::new(Role::Active);
    d.sends(seg("SYN", 0, 0, 0), Application);
    d.wait(1_000);
    assert_eq!(d.sends(seg("SYN", 0, 0, 0), Timer), timeout(1_000, 1));
    d.wait(2_000);
    assert_eq!(d.sends(seg("SYN", 0, 0, 0), Timer), timeout(2_000, 2));
    assert_eq!(d.history.retransmissions(), 2);
}

#[test]
fn an_unanswered_syn_ack_is_repeated_after_a_timeout() {
    let mut d = Dialogue::new(Role::Passive);
    d.hears(seg("SYN", 0, 0, 0));
    d.sends(seg("SYN ACK", 0, 1, 0), Segment);
    d.wait(1_000);
    assert_eq!(d.sends(seg("SYN ACK", 0, 1, 0), Timer), timeout(1_000, 1));
}

#[test]
fn a_simultaneous_open_answers_a_syn_with_the_syn_sent_before() {
    let mut d = Dialogue::new(Role::Active);
    d.sends(seg("SYN", 0, 0, 0), Application);
    assert_eq!(d.hears(seg("SYN", 0, 0, 0)), SegmentReason::Open);
    assert_eq!(d.sends(seg("SYN ACK", 0, 1, 0), Segment), SegmentReason::OpenAnswer);
    assert_eq!(d.hears(seg("SYN ACK", 0, 1, 0)), SegmentReason::OpenAnswer);
    assert_eq!(d.history.retransmissions(), 0);
    assert!(!d.history.in_flight_contains(OURS));
}

#[test]
fn new_data_tells_whether_it_acknowledges_something_as_well() {
    let mut d = Dialogue::client();
    assert_eq!(d.sends(seg("ACK", 1, 1, 100), Application), data(false));
    assert_eq!(d.hears(seg("ACK", 1, 101, 200)), data(true));
    assert_eq!(d.hears(seg("ACK", 201, 101, 200)), data(false));
    assert_eq!(d.sends(seg("ACK", 101, 401, 100), Application), data(true));
    assert_eq!(d.sends(seg("ACK", 201, 401, 100), Application), data(false));
    assert_eq!((d.history.bytes_sent_acked(), d.history.bytes_received()), (100, 400));
}

#[test]
fn data_acknowledged_at_once_is_told_from_data_acknowledged_late() {
    let mut d = Dialogue::client();
    d.hears(seg("ACK", 1, 1, 1_000));
    d.hears(seg("ACK", 1_001, 1, 1_000));
    assert_eq!(d.sends(seg("ACK", 1, 2_001, 0), Segment), ack(AckReason::Data));
    d.hears(seg("ACK", 2_001, 1, 1_000));
    d.wait(10);
    assert_eq!(d.sends(seg("ACK", 1, 3_001, 0), Timer), ack(AckReason::Delayed));
}

#[test]
fn a_segment_beyond_a_hole_is_answered_by_a_duplicate_ack_and_the_hole_by_one_for_all() {
    let mut d = Dialogue::client();
    assert_eq!(d.hears(seg("ACK", 1_001, 1, 1_000)), data(false));
    assert_eq!(d.sends(seg("ACK", 1, 1, 0), Segment), ack(AckReason::OutOfOrder));
    assert_eq!(d.hears(seg("ACK", 2_001, 1, 1_000)), data(false));
    assert_eq!(d.sends(seg("ACK", 1, 1, 0), Segment), ack(AckReason::OutOfOrder));
    assert_eq!(d.history.bytes_received(), 0);
    assert_eq!(d.hears(seg("ACK", 1, 1, 1_000)), again(Retransmission::FillsHole));
    assert_eq!(d.sends(seg("ACK", 1, 3_001, 0), Segment), ack(AckReason::HoleFilled));
    assert_eq!(d.history.bytes_received(), 3_000);
    assert_eq!(d.history.rcv_nxt(), THEIRS.wrapping_add(3_001));
}

#[test]
fn of_two_holes_the_first_filled_leaves_the_second() {
    let mut d = Dialogue::client();
    d.hears(seg("ACK", 101, 1, 100));
    d.hears(seg("ACK", 301, 1, 100));
    assert_eq!(d.hears(seg("ACK", 1, 1, 100)), again(Retransmission::FillsHole));
    assert_eq!(d.sends(seg("ACK", 1, 201, 0), Segment), ack(AckReason::HoleFilled));
    assert_eq!(d.hears(seg("ACK", 401, 1, 100)), data(false));
    assert_eq!(d.sends(seg("ACK", 1, 201, 0), Segment), ack(AckReason::OutOfOrder));
    assert_eq!(d.hears(seg("ACK", 201, 1, 100)), again(Retransmission::FillsHole));
    assert_eq!(d.sends(seg("ACK", 1, 501, 0), Segment), ack(AckReason::HoleFilled));
}

#[test]
fn data_that_came_before_is_discarded_and_acknowledged_again() {
    let mut d = Dialogue::client();
    d.hears(seg("ACK", 1, 1, 100));
    d.sends(seg("ACK", 1, 101, 0), Segment);
    let seen = (again(Retransmission::SeenBefore), Some(DropReason::OldDuplicate));
    assert_eq!(d.judges(seg("ACK", 1, 1, 100)), seen);
    assert_eq!(d.sends(seg("ACK", 1, 101, 0), Segment), ack(AckReason::Duplicate));
    d.hears(seg("ACK", 201, 1, 100));
    assert_eq!(d.judges(seg("ACK", 201, 1, 100)), seen);
    assert_eq!(d.sends(seg("ACK", 1, 101, 0), Segment), ack(AckReason::Duplicate));
    assert_eq!(d.history.bytes_received(), 100);
}

#[test]
fn after_a_timeout_everything_behind_the_loss_is_recovery() {
    let mut d = Dialogue::client();
    for at in [1, 1_001, 2_001] {
        d.sends(seg("ACK", at, 1, 1_000), Application);
    }
    d.wait(1_000);
    assert_eq!(d.sends(seg("ACK", 1, 1, 1_000), Timer), timeout(1_000, 1));
    assert_eq!(d.sends(seg("ACK", 1_001, 1, 1_000), Timer), again(Retransmission::Recovery));
    // The first is acknowledged: what comes next is the first in flight, and still recovery.
    assert_eq!(d.hears(seg("ACK", 1, 2_001, 0)), ack(AckReason::Data));
    assert_eq!(d.sends(seg("ACK", 2_001, 1, 1_000), Segment), again(Retransmission::Recovery));
    assert_eq!(d.sends(seg("ACK", 3_001, 1, 1_000), Segment), data(false));
    d.wait(1_500);
    assert_eq!(d.sends(seg("ACK", 2_001, 1, 1_000), Timer), timeout(1_500, 1));
    d.wait(3_000);
    assert_eq!(d.sends(seg("ACK", 2_001, 1, 1_000), Timer), timeout(3_000, 2));
    assert_eq!(d.history.retransmissions(), 5);
}

#[test]
fn three_duplicate_acks_bring_a_fast_retransmission_and_the_next_one_is_a_timeout() {
    let mut d = Dialogue::client();
    for at in [1, 1_001, 2_001, 3_001] {
        d.sends(seg("ACK", at, 1, 1_000), Application);
    }
    for _ in 0..3 {
        assert_eq!(d.hears(seg("ACK", 1, 1, 0)), ack(AckReason::OutOfOrder));
    }
    let fast = again(Retransmission::DuplicateAcks { count: 3 });
    assert_eq!(d.sends(seg("ACK", 1, 1, 1_000), Segment), fast);
    d.wait(1_000);
    assert_eq!(d.sends(seg("ACK", 1, 1, 1_000), Timer), timeout(1_000, 1));
    assert_eq!(d.hears(seg("ACK", 1, 4_001, 0)), ack(AckReason::HoleFilled));
}

#[test]
fn two_duplicate_acks_and_a_timer_make_a_timeout() {
    let mut d = Dialogue::client();
    d.sends(seg("ACK", 1, 1, 1_000), Application);
    d.sends(seg("ACK", 1_001, 1, 1_000), Application);
    d.hears(seg("ACK", 1, 1, 0));
    d.hears(seg("ACK", 1, 1, 0));
    d.wait(900);
    assert_eq!(d.sends(seg("ACK", 1, 1, 1_000), Timer), timeout(900, 1));
}

#[test]
fn a_smaller_mtu_sends_what_was_too_large_again_in_smaller_segments() {
    let mut d = Dialogue::client();
    d.sends(seg("ACK", 1, 1, 1_460), Application);
    d.sends(seg("ACK", 1_461, 1, 1_460), Application);
    d.sends(seg("ACK", 2_921, 1, 100), Application);
    let smaller = again(Retransmission::SmallerMtu { mtu: 1_400 });
    let trigger = Trigger::MtuLowered { mtu: 1_400 };
    assert_eq!(d.sends(seg("ACK", 1, 1, 1_360), trigger), smaller);
    // The rest follows when acknowledgments let it, still because of the MTU.
    d.hears(seg("ACK", 1, 1_361, 0));
    assert_eq!(d.sends(seg("ACK", 1_361, 1, 1_360), Segment), smaller);
    d.hears(seg("ACK", 1, 2_721, 0));
    assert_eq!(d.sends(seg("ACK", 2_721, 1, 300), Segment), smaller);
    d.wait(1_000);
    assert_eq!(d.sends(seg("ACK", 2_721, 1, 300), Timer), timeout(1_000, 1));
}

#[test]
fn a_smaller_mtu_is_remembered_until_the_timer_sends_again() {
    let mut d = Dialogue::client();
    d.sends(seg("ACK", 1, 1, 1_460), Application);
    d.sends(seg("ACK", 1_461, 1, 100), Application);
    d.history.mtu_lowered(576);
    d.wait(1_000);
    assert_eq!(d.sends(seg("ACK", 1, 1, 536), Timer), again(Retransmission::SmallerMtu { mtu: 576 }));
    assert_eq!(d.sends(seg("ACK", 1_461, 1, 100), Timer), again(Retransmission::Recovery));
}

#[test]
fn an_orderly_close_tells_who_answers_whom() {
    let mut d = Dialogue::client();
    assert_eq!(d.sends(seg("FIN ACK", 1, 1, 10), Application), fin(true, false));
    assert!(!d.history.fin_sent_and_acked());
    assert_eq!(d.hears(seg("ACK", 1, 12, 0)), ack(AckReason::Fin));
    assert!(d.history.fin_sent_and_acked() && !d.history.fin_received());
    assert_eq!(d.hears(seg("FIN ACK", 1, 12, 0)), fin(false, true));
    assert!(d.history.fin_received() && !d.history.peers_fin_acked());
    assert_eq!(d.sends(seg("ACK", 12, 2, 0), Segment), ack(AckReason::Fin));
    assert!(d.history.peers_fin_acked());
    assert_eq!((d.history.bytes_sent_acked(), d.history.bytes_received()), (10, 0));
    assert_eq!((d.history.snd_nxt(), d.history.rcv_nxt()), (OURS.wrapping_add(12), THEIRS.wrapping_add(2)));
}

#[test]
fn a_fin_that_answers_a_fin_says_so() {
    let mut d = Dialogue::client();
    d.hears(seg("FIN ACK", 1, 1, 5));
    assert_eq!(d.sends(seg("ACK", 1, 7, 0), Segment), ack(AckReason::Fin));
    assert_eq!(d.sends(seg("FIN ACK", 1, 7, 0), Application), fin(false, true));
    d.wait(1_000);
    assert_eq!(d.sends(seg("FIN ACK", 1, 7, 0), Timer), timeout(1_000, 1));
    assert_eq!(d.hears(seg("ACK", 7, 2, 0)), ack(AckReason::Fin));
}

#[test]
fn in_a_simultaneous_close_no_fin_answers_the_other() {
    let mut d = Dialogue::client();
    assert_eq!(d.sends(seg("FIN ACK", 1, 1, 0), Application), fin(false, false));
    assert_eq!(d.hears(seg("FIN ACK", 1, 1, 0)), fin(false, false));
    assert_eq!(d.sends(seg("ACK", 2, 2, 0), Segment), ack(AckReason::Fin));
    assert_eq!(d.hears(seg("ACK", 2, 2, 0)), ack(AckReason::Fin));
}

#[test]
fn a_repeated_fin_is_acknowledged_again() {
    let mut d = Dialogue::client();
    d.hears(seg("FIN ACK", 1, 1, 0));
    d.sends(seg("ACK", 1, 2, 0), Segment);
    let (reason, discard) = d.judges(seg("FIN ACK", 1, 1, 0));
    assert_eq!((reason, discard), (again(Retransmission::SeenBefore), Some(DropReason::OldDuplicate)));
    assert_eq!(d.sends(seg("ACK", 1, 2, 0), Segment), ack(AckReason::Fin));
}

#[test]
fn a_fin_beyond_a_hole_counts_only_once_the_engine_acknowledges_it() {
    let mut d = Dialogue::client();
    d.hears(seg("FIN ACK", 101, 1, 100));
    d.sends(seg("ACK", 1, 1, 0), Segment);
    d.hears(seg("ACK", 1, 1, 100));
    assert!(!d.history.fin_received());
    // An engine that has forgotten it acknowledges the data alone ...
    assert_eq!(d.sends(seg("ACK", 1, 201, 0), Segment), ack(AckReason::HoleFilled));
    assert_eq!(d.hears(seg("FIN ACK", 201, 1, 0)), fin(false, false));
    assert!(d.history.fin_received());
    // ... and one that kept it acknowledges both.
    let mut d = Dialogue::client();
    d.hears(seg("FIN ACK", 101, 1, 100));
    d.sends(seg("ACK", 1, 1, 0), Segment);
    d.hears(seg("ACK", 1, 1, 100));
    d.sends(seg("ACK", 1, 202, 0), Segment);
    assert!(d.history.fin_received());
    assert_eq!(d.history.bytes_received(), 200);
}

#[test]
fn a_program_that_reads_makes_a_window_update() {
    let mut d = Dialogue::client();
    d.hears(seg("ACK", 1, 1, 1_000));
    d.sends(seg("ACK", 1, 1_001, 0).win(100), Segment);
    assert_eq!(d.sends(seg("ACK", 1, 1_001, 0).win(5_000), Application), ack(AckReason::WindowUpdate));
    d.hears(seg("ACK", 1_001, 1, 10));
    assert_eq!(d.sends(seg("ACK", 1, 1_011, 0).win(9_000), Application), ack(AckReason::WindowUpdate));
    assert_eq!(d.hears(seg("ACK", 1_011, 1, 0).win(20_000)), ack(AckReason::WindowUpdate));
}

#[test]
fn a_closed_window_is_probed_and_the_probe_is_answered() {
    let mut d = Dialogue::client();
    d.sends(seg("ACK", 1, 1, 1_000), Application);
    assert_eq!(d.hears(seg("ACK", 1, 1_001, 0).win(0)), ack(AckReason::Data));
    d.wait(1_000);
    assert_eq!(d.sends(seg("ACK", 1_001, 1, 1), Timer), SegmentReason::ZeroWindowProbe);
    assert!(d.history.in_flight_contains(OURS.wrapping_add(1_001)));
    assert_eq!(d.hears(seg("ACK", 1, 1_001, 0).win(0)), ack(AckReason::ProbeAnswer));
    d.wait(2_000);
    assert_eq!(d.sends(seg("ACK", 1_001, 1, 1), Timer), SegmentReason::ZeroWindowProbe);
    assert_eq!(d.hears(seg("ACK", 1, 1_001, 0).win(4_000)), ack(AckReason::WindowUpdate));
    assert_eq!(d.sends(seg("ACK", 1_001, 1, 1_000), Segment), data(false));
    assert_eq!(d.history.retransmissions(), 0);
}

#[test]
fn a_probe_that_is_taken_counts_as_sent() {
    let mut d = Dialogue::client();
    d.hears(seg("ACK", 1, 1, 0).win(0));
    d.sends(seg("ACK", 1, 1, 1), Timer);
    assert_eq!(d.hears(seg("ACK", 1, 2, 0).win(4_000)), ack(AckReason::Data));
    assert_eq!(d.history.bytes_sent_acked(), 1);
    assert_eq!(d.sends(seg("ACK", 2, 1, 500), Segment), data(false));
}

#[test]
fn a_peer_probes_our_closed_window_by_a_byte_or_by_nothing() {
    let mut d = Dialogue::client();
    d.hears(seg("ACK", 1, 1, 1_000));
    d.sends(seg("ACK", 1, 1_001, 0).win(0), Segment);
    assert_eq!(d.hears(seg("ACK", 1_001, 1, 1)), SegmentReason::ZeroWindowProbe);
    assert_eq!(d.sends(seg("ACK", 1, 1_001, 0).win(0), Segment), ack(AckReason::ProbeAnswer));
    assert_eq!(d.hears(seg("ACK", 1_000, 1, 0)), SegmentReason::ZeroWindowProbe);
    assert_eq!(d.sends(seg("ACK", 1, 1_001, 0).win(0), Segment), ack(AckReason::ProbeAnswer));
    assert_eq!(d.history.bytes_received(), 1_000);
}

#[test]
fn a_closed_window_still_takes_a_fin() {
    let mut d = Dialogue::client();
    d.sends(seg("ACK", 1, 1, 0).win(0), Segment);
    assert_eq!(d.hears(seg("FIN ACK", 1, 1, 0)), fin(false, false));
    assert!(d.history.fin_received());
}

#[test]
fn an_idle_connection_is_kept_alive_with_and_without_a_byte() {
    for garbage in [0, 1] {
        let mut d = Dialogue::client();
        d.sends(seg("ACK", 1, 1, 100), Application);
        d.hears(seg("ACK", 1, 101, 0));
        d.wait(60_000);
        assert_eq!(d.sends(seg("ACK", 100, 1, garbage), Timer), SegmentReason::KeepAlive);
        assert_eq!(d.hears(seg("ACK", 1, 101, 0)), ack(AckReason::ProbeAnswer));
        assert_eq!(d.hears(seg("ACK", 0, 101, garbage)), SegmentReason::KeepAlive);
        assert_eq!(d.sends(seg("ACK", 101, 1, 0), Segment), ack(AckReason::ProbeAnswer));
        assert_eq!(d.history.retransmissions(), 0);
    }
}

#[test]
fn one_lost_byte_sent_again_is_no_keep_alive() {
    let mut d = Dialogue::client();
    d.sends(seg("ACK", 1, 1, 1), Application);
    d.wait(1_000);
    assert_eq!(d.sends(seg("ACK", 1, 1, 1), Timer), timeout(1_000, 1));
}

#[test]
fn what_cannot_be_accepted_is_challenged() {
    let mut d = Dialogue::client();
    let (_, discard) = d.judges(seg("ACK", 1, 5_000, 0));
    assert_eq!(discard, Some(DropReason::UnacceptableAck));
    assert_eq!(d.sends(seg("ACK", 1, 1, 0), Segment), ack(AckReason::Challenge));
    let (reason, discard) = d.judges(seg("SYN", 77, 0, 0));
    assert_eq!((reason, discard), (SegmentReason::Open, Some(DropReason::UnexpectedSyn)));
    assert_eq!(d.sends(seg("ACK", 1, 1, 0), Segment), ack(AckReason::Challenge));
    let (_, discard) = d.judges(seg("ACK", 50_000, 1, 10));
    assert_eq!(discard, Some(DropReason::OutOfWindow));
    assert_eq!(d.sends(seg("ACK", 1, 1, 0), Segment), ack(AckReason::Challenge));
}

#[test]
fn a_challenge_that_was_never_sent_explains_nothing_later() {
    let mut d = Dialogue::client();
    d.judges(seg("ACK", 50_000, 1, 0));
    d.hears(seg("ACK", 1, 1, 100));
    d.wait(10);
    assert_eq!(d.sends(seg("ACK", 1, 101, 0), Timer), ack(AckReason::Delayed));
}

#[test]
fn a_repeated_syn_ack_gets_the_third_step_again() {
    let mut d = Dialogue::client();
    let (reason, discard) = d.judges(seg("SYN ACK", 0, 1, 0));
    assert_eq!((reason, discard), (again(Retransmission::SeenBefore), Some(DropReason::OldDuplicate)));
    assert_eq!(d.sends(seg("ACK", 1, 1, 0), Segment), ack(AckReason::Handshake));
}

#[test]
fn an_answer_to_another_syn_is_not_taken() {
    let mut d = Dialogue::new(Role::Active);
    d.sends(seg("SYN", 0, 0, 0), Application);
    let (_, discard) = d.judges(seg("SYN ACK", 0, 77, 0));
    assert_eq!(discard, Some(DropReason::UnacceptableAck));
    let (reason, discard) = d.judges(seg("ACK", 700, 77, 0));
    assert_eq!((reason, discard), (ack(AckReason::Challenge), Some(DropReason::UnacceptableAck)));
    assert_eq!(d.sends(seg("RST", 77, 0, 0), Segment), SegmentReason::Reset(ResetReason::NoSocket));
    assert_eq!(d.hears(seg("SYN ACK", 0, 1, 0)), SegmentReason::OpenAnswer);
}

#[test]
fn a_reset_counts_only_inside_the_window() {
    let by_peer = SegmentReason::Reset(ResetReason::ByPeer);
    let mut d = Dialogue::new(Role::Active);
    d.sends(seg("SYN", 0, 0, 0), Application);
    assert_eq!(d.judges(seg("RST", 0, 0, 0)), (by_peer.clone(), Some(DropReason::OutOfWindow)));
    assert_eq!(d.judges(seg("RST ACK", 0, 1, 0)), (by_peer.clone(), None));
    let mut d = Dialogue::client();
    assert_eq!(d.judges(seg("RST", 50_000, 0, 0)), (by_peer.clone(), Some(DropReason::OutOfWindow)));
    assert_eq!(d.judges(seg("RST", 1, 0, 0)), (by_peer, None));
}

#[test]
fn a_reset_of_ours_is_explained_by_what_made_it() {
    let mut d = Dialogue::client();
    let rst = || seg("RST ACK", 1, 1, 0);
    assert_eq!(d.sends(rst(), Application), SegmentReason::Reset(ResetReason::Aborted));
    assert_eq!(d.sends(rst(), Timer), SegmentReason::Reset(ResetReason::TimedOut));
    d.hears(seg("ACK", 1, 1, 10));
    assert_eq!(d.sends(rst(), Segment), SegmentReason::Reset(ResetReason::DataAfterClose));
}

#[test]
fn a_peer_that_reports_a_duplicate_says_so_by_sack() {
    let mut d = Dialogue::client();
    d.sends(seg("ACK", 1, 1, 100), Application);
    d.hears(seg("ACK", 1, 101, 0));
    d.sends(seg("ACK", 101, 1, 100), Application);
    assert_eq!(d.hears(seg("ACK", 1, 101, 0).sack(1, 101)), ack(AckReason::Duplicate));
    assert_eq!(d.hears(seg("ACK", 1, 101, 0).win(20_000).sack(151, 201)), ack(AckReason::OutOfOrder));
}

#[test]
fn an_ack_overtaken_by_a_later_one_is_an_old_duplicate() {
    let mut d = Dialogue::client();
    d.sends(seg("ACK", 1, 1, 200), Application);
    d.hears(seg("ACK", 1, 201, 0));
    let (_, discard) = d.judges(seg("ACK", 1, 101, 0));
    assert_eq!(discard, Some(DropReason::OldDuplicate));
    assert_eq!(d.history.bytes_sent_acked(), 200);
}

#[test]
fn windows_are_scaled_only_if_both_syns_offer_it() {
    let segment = Dialogue::header(&seg("ACK", 1, 1, 0).win(100), OURS, THEIRS);
    let mut d = Dialogue::new(Role::Active);
    d.sends(seg("SYN", 0, 0, 0).scaled(7), Application);
    d.hears(seg("SYN ACK", 0, 1, 0).scaled(3));
    assert_eq!(d.history.scaled_window(&segment, Direction::Out), 100 << 7);
    assert_eq!(d.history.scaled_window(&segment, Direction::In), 100 << 3);
    let syn = Dialogue::header(&seg("SYN", 0, 0, 0).win(100), OURS, THEIRS);
    assert_eq!(d.history.scaled_window(&syn, Direction::Out), 100);
    let mut d = Dialogue::new(Role::Active);
    d.sends(seg("SYN", 0, 0, 0).scaled(7), Application);
    d.hears(seg("SYN ACK", 0, 1, 0));
    assert_eq!(d.history.scaled_window(&segment, Direction::Out), 100);
}

#[test]
fn numbers_are_shown_from_each_sides_own_beginning() {
    let d = Dialogue::client();
    let ours = Dialogue::header(&seg("ACK", 101, 201, 0), OURS, THEIRS);
    let theirs = Dialogue::header(&seg("RST", 5, 0, 0), THEIRS, OURS);
    assert_eq!(d.history.relative(&ours, Direction::Out), (101, Some(201)));
    assert_eq!(d.history.relative(&theirs, Direction::In), (5, None));
    assert_eq!(SegmentHistory::new(Role::Active).relative(&ours, Direction::Out), (0, Some(0)));
}

#[test]
fn only_what_is_sent_and_unacknowledged_is_in_flight() {
    let mut d = Dialogue::client();
    d.sends(seg("ACK", 1, 1, 100), Application);
    d.sends(seg("ACK", 101, 1, 100), Application);
    d.hears(seg("ACK", 1, 101, 0));
    let at = |seq: i64| OURS.wrapping_add(seq as u32);
    let inside = [0, 100, 101, 200, 201].map(|seq| d.history.in_flight_contains(at(seq)));
    assert_eq!(inside, [false, false, true, true, false]);
}

mod anything {
    use super::*;
    use proptest::prelude::*;

    fn any_segment() -> impl Strategy<Value = Seg> {
        let number = prop_oneof![0..5_i64, 0..4_000_i64, any::<u32>().prop_map(i64::from)];
        (any::<u8>(), number.clone(), number, 0..3_000_usize, any::<u16>()).prop_map(
            |(flags, seq, ack, len, window)| Seg { flags, seq, ack, len, window, options: Vec::new() },
        )
    }

    fn any_trigger() -> impl Strategy<Value = Trigger> {
        prop_oneof![
            Just(Application),
            Just(Segment),
            Just(Timer),
            (0..2_000_usize).prop_map(|mtu| Trigger::MtuLowered { mtu })
        ]
    }

    proptest! {
        #[test]
        fn no_conversation_makes_it_panic(
            open in any::<bool>(),
            talk in prop::collection::vec((any::<bool>(), any_segment(), any_trigger()), 0..60),
        ) {
            let mut d = if open { Dialogue::client() } else { Dialogue::new(Role::Passive) };
            for (ours, segment, trigger) in talk {
                if ours {
                    d.sends(segment, trigger);
                } else {
                    d.judges(segment);
                }
                let _ = (d.history.bytes_received(), d.history.bytes_sent_acked(), d.history.snd_nxt());
            }
        }

        #[test]
        fn whatever_the_order_all_bytes_are_counted_once(
            order in Just((0..12_i64).collect::<Vec<_>>()).prop_shuffle(), repeats in prop::collection::vec(0..12_i64, 0..8),
        ) {
            let mut d = Dialogue::client();
            for piece in order.into_iter().chain(repeats) {
                d.judges(seg("ACK", 1 + piece * 100, 1, 100));
            }
            prop_assert_eq!(d.history.bytes_received(), 1_200);
        }
    }
}
