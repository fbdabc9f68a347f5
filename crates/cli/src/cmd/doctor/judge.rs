//! What the facts mean: for each topic whether it is fine or what to do, and which ways work.

use super::probe::{Device, Driver, Facts, Names};
use glasstack::uplink::Mode;

/// All that the doctor says.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
    pub(super) ways: Vec<Way>,
}

impl Report {
    /// Whether what needs no set-up works: the lab and `--net user`.
    pub(super) fn works_every_day(&self) -> bool {
        let every_day = self.ways.iter().filter(|way| EVERY_DAY.contains(&way.name));
        every_day.filter(|way| way.works).count() == EVERY_DAY.len()
    }
}

const LAB: &str = "--net lab";
const USER: &str = "--net user";
const EVERY_DAY: [&str; 2] = [LAB, USER];

/// One topic.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) topic: &'static str,
    pub(super) state: State,
    pub(super) text: String,
    /// The command or the step that helps.
    pub(super) cure: Option<String>,
}

/// How it is with a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be.
    Fine,
    /// Worth knowing; nothing needs to be done.
    Note,
    /// Something does not work, and the cure is told.
    ToDo,
}

/// A way to use glasstack.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) works: bool,
    pub(super) because: String,
}

pub(super) fn judge(facts: &Facts) -> Report {
    let findings = vec![
        lab(facts),
        user_net(facts),
        tun_driver(facts),
        capabilities(facts),
        device(facts, Mode::Tap),
        device(facts, Mode::Tun),
        user_namespaces(facts),
        forwarding(facts),
        firewall(facts),
        ping(facts),
        names(facts),
        trust(facts),
        wireshark(facts),
        extcap(facts),
    ];
    Report { findings, ways: ways(facts) }
}

fn lab(facts: &Facts) -> Finding {
    const TOPIC: &str = "built-in lab";
    match &facts.lab_fails {
        None => fine(TOPIC, "www.example.test was found and connected to"),
        // It needs nothing of the machine.
        Some(why) => {
            to_do(TOPIC, format!("broken: {why}"), "report this: the lab needs nothing of the machine")
        }
    }
}

fn user_net(facts: &Facts) -> Finding {
    const TOPIC: &str = "--net user";
    match &facts.user_net_fails {
        None => fine(TOPIC, "a connection to this machine's loopback went through the gateway and back"),
        Some(why) if !facts.loopback_up => to_do(
            TOPIC,
            format!("does not work: {why}; the loopback interface is down"),
            sudo(facts, "ip link set lo up"),
        ),
        Some(why) => to_do(
            TOPIC,
            format!("does not work: {why}"),
            "a firewall, a seccomp filter or a limit (ulimit -n) of this session forbids ordinary sockets",
        ),
    }
}

fn tun_driver(facts: &Facts) -> Finding {
    const TOPIC: &str = "/dev/net/tun";
    match &facts.tun_driver {
        Driver::Usable => fine(TOPIC, "can be opened"),
        Driver::Absent => to_do(
            TOPIC,
            "does not exist (a container gets it by --device /dev/net/tun)",
            sudo(facts, "modprobe tun"),
        ),
        Driver::Forbidden => to_do(
            TOPIC,
            "this user may not open it, though the kernel decides anyway who gets which device",
            sudo(facts, "chmod 0666 /dev/net/tun"),
        ),
        Driver::Failing(why) => to_do(TOPIC, format!("cannot be opened: {why}"), sudo(facts, "modprobe tun")),
    }
}

fn capabilities(facts: &Facts) -> Finding {
    const TOPIC: &str = "CAP_NET_ADMIN";
    match (facts.user.net_admin, facts.user.id) {
        (true, 0) => fine(TOPIC, "in force, as root: devices can be made"),
        (true, _) => {
            fine(TOPIC, "in force without root (a capability of the file, perhaps): devices can be made")
        }
        (false, _) if facts.user.net_admin_elsewhere => note(
            TOPIC,
            "in force in this user namespace, but not over the network that is seen, which is another's",
        ),
        (false, 0) => to_do(
            TOPIC,
            "missing although this is root: a container has taken it away",
            "start the container with --cap-add NET_ADMIN --device /dev/net/tun",
        ),
        (false, _) if !facts.user.net_admin_possible => note(
            TOPIC,
            "cannot be had in here, not even by root (a container): devices must be prepared outside",
        ),
        (false, _) => {
            note(TOPIC, "not in force, as is usual: devices are prepared by root, once (glass0 below)")
        }
    }
}

fn device(facts: &Facts, mode: Mode) -> Finding {
    let topic = mode.default_name();
    match device_trouble(facts, mode) {
        None if is_there(facts, mode) => fine(topic, format!("a {mode} that is yours, up, with an address")),
        None => note(topic, format!("not there; {mode} devices are made when they are needed")),
        Some(Trouble { what, cure: Some(cure) }) => to_do(topic, what, cure),
        Some(Trouble { what, cure: None }) => note(topic, what),
    }
}

/// Why a way over a device does not work.
struct Trouble {
    what: String,
    cure: Option<String>,
}

/// What stands between the user and the default device of this kind, apart from the driver.
fn device_trouble(facts: &Facts, mode: Mode) -> Option<Trouble> {
    let (name, tun) = match mode {
        Mode::Tap => ("glass0", ""),
        Mode::Tun => ("glasstun0", " --tun"),
    };
    let script = |name: &str| match &facts.scripts {
        Some(folder) => sudo(facts, &folder.join(name).display().to_string()),
        None => sudo(facts, &format!("scripts/{name}")),
    };
    let anew = || Some(format!("{} {name} && {} {name}{tun}", script("tap-down"), script("tap-up")));
    let trouble = |what: String, cure| Some(Trouble { what, cure });
    let device = if mode == Mode::Tap { &facts.tap } else { &facts.tun };
    match device {
        Device::Foreign => trouble(format!("is an interface, but no plain {mode}"), None),
        Device::Absent | Device::There { .. } if facts.user.net_admin => None,
        Device::Absent if mode == Mode::Tun => {
            trouble("not there, and needed only for --net tun".to_owned(), None)
        }
        Device::Absent => {
            trouble("not there, and this user cannot make it".to_owned(), Some(script("tap-up")))
        }
        Device::There { owner, group, up, addresses } => {
            let mine = *owner == Some(facts.user.id)
                || group.is_some_and(|group| facts.user.groups.contains(&group));
            match (mine, up, addresses.is_empty()) {
                (true, true, false) => None,
                (true, false, _) => trouble("yours, but down".to_owned(), anew()),
                (true, true, true) => trouble("yours, but without an address".to_owned(), anew()),
                (false, ..) => {
                    let owner = owner.map_or("root".to_owned(), |owner| format!("user {owner}"));
                    trouble(format!("belongs to {owner}, not to user {}", facts.user.id), anew())
                }
            }
        }
    }
}

fn is_there(facts: &Facts, mode: Mode) -> bool {
    let device = if mode == Mode::Tap { &facts.tap } else { &facts.tun };
    matches!(device, Device::There { .. })
}

fn user_namespaces(facts: &Facts) -> Finding {
    const TOPIC: &str = "user namespaces";
    match &facts.no_user_namespace {
        None => fine(TOPIC, "can be made: tests may have a private network without root"),
        Some(why) if facts.user.id == 0 => note(TOPIC, format!("{why}; root does not need them")),
        // Whoever says why says also what helps.
        Some(why) => match why.rsplit_once(": ") {
            Some((why, cure)) => to_do(TOPIC, why, cure),
            None => to_do(TOPIC, why, "ask who administers this machine"),
        },
    }
}

fn forwarding(facts: &Facts) -> Finding {
    const TOPIC: &str = "net.ipv4.ip_forward";
    match facts.forwards {
        Some(true) => note(TOPIC, "on: this machine forwards packets, also those of a TAP"),
        Some(false) => note(TOPIC, "off: over a TAP only this machine is reached (tap-up --nat turns it on)"),
        None => note(TOPIC, "cannot be read"),
    }
}

fn firewall(facts: &Facts) -> Finding {
    const TOPIC: &str = "nft, iptables";
    let found: Vec<&str> = ["nft", "iptables"].into_iter().filter(|name| facts.has(name)).collect();
    if found.is_empty() {
        return note(TOPIC, "neither is installed: tap-up --nat needs one (apt install nftables)");
    }
    fine(TOPIC, format!("found for tap-up --nat: {}", found.join(", ")))
}

fn ping(facts: &Facts) -> Finding {
    const TOPIC: &str = "ping sockets";
    match facts.ping_groups {
        None => note(TOPIC, "net.ipv4.ping_group_range cannot be read: ping over --net user may not work"),
        Some((from, to)) if facts.user.groups.iter().any(|group| (from..=to).contains(group)) => {
            fine(TOPIC, "this user may ping over --net user")
        }
        Some(_) => to_do(
            TOPIC,
            "this user may not ping over --net user (net.ipv4.ping_group_range leaves its groups out)",
            sudo(facts, "sysctl -w net.ipv4.ping_group_range=\"0 2147483647\""),
        ),
    }
}

fn names(facts: &Facts) -> Finding {
    const TOPIC: &str = "/etc/resolv.conf";
    match &facts.names {
        Names::Unreadable(why) => {
            to_do(TOPIC, format!("cannot be read: {why}"), "name a server with --dns IP")
        }
        Names::Servers(servers) if servers.is_empty() => {
            to_do(TOPIC, "names no name server", "name one with --dns IP")
        }
        Names::Servers(servers) => {
            let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
            fine(TOPIC, format!("names {}", servers.join(", ")))
        }
    }
}

fn trust(facts: &Facts) -> Finding {
    const TOPIC: &str = "trust store";
    let trust = &facts.trust;
    let from = trust.from.as_ref().map(|path| format!(" from {}", path.display())).unwrap_or_default();
    match (trust.roots, trust.errors.first()) {
        (0, why) => {
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            to_do(
                TOPIC,
                format!(
                    "no certificate authority is trusted{why}: https works in the lab and with --cacert only"
                ),
                sudo(facts, "apt install ca-certificates"),
            )
        }
        (roots, why) => {
            let unusable = match trust.unusable {
                0 => String::new(),
                count => format!(", {count} more cannot be used"),
            };
            let why = why.map(|why| format!("; {why}")).unwrap_or_default();
            fine(TOPIC, format!("{roots} certificate authorities{from}{unusable}{why}"))
        }
    }
}

/// From which version on secrets are read from inside a capture.
const SECRETS_SINCE: u32 = 3;

fn wireshark(facts: &Facts) -> Finding {
    const TOPIC: &str = "Wireshark";
    match (&facts.wireshark.version, reads_secrets(facts)) {
        (None, _) => {
            note(TOPIC, "not installed: captures can be made, and looked at elsewhere (apt install tshark)")
        }
        (Some(version), true) => fine(TOPIC, format!("{version} opens captures decrypted")),
        (Some(version), false) => to_do(
            TOPIC,
            format!("{version} does not read the TLS secrets inside a capture: {SECRETS_SINCE}.0 does"),
            sudo(facts, "apt install tshark"),
        ),
    }
}

fn reads_secrets(facts: &Facts) -> bool {
    let version = facts.wireshark.version.as_deref().unwrap_or_default();
    version.split('.').next().and_then(|major| major.parse::<u32>().ok()) >= Some(SECRETS_SINCE)
}

fn extcap(facts: &Facts) -> Finding {
    const TOPIC: &str = "extcap folder";
    let folders: Vec<String> = facts.wireshark.extcap.iter().map(|path| path.display().to_string()).collect();
    if folders.is_empty() {
        return note(TOPIC, "Wireshark does not tell where it looks for capture programs");
    }
    note(TOPIC, format!("Wireshark looks for capture programs in {}", folders.join(" and ")))
}

fn ways(facts: &Facts) -> Vec<Way> {
    let way = |name, trouble: Option<String>, use_it: &str| Way {
        name,
        works: trouble.is_none(),
        because: trouble.unwrap_or_else(|| use_it.to_owned()),
    };
    let driver = match &facts.tun_driver {
        Driver::Usable => None,
        _ => Some("/dev/net/tun cannot be opened".to_owned()),
    };
    let over = |mode| {
        let trouble = || device_trouble(facts, mode);
        let of_device = || trouble().map(|trouble| format!("{}: {}", mode.default_name(), trouble.what));
        driver.clone().or_else(of_device)
    };
    let private = match &facts.no_user_namespace {
        Some(_) if !facts.user.net_admin => Some("no user namespace can be made".to_owned()),
        _ => driver.clone(),
    };
    let decrypted =
        (!reads_secrets(facts)).then(|| format!("Wireshark {SECRETS_SINCE}.0 or newer is not installed"));
    vec![
        way(LAB, facts.lab_fails.clone(), "glasstack get -L http://www.example.test/"),
        way(USER, facts.user_net_fails.clone(), "glasstack get --net user http://localhost:8080/"),
        way("--net tap", over(Mode::Tap), &format!("glasstack ping --net tap {}", kernel_at(&facts.tap))),
        way("--net tun", over(Mode::Tun), &format!("glasstack ping --net tun {}", kernel_at(&facts.tun))),
        way("networks for tests", private, "glasstack::uplink::netns::in_a_private_network"),
        way("Wireshark", decrypted, "glasstack get --capture journey.pcapng ... && wireshark journey.pcapng"),
    ]
}

/// The kernel's address on a device: its own, or the one that a new device gets.
fn kernel_at(device: &Device) -> &str {
    let addresses = match device {
        Device::There { addresses, .. } => addresses.as_slice(),
        Device::Absent | Device::Foreign => &[],
    };
    addresses.first().and_then(|address| address.split('/').next()).unwrap_or("10.71.83.1")
}

/// A command for root, as this user has to type it.
fn sudo(facts: &Facts, command: &str) -> String {
    if facts.user.id == 0 { command.to_owned() } else { format!("sudo {command}") }
}

fn fine(topic: &'static str, text: impl Into<String>) -> Finding {
    Finding { topic, state: State::Fine, text: text.into(), cure: None }
}

fn note(topic: &'static str, text: impl Into<String>) -> Finding {
    Finding { topic, state: State::Note, text: text.into(), cure: None }
}

fn to_do(topic: &'static str, text: impl Into<String>, cure: impl Into<String>) -> Finding {
    Finding { topic, state: State::ToDo, text: text.into(), cure: Some(cure.into()) }
}
