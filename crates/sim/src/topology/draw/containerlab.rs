//! A topology file for containerlab (<https://containerlab.dev/manual/topo-def-file/>), as far as the mapping
//! is honest: what containers and Linux cannot do, or do otherwise, is said in a comment.
//!
//! ```text
//!   host, router --> kind linux, with ip, sysctl, iptables and tc as exec lines
//!   switch       --> kind bridge: it must exist on the machine, and its ports are named there
//!   cable        --> link; latency, jitter, rate, loss by netem at the end that sends
//! ```

use super::labels;
use crate::cable::Queue;
use crate::router::{Action, Protocol, Rule};
use crate::topology::wiring::{Socket, Wiring};
use crate::topology::words::Word;
use crate::topology::{HostAddress, HostSpec, LaneSpec, RouterSpec, Topology};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Has ip, tc and iptables.
const IMAGE: &str = "nicolaka/netshoot:latest";

impl Topology {
    /// The network for containerlab, as YAML. Ports are `eth1` and on, since `eth0` is containerlab's own.
    /// Comments say what is lost.
    pub fn as_containerlab(&self) -> String {
        let lab = Lab { topology: self, bridges: bridges(self), wiring: Wiring::of(self).0 };
        let title = self.title.as_deref().unwrap_or("glasstack");
        let mut yaml = String::new();
        lab.preface(title, &mut yaml);
        let _ = write!(yaml, "name: {}\n\ntopology:\n  nodes:\n", quoted(&plain(title)));
        for (name, host) in &self.hosts {
            lab.host(name, host, &mut yaml);
        }
        for (name, router) in &self.routers {
            lab.router(name, router, &mut yaml);
        }
        for (name, bridge) in &lab.bridges {
            let _ = write!(yaml, "    # switch {name}\n    {bridge}:\n      kind: bridge\n");
        }
        lab.links(&mut yaml);
        yaml
    }
}

struct Lab<'a> {
    topology: &'a Topology,
    /// What each switch is called on the machine: Linux has no more than 15 letters for it.
    bridges: BTreeMap<&'a str, String>,
    wiring: Wiring<'a>,
}

fn bridges(topology: &Topology) -> BTreeMap<&str, String> {
    (0..).zip(topology.switches.keys()).map(|(n, name)| (name.as_str(), format!("gs-br{n}"))).collect()
}

impl Lab<'_> {
    /// What whoever deploys it must know.
    fn preface(&self, title: &str, yaml: &mut String) {
        let _ = writeln!(yaml, "# {}: made from a topology of glasstack.", labels::line(title));
        yaml.push_str(
            "#\n# Not in it: virtual time and seeds (containers run in real time, and no two runs are the same),\n\
             # what hosts serve (the labels `serve` and `names` say it; nothing is started), faults, and\n\
             # glasstack's own TCP, UDP and ICMP: these are Linux'.\n",
        );
        if self.bridges.is_empty() {
            return yaml.push('\n');
        }
        yaml.push_str("#\n# Switches are bridges of this machine; make them first:\n");
        for (name, switch) in &self.topology.switches {
            let Some(bridge) = self.bridges.get(name.as_str()) else { continue };
            let filtering = if switch.vlans.is_empty() { "" } else { " vlan_filtering 1" };
            // Linux counts in hundredths of a second.
            let ageing = switch.ageing.map(|ageing| format!(" ageing_time {}", ageing.as_millis() / 10));
            let ageing = ageing.unwrap_or_default();
            let _ = writeln!(
                yaml,
                "#   ip link add {bridge} type bridge{filtering}{ageing} && ip link set {bridge} up    # {name}"
            );
            let lost =
                [("capacity", switch.capacity), ("storm_control", switch.storm_control.map(|n| n as usize))];
            for (key, value) in lost {
                if let Some(value) = value {
                    let _ = writeln!(yaml, "#   not in {bridge}: {key} = {value}");
                }
            }
        }
        self.vlans(yaml);
        yaml.push('\n');
    }

    /// VLANs of bridges are set up on the machine, once the ports are there.
    fn vlans(&self, yaml: &mut String) {
        let switches = self.topology.switches.iter().filter(|(_, switch)| !switch.vlans.is_empty());
        for (name, switch) in switches {
            let _ = writeln!(yaml, "# The VLANs of {name}, once it is deployed:");
            for (port, vlan) in &switch.vlans {
                let dev = self.interface(Socket { node: name, port: *port });
                let _ = writeln!(yaml, "#   bridge vlan del dev {dev} vid 1");
                let (untagged, tagged) = match vlan {
                    crate::Vlan::Access(id) => (Some(*id), Vec::new()),
                    crate::Vlan::Trunk { native, tagged } => (*native, tagged.clone()),
                };
                if let Some(id) = untagged {
                    let _ = writeln!(yaml, "#   bridge vlan add dev {dev} vid {id} pvid untagged");
                }
                for id in tagged {
                    let _ = writeln!(yaml, "#   bridge vlan add dev {dev} vid {id}");
                }
            }
        }
    }

    fn host(&self, name: &str, host: &HostSpec, yaml: &mut String) {
        let mut exec = self.card(name, 0);
        let mut lost = Vec::new();
        match host.address {
            HostAddress::Static(cidr) => exec.push(format!("ip address add {cidr} dev eth1")),
            HostAddress::Dhcp => exec.push("udhcpc -i eth1".to_owned()),
        }
        exec.extend(mtu(host.mtu, 0));
        exec.extend(host.gateway.map(|gateway| format!("ip route replace default via {gateway}")));
        exec.extend(host.routes.iter().map(|route| format!("ip route replace {route}")));
        if !host.name_servers.is_empty() {
            let servers = host.name_servers.iter().map(|server| format!("nameserver {server}"));
            let servers = servers.collect::<Vec<_>>().join("\\n");
            exec.push(format!("sh -c 'printf \"{servers}\\n\" > /etc/resolv.conf'"));
        }
        self.cables_of(name, 0, &mut exec, &mut lost);
        let mut labels = BTreeMap::new();
        labels.insert("names", host.names.join(" "));
        labels.insert("serve", host.serve.join("; "));
        labels.insert("about", host.about.clone().unwrap_or_default());
        node(name, &exec, &lost, &labels, yaml);
    }

    fn router(&self, name: &str, router: &RouterSpec, yaml: &mut String) {
        let mut exec = vec!["sysctl -w net.ipv4.ip_forward=1".to_owned()];
        let mut lost = Vec::new();
        for (port, spec) in router.ports.iter().enumerate() {
            exec.extend(self.card(name, port));
            exec.push(format!("ip address add {} dev eth{}", spec.address, port + 1));
            exec.extend(mtu(spec.mtu, port));
        }
        exec.extend(router.routes.iter().map(|route| format!("ip route replace {route}")));
        if router.checks_sources {
            exec.push("sysctl -w net.ipv4.conf.all.rp_filter=1".to_owned());
        }
        if router.silent_when_too_big {
            exec.push("iptables -A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP".to_owned());
        }
        if let Some(errors) = router.errors_per_second {
            lost.push(format!(
                "errors_per_second: the machine's, not the container's: net.ipv4.icmp_msgs_per_sec={} \
                 net.ipv4.icmp_msgs_burst={}",
                errors.rate, errors.burst
            ));
        }
        if router.rip.is_some() {
            lost.push("rip: run a daemon that speaks RIPv2 in the container, as FRR's ripd".to_owned());
        }
        for dhcp in &router.dhcp {
            let (first, last) = (dhcp.pool.start(), dhcp.pool.end());
            lost.push(format!(
                "dhcp: run dnsmasq in the container, as dnsmasq -i eth{} --dhcp-range={first},{last}",
                dhcp.port + 1
            ));
        }
        translation(router, &mut exec, &mut lost);
        filter(router, &mut exec);
        for port in 0..router.ports.len() {
            self.cables_of(name, port, &mut exec, &mut lost);
        }
        let labels = BTreeMap::from([("about", router.about.clone().unwrap_or_default())]);
        node(name, &exec, &lost, &labels, yaml);
    }

    /// A MAC address that was asked for.
    fn card(&self, name: &str, port: usize) -> Vec<String> {
        let host = self.topology.hosts.get(name).and_then(|host| host.mac);
        let router = || self.topology.routers.get(name)?.ports.get(port)?.mac;
        let mac = host.or_else(router);
        mac.map(|mac| format!("ip link set eth{} address {mac}", port + 1)).into_iter().collect()
    }

    /// What the cable in a port does to frames that leave by it.
    fn cables_of(&self, name: &str, port: usize, exec: &mut Vec<String>, lost: &mut Vec<String>) {
        let socket = Socket { node: name, port };
        let cables = self.topology.cables.iter().zip(&self.wiring.sockets);
        for (cable, sockets) in cables {
            let own = match sockets {
                Some([first, _]) if *first == socket => &cable.there,
                Some([_, second]) if *second == socket => &cable.back,
                _ => continue,
            };
            let dev = format!("eth{}", port + 1);
            exec.push(netem(&dev, &cable.lanes.overridden_by(own), lost));
            if !cable.up {
                exec.push(format!("ip link set {dev} down"));
            }
            if cable.capture {
                lost.push(format!("capture: run tcpdump -i {dev} -w FILE in the container"));
            }
        }
    }

    fn links(&self, yaml: &mut String) {
        yaml.push_str("\n  links:\n");
        for (cable, sockets) in self.topology.cables.iter().zip(&self.wiring.sockets) {
            let Some([first, second]) = sockets else { continue };
            let like = labels::cable(cable);
            let _ = writeln!(yaml, "    # {like}");
            for (from, own) in [(first, &cable.there), (second, &cable.back)] {
                if self.bridges.contains_key(from.node) {
                    let mut lost = Vec::new();
                    let dev = self.interface(*from);
                    let command = netem(&dev, &cable.lanes.overridden_by(own), &mut lost);
                    let _ = writeln!(yaml, "    # what {} sends, on the machine: {command}", from.node);
                    lost.iter().for_each(|lost| {
                        let _ = writeln!(yaml, "    # not here: {lost}");
                    });
                }
            }
            if [first, second].iter().all(|end| self.bridges.contains_key(end.node)) {
                let dev = self.interface(*first);
                if !cable.up {
                    let _ = writeln!(yaml, "    # unplugged, on the machine: ip link set {dev} down");
                }
                if cable.capture {
                    let _ = writeln!(yaml, "    # capture, on the machine: tcpdump -i {dev} -w FILE");
                }
            }
            let end = |socket: &Socket<'_>| {
                let node = self.bridges.get(socket.node).map_or(socket.node, String::as_str);
                quoted(&format!("{node}:{}", self.interface(*socket)))
            };
            let _ = writeln!(yaml, "    - endpoints: [{}, {}]", end(first), end(second));
        }
    }

    /// A container has its own `eth1`; the ports of bridges share the machine's names.
    fn interface(&self, Socket { node, port }: Socket<'_>) -> String {
        match self.bridges.get(node) {
            Some(bridge) => format!("{}p{port}", bridge.replace("gs-br", "gs")),
            None => format!("eth{}", port + 1),
        }
    }
}

fn mtu(mtu: Option<u16>, port: usize) -> Option<String> {
    mtu.map(|mtu| format!("ip link set eth{} mtu {mtu}", port + 1))
}

fn translation(router: &RouterSpec, exec: &mut Vec<String>, lost: &mut Vec<String>) {
    let Some(nat) = &router.nat else { return };
    let outside = format!("eth{}", nat.outside + 1);
    let ports = nat.ports.as_ref().map(|ports| format!(" --to-ports {}-{}", ports.start(), ports.end()));
    match ports {
        None => exec.push(format!("iptables -t nat -A POSTROUTING -o {outside} -j MASQUERADE")),
        // Only where there are ports can they be chosen.
        Some(ports) => {
            for protocol in ["tcp", "udp"] {
                exec.push(format!(
                    "iptables -t nat -A POSTROUTING -o {outside} -p {protocol} -j MASQUERADE{ports}"
                ));
            }
            exec.push(format!("iptables -t nat -A POSTROUTING -o {outside} -j MASQUERADE"));
        }
    }
    for forward in &router.forwards {
        exec.push(format!(
            "iptables -t nat -A PREROUTING -i {outside} -p {} --dport {} -j DNAT --to-destination {}",
            forward.protocol, forward.port, forward.to
        ));
    }
    if let Some(filtering) = nat.filtering {
        lost.push(format!("nat.filtering {}: Linux' is address-and-port-dependent", filtering.write()));
    }
    if let Some(most) = nat.most {
        lost.push(format!("nat.most: the machine's net.netfilter.nf_conntrack_max={most}"));
    }
    let timeouts = [
        ("tcp_established", "nf_conntrack_tcp_timeout_established", nat.timeouts.tcp_established),
        ("udp", "nf_conntrack_udp_timeout", nat.timeouts.udp),
        ("icmp", "nf_conntrack_icmp_timeout", nat.timeouts.icmp),
    ];
    for (_, key, timeout) in timeouts {
        exec.extend(timeout.map(|timeout| format!("sysctl -w net.netfilter.{key}={}", timeout.as_secs())));
    }
    if nat.timeouts.tcp_transitory.is_some() {
        lost.push("nat.timeouts.tcp_transitory: Linux has one timeout for each state".to_owned());
    }
}

fn filter(router: &RouterSpec, exec: &mut Vec<String>) {
    let Some(filter) = &router.filter else { return };
    for rule in &filter.rules {
        exec.extend(rules(rule));
    }
    match filter.policy {
        Action::Allow => exec.push("iptables -P FORWARD ACCEPT".to_owned()),
        Action::Drop => exec.push("iptables -P FORWARD DROP".to_owned()),
        Action::Reject => {
            let all = Rule::new(Action::Reject);
            exec.extend(rules(&all));
        }
    }
}

/// A rule as iptables has it; ports without a protocol make one for TCP and one for UDP.
fn rules(rule: &Rule) -> Vec<String> {
    let has_ports = rule.from.ports.is_some() || rule.to.ports.is_some();
    let protocols = match rule.protocol {
        Some(Protocol::Tcp) => vec![Some("tcp".to_owned())],
        Some(Protocol::Udp) => vec![Some("udp".to_owned())],
        Some(Protocol::Icmp) => vec![Some("icmp".to_owned())],
        Some(Protocol::Number(number)) => vec![Some(number.to_string())],
        None if has_ports => vec![Some("tcp".to_owned()), Some("udp".to_owned())],
        // What is rejected is told differently.
        None if rule.action == Action::Reject => vec![Some("tcp".to_owned()), None],
        None => vec![None],
    };
    protocols.into_iter().map(|protocol| one_rule(rule, protocol.as_deref())).collect()
}

fn one_rule(rule: &Rule, protocol: Option<&str>) -> String {
    let mut text = "iptables -A FORWARD".to_owned();
    for (flag, port) in [("-i", rule.in_by), ("-o", rule.out_by)] {
        if let Some(port) = port {
            let _ = write!(text, " {flag} eth{}", port + 1);
        }
    }
    if let Some(protocol) = protocol {
        let _ = write!(text, " -p {protocol}");
    }
    for (flag, ports, side) in [("-s", "--sport", &rule.from), ("-d", "--dport", &rule.to)] {
        if let Some(network) = side.network {
            let _ = write!(text, " {flag} {network}");
        }
        if let Some(range) = &side.ports {
            let _ = write!(text, " {ports} {}", range.write().replace('-', ":"));
        }
    }
    if rule.established {
        text += " -m conntrack --ctstate ESTABLISHED,RELATED";
    }
    text + match (rule.action, protocol) {
        (Action::Allow, _) => " -j ACCEPT",
        (Action::Drop, _) => " -j DROP",
        (Action::Reject, Some("tcp")) => " -j REJECT --reject-with tcp-reset",
        (Action::Reject, _) => " -j REJECT --reject-with icmp-admin-prohibited",
    }
}

/// What tc does to frames that leave by `dev`; what it does not, or otherwise, is in `lost`.
fn netem(dev: &str, lane: &LaneSpec, lost: &mut Vec<String>) -> String {
    let usual = Duration::from_millis(1);
    // Ours adds from nothing to `jitter`; netem's is to both sides of the delay.
    let half = lane.jitter.map(|jitter| jitter / 2);
    let delay = lane.latency.unwrap_or(usual) + half.unwrap_or_default();
    let mut text = format!("tc qdisc replace dev {dev} root netem delay {}us", delay.as_micros());
    if let Some(half) = half {
        let _ = write!(text, " {}us", half.as_micros());
        if lane.keeps_order != Some(false) {
            lost.push("keeps_order: netem's jitter reorders".to_owned());
        }
    }
    if let Some(loss) = lane.loss {
        let _ = write!(text, " loss {}%", loss.0 * 100.0);
    }
    if let Some(bursts) = lane.bursts {
        let percent = |share: f64| share * 100.0;
        let _ = write!(
            text,
            " loss gemodel {}% {}% {}% {}%",
            percent(bursts.p.0),
            percent(bursts.r.0),
            percent(1.0 - bursts.h.0),
            percent(1.0 - bursts.k.0)
        );
        if lane.loss.is_some() {
            lost.push("loss beside bursts: netem has one of them, the last".to_owned());
        }
    }
    if let Some(rate) = lane.rate {
        let _ = write!(text, " rate {}bit", rate.0);
    }
    match lane.queue {
        Some(Queue::Frames(limit)) => {
            let _ = write!(text, " limit {limit}");
        }
        Some(queue @ (Queue::Bytes(_) | Queue::CoDel { .. })) => {
            lost.push(format!("queue {}: netem counts frames, 1000 as usual", queue.write()));
        }
        Some(Queue::Unlimited) | None => {}
    }
    text
}

fn node(name: &str, exec: &[String], lost: &[String], labels: &BTreeMap<&str, String>, yaml: &mut String) {
    for lost in lost {
        let _ = writeln!(yaml, "    # not in {name}: {lost}");
    }
    let _ = write!(yaml, "    {}:\n      kind: linux\n      image: {IMAGE}\n", quoted(name));
    let labels: Vec<_> = labels.iter().filter(|(_, text)| !text.is_empty()).collect();
    if !labels.is_empty() {
        yaml.push_str("      labels:\n");
        for (key, text) in labels {
            let _ = writeln!(yaml, "        {key}: {}", quoted(text));
        }
    }
    yaml.push_str("      exec:\n");
    for line in exec {
        let _ = writeln!(yaml, "        - {}", quoted(line));
    }
}

/// A string as YAML 1.2 7.3.1 has it: JSON's escapes are among its own.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            c if labels::is_unseen(c) => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Names of labs have small letters, digits and dashes.
fn plain(title: &str) -> String {
    let letters = title
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect::<String>();
    letters.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}
