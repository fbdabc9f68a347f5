//! Whatever goes over the wire, reading along ends: no panic, bounded work, and the connection never
//! knows.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod world;

use glasstack_tls::observe::any_bytes;
use glasstack_tls::{TlsClientConfig, TlsServerConfig, TlsVersion};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use world::{Ca, World, server_params};

/// What both ends of a handshake sent, as `any_bytes` takes it.
fn handshake(version: TlsVersion) -> Vec<u8> {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let identity = ca.identity(server_params(&["www.lab.test"]));
    let mut client = TlsClientConfig::new(ca.trust());
    client.max_version = version;
    let server = TlsServerConfig::new(vec![identity]);
    let shaken = world.shake(&world.client(client), &world.server(server), "www.lab.test");
    let mut data = vec![0];
    for (step, bytes) in [(0, shaken.tap.client_sent()), (1, shaken.tap.server_sent())] {
        data.push(step);
        data.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
        data.extend(bytes);
    }
    data
}

#[test]
fn bytes_that_somebody_has_changed_are_read_along_to_an_end() {
    let mut chance = ChaCha20Rng::seed_from_u64(1);
    let mut below = |limit: usize| chance.next_u32() as usize % limit;
    let genuine = [handshake(TlsVersion::Tls13), handshake(TlsVersion::Tls12)];
    assert!(genuine.iter().all(|data| any_bytes(data) > 3));
    let mut told = 0;
    for _ in 0..4_000 {
        let mut data = genuine[below(2)].clone();
        for _ in 0..=below(8) {
            let at = below(data.len());
            match below(4) {
                0 => data[at] = below(256) as u8,
                1 => data[at] ^= 1 << below(8),
                2 => data.truncate(at.max(1)),
                _ => drop(data.splice(at..at, std::iter::repeat_n(below(256) as u8, below(40)))),
            }
        }
        told += any_bytes(&data);
    }
    assert!(told > 4_000, "{told}");
}

#[test]
fn messages_of_any_bytes_are_read_along_to_an_end() {
    let mut chance = ChaCha20Rng::seed_from_u64(2);
    let mut told = 0;
    for _ in 0..4_000 {
        // A step that says what a record contains which could be opened: a message of any kind.
        let mut data = vec![0];
        for _ in 0..4 {
            let kind = [0, 1, 2, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 22, 24, 25];
            let mut body = vec![0; chance.next_u32() as usize % 120];
            chance.fill_bytes(&mut body);
            let header = [kind[chance.next_u32() as usize % kind.len()], 0, 0, body.len() as u8];
            data.extend([2 << 4 | 5 << 1 | (chance.next_u32() & 1) as u8]);
            data.extend(u16::try_from(body.len() + 4).unwrap().to_be_bytes());
            data.extend(header);
            data.extend(body);
        }
        told += any_bytes(&data);
    }
    assert!(told > 4_000, "{told}");
}
