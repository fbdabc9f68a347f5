//! `glasstack lab bridge`: real programs use the lab through a TAP, in networks of their own.
//!
//! ```text
//!   ping, traceroute, dig, curl, Chromium -- kernel 192.168.1.2 == TAP ==| outside -- home-switch -- home -- ...
//! ```

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;
use std::process::Command;
use support::tshark::Capture;
use support::{Ran, is_there, skip, until, with_real_peers};

/// What `program` says in a network that is nothing but the lab; none if it is not installed.
fn in_the_lab(options: &[&str], program: &[&str]) -> Option<Ran> {
    let name = program[0];
    if !is_there(name) {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        skip(&test, &format!("needs {name}"));
        return None;
    }
    let mut command = Command::new("timeout");
    command.args(["120", env!("CARGO_BIN_EXE_glasstack"), "lab", "bridge"]);
    command.args(options).arg("--").args(program).env_remove("http_proxy").env_remove("https_proxy");
    Some(Ran::of(&mut command))
}

#[test]
fn ping_reaches_the_home_router_and_hosts_abroad() {
    let Some(ran) = in_the_lab(&[], &["ping", "-n", "-c", "2", "-i", "0.2", "192.168.1.1"]) else { return };
    let said = ran.ok();
    assert!(said.contains("2 received, 0% packet loss") && said.contains("ttl=64"), "{said}");
    let Some(ran) = in_the_lab(&[], &["ping", "-n", "-c", "1", "198.41.0.4"]) else { return };
    let said = ran.ok();
    assert!(said.contains("1 received"), "a-root answers through NAT: {said}");
}

#[test]
fn traceroute_shows_the_way_from_router_to_router() {
    let Some(ran) = in_the_lab(&[], &["traceroute", "-n", "-q", "1", "198.51.100.80"]) else { return };
    let said = ran.ok();
    let hops: Vec<&str> = said.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(hops.first(), Some(&"192.168.1.1"), "{said}");
    assert_eq!(hops.last(), Some(&"198.51.100.80"), "{said}");
    assert!(hops.len() > 3 && !hops.contains(&"*"), "every router says that it was passed: {said}");
}

#[test]
fn dig_asks_the_local_name_server_and_the_roots() {
    let Some(ran) = in_the_lab(&[], &["dig", "+short", "www.example.test"]) else { return };
    assert_eq!(ran.ok().trim(), "198.51.100.80");
    let Some(ran) = in_the_lab(&[], &["dig", "+norecurse", "@198.41.0.4", ".", "NS"]) else { return };
    let said = ran.ok();
    assert!(said.contains("flags: qr aa") && said.contains("ANSWER: 13"), "{said}");
    let Some(ran) = in_the_lab(&[], &["dig", "+trace", "+nodnssec", "www.example.test"]) else { return };
    let said = ran.ok();
    for step in ["root-servers.net", "test.", "198.51.100.80"] {
        assert!(said.contains(step), "{step}: {said}");
    }
}

#[test]
fn delv_validates_from_the_labs_root_key_on() {
    let key = std::env::temp_dir().join(format!("glasstack-root-key-{}", std::process::id()));
    let path = key.to_str().unwrap();
    let delv = |name| in_the_lab(&["--root-key", path], &["delv", "-a", path, name]);
    let Some(ran) = delv("www.dnssec.test") else { return };
    let said = ran.ok();
    assert!(said.contains("; fully validated") && said.contains("198.51.100.80"), "{said}");
    let ran = delv("www.bogus.dnssec.test").unwrap();
    assert!(!ran.out.contains("198.51.100.80"), "{}{}", ran.out, ran.err);
    std::fs::remove_file(key).unwrap();
}

#[test]
fn curl_fetches_and_believes_the_labs_authorities() {
    let Some(ran) = in_the_lab(&[], &["curl", "-sS", "-L", "http://www.example.test/"]) else { return };
    let said = ran.ok();
    assert!(said.contains("An example of the lab"), "{said}");
    let Some(ran) = in_the_lab(&[], &["curl", "-sS", "https://expired.badssl.test/"]) else { return };
    assert!(ran.exits(60).err.contains("certificate has expired"));
}

#[test]
fn a_fault_strikes_real_programs_too_and_a_forging_one_is_refused() {
    let dig = ["dig", "+tries=1", "+timeout=2", "www.example.test"];
    let Some(ran) = in_the_lab(&["--fault", "lose every DNS answer"], &dig) else { return };
    assert!(ran.exits(9).out.contains("no servers could be reached"));
    for forging in
        ["spoof ARP for home from mallory", "reset after 10kB", "lie about www.example.test 192.0.2.1"]
    {
        let Some(ran) = in_the_lab(&["--fault", forging], &["true"]) else { return };
        ran.exits(2).saying("in memory only");
    }
}

#[test]
fn a_fault_that_strikes_nobody_is_told() {
    let Some(ran) = in_the_lab(&["--fault", "lose client SYN-ACK 1"], &["true"]) else { return };
    ran.exits(0).saying("the fault `lose SYN-ACK 1 at home-switch <-> home` never struck");
}

#[test]
fn chromium_shows_a_page_over_https() {
    let html = "\
        set -e; export HOME=$(mktemp -d); trap 'rm -rf $HOME' EXIT; mkdir -p $HOME/.pki/nssdb; \
        certutil -d sql:$HOME/.pki/nssdb -N --empty-password; \
        certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n lab -i $SSL_CERT_FILE; \
        timeout 90 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
            --disable-background-networking --user-data-dir=$HOME/profile \
            --dump-dom https://www.example.test/ 2>$HOME/errors || { cat $HOME/errors; exit 1; }";
    if !is_there("chromium") || !is_there("certutil") {
        return skip("chromium_shows_a_page_over_https", "needs chromium and certutil");
    }
    let Some(ran) = in_the_lab(&[], &["bash", "-c", html]) else { return };
    let said = ran.ok();
    assert!(said.contains("<title>An example of the lab</title>"), "{said}");
}

#[test]
fn a_bridge_of_its_own_serves_whoever_is_in_its_network_until_it_is_interrupted() {
    with_real_peers(&["curl", "tshark"], |network| {
        // This network's own web server has the address of one of the lab's.
        Ran::of(Command::new("ip").args(["addr", "del", "198.51.100.80/32", "dev", "lo"])).ok();
        let (ca, capture) = (network.path("root.pem"), network.path("bridge.pcapng"));
        let bridge = network.on_its_own(&[
            "lab",
            "bridge",
            "--tap",
            "lab0",
            "--addr",
            "192.168.1.77/24",
            "--route",
            "--ca",
            &ca,
            "--capture",
            &capture,
        ]);
        let routes = || Ran::of(Command::new("ip").args(["route", "show", "default"])).ok();
        until(|| routes().contains("via 192.168.1.1 dev lab0"));
        let site = "www.example.test:443:198.51.100.80";
        let said = Ran::of(Command::new("curl").args([
            "-sS",
            "--max-time",
            "20",
            "--cacert",
            &ca,
            "--resolve",
            site,
            "https://www.example.test/",
        ]));
        assert!(said.ok().contains("An example of the lab"));
        // What curl sends at last has been through the bridge when it is answered.
        let unanswered = || Ran::of(Command::new("ss").args(["-tanH", "state", "fin-wait-1"])).ok();
        until(|| !unanswered().contains("198.51.100.80"));
        bridge.interrupt();
        assert_eq!(bridge.wait(), Some(0), "an interrupt is how a bridge ends");
        assert!(!Path::new("/sys/class/net/lab0").exists(), "the device went with it");
        Capture::open(&capture).has(&[
            "arp.src.proto_ipv4 == 192.168.1.77",
            "tcp.flags.syn == 1 && tcp.flags.ack == 0 && ip.dst == 198.51.100.80",
            "tls.handshake.type == 1",
            "tcp.flags.fin == 1 && ip.dst == 198.51.100.80",
        ]);
    });
}

#[test]
fn an_address_that_somebody_has_and_a_switch_that_is_not_there_are_refused() {
    let Some(ran) = in_the_lab(&["--addr", "192.168.1.10/24"], &["true"]) else { return };
    ran.exits(2).saying("192.168.1.10 belongs to client on home-switch");
    let Some(ran) = in_the_lab(&["--at", "nowhere"], &["true"]) else { return };
    ran.exits(2).saying("there is no switch named nowhere; these are: dc-switch");
}

#[test]
fn a_fault_of_the_clients_strikes_the_kernel_which_stands_in_its_place() {
    let options = ["--fault", "lose client SYN-ACK 1"];
    let Some(ran) = in_the_lab(&options, &["curl", "-sS", "--max-time", "20", "http://echo.test/"]) else {
        return;
    };
    let ran = ran.exits(0);
    assert!(!ran.err.contains("never struck"), "{}", ran.err);
    let never = ["--fault", "lose client SYN-ACK 9"];
    let Some(ran) = in_the_lab(&never, &["curl", "-sS", "--max-time", "20", "http://echo.test/"]) else {
        return;
    };
    ran.exits(0).saying("never struck");
}

#[test]
fn a_program_ends_when_its_time_is_up_and_what_cannot_be_saved_is_refused() {
    let Some(ran) = in_the_lab(&["--seconds", "0.2"], &["sleep", "60"]) else { return };
    ran.exits(124);
    let Some(ran) = in_the_lab(&["--save", "/nowhere/run.toml"], &["true"]) else { return };
    ran.exits(2).saying("cannot be done again");
    let Some(ran) = in_the_lab(&["--capture", "/dev/null", "--capture-at", "bogus"], &["true"]) else {
        return;
    };
    ran.exits(2).saying("bogus");
}

#[test]
fn a_network_without_a_router_is_bridged_as_well() {
    with_real_peers(&["ping"], |network| {
        let file = network.write(
            "lan.toml",
            "host.client = { address = \"10.9.0.2/24\" }\nhost.other = { address = \"10.9.0.3/24\" }\nswitch.lan = \
             {}\ncable = [{ between = [\"client\", \"lan\"] }, { between = [\"other\", \"lan\"] }]\n",
        );
        let Some(ran) = in_the_lab(&["--topology", &file], &["ping", "-n", "-c", "1", "10.9.0.3"]) else {
            return;
        };
        assert!(ran.ok().contains("1 received"));
    });
}

#[test]
fn a_programs_exit_code_is_the_bridges() {
    let Some(ran) = in_the_lab(&[], &["sh", "-c", "exit 7"]) else { return };
    ran.exits(7);
}

#[test]
fn a_signal_ends_the_bridge_and_the_program_which_may_have_a_last_word() {
    // As a terminal would: both are interrupted at once.
    let word = "trap 'sleep 0.2; echo bye; exit' INT; kill -INT $PPID $$; while :; do sleep 0.1; done";
    let Some(ran) = in_the_lab(&[], &["bash", "-c", word]) else { return };
    assert_eq!(ran.exits(130).out, "bye\n");
}

#[test]
fn a_seed_is_refused_on_a_real_network() {
    let Some(ran) = in_the_lab(&["--seed", "1"], &["true"]) else { return };
    ran.exits(2).saying("--seed is for the lab in memory");
}
