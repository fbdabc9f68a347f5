//! Zone files: read, printed, read again.

use super::chance::Chance;
use super::fuzz;
use glasstack_dns::zonefile::ZoneFileOptions;
use glasstack_dns::{DnsName, Zone};

#[derive(Debug, Default)]
struct Tally {
    zones: u64,
    refused: u64,
    records: usize,
    /// Of one file.
    most_records: usize,
}

/// What has a meaning in a zone file.
const WORDS: [&[u8]; 41] = [
    b"$ORIGIN ",
    b"$TTL ",
    b"$INCLUDE ",
    b"itself",
    b"$GENERATE 1-3 ",
    b"$GENERATE 0-9/2 a${0,3,d} A 10.0.0.$\n",
    b"${1,2,x}",
    b"(",
    b")",
    b"\"",
    b";",
    b"\\",
    b"\\000",
    b"\\999",
    b"@",
    b"*",
    b".",
    b"..",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"IN ",
    b"CH ",
    b"1h30m ",
    b"4294967296 ",
    b"-1 ",
    b"A ",
    b"AAAA ",
    b"NS ",
    b"CNAME ",
    b"SOA ",
    b"MX ",
    b"TXT ",
    b"TYPE65 \\# 3 010203 ",
    b"RRSIG ",
    b"NSEC ",
    b"SVCB 1 . ",
    b"\xff",
    b"\0",
    b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

#[test]
fn zone_files() {
    let corpus = corpus();
    let origin = DnsName::parse("example.test").unwrap();
    let include = |file: &str| match file {
        "more" => Ok("more A 192.0.2.9\n".to_owned()),
        "itself" => Ok("itself A 192.0.2.9\n$INCLUDE itself\n".to_owned()),
        other => Err(format!("there is no {other}")),
    };
    let options = ZoneFileOptions { include: &include, ..ZoneFileOptions::new(&origin, "fuzz") };
    for file in &corpus {
        Zone::parse(file, &options).unwrap_or_else(|error| panic!("{error}\n{file}"));
    }
    fuzz("zone_files", 1_000, |chance, tally: &mut Tally| {
        let text = mutated(chance, &corpus);
        let Ok((zone, _)) = Zone::parse(&text, &options) else { return tally.refused += 1 };
        tally.zones += 1;
        let records = zone.records().count();
        tally.records += records;
        tally.most_records = tally.most_records.max(records);
        // $GENERATE makes many records of a few characters, but not without end.
        assert!(records <= 70_000, "{records} records of {} characters", text.len());
        if records < 200 {
            let printed = zone.to_text();
            let (again, _) = Zone::parse(&printed, &ZoneFileOptions::new(zone.origin(), "printed"))
                .unwrap_or_else(|error| panic!("{error}\n{printed}"));
            let records = |zone: &Zone| zone.records().cloned().collect::<Vec<_>>();
            assert_eq!(records(&again), records(&zone), "{printed}");
        }
    });
}

fn mutated(chance: &mut Chance, corpus: &[String]) -> String {
    let mut bytes = chance.one_of(corpus).clone().into_bytes();
    // A line less or a line twice leaves more of it whole than a byte does.
    if chance.once_in(2) {
        let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let (from, to) = (chance.below(lines.len()), chance.below(lines.len()));
        let line = lines[from];
        if chance.once_in(2) {
            lines.insert(to, line);
        } else {
            lines.remove(from);
        }
        bytes = lines.concat();
    }
    if chance.once_in(2) {
        chance.mutate(&mut bytes, &WORDS);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn corpus() -> Vec<String> {
    let head = "$TTL 1h\n@ IN SOA ns1 host\\.master ( 2026 2h 10m\n  4w ; how long\n  60 )\n  NS ns1\n  NS ns2.elsewhere.test.\nns1 A 192.0.2.53\n";
    let body = [
        "www 300 IN A 192.0.2.80\n    AAAA 2001:db8::80\nmail MX 10 www\n@ MX 0 .\ntext TXT \"a b\" c \\\"d \"\\200;\"\n",
        "$ORIGIN sub.example.test.\n@ NS ns\nns A 192.0.2.54\n$ORIGIN example.test.\n$GENERATE 1-20/3 host-${0,3,d} A 192.0.2.$\n",
        "alias CNAME www\nold DNAME new\n*.wild TXT anything\n_http._tcp SRV 0 1 80 www\n$INCLUDE more\n",
        "_443._tcp.www TLSA 3 1 1 d2abde240d7cd3ee6b4b28c54df034b9\nwww CAA 0 issue \"ca.test\"\nwww HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.1\nx TYPE731 \\# 4 01020304\ny LOC 42 21 54 N 71 06 18 W -24m 30m\n",
        "www RRSIG A 13 3 300 20300101000000 20200101000000 12345 example.test. AAAA\n@ DNSKEY 257 3 13 AwEAAQ==\nwww NSEC x A RRSIG NSEC\nsub DS 1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\nsub NS ns1\n",
    ];
    let mut files: Vec<String> = body.iter().map(|body| format!("{head}{body}")).collect();
    let mut all = head.to_owned();
    for line in include_str!("../data/presentation.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.splitn(3, '|');
        let (record_type, text) = (parts.next().unwrap(), parts.nth(1).unwrap());
        let line = format!("{}-{} {record_type} {text}\n", record_type.to_lowercase(), all.len());
        let origin = DnsName::parse("example.test").unwrap();
        // What the reader does not take is no good beginning.
        let options = ZoneFileOptions::new(&origin, "corpus");
        if Zone::parse(&format!("{head}{line}"), &options).is_ok() {
            all.push_str(&line);
        }
    }
    files.push(all);
    files.push(format!("{head}{}", body.concat()));
    files
}
