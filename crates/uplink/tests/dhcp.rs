//! A host of ours gets its address from real DHCP servers on the kernel's side of a TAP: dnsmasq,
//! udhcpd and Kea.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the kernel's side is made of its own sockets, on a thread of its own"
)]

mod support;

use futures_util::AsyncReadExt;
use glasstack_journal::Event;
use glasstack_journal::event::{Dhcp, DhcpState};
use glasstack_journal::journal::Recorder;
use glasstack_stack::{DhcpError, DhcpOptions, Host, Lease, PingOptions, World};
use glasstack_uplink::{TapConfig, TapDevice, TapWorld};
use std::future::Future;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::{in_a_fresh_namespace, shell, skip};

const KERNEL: Ipv4Addr = Ipv4Addr::new(10, 71, 83, 1);
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 71, 83, 100);
const LAST: Ipv4Addr = Ipv4Addr::new(10, 71, 83, 110);
/// Far beyond what anything here takes; a test that hangs fails.
const LIMIT: Duration = Duration::from_secs(40);

/// A server in the caller's namespace, and what it writes. It ends with the test.
struct Server {
    child: Child,
    log: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts `program` in a folder of its own for `test`, its output in a file there.
    fn start(test: &str, program: &str, arguments: &str, files: &[(&str, &str)]) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("dhcp-{test}-{program}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, content) in files {
            std::fs::write(folder.join(name), content.replace("FOLDER", folder.to_str().unwrap())).unwrap();
        }
        let log = folder.join("log");
        let output = std::fs::File::create(&log).unwrap();
        let child = Command::new(program)
            .args(arguments.split_whitespace())
            .current_dir(&folder)
            .env("KEA_LOCKFILE_DIR", "none")
            .env("KEA_PIDFILE_DIR", &folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }
}

/// dnsmasq has no leases below two minutes.
fn dnsmasq(test: &str) -> Server {
    let range = format!("--dhcp-range={FIRST},{LAST},255.255.255.0,120");
    let arguments = format!(
        "--no-daemon --conf-file=/dev/null --port=0 --interface=glass0 --bind-interfaces --no-ping \
         --user=root --log-dhcp --dhcp-leasefile=leases --domain=lab.test --dhcp-option=26,1400 \
         --dhcp-option=6,{KERNEL},192.0.2.53 {range}"
    );
    Server::start(test, "dnsmasq", &arguments, &[])
}

fn udhcpd(test: &str, seconds: u32) -> Server {
    let config = format!(
        "start {FIRST}\nend {LAST}\ninterface glass0\nlease_file FOLDER/leases\npidfile FOLDER/pid\n\
         option subnet 255.255.255.0\noption router {KERNEL}\noption dns {KERNEL}\noption domain lab.test\n\
         option lease {seconds}\nmin_lease 1\n"
    );
    Server::start(test, "udhcpd", "-f udhcpd.conf", &[("udhcpd.conf", &config), ("leases", "")])
}

fn kea(test: &str) -> Server {
    let config = format!(
        r#"{{ "Dhcp4": {{
            "interfaces-config": {{ "interfaces": ["glass0"], "dhcp-socket-type": "raw" }},
            "lease-database": {{ "type": "memfile", "persist": false }},
            "valid-lifetime": 3600, "renew-timer": 900, "rebind-timer": 1800,
            "subnet4": [ {{
                "subnet": "10.71.83.0/24",
                "pools": [ {{ "pool": "{FIRST} - {LAST}" }} ],
                "option-data": [
                    {{ "name": "routers", "data": "{KERNEL}" }},
                    {{ "name": "domain-name-servers", "data": "{KERNEL}" }},
                    {{ "name": "domain-name", "data": "lab.test" }}
                ]
            }} ],
            "loggers": [ {{ "name": "kea-dhcp4", "severity": "DEBUG", "debuglevel": 55,
                            "output_options": [ {{ "output": "stdout" }} ] }} ]
        }} }}"#
    );
    Server::start(test, "kea-dhcp4", "-c kea.json", &[("kea.json", &config)])
}

/// A host without an address on a new TAP, in the caller's namespace.
fn world() -> (TapWorld, Host, Recorder) {
    let device = TapDevice::open(&TapConfig::default()).unwrap();
    let mut world = TapWorld::new().unwrap();
    let told = Recorder::new();
    world.journal().attach(Box::new(told.clone()));
    let host = world.add_host(device.host_without_address("ours"), device).unwrap();
    assert_eq!(host.address(), IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    (world, host, told)
}

fn tell<T>(world: &mut TapWorld, host: &Host, story: impl Future<Output = T>) -> T {
    world.run(host.timeout(LIMIT, story)).unwrap().unwrap()
}

fn lease(world: &mut TapWorld, host: &Host) -> Result<Lease, DhcpError> {
    tell(world, host, host.dhcp(&DhcpOptions::default()))
}

fn states(told: &Recorder) -> Vec<DhcpState> {
    told.records()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Dhcp(Dhcp::StateChanged { to, .. }) => Some(to),
            _ => None,
        })
        .collect()
}

/// It has the address, and the kernel reaches it there, and it the kernel.
fn use_the_address(world: &mut TapWorld, host: &Host, lease: &Lease) {
    assert_eq!(host.address(), IpAddr::V4(lease.address));
    tell(world, host, host.ping(KERNEL.into(), &PingOptions::default())).unwrap();
    let listener = TcpListener::bind((KERNEL, 0)).unwrap();
    let to = listener.local_addr().unwrap();
    let greeter = std::thread::spawn(move || {
        let (mut stream, from) = listener.accept().unwrap();
        stream.write_all(b"hello").unwrap();
        from.ip()
    });
    let said = tell(world, host, async {
        let mut stream = host.connect(to).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        said
    });
    assert_eq!((said.as_str(), greeter.join().unwrap()), ("hello", lease.address.into()));
}

/// The server's program is there, or the test is skipped.
fn has(test: &str, program: &str, package: &str) -> bool {
    let found = shell(&format!("PATH=$PATH:/usr/sbin:/sbin command -v {program} || true"));
    if found.is_empty() {
        skip(test, &format!("needs {program} (apt-get install {package})"));
    }
    !found.is_empty()
}

#[test]
fn dnsmasq_gives_an_address_and_gets_it_back() {
    let test = "dnsmasq_gives_an_address_and_gets_it_back";
    if !has(test, "dnsmasq", "dnsmasq-base") {
        return;
    }
    in_a_fresh_namespace(|| {
        let (mut world, host, told) = world();
        let server = dnsmasq(test);
        let lease = lease(&mut world, &host).unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
        assert!((FIRST..=LAST).contains(&lease.address), "{lease:?}");
        assert_eq!((lease.prefix_len, lease.router, lease.server), (24, Some(KERNEL), KERNEL));
        assert_eq!(lease.name_servers, [KERNEL, Ipv4Addr::new(192, 0, 2, 53)]);
        assert_eq!((lease.domain.as_deref(), lease.mtu), (Some("lab.test"), Some(1400)));
        assert_eq!((lease.seconds, lease.renew_after, lease.rebind_after), (120, 60, 105));
        use_the_address(&mut world, &host, &lease);
        use DhcpState::{Bound, Init, Requesting, Selecting};
        tell(&mut world, &host, host.release()).unwrap();
        world.drain(Duration::from_secs(1)).unwrap();
        assert_eq!(states(&told), [Selecting, Requesting, Bound, Init]);
        tell(&mut world, &host, host.sleep(Duration::from_millis(300)));
        let log = server.log();
        assert!(log.contains(&format!("DHCPRELEASE(glass0) {}", lease.address)), "{log}");
        assert!(log.contains("client provides name: ours"), "{log}");
    });
}

#[test]
fn udhcpd_renews_while_a_connection_goes_on() {
    let test = "udhcpd_renews_while_a_connection_goes_on";
    if !has(test, "udhcpd", "udhcpd") {
        return;
    }
    in_a_fresh_namespace(|| {
        let (mut world, host, told) = world();
        let server = udhcpd(test, 4);
        let lease = lease(&mut world, &host).unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
        assert!((FIRST..=LAST).contains(&lease.address), "{lease:?}");
        assert_eq!((lease.seconds, lease.renew_after), (4, 2));
        use_the_address(&mut world, &host, &lease);
        tell(&mut world, &host, host.sleep(Duration::from_secs(6)));
        use_the_address(&mut world, &host, &lease);
        use DhcpState::{Bound, Renewing, Requesting, Selecting};
        let told = states(&told);
        assert_eq!(told[..5], [Selecting, Requesting, Bound, Renewing, Bound], "{}", server.log());
        assert!(!told.contains(&DhcpState::Rebinding));
    });
}

#[test]
fn kea_says_its_own_renewal_times_and_refuses_what_is_of_another_network() {
    let test = "kea_says_its_own_renewal_times_and_refuses_what_is_of_another_network";
    if !has(test, "kea-dhcp4", "kea-dhcp4-server") {
        return;
    }
    in_a_fresh_namespace(|| {
        let (mut world, host, told) = world();
        let server = kea(test);
        let elsewhere = Ipv4Addr::new(192, 168, 7, 7);
        let options = DhcpOptions { remembered: Some(elsewhere), ..DhcpOptions::default() };
        let lease = tell(&mut world, &host, host.dhcp(&options));
        let lease = lease.unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
        assert_eq!((lease.address, lease.router), (FIRST, Some(KERNEL)));
        assert_eq!((lease.seconds, lease.renew_after, lease.rebind_after), (3600, 900, 1800));
        use_the_address(&mut world, &host, &lease);
        use DhcpState::{Bound, Init, Rebooting, Requesting, Selecting};
        assert_eq!(states(&told), [Rebooting, Init, Selecting, Requesting, Bound]);
    });
}

#[test]
fn an_address_that_the_kernel_has_itself_is_declined() {
    let test = "an_address_that_the_kernel_has_itself_is_declined";
    if !has(test, "kea-dhcp4", "kea-dhcp4-server") {
        return;
    }
    in_a_fresh_namespace(|| {
        let (mut world, host, told) = world();
        shell(&format!("ip address add {FIRST}/24 dev glass0"));
        let server = kea(test);
        let lease = lease(&mut world, &host).unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
        assert!(lease.address > FIRST && lease.address <= LAST, "{lease:?}\n{}", server.log());
        let in_use = told.records().into_iter().any(
            |record| matches!(record.event, Event::Dhcp(Dhcp::InUse { address, .. }) if address == FIRST),
        );
        assert!(in_use);
        use_the_address(&mut world, &host, &lease);
    });
}

#[test]
fn where_no_server_is_the_error_says_so() {
    in_a_fresh_namespace(|| {
        let (mut world, host, _) = world();
        let options = DhcpOptions { timeout: Some(Duration::from_millis(300)), ..DhcpOptions::default() };
        let error = tell(&mut world, &host, host.dhcp(&options)).unwrap_err();
        assert_eq!(error, DhcpError::NoOffer { after: Duration::from_millis(300), asked: 1 });
    });
}
