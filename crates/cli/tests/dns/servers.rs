//! named, NSD and unbound, each waited for until it answers for all it has.

use super::plan::{NAMED, NSD, Place, ZoneOf, file_of};
use crate::support::{Network, Server};
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

/// All authorities of the tree.
pub(crate) fn start(network: &Network) -> Vec<Server> {
    let mut servers = vec![named(network)];
    servers.extend(NSD.map(|place| {
        let zones: Vec<(String, String)> = place.zones().map(|zone| zone_of(network, zone)).collect();
        nsd(network, &format!("{place:?}"), &place.addresses(), &zones)
    }));
    for place in NAMED.into_iter().chain(NSD) {
        for address in place.addresses() {
            place.zones().for_each(|zone| servers[0].until(|| is_served(address, zone.name)));
        }
    }
    servers
}

fn zone_of(network: &Network, zone: &ZoneOf) -> (String, String) {
    (zone.name.to_owned(), network.path(&file_of(zone.name)))
}

/// One named for all its places: which of them is asked follows from the address.
fn named(network: &Network) -> Server {
    let mut listen = String::new();
    let mut views = String::new();
    for place in NAMED {
        let addresses: String = place.addresses().iter().map(|address| format!("{address}; ")).collect();
        listen += &addresses;
        views += &format!("view \"{place:?}\" {{\n  match-destinations {{ {addresses} }};\n");
        for (name, file) in place.zones().map(|zone| zone_of(network, zone)) {
            views += &format!("  zone \"{name}\" {{ type primary; file \"{file}\"; }};\n");
        }
        views += "};\n";
    }
    start_named(network, "named", &listen, &views)
}

/// named with these zones (name and file) and no views.
pub(crate) fn named_with(network: &Network, address: Ipv4Addr, zones: &[(String, String)]) -> Server {
    let zone =
        |(name, file): &(String, String)| format!("zone \"{name}\" {{ type primary; file \"{file}\"; }};\n");
    let server = start_named(
        network,
        "named-alone",
        &format!("{address};"),
        &zones.iter().map(zone).collect::<String>(),
    );
    zones.iter().for_each(|(name, _)| server.until(|| is_served(address, name)));
    server
}

/// named that listens at `listen`, with these views or zones.
pub(crate) fn start_named(network: &Network, label: &str, listen: &str, zones: &str) -> Server {
    let options = "recursion no; dnssec-validation no; check-names primary ignore; minimal-responses no;";
    run_named(network, label, listen, options, zones, || true)
}

/// named as a validating resolver that walks from the servers in the file `hints`, with a `trust-anchors` clause.
pub(crate) fn named_resolver(network: &Network, address: Ipv4Addr, hints: &str, anchors: &str) -> Server {
    let options = "recursion yes; dnssec-validation yes; minimal-responses no-auth;";
    let clauses = format!("zone \".\" {{ type hint; file \"{hints}\"; }};\n{anchors}\n");
    let is_ready = || answers(address);
    run_named(network, "named-resolver", &format!("{address};"), options, &clauses, is_ready)
}

fn run_named(
    network: &Network,
    label: &str,
    listen: &str,
    options: &str,
    clauses: &str,
    is_ready: impl Fn() -> bool,
) -> Server {
    let folder = network.path(label);
    std::fs::create_dir_all(&folder).unwrap();
    let config = network.write(
        &format!("{label}.conf"),
        format!(
            "options {{
  directory \"{folder}\"; pid-file none; session-keyfile none; listen-on {{ {listen} }}; listen-on-v6 {{ none; }};
  {options} allow-query {{ any; }}; allow-transfer {{ any; }}; notify no;
  empty-zones-enable no; zero-no-soa-ttl no; server-id \"{label}\";
  max-cache-size 8m;
}};
controls {{ }};
{clauses}"
        ),
    );
    // A copy, since Debian's AppArmor profile lets the program of that path read no other folders.
    let program = format!("{folder}/program");
    std::fs::copy(crate::support::find("named").unwrap(), &program).unwrap();
    Server::start_until(network, label, &program, &["-g", "-4", "-n", "1", "-c", &config], is_ready)
}

/// NSD with these zones (name and file).
pub(crate) fn nsd(
    network: &Network,
    label: &str,
    addresses: &[Ipv4Addr],
    zones: &[(String, String)],
) -> Server {
    let text: String = zones.iter().map(zone_of_nsd).collect();
    start_nsd(network, label, addresses, &text, || {
        addresses.iter().all(|at| zones.iter().all(|(name, _)| is_served(*at, name)))
    })
}

/// A `zone:` clause.
pub(crate) fn zone_of_nsd((name, file): &(String, String)) -> String {
    format!("zone:\n  name: \"{name}\"\n  zonefile: \"{file}\"\n  provide-xfr: 0.0.0.0/0 NOKEY\n")
}

/// NSD with these `zone:` clauses, in a process namespace: it consists of several processes.
pub(crate) fn start_nsd(
    network: &Network,
    label: &str,
    addresses: &[Ipv4Addr],
    zones: &str,
    is_ready: impl Fn() -> bool,
) -> Server {
    let folder = network.path(label);
    std::fs::create_dir_all(&folder).unwrap();
    let listen: String = addresses.iter().map(|address| format!("  ip-address: {address}\n")).collect();
    let config = network.write(
        &format!("{label}.conf"),
        format!(
            "server:
  server-count: 1
  username: \"\"
  chroot: \"\"
  database: \"\"
  pidfile: \"\"
  zonesdir: \"{folder}\"
  zonelistfile: \"{folder}/zone.list\"
  xfrdfile: \"\"
  xfrdir: \"{folder}\"
  nsid: \"ascii_{label}\"
  rrl-ratelimit: 0
{listen}remote-control:
  control-enable: no
{zones}"
        ),
    );
    let words = ["--pid", "--fork", "--kill-child", "nsd", "-d", "-c", &config];
    Server::start_until(network, label, "unshare", &words, is_ready)
}

/// unbound at an address, with more in its `server:` clause and behind it.
pub(crate) fn unbound(
    network: &Network,
    label: &str,
    address: Ipv4Addr,
    server: &str,
    behind: &str,
) -> Server {
    let folder = network.path("");
    let config = network.write(
        &format!("{label}.conf"),
        format!(
            "server:
    interface: {address}
    access-control: 0.0.0.0/0 allow
    num-threads: 1
    username: \"\"
    chroot: \"\"
    directory: \"{folder}\"
    pidfile: \"\"
    use-syslog: no
    do-daemonize: no
    do-ip6: no
    msg-cache-size: 1m
    rrset-cache-size: 1m
    qname-minimisation: yes
    local-zone: \"test.\" nodefault
    val-log-level: 2
    ede: yes
    {server}
{behind}
remote-control:
    control-enable: no
"
        ),
    );
    Server::start_until(network, label, "unbound", &["-d", "-c", &config], || answers(address))
}

/// Whether a server has a zone: it gives its SOA record with authority.
pub(crate) fn is_served(address: Ipv4Addr, zone: &str) -> bool {
    const SOA: u8 = 6;
    ask(address, zone, SOA).is_some_and(|answer| answer[2] & 4 != 0 && answer[3] & 15 == 0 && answer[7] == 1)
}

/// Whether somebody answers at all there.
pub(crate) fn answers(address: Ipv4Addr) -> bool {
    const NS: u8 = 2;
    ask(address, "version.server", NS).is_some()
}

/// One question in the plainest form (RFC 1035 4.1), and the answer's octets if one comes at once.
fn ask(address: Ipv4Addr, name: &str, record_type: u8) -> Option<Vec<u8>> {
    let mut query = vec![0x47, 0x53, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.').filter(|label| !label.is_empty()) {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend(label.bytes());
    }
    query.extend([0, 0, record_type, 0, 1]);
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    socket.connect((address, 53)).unwrap();
    socket.send(&query).ok()?;
    let mut answer = vec![0; 4096];
    let length = socket.recv(&mut answer).ok()?;
    answer.truncate(length);
    (length >= 12 && answer[..2] == query[..2]).then_some(answer)
}

impl Place {
    /// For messages.
    pub(crate) fn is_nsd(self) -> bool {
        NSD.contains(&self)
    }
}
