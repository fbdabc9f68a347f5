//! Hosts that come without an address and ask for one by DHCP (RFC 2131).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Dhcp, DhcpState, DropReason, MacAddress};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{Event, Instant};
use glasstack_sim::{Cable, CableHandle, DhcpConfig, FrameView, RouterConfig, SimWorld, Switch, fault};
use glasstack_stack::dhcp::{Kind, Message, ServerConfig, serve};
use glasstack_stack::{
    Addressing, ConfigError, ConnectError, DhcpError, DhcpOptions, Host, HostConfig, Lease, NoRoute,
    PingError, PingOptions, TcpError, UdpError, World,
};
use glasstack_views::{LadderOptions, Layer, ladder};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use support::two::host;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 100);
const SECOND: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 101);

/// A client without an address and a server with a pool, on one cable.
struct Home {
    world: SimWorld,
    recorder: Recorder,
    client: Host,
    server: Host,
    cable: CableHandle,
}

/// Ten addresses for so many seconds each.
fn pool(server: Ipv4Addr, seconds: u64) -> ServerConfig {
    ServerConfig {
        server,
        prefix_len: 24,
        pool: FIRST..=Ipv4Addr::new(10, 0, 0, 109),
        router: Some(server),
        name_servers: vec![server],
        domain: Some("lab.test".to_owned()),
        mtu: Some(1400),
        lease: Duration::from_secs(seconds),
    }
}

fn newcomer(name: &str, number: u8) -> HostConfig {
    HostConfig::unconfigured(name, MacAddress(support::mac(number)))
}

impl Home {
    fn new() -> Self {
        Self::with(Cable::new(), 3600)
    }

    fn with(cable: Cable, seconds: u64) -> Self {
        let home = Self::without_dhcp(cable);
        serve(&home.server, pool(SERVER, seconds)).unwrap();
        home
    }

    fn without_dhcp(cable: Cable) -> Self {
        let recorder = Recorder::new();
        let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
        let client = world.add_host(newcomer("client", 2)).unwrap();
        let server = world.add_host(host("server", 1, "10.0.0.1", None)).unwrap();
        let cable = world.connect(&client, &server, cable).unwrap();
        Self { world, recorder, client, server, cable }
    }

    /// Client and server on a switch, for a third to join them.
    fn on_a_switch(seconds: u64) -> Self {
        let recorder = Recorder::new();
        let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
        let client = world.add_host(newcomer("client", 2)).unwrap();
        let server = world.add_host(host("server", 1, "10.0.0.1", None)).unwrap();
        world.add_node("switch", Switch::new()).unwrap();
        let cable = world.connect(&client, "switch", Cable::new()).unwrap();
        world.connect(&server, "switch", Cable::new()).unwrap();
        serve(&server, pool(SERVER, seconds)).unwrap();
        Self { world, recorder, client, server, cable }
    }

    fn join(&mut self, config: HostConfig) -> Host {
        let host = self.world.add_host(config).unwrap();
        self.world.connect(&host, "switch", Cable::new()).unwrap();
        host
    }

    fn lease_with(&mut self, options: &DhcpOptions) -> Result<Lease, DhcpError> {
        let client = self.client.clone();
        self.world.run(async move { client.dhcp(options).await }).unwrap()
    }

    fn lease(&mut self) -> Lease {
        self.lease_with(&DhcpOptions::default()).unwrap()
    }

    fn wait(&mut self, seconds: u64) {
        let sleep = self.client.sleep(Duration::from_secs(seconds));
        self.world.run(sleep).unwrap();
    }

    /// What was told of DHCP since `skip` lines, without the times behind the second.
    fn ladder(&self) -> Vec<String> {
        self.ladder_of(&[Layer::Arp, Layer::Udp])
    }

    fn ladder_of(&self, layers: &[Layer]) -> Vec<String> {
        let told = ladder(&self.recorder.records(), &LadderOptions::only(layers));
        told.lines().map(|line| line.trim().to_owned()).collect()
    }

    /// The same without what belongs to ARP.
    fn messages(&self) -> Vec<String> {
        self.ladder_of(&[Layer::Udp])
    }

    fn states(&self) -> Vec<DhcpState> {
        let events = self.recorder.records().into_iter().map(|record| record.event);
        events
            .filter_map(|event| match event {
                Event::Dhcp(Dhcp::StateChanged { to, .. }) => Some(to),
                _ => None,
            })
            .collect()
    }

    fn ping(&mut self, to: Ipv4Addr) -> Result<(), PingError> {
        let client = self.client.clone();
        let ping = async move { client.ping(to.into(), &PingOptions::default()).await };
        self.world.run(ping).unwrap().map(|_| ())
    }
}

fn is_dhcp(frame: &FrameView<'_>, kind: u8) -> bool {
    frame.is_udp() && frame.payload().get(240..243) == Some(&[53, 1, kind])
}

#[test]
fn an_address_comes_in_four_messages_and_everything_works_with_it() {
    let mut home = Home::new();
    assert_eq!(home.client.address(), IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let lease = home.lease();
    assert_eq!((lease.address, lease.prefix_len, lease.router), (FIRST, 24, Some(SERVER)));
    assert_eq!((lease.seconds, lease.renew_after, lease.rebind_after), (3600, 1800, 3150));
    assert_eq!((lease.domain.as_deref(), lease.mtu, lease.server), (Some("lab.test"), Some(1400), SERVER));
    assert_eq!(
        home.ladder(),
        [
            "0.000000 client -> all  DHCPDISCOVER",
            "0.001000 server -> client  DHCPOFFER 10.0.0.100",
            "0.002000 client -> all  DHCPREQUEST 10.0.0.100",
            "0.003000 server -> client  DHCPACK 10.0.0.100",
            "0.004000 client -> all  ARP probe for 10.0.0.100",
            "0.254000 client -> all  ARP probe for 10.0.0.100",
            "0.504000 client -> all  ARP probe for 10.0.0.100",
            "0.754000 client -> all  ARP announces 10.0.0.100",
            "0.754000 client: has 10.0.0.100/24 for 3600 s",
        ]
    );
    use DhcpState::{Bound, Requesting, Selecting};
    assert_eq!(home.states(), [Selecting, Requesting, Bound]);
    assert_eq!(home.client.address(), IpAddr::V4(FIRST));
    assert_eq!(home.client.lease(), Some(lease));
    assert_eq!(home.client.routes(), ["10.0.0.0/24 dev eth0", "0.0.0.0/0 via 10.0.0.1 dev eth0"]);
    assert_eq!(home.ping(SERVER), Ok(()));
}

#[test]
fn without_an_address_nothing_but_dhcp_is_sent_and_the_error_says_what_to_do() {
    let mut home = Home::new();
    let client = home.client.clone();
    let to: SocketAddr = (SERVER, 80).into();
    let no_address = NoRoute::NoAddress { destination: to.ip() };
    assert!(no_address.to_string().contains("this host has no address yet; ask for one by DHCP"));
    let refused = home.world.run(async move {
        let connect = client.connect(to).await.map(|_| ()).unwrap_err();
        let ping = client.ping(to.ip(), &PingOptions::default()).await.unwrap_err();
        let udp = client.udp("0.0.0.0:0".parse().unwrap()).unwrap();
        (connect, ping, udp.send_to(b"hello", to).await.unwrap_err())
    });
    let (connect, ping, udp) = refused.unwrap();
    assert_eq!(connect, ConnectError::NoRoute(no_address.clone()));
    assert_eq!(ping, PingError::NoRoute(no_address.clone()));
    assert_eq!(udp, UdpError::NoRoute(no_address));
    assert_eq!(home.client.counters().frames_out, 0);
}

#[test]
fn a_lost_discover_is_sent_again_after_about_four_seconds() {
    let mut home = Home::with(Cable::new().fault(fault::drop_nth(1, |frame| is_dhcp(frame, 1))), 3600);
    home.lease();
    let messages = home.messages();
    assert!(messages[0].starts_with("0.000000 client -> all  DHCPDISCOVER   x lost"), "{messages:?}");
    let (at, what) = messages[1].split_once(' ').unwrap();
    assert_eq!(what, "client -> all  DHCPDISCOVER");
    let at: f64 = at.parse().unwrap();
    assert!((3.0..=5.0).contains(&at), "four seconds, longer or shorter by one: {at}");
}

#[test]
fn a_lost_ack_makes_the_client_ask_for_the_same_address_again() {
    let mut home = Home::with(Cable::new().fault(fault::drop_nth(1, |frame| is_dhcp(frame, 5))), 3600);
    assert_eq!(home.lease().address, FIRST);
    let kinds: Vec<String> =
        home.messages().iter().filter_map(|line| Some(line.split_once("DHCP")?.1.to_owned())).collect();
    assert_eq!(kinds[..2], ["DISCOVER", "OFFER 10.0.0.100"]);
    assert_eq!(kinds[2], "REQUEST 10.0.0.100");
    assert!(kinds[3].starts_with("ACK 10.0.0.100   x lost"), "{kinds:?}");
    assert_eq!(kinds[4..], ["REQUEST 10.0.0.100", "ACK 10.0.0.100"]);
}

#[test]
fn where_nobody_answers_the_waits_grow_and_the_error_says_how_often_was_asked() {
    let mut home = Home::without_dhcp(Cable::new());
    let options = DhcpOptions { timeout: Some(Duration::from_secs(200)), ..DhcpOptions::default() };
    let error = home.lease_with(&options).unwrap_err();
    // 4, 8, 16, 32, 64 and 64 seconds.
    assert_eq!(error, DhcpError::NoOffer { after: Duration::from_secs(200), asked: 7 });
    assert_eq!(
        error.to_string(),
        "no DHCP server answered within 200000 ms (7 DHCPDISCOVER sent): is there one on this link?"
    );
    let sent: Vec<f64> = home
        .messages()
        .iter()
        .filter(|line| line.ends_with("DHCPDISCOVER"))
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    let waits: Vec<f64> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (wait, expected) in waits.iter().zip([4.0, 8.0, 16.0, 32.0, 64.0, 64.0]) {
        assert!((wait - expected).abs() <= 1.0, "{waits:?}");
    }
    // It has given up: nothing more is sent, and it can be asked for again.
    home.wait(600);
    assert_eq!(home.messages().iter().filter(|line| line.ends_with("DHCPDISCOVER")).count(), 7);
    serve(&home.server, pool(SERVER, 3600)).unwrap();
    assert_eq!(home.lease().address, FIRST);
}

#[test]
fn half_the_lease_later_it_is_renewed_with_the_server_that_granted_it() {
    let mut home = Home::new();
    home.lease();
    let before = home.messages().len();
    home.wait(1_900);
    assert_eq!(
        home.messages()[before..],
        [
            "1800.004000 client -> server  DHCPREQUEST 10.0.0.100",
            "1800.005000 server -> client  DHCPACK 10.0.0.100",
            "1800.006000 client: keeps 10.0.0.100 for 3600 s",
        ]
    );
    use DhcpState::{Bound, Renewing};
    assert_eq!(home.states()[3..], [Renewing, Bound]);
    // And again, half of the new lease later.
    home.wait(1_800);
    assert_eq!(home.states()[5..], [Renewing, Bound]);
}

/// An hour without the server: what is told of it.
#[test]
fn when_its_server_is_silent_any_server_is_asked_and_then_the_address_is_lost() {
    let mut home = Home::new();
    home.lease();
    let before = home.messages().len();
    let silence = home.cable.add_fault(fault::drop_when(|frame| frame.is_udp()));
    home.wait(3_700);
    let told = home.messages().split_off(before);
    let asked_one = told.iter().filter(|line| line.contains("client -> server  DHCPREQUEST")).count();
    assert!(asked_one >= 3, "half the time that is left, then half of that: {told:#?}");
    let asked_all: Vec<&String> =
        told.iter().filter(|line| line.contains("client -> all  DHCPREQUEST")).collect();
    assert!(asked_all[0].starts_with("3150.002000"), "T2: {asked_all:?}");
    let lost = "client: has 10.0.0.100 no longer: the lease is over, and nobody has renewed it";
    assert!(told.iter().any(|line| line == &format!("3600.002000 {lost}")), "{told:#?}");
    use DhcpState::{Bound, Init, Rebinding, Renewing, Requesting, Selecting};
    assert_eq!(home.states()[2..], [Bound, Renewing, Rebinding, Init, Selecting]);
    assert_eq!((home.client.address(), home.client.lease()), (Ipv4Addr::UNSPECIFIED.into(), None));
    // The background goes on asking, and gets the address back.
    home.cable.remove_fault(silence);
    home.wait(100);
    assert_eq!(home.states()[6..], [Selecting, Requesting, Bound]);
    assert_eq!(home.client.address(), IpAddr::V4(FIRST));
}

#[test]
fn connections_of_a_lost_address_end_with_an_error_that_says_so() {
    let mut home = Home::with(Cable::new(), 100);
    home.lease();
    let listener = home.server.listen((SERVER, 80).into()).unwrap();
    home.server.spawn(async move {
        let stream = listener.accept().await;
        // Held, silent.
        std::future::pending::<()>().await;
        drop(stream);
    });
    let (client, cable) = (home.client.clone(), home.cable.clone());
    let (stream, socket) = home
        .world
        .run(async move {
            let mut stream = client.connect((SERVER, 80).into()).await.unwrap();
            stream.write_all(b"hello").await.unwrap();
            let socket = client.udp("0.0.0.0:5000".parse().unwrap()).unwrap();
            client.sleep(Duration::from_secs(1)).await;
            cable.unplug();
            (stream, socket)
        })
        .unwrap();
    let mut stream = stream;
    let (read, received) = home
        .world
        .run(async move {
            let read = stream.read(&mut [0; 9]).await.unwrap_err();
            (read, socket.recv_from(&mut [0; 9]).await.unwrap_err())
        })
        .unwrap();
    let address = IpAddr::V4(FIRST);
    let lost = read.get_ref().unwrap().downcast_ref::<TcpError>().unwrap();
    assert_eq!(*lost, TcpError::AddressLost { peer: (SERVER, 80).into(), address });
    assert_eq!(
        lost.to_string(),
        "this host has the address 10.0.0.100 no longer, and 10.0.0.1:80 knows it by no other"
    );
    assert_eq!(received, UdpError::AddressLost { address });
    assert!(home.client.flows().is_empty());
    let at = (home.world.now() - Instant::ZERO).as_secs_f64();
    assert!((100.0..101.0).contains(&at), "when the lease was over: {at}");
}

#[test]
fn an_address_that_somebody_uses_already_is_declined_and_another_is_given() {
    let mut home = Home::on_a_switch(3600);
    // It has taken the first address of the pool for its own.
    home.join(host("squatter", 9, "10.0.0.100", None));
    assert_eq!(home.lease().address, SECOND);
    let told = home.ladder();
    let story: Vec<&str> = told.iter().map(String::as_str).collect();
    assert_eq!(
        story[4..9],
        [
            "0.008000 client -> all  ARP probe for 10.0.0.100",
            "0.010000 squatter -> client  ARP 10.0.0.100 is at 02:00:00:00:00:09",
            "0.012000 client: 10.0.0.100 is used by 02:00:00:00:00:09",
            "0.012000 client -> all  DHCPDECLINE 10.0.0.100",
            "10.012000 client -> all  DHCPDISCOVER",
        ]
    );
}

#[test]
fn the_first_of_two_offers_is_taken_and_the_other_is_told() {
    let mut home = Home::on_a_switch(3600);
    let other = home.join(host("other", 3, "10.0.0.3", None));
    serve(&other, pool(Ipv4Addr::new(10, 0, 0, 3), 60)).unwrap();
    let options = DhcpOptions { collect: Duration::from_secs(1), ..DhcpOptions::default() };
    let lease = home.lease_with(&options).unwrap();
    assert_eq!((lease.server, lease.seconds), (SERVER, 3600));
    let told = home.messages();
    let offers: Vec<&String> = told.iter().filter(|line| line.contains("DHCPOFFER")).collect();
    assert_eq!(offers.len(), 2);
    let passed_over = "client: passes over 10.0.0.100 of 10.0.0.3: another was first";
    assert!(told.iter().any(|line| line.ends_with(passed_over)), "{told:#?}");
    // The other server has heard whose offer was taken: its address is free again.
    let served = home.recorder.records().into_iter().filter_map(|record| match record.event {
        Event::Dhcp(Dhcp::Served { why, .. }) => Some(why),
        _ => None,
    });
    assert!(served.into_iter().any(|why| why == "it has taken the offer of 10.0.0.1"));
}

#[test]
fn the_offer_of_the_address_asked_for_is_taken_whoever_came_first() {
    let mut home = Home::on_a_switch(3600);
    let other = home.join(host("other", 3, "10.0.0.3", None));
    let far = Ipv4Addr::new(10, 0, 0, 200);
    serve(&other, ServerConfig { pool: far..=far, ..pool(Ipv4Addr::new(10, 0, 0, 3), 60) }).unwrap();
    let options =
        DhcpOptions { requested: Some(far), collect: Duration::from_secs(1), ..DhcpOptions::default() };
    let lease = home.lease_with(&options).unwrap();
    assert_eq!((lease.address, lease.server), (far, Ipv4Addr::new(10, 0, 0, 3)));
}

#[test]
fn a_remembered_address_is_asked_for_at_once_and_a_refusal_begins_anew() {
    let mut home = Home::new();
    let options = DhcpOptions { remembered: Some(SECOND), ..DhcpOptions::default() };
    assert_eq!(home.lease_with(&options).unwrap().address, SECOND);
    assert_eq!(
        home.messages()[..2],
        ["0.000000 client -> all  DHCPREQUEST 10.0.0.101", "0.001000 server -> client  DHCPACK 10.0.0.101"]
    );
    use DhcpState::{Bound, Init, Rebooting, Requesting, Selecting};
    assert_eq!(home.states(), [Rebooting, Bound]);

    let mut elsewhere = Home::new();
    let options = DhcpOptions { remembered: Some(Ipv4Addr::new(192, 168, 7, 7)), ..DhcpOptions::default() };
    assert_eq!(elsewhere.lease_with(&options).unwrap().address, FIRST);
    assert_eq!(elsewhere.states(), [Rebooting, Init, Selecting, Requesting, Bound]);
    assert_eq!(elsewhere.messages()[1], "0.001000 server -> all  DHCPNAK");
}

#[test]
fn a_lease_given_back_is_free_for_the_next_and_the_host_has_no_address_then() {
    let mut home = Home::new();
    let lease = home.lease();
    let client = home.client.clone();
    let given_back = home.world.run(async move { client.release().await }).unwrap();
    assert_eq!(given_back, Some(lease));
    home.world.drain(Duration::from_secs(10)).unwrap();
    let told = home.messages();
    let last: Vec<&str> =
        told.iter().rev().take(2).rev().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(last, ["client -> server  DHCPRELEASE 10.0.0.100", "client: gives 10.0.0.100 back"]);
    assert_eq!((home.client.address(), home.client.lease()), (Ipv4Addr::UNSPECIFIED.into(), None));
    // Nobody has a lease to give back now.
    let client = home.client.clone();
    assert_eq!(home.world.run(async move { client.release().await }).unwrap(), None);
    assert_eq!(home.lease().address, FIRST);
}

#[test]
fn one_client_a_host_and_only_where_it_makes_sense() {
    let mut home = Home::new();
    home.lease();
    assert_eq!(home.lease_with(&DhcpOptions::default()), Err(DhcpError::Running));
    let server = home.server.clone();
    let on_server = home.world.run(async move { server.dhcp(&DhcpOptions::default()).await }).unwrap();
    assert_eq!(on_server, Err(DhcpError::HasAddress(SERVER.into())));
    let to = Addressing { address: SECOND, prefix_len: 24, gateway: None, mtu: None };
    assert!(matches!(home.client.configure(&to), Err(ConfigError::Dhcp)));
    assert!(home.client.udp("0.0.0.0:68".parse().unwrap()).is_err(), "the client's port");
    let long = DhcpOptions { host_name: Some("x".repeat(256)), ..DhcpOptions::default() };
    let error = DhcpError::TooLong { what: "host name", length: 256 };
    assert_eq!(Home::new().lease_with(&long), Err(error));
}

#[test]
fn an_attempt_that_is_dropped_leaves_nothing_behind() {
    let mut home = Home::without_dhcp(Cable::new());
    let client = home.client.clone();
    let elapsed = home
        .world
        .run(async move {
            let options = DhcpOptions { timeout: None, ..DhcpOptions::default() };
            client.timeout(Duration::from_secs(2), client.dhcp(&options)).await
        })
        .unwrap();
    assert!(elapsed.is_err());
    serve(&home.server, pool(SERVER, 3600)).unwrap();
    assert_eq!(home.lease().address, FIRST);
}

#[test]
fn an_address_given_by_hand_can_be_changed_while_the_host_runs() {
    let mut home = Home::without_dhcp(Cable::new());
    let to = |address, gateway, mtu| Addressing { address, prefix_len: 24, gateway, mtu };
    home.client.configure(&to(FIRST, None, None)).unwrap();
    assert_eq!(home.ping(SERVER), Ok(()));
    home.client.configure(&to(SECOND, Some(SERVER), Some(1000))).unwrap();
    assert_eq!(home.client.address(), IpAddr::V4(SECOND));
    assert_eq!(home.ping(SERVER), Ok(()));
    let outside = Ipv4Addr::new(10, 9, 9, 9);
    let error = home.client.configure(&to(FIRST, Some(outside), None)).unwrap_err();
    assert_eq!(error.to_string(), "gateway 10.9.9.9 is not on the link 10.0.0.0/24");
    assert!(home.client.configure(&to(Ipv4Addr::new(10, 0, 0, 255), None, None)).is_err());
    assert_eq!(home.client.address(), IpAddr::V4(SECOND), "what is refused changes nothing");
    let told = home.ladder_of(&[Layer::Arp]);
    let announced = told.iter().filter(|line| line.contains("ARP announces")).count();
    assert_eq!(announced, 2);
}

#[test]
fn a_connection_goes_on_by_another_gateway_when_the_address_stays() {
    let mut world = SimWorld::builder(1).build();
    let client = world.add_host(newcomer("client", 2)).unwrap();
    // Both routers lead to the server, which answers by the second.
    let server = world.add_host(host("server", 1, "10.0.9.9", Some("10.0.9.2"))).unwrap();
    for switch in ["near", "far"] {
        world.add_node(switch, Switch::new()).unwrap();
    }
    world.connect(&client, "near", Cable::new()).unwrap();
    world.connect(&server, "far", Cable::new()).unwrap();
    let mut ways = Vec::new();
    for last in [1, 2] {
        let [near, far] = [0, 9].map(|net| Ipv4Addr::new(10, 0, net, last));
        let config = RouterConfig::new().port(near, 24).port(far, 24);
        let router = world.add_router(&format!("router{last}"), config).unwrap();
        ways.push(world.connect((router, 0), "near", Cable::new()).unwrap());
        world.connect((router, 1), "far", Cable::new()).unwrap();
    }
    let by = |last, mtu| Addressing {
        address: FIRST,
        prefix_len: 24,
        gateway: Some(Ipv4Addr::new(10, 0, 0, last)),
        mtu,
    };
    client.configure(&by(1, None)).unwrap();
    let listener = server.listen((server.address(), 80).into()).unwrap();
    let (told, to) = (client.clone(), SocketAddr::new(server.address(), 80));
    let sent = vec![7; 100_000];
    let received = world
        .run(async move {
            let (stream, mut accepted) = futures_util::join!(client.connect(to), listener.accept());
            let mut stream = stream.unwrap();
            stream.write_all(&sent[..50_000]).await.unwrap();
            let mut received = vec![0; 100_000];
            accepted.read_exact(&mut received[..50_000]).await.unwrap();
            ways[0].unplug();
            client.configure(&by(2, Some(1000))).unwrap();
            stream.write_all(&sent[50_000..]).await.unwrap();
            accepted.read_exact(&mut received[50_000..]).await.unwrap();
            received
        })
        .unwrap();
    assert!(received == vec![7; 100_000]);
    assert!((world.now() - Instant::ZERO) < Duration::from_secs(2), "nothing had to be sent again for long");
    assert_eq!(told.routes(), ["10.0.0.0/24 dev eth0", "0.0.0.0/0 via 10.0.0.2 dev eth0"]);
}

/// A datagram from 10.0.0.66 to the client's station, for an address that it does not have.
fn stray(port: u16, payload: &[u8]) -> Vec<u8> {
    let builder = etherparse::PacketBuilder::ethernet2(support::mac(66), support::mac(2))
        .ipv4([10, 0, 0, 66], [10, 0, 0, 100], 64)
        .udp(67, port);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, payload).unwrap();
    bytes
}

#[test]
fn what_strangers_send_to_a_host_without_an_address_is_discarded_with_its_reason() {
    let mut world = SimWorld::builder(1).build();
    let client = world.add_host(newcomer("client", 2)).unwrap();
    let stranger = world.add_probe("stranger").unwrap();
    world.connect(&client, &stranger, Cable::new()).unwrap();
    let forged = |kind| {
        let mut forged = Message::new(kind, 0x1234_5678, MacAddress(support::mac(2)));
        (forged.your_address, forged.server, forged.lease) = (FIRST, Some(SERVER), Some(3600));
        forged.emit()
    };
    // Nobody asks for an address yet.
    stranger.send(stray(68, &forged(Kind::Ack)));
    stranger.send(stray(7, b"hello"));
    world.run(client.sleep(Duration::from_millis(10))).unwrap();
    let dropped = client.counters().dropped;
    assert_eq!(dropped, [(DropReason::NotOurAddress, 2)].into());
    for (at, bytes) in [
        (1, stray(68, &forged(Kind::Ack))),
        (2, stray(68, &forged(Kind::Offer))),
        (3, stray(68, &forged(Kind::Offer)[..200])),
        (4, stray(68, &[forged(Kind::Offer), vec![0; 1_400]].concat())),
        (5, stray(7, b"hello")),
        (6, support::datagram(66, 2, b"for another address")),
    ] {
        stranger.send_at(Instant::from_millis(1_000 + at), bytes);
    }
    let asking = client.clone();
    let options = DhcpOptions { timeout: Some(Duration::from_secs(3)), ..DhcpOptions::default() };
    let error = world.run(async move { asking.dhcp(&options).await }).unwrap().unwrap_err();
    assert_eq!(error, DhcpError::NoOffer { after: Duration::from_secs(3), asked: 1 });
    let expected = [(DropReason::NotOurAddress, 4), (DropReason::BadDhcp, 2), (DropReason::UnmatchedDhcp, 2)];
    assert_eq!(client.counters().dropped, expected.into());
    // ARP for nobody's address is not answered.
    assert_eq!(stranger.received().len(), 1, "one DHCPDISCOVER");
}

#[test]
fn a_server_that_speaks_to_everybody_is_understood_as_well() {
    let mut home = Home::new();
    let options = DhcpOptions { broadcast: true, ..DhcpOptions::default() };
    assert_eq!(home.lease_with(&options).unwrap().address, FIRST);
    let messages = home.messages();
    assert_eq!(messages[1], "0.001000 server -> all  DHCPOFFER 10.0.0.100");
    assert_eq!(messages[3], "0.003000 server -> all  DHCPACK 10.0.0.100");
}

#[test]
fn a_router_gives_addresses_on_its_ports_and_leads_everywhere() {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let [inside, outside] = [Ipv4Addr::new(192, 168, 1, 1), Ipv4Addr::new(203, 0, 113, 1)];
    let name_server = Ipv4Addr::new(192, 0, 2, 53);
    let given = DhcpConfig::new(Ipv4Addr::new(192, 168, 1, 100), Ipv4Addr::new(192, 168, 1, 199))
        .lease(Duration::from_secs(600))
        .name_server(name_server)
        .domain("home.test");
    let config = RouterConfig::new().port(inside, 24).port(outside, 24).dhcp(0, given.clone());
    let home = world.add_router("home", config).unwrap();
    let client = world.add_host(newcomer("client", 2)).unwrap();
    let server = world.add_host(host("server", 1, "203.0.113.9", Some("203.0.113.1"))).unwrap();
    let lost = world.add_host(newcomer("lost", 3)).unwrap();
    world.add_node("switch", Switch::new()).unwrap();
    world.connect(&client, (home, 0), Cable::new()).unwrap();
    for end in [&server, &lost] {
        world.connect(end, "switch", Cable::new()).unwrap();
    }
    world.connect((home, 1), "switch", Cable::new()).unwrap();
    let asking = client.clone();
    let lease = world.run(async move { asking.dhcp(&DhcpOptions::default()).await }).unwrap().unwrap();
    assert_eq!((lease.address, lease.router), (Ipv4Addr::new(192, 168, 1, 100), Some(inside)));
    assert_eq!((lease.name_servers, lease.mtu), (vec![name_server], None));
    let far: IpAddr = "203.0.113.9".parse().unwrap();
    let pinging = client.clone();
    world.run(async move { pinging.ping(far, &PingOptions::default()).await }).unwrap().unwrap();
    // On its other port it gives nothing, and says that nothing listens there.
    let options = DhcpOptions { timeout: Some(Duration::from_secs(5)), ..DhcpOptions::default() };
    let in_vain = world.run(async move { lost.dhcp(&options).await }).unwrap();
    assert!(matches!(in_vain, Err(DhcpError::NoOffer { .. })), "{in_vain:?}");
    // It renews with the router as well.
    world.run(client.sleep(Duration::from_secs(3_000))).unwrap();
    assert_eq!(client.address(), IpAddr::V4(lease.address));

    for (wrong, why) in [
        (RouterConfig::new().port(inside, 24).dhcp(1, given.clone()), "no port 1 to serve DHCP on"),
        (
            RouterConfig::new().port(outside, 24).dhcp(0, given),
            "192.168.1.100 of the DHCP pool is not in 203.0.113.0/24, port 0's network",
        ),
    ] {
        let error = world.add_router("wrong", wrong).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}
