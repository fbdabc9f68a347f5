//! `glasstack dnsd` among clients that mean no good, or are broken: it goes on answering the others, and
//! keeps its memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, reason = "the clients are made of the kernel's own sockets")]
#![allow(clippy::disallowed_methods, reason = "real peers live in real time")]

mod dns;
mod support;

use dns::dig::ask;
use dns::ours::{OURS, authority};
use dns::plan::file_of;
use dns::sign;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::time::{Duration, Instant};
use support::{Network, Server, with_real_peers};

/// The memory that it may take while it is ill-treated, in kB: it has 30 000 in a build with debug
/// assertions.
const MOST_MEMORY: usize = 200_000;

fn with_our_authority(body: fn(&Network, &Server)) {
    with_real_peers(&["dig", "dnssec-signzone"], move |network| {
        let zones = ["plain.test", "rsa.test"].map(|name| {
            let file = network.write(&file_of(name), &sign::all().texts[name]);
            (name.to_owned(), file)
        });
        let ours = authority(network, &zones, &[]);
        body(network, &ours);
        is_well(network, &ours);
    });
}

/// It still runs, is not bloated, and answers over UDP and TCP.
#[track_caller]
fn is_well(network: &Network, ours: &Server) {
    let memory = ours.memory_kb();
    assert!(memory < MOST_MEMORY, "{memory} kB");
    for transport in ["+notcp", "+tcp"] {
        let www = ask(network, OURS, &format!("www.plain.test A {transport}")).is("NOERROR");
        assert_eq!(www.data("A"), ["203.0.113.80"]);
    }
}

/// The octets of a question, without EDNS.
fn question(id: u16, name: &str, record_type: u8) -> Vec<u8> {
    let mut query = id.to_be_bytes().to_vec();
    query.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend(label.bytes());
    }
    query.extend([0, 0, record_type, 0, 1]);
    query
}

/// The same with its length before it (RFC 1035 4.2.2).
fn framed(message: &[u8]) -> Vec<u8> {
    let mut framed = u16::try_from(message.len()).unwrap().to_be_bytes().to_vec();
    framed.extend(message);
    framed
}

/// Numbers that look like chance, the same at every run (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % below
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.roll(256)).unwrap()
    }
}

fn connected() -> TcpStream {
    let stream = TcpStream::connect((OURS, 53)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

#[test]
fn datagrams_of_garbage_are_survived_and_not_amplified() {
    with_our_authority(|_, _| {
        let socket = UdpSocket::bind("192.0.2.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.connect((OURS, 53)).unwrap();
        let mut dice = Dice(47);
        let (mut sent, mut received) = (0, 0);
        let mut buffer = [0; 65_535];
        for round in 0..3000 {
            let garbage = match round % 4 {
                0 => (0..dice.roll(600)).map(|_| dice.byte()).collect(),
                // A question with some octets changed, one that is cut off, one with something behind it.
                kind => {
                    let mut query = question(7, "www.plain.test", 1);
                    match kind {
                        1 => (0..=dice.roll(4)).for_each(|_| {
                            let at = dice.roll(query.len());
                            query[at] = dice.byte();
                        }),
                        2 => query.truncate(dice.roll(query.len())),
                        _ => query.extend((0..dice.roll(40)).map(|_| 0xc0)),
                    }
                    query
                }
            };
            sent += garbage.len();
            let _ = socket.send(&garbage);
            if round % 50 == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
            while let Ok(length) = socket.recv(&mut buffer) {
                received += length;
            }
        }
        assert!(received < 3 * sent, "{received} octets for {sent}");
    });
}

#[test]
fn responses_and_messages_that_are_no_questions_are_not_answered_with_more_of_their_kind() {
    with_our_authority(|_, _| {
        let socket = UdpSocket::bind("192.0.2.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        socket.connect((OURS, 53)).unwrap();
        let mut response = question(7, "www.plain.test", 1);
        response[2] = 0x84;
        socket.send(&response).unwrap();
        assert!(socket.recv(&mut [0; 512]).is_err(), "two servers would answer each other for ever");
        // Eleven octets have no id that could be answered.
        socket.send(&[0; 11]).unwrap();
        assert!(socket.recv(&mut [0; 512]).is_err());
    });
}

#[test]
fn connections_that_say_nothing_do_not_keep_others_out_for_long() {
    with_our_authority(|network, ours| {
        let idle: Vec<TcpStream> = (0..400).map_while(|_| TcpStream::connect((OURS, 53)).ok()).collect();
        assert!(idle.len() >= 10, "{}", idle.len());
        let begun = Instant::now();
        // Not at once, if all places are taken, but when the first of them is given up.
        ours.until(|| {
            let www = ask(network, OURS, "www.plain.test A +tcp +tries=1 +timeout=2");
            www.status == "NOERROR"
        });
        assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
        let over_udp = ask(network, OURS, "www.plain.test A +notcp");
        assert_eq!(over_udp.status, "NOERROR");
    });
}

#[test]
fn a_client_that_sends_an_octet_at_a_time_is_waited_for_but_not_for_ever() {
    with_our_authority(|network, ours| {
        let mut slow = connected();
        slow.set_nodelay(true).unwrap();
        for octet in framed(&question(7, "www.plain.test", 1)) {
            slow.write_all(&[octet]).unwrap();
            std::thread::sleep(Duration::from_millis(3));
        }
        let mut length = [0; 2];
        slow.read_exact(&mut length).unwrap();
        assert!(u16::from_be_bytes(length) > 30);
        // One that stops in the middle of a message is sent away in the end, and disturbs nobody.
        let mut stuck = connected();
        stuck.write_all(&framed(&question(7, "www.plain.test", 1))[..9]).unwrap();
        is_well(network, ours);
        let ended = stuck.read(&mut [0; 16]);
        assert!(
            matches!(ended, Ok(0)) || ended.is_err_and(|error| is_reset(&error)),
            "it is still connected"
        );
    });
}

fn is_reset(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::ConnectionReset
}

#[test]
fn many_questions_in_one_go_are_all_answered_over_one_connection() {
    with_our_authority(|_, _| {
        let mut stream = connected();
        let all: Vec<u8> = (0..60).flat_map(|id| framed(&question(id, "www.plain.test", 1))).collect();
        stream.write_all(&all).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut ids: Vec<u16> = (0..60)
            .map(|_| {
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut answer).unwrap();
                u16::from_be_bytes([answer[0], answer[1]])
            })
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..60).collect::<Vec<_>>());
    });
}

#[test]
fn clients_that_ask_and_never_read_fill_no_memory() {
    with_our_authority(|network, ours| {
        let greedy: Vec<TcpStream> = (0..8)
            .map(|_| {
                let mut stream = connected();
                stream.set_nonblocking(true).unwrap();
                // 60 MB of answers, were they all made.
                let all: Vec<u8> =
                    (0..10_000).flat_map(|id| framed(&question(id, "big.plain.test", 16))).collect();
                let _ = stream.write_all(&all);
                stream
            })
            .collect();
        is_well(network, ours);
        std::thread::sleep(Duration::from_millis(500));
        is_well(network, ours);
        drop(greedy);
    });
}

#[test]
fn messages_over_tcp_that_are_none_end_their_connection_alone() {
    with_our_authority(|network, ours| {
        let mut beside = connected();
        for wrong in
            [&[0, 0][..], &[0, 3, 1, 2, 3], &[0xff, 0xff, 1], &[0, 12, 0, 7, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
        {
            let mut stream = connected();
            stream.write_all(wrong).unwrap();
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
            is_well(network, ours);
        }
        beside.write_all(&framed(&question(9, "www.plain.test", 1))).unwrap();
        let mut start = [0; 4];
        beside.read_exact(&mut start).unwrap();
        assert_eq!(start[2..], [0, 9]);
    });
}

#[test]
fn connections_that_come_and_go_by_the_hundred_leave_nothing_behind() {
    with_our_authority(|network, ours| {
        let before = ours.memory_kb();
        for round in 0..600 {
            let mut stream = connected();
            match round % 3 {
                0 => {}
                1 => stream.write_all(&[0]).unwrap(),
                _ => {
                    stream.write_all(&framed(&question(round, "www.plain.test", 1))).unwrap();
                    stream.read_exact(&mut [0; 14]).unwrap();
                }
            }
        }
        is_well(network, ours);
        let grown = ours.memory_kb().saturating_sub(before);
        assert!(grown < 50_000, "{grown} kB more");
    });
}
