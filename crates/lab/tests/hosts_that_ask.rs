//! Hosts of a topology that ask for their addresses by DHCP.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use glasstack_lab::Lab;
use glasstack_sim::topology::Topology;
use glasstack_stack::{PingOptions, World};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use support::Journey;

const HOME: &str = r#"
[host.client]
address = "10.0.0.2/24"

[host.printer]
address = "dhcp"
serve = ["web", "echo"]

[host.camera]
address = "dhcp"

[switch.switch]

[router.home]
ports = [{ address = "10.0.0.1/24" }]
dhcp = [{ port = 0, pool = "10.0.0.100-10.0.0.199" }]

[[cable]]
between = ["client", "switch"]

[[cable]]
between = ["printer", "switch"]

[[cable]]
between = ["camera", "switch"]

[[cable]]
between = ["home", "switch"]
"#;

fn topology(text: &str) -> Topology {
    Topology::parse(text).unwrap_or_else(|bad| panic!("{bad}"))
}

fn address(lab: &Lab, host: &str) -> IpAddr {
    lab.host(host).unwrap().address()
}

#[test]
fn they_get_them_by_themselves_and_serve_there() {
    let mut journey = Journey::through(Lab::builder(1).topology(topology(HOME)));
    journey.lab.world.run_for(Duration::from_secs(10)).unwrap();
    let [printer, camera] = ["printer", "camera"].map(|host| address(&journey.lab, host));
    let in_the_pool = |address: IpAddr| match address {
        IpAddr::V4(address) => (100..200).contains(&address.octets()[3]),
        IpAddr::V6(_) => false,
    };
    assert!(in_the_pool(printer) && in_the_pool(camera) && printer != camera, "{printer} {camera}");
    let page = journey.get(&format!("http://{printer}/")).unwrap();
    assert_eq!((page.status, page.text()), (200, format!("This is {printer}.\n").as_str()));
    let client = journey.lab.client.clone();
    journey.lab.world.run(client.ping(camera, &PingOptions::default())).unwrap().unwrap();
}

#[test]
fn they_go_on_asking_until_somebody_answers() {
    let mut lab = Lab::builder(1).topology(topology(HOME)).build().unwrap();
    let cable = lab.network.cable("home <-> switch").unwrap().clone();
    cable.unplug();
    lab.world.run_for(Duration::from_secs(120)).unwrap();
    assert_eq!(address(&lab, "printer"), IpAddr::from(Ipv4Addr::UNSPECIFIED));
    cable.plug_in();
    lab.world.run_for(Duration::from_secs(120)).unwrap();
    assert_ne!(address(&lab, "printer"), IpAddr::from(Ipv4Addr::UNSPECIFIED));
}

#[test]
fn whoever_must_be_found_has_to_have_an_address() {
    for (line, why) in [
        ("names = [\"cam.test\"]", "host camera is called cam.test and asks for its address"),
        ("serve = [\"resolver\"]", "host camera is a name server and asks for its address"),
        ("serve = [\"authority cam.test\"]", "host camera serves cam.test"),
    ] {
        let text = HOME.replace("[host.camera]", &format!("[host.camera]\n{line}"));
        let error = Lab::builder(1).topology(topology(&text)).build().err().unwrap().to_string();
        assert!(error.contains(why) && error.contains("give it an address"), "{error}");
    }
    // But whoever asks because the user says so has its name from the topology, and loses it.
    let text = HOME.replace("[host.client]", "[host.client]\nnames = [\"me.test\"]");
    Lab::builder(1).topology(topology(&text)).dhcp().build().unwrap();
}
