//! Any bytes on the wire: a counted drop or a clear outcome, never a panic, and the host lives on.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod pair;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use pair::{Pair, SERVER, forge, packets};
use proptest::prelude::*;
use std::net::SocketAddr;

const ETHERNET: [u8; 14] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];

/// After everything that was injected, a connection still works.
fn still_serves(pair: &mut Pair) {
    let port: SocketAddr = (SERVER, 80).into();
    let listener = pair.server.listen(port).unwrap();
    let client = pair.client.clone();
    let answer = pair.run(async move {
        let serve = async {
            let mut stream = listener.accept().await;
            stream.write_all(b"alive").await.unwrap();
            stream.close().await.unwrap();
        };
        let ask = async {
            let mut answer = Vec::new();
            client.connect(port).await.unwrap().read_to_end(&mut answer).await.unwrap();
            answer
        };
        futures_util::join!(serve, ask).1
    });
    assert_eq!(answer, b"alive");
}

/// An IPv4 packet with a right header checksum around anything, fragment or not.
fn ipv4(protocol: u8, flags_and_offset: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = packets::ipv4(1, [10, 0, 0, 1], protocol, payload);
    frame[20..22].copy_from_slice(&flags_and_offset.to_be_bytes());
    frame[24..26].fill(0);
    let sum = forge::checksum(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum.to_be_bytes());
    frame
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_frames_do_no_harm(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..40)) {
        let mut pair = Pair::new();
        for frame in frames {
            pair.inject(0, frame.clone());
            pair.inject(0, [&ETHERNET[..], &frame].concat());
        }
        still_serves(&mut pair);
    }

    #[test]
    fn random_payloads_in_well_formed_packets_do_no_harm(
        packets in prop::collection::vec(
            (prop::sample::select(vec![1_u8, 6, 17, 99]), any::<u16>(), prop::collection::vec(any::<u8>(), 0..120)),
            1..40,
        )
    ) {
        let mut pair = Pair::new();
        for (protocol, flags_and_offset, payload) in packets {
            pair.inject(0, ipv4(protocol, flags_and_offset & 0x3fff, &payload));
        }
        still_serves(&mut pair);
    }
}
