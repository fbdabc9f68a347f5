//! Real clients ask `glasstack dnsd`: dig, kdig, drill and delv, with the options that people use.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod dns;
mod support;

use dns::dig::{Response, ask};
use dns::ours::{OURS, authority, is_twin, recursor};
use dns::{ours, servers, sign, with_the_tree};
use std::net::Ipv4Addr;
use std::process::Command;
use support::{Network, Ran, Server, with_real_peers};

/// Our authority for a plain zone and for signed ones.
fn our_authority(network: &Network, more: &[&str]) -> Server {
    let zones = ["plain.test", "rsa.test", "ecdsa.test"];
    let zones = zones.map(|name| {
        let file = network.write(&dns::plan::file_of(name), &sign::all().texts[name]);
        (name.to_owned(), file)
    });
    authority(network, &zones, more)
}

/// With our authority.
fn with_our_authority(programs: &'static [&'static str], body: fn(&Network)) {
    with_real_peers(programs, move |network| {
        let _ours = our_authority(network, &[]);
        body(network);
    });
}

fn dig(network: &Network, words: &str) -> Response {
    ask(network, OURS, words)
}

/// What a client prints. It must succeed.
fn said(program: &str, words: &str) -> String {
    let mut command = Command::new("timeout");
    command.args(["-k", "5", "60", program]).args(words.split_whitespace());
    Ran::of(&mut command).ok()
}

#[test]
fn dig_gets_answers_with_authority_and_none_that_needs_recursion() {
    with_our_authority(&["dig", "dnssec-signzone"], |network| {
        let www = dig(network, "www.plain.test A").is("NOERROR");
        assert!(www.has("aa") && www.has("rd") && !www.has("ra") && !www.has("ad"), "{www}");
        assert_eq!(www.data("A"), ["203.0.113.80"]);
        let nobody = dig(network, "nobody.plain.test A").is("NXDOMAIN");
        assert!(nobody.has("aa") && nobody.authority[0].contains(" IN SOA "), "{nobody}");
        let foreign = dig(network, "www.example.test A").is("REFUSED");
        assert!(!foreign.has("aa"), "{foreign}");
        let cut = dig(network, "www.sub.plain.test A").is("NOERROR");
        assert!(!cut.has("aa") && cut.answer.is_empty(), "{cut}");
        assert_eq!(cut.additional, ["ns.sub.plain.test. IN A 198.51.100.23"]);
    });
}

#[test]
fn dig_gets_large_answers_cut_off_at_its_buffers_size_and_then_over_tcp() {
    with_our_authority(&["dig", "dnssec-signzone"], |network| {
        for (words, most) in [("+noedns", 512), ("+bufsize=512", 512), ("+bufsize=1232", 1232)] {
            let cut = dig(network, &format!("big.plain.test TXT +ignore {words}")).is("NOERROR");
            assert!(cut.has("tc") && cut.size <= most && !cut.tcp, "{words}: {cut}");
            let whole = dig(network, &format!("big.plain.test TXT {words}")).is("NOERROR");
            assert!(whole.tcp && !whole.has("tc") && whole.size > 6000, "{words}: {whole}");
        }
        let many = dig(network, "many.plain.test A +tcp").is("NOERROR");
        assert_eq!((many.tcp, many.answer.len()), (true, 90));
    });
}

#[test]
fn dig_gets_signatures_where_it_asks_for_them() {
    with_our_authority(&["dig", "dnssec-signzone"], |network| {
        let plain = dig(network, "www.rsa.test A").is("NOERROR");
        assert!(plain.data("RRSIG").is_empty(), "{plain}");
        let signed = dig(network, "www.rsa.test A +dnssec").is("NOERROR");
        assert!(signed.data("RRSIG")[0].starts_with("A 8 3 600 "), "{signed}");
        assert!(signed.edns.as_ref().unwrap()[0].contains("flags: do"), "{signed}");
        let nobody = dig(network, "nobody.ecdsa.test A +dnssec").is("NXDOMAIN");
        // The closest encloser, the next closer name and the wildcard (RFC 5155 7.2.2).
        let proofs = nobody.authority.iter().filter(|record| record.contains(" IN NSEC3 ")).count();
        assert!((2..=3).contains(&proofs), "{nobody}");
    });
}

#[test]
fn dig_gets_answers_whatever_else_it_puts_into_the_question() {
    with_our_authority(&["dig", "dnssec-signzone"], |network| {
        let extras = [
            "+cookie",
            "+nsid",
            "+subnet=192.0.2.0/24",
            "+padding=128",
            "+expire",
            "+ednsopt=65001:00ff",
            "+keepalive +tcp",
            "+adflag",
            "+cdflag",
            "+zflag",
            "+ednsflags=0x4000",
            "+tcflag",
            "+aaflag",
            "+raflag",
            "+norecurse",
        ];
        for extra in extras {
            let www = dig(network, &format!("www.plain.test A {extra}")).is("NOERROR");
            assert_eq!(www.data("A"), ["203.0.113.80"], "{extra}");
            assert!(!www.has("ad"), "{extra}: {www}");
        }
        // RFC 6891 6.1.3: a version that is not known.
        dig(network, "www.plain.test A +edns=7 +noednsnegotiation").is("BADVERS");
        for opcode in ["status", "notify", "update", "iquery", "9"] {
            let refused = dig(network, &format!("plain.test SOA +opcode={opcode}")).status;
            assert!(
                ["NOTIMP", "REFUSED", "NOTAUTH", "FORMERR"].contains(&refused.as_str()),
                "{opcode}: {refused}"
            );
        }
        dig(network, "plain.test IXFR=1 +notcp");
        let header = dig(network, "+header-only");
        assert!(["FORMERR", "NOERROR", "REFUSED"].contains(&header.status.as_str()), "{header}");
    });
}

#[test]
fn dig_may_not_transfer_a_zone_unless_that_is_allowed() {
    with_our_authority(&["dig", "dnssec-signzone"], |network| {
        let refused = dig(network, "plain.test AXFR");
        assert!(refused.answer.is_empty() || is_twin(), "{refused}");
    });
}

/// A zone with capitals where they are signed (RFC 6840 5.1, RFC 4034 6.2) and where they are not, by `dnssec-signzone`.
const SPELLING: &str = include_str!("../../dns/tests/data/spelling.zone");

#[test]
fn a_zone_with_capitals_is_given_as_it_was_signed() {
    with_real_peers(&["dig", "delv", "dnssec-verify"], |network| {
        let file = network.write("spelling.zone", SPELLING);
        let allow = if is_twin() { &[][..] } else { &["--allow-axfr", "192.0.2.1/32"] };
        let _ours = authority(network, &[("en.test".to_owned(), file)], allow);
        let copy = network.write("copy", said("dig", &format!("@{OURS} en.test AXFR +onesoa")));
        said("dnssec-verify", &format!("-q -z -o en.test {copy}"));
        let anchor = delv_anchor(network);
        for asked in
            ["svc.en.test HTTPS", "lp.en.test LP", "unl.en.test A", "rp.en.test RP", "upper.en.test MX"]
        {
            let said = said("delv", &format!("@{OURS} -a {anchor} +root=en.test {asked}"));
            assert!(said.contains("fully validated"), "{asked}: {said}");
        }
    });
}

#[test]
fn a_zone_with_capitals_is_believed_of_named() {
    const NAMED: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 32);
    with_real_peers(&["dig", "named"], |network| {
        network.add_address(NAMED);
        let file = network.write("spelling.zone", SPELLING);
        let _named = servers::named_with(network, NAMED, &[("en.test".to_owned(), file)]);
        let key = SPELLING.lines().find(|line| line.contains(" DNSKEY ") && !line.contains(" RRSIG "));
        let anchor = network.write("en.key", key.unwrap());
        let stub = format!("en.test={NAMED}");
        let _ours = ours::dnsd(network, &["--recursive", "--stub", &stub, "--trust-anchor", &anchor]);
        for (asked, status) in [
            ("svc.en.test HTTPS", "NOERROR"),
            ("lp.en.test LP", "NOERROR"),
            ("key.en.test IPSECKEY", "NOERROR"),
            ("upper.en.test A", "NOERROR"),
            ("unl.en.test A", "NXDOMAIN"),
            ("svc.en.test MX", "NOERROR"),
        ] {
            let answer = dig(network, &format!("{asked} +dnssec")).is(status);
            assert!(answer.has("ad"), "{asked}: {answer}");
        }
    });
}

/// The zone's key as `delv -a` has it.
fn delv_anchor(network: &Network) -> String {
    let key = SPELLING.lines().find_map(|line| line.strip_prefix("en.test. 600 IN DNSKEY ")).unwrap();
    let (numbers, key) = key.rsplit_once(' ').unwrap();
    network.write("en.anchor", format!("trust-anchors {{ en.test. static-key {numbers} \"{key}\"; }};"))
}

#[test]
fn kdig_and_drill_get_what_dig_gets() {
    with_our_authority(&["dig", "kdig", "drill", "dnssec-signzone"], |network| {
        for name_and_type in
            ["www.plain.test A", "plain.test MX", "any.wild.plain.test A", "svc.rsa.test HTTPS"]
        {
            let wanted = dig(network, name_and_type).is("NOERROR");
            for transport in ["+notcp", "+tcp", "+tcp +keepopen", "+notcp +bufsize=512 +dnssec +cookie +nsid"]
            {
                let kdig = said("kdig", &format!("@{OURS} {name_and_type} {transport}"));
                wanted.answer.iter().for_each(|record| assert!(tells(&kdig, record), "{record} in:\n{kdig}"));
            }
            let (name, record_type) = name_and_type.split_once(' ').unwrap();
            for options in ["", "-t", "-D", "-b 4096"] {
                let drill = said("drill", &format!("{options} {name} @{OURS} {record_type}"));
                wanted
                    .answer
                    .iter()
                    .for_each(|record| assert!(tells(&drill, record), "{record} in:\n{drill}"));
            }
        }
    });
}

/// Whether a client's output has a record, in its own spacing and with some TTL.
fn tells(output: &str, record: &str) -> bool {
    let plain = |record: String| record.replace('"', "");
    output.lines().filter_map(dns::dig::record).any(|(_, told)| plain(told) == plain(record.to_owned()))
}

#[test]
fn dig_and_kdig_get_cookies_that_are_good_and_are_told_which_server_this_is() {
    with_real_peers(&["dig", "kdig", "dnssec-signzone"], |network| {
        let _ours = our_authority(network, if is_twin() { &[] } else { &["--nsid", "ns1.fra"] });
        // dig keeps the cookie and says whether its own part came back.
        for transport in ["+notcp", "+tcp"] {
            let www = dig(network, &format!("www.plain.test A +cookie {transport}")).is("NOERROR");
            let edns = www.edns.as_ref().unwrap();
            assert!(
                edns.iter().any(|line| line.starts_with("COOKIE: ") && line.ends_with(" (good)")),
                "{www}"
            );
        }
        let length_of_none = dig(network, "www.plain.test A +nocookie +ednsopt=10:0102030405");
        assert_eq!(length_of_none.status, "FORMERR");
        let nsid = dig(network, "www.plain.test A +nsid").is("NOERROR");
        assert!(is_twin() || nsid.edns.unwrap().concat().contains("(\"ns1.fra\")"));
        let kept = said("dig", &format!("@{OURS} www.plain.test A +tcp +keepalive"));
        assert!(kept.contains("; TCP KEEPALIVE: ") || is_twin(), "{kept}");
        let kdig = said("kdig", &format!("@{OURS} www.plain.test A +cookie +nsid"));
        assert!(kdig.contains("COOKIE: ") && (is_twin() || kdig.contains("ns1.fra")), "{kdig}");
    });
}

#[test]
fn a_client_with_a_cookie_is_answered_in_a_flood_and_one_without_comes_over_tcp() {
    with_real_peers(&["dig", "dnssec-signzone"], |network| {
        if is_twin() {
            return;
        }
        let _ours = our_authority(network, &["--rate-limit", "1", "--slip", "1"]);
        // In one run dig keeps the cookie that it is given.
        let asks: Vec<dns::dig::Ask> = (0..20).map(|_| "www.plain.test A +cookie".into()).collect();
        for answer in dns::dig::ask_all(network, OURS, &asks) {
            assert_eq!((answer.data("A").len(), answer.tcp), (1, false), "{answer}");
        }
        let asks: Vec<dns::dig::Ask> = (0..20).map(|_| "www.plain.test A +nocookie".into()).collect();
        let answers = dns::dig::ask_all(network, OURS, &asks);
        assert!(answers.iter().all(|answer| answer.data("A").len() == 1));
        assert!(answers.iter().filter(|answer| answer.tcp).count() > 15);
    });
}

#[test]
fn several_questions_share_a_tcp_connection() {
    with_our_authority(&["kdig", "dnssec-signzone"], |_| {
        let names = ["www", "mail", "alias", "nobody", "x.wild", "big"];
        let words: String = names.map(|name| format!("-q {name}.plain.test -t TXT ")).concat();
        let kdig = said("kdig", &format!("@{OURS} +tcp +keepopen {words}"));
        assert_eq!(kdig.matches(";; ->>HEADER<<-").count(), names.len(), "{kdig}");
    });
}

#[test]
fn real_clients_walk_down_the_tree_through_our_resolver() {
    with_the_tree(|tree| {
        let anchor = tree.anchor_file();
        let _ours = recursor(tree, &[]);
        let www = dig(tree.network, "www.rsa.test A +dnssec").is("NOERROR");
        assert!(www.has("ra") && www.has("ad") && !www.has("aa"), "{www}");
        // It asks the C library for the servers' addresses.
        let resolv_conf = tree.network.write("resolv.conf", format!("nameserver {OURS}\n"));
        let script = format!("mount --bind {resolv_conf} /etc/resolv.conf && dig +trace www.rsa.test A");
        let trace = Ran::of(Command::new("unshare").args(["--mount", "sh", "-c", &script])).ok();
        for step in ["a.root-servers.net.", "b.nic.test.", "ns1.rsa.test.", "203.0.113.80"] {
            assert!(trace.contains(step), "{step} in:\n{trace}");
        }
        let delv = said("delv", &format!("-a {} +root=. @{OURS} www.ecdsa.test A", tree.delv_anchor_file()));
        assert!(delv.contains("; fully validated"), "{delv}");
        let chased = said("drill", &format!("-S -k {anchor} www.ed25519.test @{OURS} A"));
        assert!(chased.contains("Chase successful"), "{chased}");
        let back = said("dig", &format!("@{OURS} -x 198.41.0.4 +short"));
        assert_eq!(back.trim(), "a.root-servers.net.");
        let kdig = said("kdig", &format!("@{OURS} +dnssec +cd www.bogus.test A"));
        assert!(kdig.contains("203.0.113.66"), "{kdig}");
    });
}

#[test]
fn real_clients_ask_the_labs_own_servers_through_the_bridge() {
    let Some(missing) =
        ["dig", "kdig", "drill", "ip"].into_iter().find(|program| !support::is_there(program))
    else {
        let script = "
            echo == dig;   dig +dnssec www.example.test A
            echo == tcp;   dig +tcp www.example.test A
            echo == trace; dig +trace +nodnssec www.example.test A
            echo == root;  dig +norecurse @198.41.0.4 test. NS
            echo == kdig;  kdig +tcp @198.41.0.4 . SOA
            echo == drill; drill www.example.test A
            echo == nobody; dig nobody.example.test A";
        let mut command = Command::new("timeout");
        command.args(["120", support::PROGRAM, "lab", "bridge", "--", "sh", "-c", script]);
        let said = Ran::of(&mut command).ok();
        let part = |name: &str| {
            let (_, behind) = said.split_once(&format!("== {name}\n")).unwrap();
            behind.split("\n== ").next().unwrap().to_owned()
        };
        for client in ["dig", "tcp", "trace", "drill"] {
            assert!(part(client).contains("198.51.100.80"), "{client}:\n{said}");
        }
        assert!(part("root").contains("AUTHORITY: ") && part("root").contains("test."), "{said}");
        assert!(part("kdig").contains("SOA"), "{said}");
        assert!(part("nobody").contains("status: NXDOMAIN"), "{said}");
        return;
    };
    support::skip("real_clients_ask_the_labs_own_servers_through_the_bridge", &format!("needs {missing}"));
}
