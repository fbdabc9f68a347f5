//! Our stack and the kernel's on the two ends of a real device.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::disallowed_types,
    reason = "the kernel's side of each conversation is made of its own sockets"
)]

mod support;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Arp, Event};
use glasstack_journal::journal::Recorder;
use glasstack_stack::{ConnectError, Host, PingOptions, World};
use glasstack_uplink::{Addressing, Mode, TapConfig, TapDevice, TapWorld, WorldError, WorldThread};
use nix::sys::socket::{
    self, AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, sockopt,
};
use nix::sys::time::TimeVal;
use std::future::{Future, poll_fn};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;
use support::{in_a_fresh_namespace, shell};

const KERNEL: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 71, 83, 1));
const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 71, 83, 2));
/// Far beyond what anything here takes; a test that hangs fails.
const LIMIT: Duration = Duration::from_secs(20);

/// A world with one host on a new device.
fn world_on(mode: Mode) -> (TapWorld, Host) {
    let device = TapDevice::open(&TapConfig { mode, ..TapConfig::default() }).unwrap();
    let addressing = Addressing::choose(device.host_side(), None, None).unwrap();
    let mut world = TapWorld::new().unwrap();
    let host = world.add_host(addressing.host_config("ours").unwrap(), device).unwrap();
    assert_eq!(host.address(), OURS);
    (world, host)
}

/// Runs until `story` is told, but not for ever.
fn tell<T>(world: &mut TapWorld, host: &Host, story: impl Future<Output = T>) -> T {
    world.run(host.timeout(LIMIT, story)).unwrap().unwrap()
}

/// Runs `body` on a thread, which lies in the caller's network namespace, and resolves to what it
/// returns.
fn on_the_kernels_side<T: Send + 'static>(
    body: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> {
    let slot: Arc<Mutex<(Option<T>, Option<Waker>)>> = Arc::new(Mutex::new((None, None)));
    let filled = Arc::clone(&slot);
    let spawned = std::thread::Builder::new().spawn(move || {
        let result = body();
        let mut slot = filled.lock().unwrap();
        slot.0 = Some(result);
        if let Some(waker) = slot.1.take() {
            waker.wake();
        }
    });
    spawned.unwrap();
    poll_fn(move |context| {
        let mut slot = slot.lock().unwrap();
        slot.1 = Some(context.waker().clone());
        slot.0.take().map_or(Poll::Pending, Poll::Ready)
    })
}

/// What the other end of a bulk transfer must be able to check.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect()
}

#[test]
fn we_ping_the_kernel() {
    for mode in [Mode::Tap, Mode::Tun] {
        in_a_fresh_namespace(move || {
            let (mut world, host) = world_on(mode);
            let reply = tell(&mut world, &host, host.ping(KERNEL, &PingOptions::default())).unwrap();
            assert_eq!((reply.from, reply.seq, reply.length, reply.ttl), (KERNEL, 1, 56, 64));
        });
    }
}

#[test]
fn the_kernel_pings_us() {
    for mode in [Mode::Tap, Mode::Tun] {
        in_a_fresh_namespace(move || {
            let (mut world, host) = world_on(mode);
            let reply = tell(&mut world, &host, on_the_kernels_side(kernel_pings_us));
            assert_eq!(reply.get(..2), Some(&[0, 0][..]), "type 0, echo reply");
            assert_eq!(reply.get(8..), Some(&b"is anybody there?"[..]));
        });
    }
}

/// One echo request over a raw socket; the ICMP message of the reply.
fn kernel_pings_us() -> Vec<u8> {
    let raw =
        socket::socket(AddressFamily::Inet, SockType::Raw, SockFlag::empty(), SockProtocol::Icmp).unwrap();
    socket::setsockopt(&raw, sockopt::ReceiveTimeout, &TimeVal::new(10, 0)).unwrap();
    let mut request = vec![8, 0, 0, 0, 0x67, 0x6c, 0, 1];
    request.extend_from_slice(b"is anybody there?");
    let checksum = internet_checksum(&request).to_be_bytes();
    request[2..4].copy_from_slice(&checksum);
    let to = SockaddrIn::new(10, 71, 83, 2, 0);
    socket::sendto(raw.as_raw_fd(), &request, &to, MsgFlags::empty()).unwrap();
    let mut packet = [0; 2048];
    let length = socket::recv(raw.as_raw_fd(), &mut packet, MsgFlags::empty()).unwrap();
    packet[20..length].to_vec()
}

/// RFC 1071.
fn internet_checksum(data: &[u8]) -> u16 {
    let words = data.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap()
}

#[test]
fn our_client_talks_to_a_kernel_server_and_both_close_in_order() {
    for mode in [Mode::Tap, Mode::Tun] {
        in_a_fresh_namespace(move || {
            let (mut world, host) = world_on(mode);
            let listener = TcpListener::bind((KERNEL, 0)).unwrap();
            let server = listener.local_addr().unwrap();
            let served = on_the_kernels_side(move || {
                let (mut stream, peer) = listener.accept().unwrap();
                let mut request = Vec::new();
                stream.read_to_end(&mut request).unwrap();
                stream.write_all(&request).unwrap();
                (request.len(), peer)
            });
            let sent = pattern(300_000);
            let answer = tell(&mut world, &host, async {
                let stream = host.connect(server).await.unwrap();
                assert_eq!(stream.peer_addr(), server);
                let (mut reader, mut writer) = stream.split();
                let mut answer = Vec::new();
                let (read, written) = futures_util::join!(reader.read_to_end(&mut answer), async {
                    writer.write_all(&sent).await?;
                    writer.close().await
                });
                read.unwrap();
                written.unwrap();
                answer
            });
            assert_eq!(answer, sent);
            let (length, peer) = tell(&mut world, &host, served);
            assert_eq!((length, peer.ip()), (sent.len(), OURS));
            assert!(peer.port() >= 49_152, "an ephemeral port (RFC 6335): {peer}");
            assert!(world.drain(LIMIT).unwrap(), "both FINs are acknowledged");
        });
    }
}

#[test]
fn a_kernel_client_talks_to_our_server() {
    for mode in [Mode::Tap, Mode::Tun] {
        in_a_fresh_namespace(move || {
            let (mut world, host) = world_on(mode);
            let listener = host.listen(SocketAddr::new(OURS, 8080)).unwrap();
            host.spawn(async move {
                loop {
                    let mut stream = listener.accept().await;
                    let mut greeting = [0; 6];
                    stream.read_exact(&mut greeting).await.unwrap();
                    stream.write_all(&pattern(1_000_000)).await.unwrap();
                    stream.close().await.unwrap();
                }
            });
            let client = on_the_kernels_side(|| {
                let mut answers = Vec::new();
                for _ in 0..3 {
                    let mut stream = TcpStream::connect((OURS, 8080)).unwrap();
                    stream.write_all(b"hello!").unwrap();
                    stream.shutdown(Shutdown::Write).unwrap();
                    let mut answer = Vec::new();
                    stream.read_to_end(&mut answer).unwrap();
                    answers.push(answer);
                }
                answers
            });
            for answer in tell(&mut world, &host, client) {
                assert!(answer == pattern(1_000_000), "{} bytes came", answer.len());
            }
            assert!(world.drain(LIMIT).unwrap());
        });
    }
}

#[test]
fn a_port_where_nobody_listens_is_refused_in_both_directions() {
    in_a_fresh_namespace(|| {
        let (mut world, host) = world_on(Mode::Tap);
        let peer = SocketAddr::new(KERNEL, 9);
        let refused = tell(&mut world, &host, host.connect(peer)).err();
        assert_eq!(refused, Some(ConnectError::Refused { peer }));
        let kernel = on_the_kernels_side(|| TcpStream::connect((OURS, 9)).map(drop).unwrap_err().kind());
        assert_eq!(tell(&mut world, &host, kernel), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn nobody_at_the_address_is_an_error_that_names_the_next_hop() {
    in_a_fresh_namespace(|| {
        let (mut world, host) = world_on(Mode::Tap);
        let nobody: IpAddr = Ipv4Addr::new(10, 71, 83, 77).into();
        let error = tell(&mut world, &host, host.connect(SocketAddr::new(nobody, 80))).err();
        assert!(
            matches!(error, Some(ConnectError::NoArpReply { next_hop, .. }) if next_hop == nobody),
            "{error:?}"
        );
    });
}

#[test]
fn datagrams_pass_in_both_directions_fragmented_where_they_must() {
    for mode in [Mode::Tap, Mode::Tun] {
        in_a_fresh_namespace(move || {
            let (mut world, host) = world_on(mode);
            let echo = UdpSocket::bind((KERNEL, 0)).unwrap();
            let server = echo.local_addr().unwrap();
            let _served = on_the_kernels_side(move || {
                let mut buffer = [0; 65_535];
                for _ in 0..2 {
                    let (length, from) = echo.recv_from(&mut buffer).unwrap();
                    echo.send_to(&buffer[..length], from).unwrap();
                }
            });
            let ours = host.udp(SocketAddr::new(OURS, 0)).unwrap();
            for length in [5, 8_000] {
                let sent = pattern(length);
                let answer = tell(&mut world, &host, async {
                    ours.send_to(&sent, server).await.unwrap();
                    let mut buffer = vec![0; 65_535];
                    let (length, from) = ours.recv_from(&mut buffer).await.unwrap();
                    assert_eq!(from, server);
                    buffer.truncate(length);
                    buffer
                });
                assert_eq!(answer, sent);
            }
        });
    }
}

#[test]
fn a_program_on_another_thread_uses_the_sockets_of_a_world_on_its_own_thread() {
    in_a_fresh_namespace(|| {
        let (world, host) = world_on(Mode::Tap);
        let listener = TcpListener::bind((KERNEL, 0)).unwrap();
        let server = listener.local_addr().unwrap();
        let world = WorldThread::start(world).unwrap();
        let echo = std::thread::Builder::new().spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut line = [0; 5];
            while stream.read_exact(&mut line).is_ok() {
                stream.write_all(&line).unwrap();
            }
        });
        world
            .block_on(async {
                let mut stream = host.timeout(LIMIT, host.connect(server)).await.unwrap().unwrap();
                stream.set_nodelay(true);
                for _ in 0..100 {
                    // Each write comes from this thread, while the world sleeps.
                    stream.write_all(b"marco").await.unwrap();
                    let mut answer = [0; 5];
                    host.timeout(LIMIT, stream.read_exact(&mut answer)).await.unwrap().unwrap();
                    assert_eq!(&answer, b"marco");
                }
                stream.close().await.unwrap();
            })
            .unwrap();
        assert!(world.stop().unwrap().drain(LIMIT).unwrap());
        echo.unwrap().join().unwrap();
    });
}

#[test]
fn a_device_that_is_taken_away_ends_the_world_with_its_name() {
    in_a_fresh_namespace(|| {
        let (mut world, host) = world_on(Mode::Tap);
        tell(&mut world, &host, host.ping(KERNEL, &PingOptions::default())).unwrap();
        shell("ip link delete glass0");
        let ended = world.run(host.timeout(LIMIT, std::future::pending::<()>()));
        let Err(WorldError::Device(error)) = ended else { panic!("{ended:?}") };
        assert_eq!(error.device, "glass0");
    });
}

#[test]
fn on_a_tap_the_journal_has_the_arp_exchange_and_on_a_tun_there_is_none() {
    for (mode, expected) in [(Mode::Tap, true), (Mode::Tun, false)] {
        in_a_fresh_namespace(move || {
            let device = TapDevice::open(&TapConfig { mode, ..TapConfig::default() }).unwrap();
            let addressing = Addressing::choose(device.host_side(), None, None).unwrap();
            let mut world = TapWorld::new().unwrap();
            let recorder = Recorder::new();
            world.journal().attach(Box::new(recorder.clone()));
            let host = world.add_host(addressing.host_config("ours").unwrap(), device).unwrap();
            tell(&mut world, &host, host.ping(KERNEL, &PingOptions::default())).unwrap();
            let asked = recorder
                .records()
                .iter()
                .any(|record| matches!(record.event, Event::Arp(Arp::RequestSent { .. })));
            assert_eq!(asked, expected);
        });
    }
}
