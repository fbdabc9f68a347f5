//! Sequence numbers, modulo 2^32 (RFC 9293 3.4), and positions, which do not wrap.

/// A stretch of a stream: the positions that a segment occupies, SYN and FIN included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: i64,
    /// Behind the last.
    pub end: i64,
}

impl Span {
    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(super) fn len(self) -> i64 {
        self.end - self.start
    }
}

/// The position that `seq` names in a stream that began at `isn` and has come to about `near`.
pub(super) fn position(isn: u32, near: i64, seq: u32) -> i64 {
    // The low 32 bits of a position are its distance from the initial number, modulo 2^32.
    let near_number = isn.wrapping_add(near as u32);
    near + i64::from(seq.wrapping_sub(near_number).cast_signed())
}

/// The sequence number at a position.
pub(super) fn number(isn: u32, position: i64) -> u32 {
    isn.wrapping_add(position as u32)
}

/// A window in bytes. RFC 7323 2.3: a shift above 14 counts as 14.
pub(super) fn scale(window: u16, shift: u8) -> u32 {
    u32::from(window) << shift.min(14)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_go_on_where_sequence_numbers_wrap() {
        let isn = 0xffff_fff0;
        assert_eq!(position(isn, 0, 0xffff_fff0), 0);
        assert_eq!(position(isn, 0x0e, 0x0000_0010), 0x20);
        assert_eq!(number(isn, 0x20), 0x0000_0010);
        let far = 5 * (1 << 32) + 7;
        assert_eq!(position(isn, far, number(isn, far - 1_000)), far - 1_000);
        assert_eq!(position(isn, far, number(isn, far + 1_000)), far + 1_000);
    }

    #[test]
    fn a_number_from_before_the_beginning_has_a_negative_position() {
        assert_eq!(position(10, 1, 5), -5);
    }

    #[test]
    fn a_shift_above_14_counts_as_14() {
        assert_eq!(scale(1, 200), 1 << 14);
    }
}
