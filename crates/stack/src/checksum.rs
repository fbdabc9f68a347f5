//! The Internet checksum (RFC 1071).

use std::net::Ipv4Addr;

/// The checksum of `parts` laid end to end, as it is written into a header whose checksum field
/// counts as zero. Over data that holds its right checksum already, the result is 0.
pub fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    let mut at_odd_offset = false;
    for part in parts {
        let own = fold(sum_of_words(part));
        // RFC 1071 2 (B): a sum of bytes that start at an odd offset is the byte-swapped sum.
        sum += u64::from(if at_odd_offset { own.swap_bytes() } else { own });
        at_odd_offset ^= part.len() % 2 == 1;
    }
    !fold(sum)
}

/// The pseudo-header that TCP and UDP add to their checksums (RFC 9293 3.1, RFC 768).
pub fn pseudo_header(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, length: usize) -> [u8; 12] {
    let [s0, s1, s2, s3] = source.octets();
    let [d0, d1, d2, d3] = destination.octets();
    // An IPv4 payload is shorter than 64 KiB; anything longer cannot match what the peer computes.
    let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    [s0, s1, s2, s3, d0, d1, d2, d3, 0, protocol, high, low]
}

/// RFC 1071 2 (C): any word size gives the same sum, so four bytes are added at a time.
fn sum_of_words(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut sum: u64 = words.iter().map(|word| u64::from(u32::from_be_bytes(*word))).sum();
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    sum += u64::from(u32::from_be_bytes(last));
    sum
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    // Never truncates: the loop ended.
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_rfc_1071_comes_out() {
        // RFC 1071 3: 0001 f203 f4f5 f6f7 sums to ddf2.
        let data = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(checksum(&[&data]), !0xddf2);
    }

    #[test]
    fn data_with_its_right_checksum_comes_to_zero() {
        let mut data = [0x45, 0x00, 0x12, 0x34, 0x00, 0x00, 0xff];
        let [high, low] = checksum(&[&data]).to_be_bytes();
        data[4] = high;
        data[5] = low;
        assert_eq!(checksum(&[&data]), 0);
    }

    #[test]
    fn nothing_at_all_has_the_checksum_of_zeros() {
        assert_eq!(checksum(&[]), 0xffff);
        assert_eq!(checksum(&[&[], &[0, 0]]), 0xffff);
    }

    proptest! {
        #[test]
        fn where_the_parts_are_cut_makes_no_difference(
            data in prop::collection::vec(any::<u8>(), 0..200), a in any::<usize>(), b in any::<usize>(),
        ) {
            let first = a % (data.len() + 1);
            let second = first + b % (data.len() - first + 1);
            let parts = [&data[..first], &data[first..second], &data[second..]];
            prop_assert_eq!(checksum(&parts), by_the_book(&data));
        }
    }

    /// RFC 1071 1, word by word.
    fn by_the_book(data: &[u8]) -> u16 {
        let mut sum = 0_u32;
        for pair in data.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }
}
