//! Questions by the hundred through `dig -f`, and the answers taken apart.

use crate::support::{Network, Ran};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;
use std::process::Command;

/// A question and dig's options for it, as `www.test A +dnssec`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ask {
    pub(crate) words: String,
}

impl<T: Into<String>> From<T> for Ask {
    fn from(words: T) -> Self {
        Self { words: words.into() }
    }
}

/// A response as dig shows it. Records are `name class type data` in lower-case names, one space
/// between the fields, without their TTL, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Response {
    /// `NOERROR`, `NXDOMAIN` ...; what dig says instead where there was no response.
    pub(crate) status: String,
    /// `qr`, `aa`, `tc`, `rd`, `ra`, `ad`, `cd`.
    pub(crate) flags: BTreeSet<String>,
    /// The lines of the OPT pseudo-section; none for a response without EDNS.
    pub(crate) edns: Option<Vec<String>>,
    pub(crate) answer: Vec<String>,
    pub(crate) authority: Vec<String>,
    pub(crate) additional: Vec<String>,
    /// The TTL of each of these records, in seconds.
    pub(crate) ttls: BTreeMap<String, u32>,
    /// Octets.
    pub(crate) size: usize,
    /// Over TCP.
    pub(crate) tcp: bool,
}

/// Asks a server all of them, one after the other.
#[track_caller]
pub(crate) fn ask_all(network: &Network, server: Ipv4Addr, asks: &[Ask]) -> Vec<Response> {
    // A name that begins with a dash is no option.
    let of = |ask: &Ask| if ask.words.starts_with('-') { "-q " } else { "" };
    let lines: String = asks.iter().map(|ask| format!("@{server} {}{}\n", of(ask), ask.words)).collect();
    let file = network.write(&format!("dig.{server}"), lines);
    // Every line begins with the command's own words, by which the responses are told apart.
    let mut dig = Command::new("timeout");
    dig.args(["-k", "5", "120", "dig", "+nosplit", "+tries=2", "+timeout=5", "-f", &file]);
    let ran = Ran::of(&mut dig);
    let responses: Vec<Response> = ran.out.split("; <<>> DiG").skip(1).map(parse).collect();
    assert_eq!(responses.len(), asks.len(), "stdout:\n{}\nstderr:\n{}", ran.out, ran.err);
    responses
}

/// Asks a server one question.
#[track_caller]
pub(crate) fn ask(network: &Network, server: Ipv4Addr, words: &str) -> Response {
    ask_all(network, server, &[words.into()]).remove(0)
}

impl Response {
    /// It is there, with this status.
    #[track_caller]
    pub(crate) fn is(self, status: &str) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    /// The data of the answer's records of a type.
    pub(crate) fn data(&self, record_type: &str) -> Vec<&str> {
        let middle = format!(" IN {record_type} ");
        self.answer.iter().filter_map(|record| Some(record.split_once(&middle)?.1)).collect()
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags: Vec<&str> = self.flags.iter().map(String::as_str).collect();
        writeln!(f, "{} [{}] {} octets", self.status, flags.join(" "), self.size)?;
        let sections =
            [("answer", &self.answer), ("authority", &self.authority), ("additional", &self.additional)];
        for (name, records) in sections {
            records.iter().try_for_each(|record| writeln!(f, "  {name}: {record}"))?;
        }
        self.edns.iter().flatten().try_for_each(|line| writeln!(f, "  edns: {line}"))
    }
}

/// One response: the text behind `; <<>> DiG`.
fn parse(text: &str) -> Response {
    let mut response = Response { status: "no response".to_owned(), ..Response::default() };
    let mut section = "";
    for line in text.lines().skip(1) {
        if let Some(heading) = line.strip_prefix(";; ") {
            section = heading;
            response.on_heading(heading);
        } else if let Some(edns) = line.strip_prefix("; ").filter(|_| section.starts_with("OPT ")) {
            response.edns.get_or_insert_default().push(edns.trim_end().to_owned());
        } else if let Some((ttl, record)) = record(line) {
            response.ttls.insert(record.clone(), ttl);
            match section {
                "AUTHORITY SECTION:" => response.authority.push(record),
                "ADDITIONAL SECTION:" => response.additional.push(record),
                // A zone that is transferred has no headings.
                _ => response.answer.push(record),
            }
        }
    }
    for section in [&mut response.answer, &mut response.authority, &mut response.additional] {
        section.sort();
    }
    response
}

impl Response {
    fn on_heading(&mut self, heading: &str) {
        if let Some(header) = heading.strip_prefix("->>HEADER<<- ") {
            let status = header.split("status: ").nth(1).and_then(|rest| rest.split(',').next());
            self.status = status.unwrap_or_default().to_owned();
        } else if let Some(flags) = heading.strip_prefix("flags: ") {
            let flags = flags.split(';').next().unwrap_or_default();
            self.flags = flags.split_whitespace().map(str::to_owned).collect();
        } else if let Some(size) = heading.strip_prefix("MSG SIZE  rcvd: ") {
            self.size = size.trim().parse().unwrap_or_default();
        } else if heading.starts_with("SERVER: ") {
            self.tcp = heading.ends_with("(TCP)");
        }
    }
}

/// A record's line, its TTL apart; none for any other line.
pub(crate) fn record(line: &str) -> Option<(u32, String)> {
    let mut words = line.split_whitespace().filter(|_| !line.starts_with(';'));
    let name = words.next()?.to_lowercase();
    let ttl = words.next()?.parse().ok()?;
    let rest: Vec<&str> = words.collect();
    Some((ttl, format!("{name} {}", rest.join(" "))))
}

#[test]
fn a_response_of_digs_is_taken_apart() {
    let text = " 9.18 <<>> @192.0.2.2 www.Test\n;; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1
;; flags: qr aa; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1\n\n;; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:\n;www.Test.\t\tIN A\n\n;; ANSWER SECTION:\nwww.Test.\t600\tIN\tA\t192.0.2.1\n\n;; Query time: 0 msec
;; SERVER: 192.0.2.2#53(192.0.2.2) (UDP)\n;; MSG SIZE  rcvd: 53\n";
    let response = parse(text);
    assert_eq!(response.status, "NOERROR");
    assert!(response.has("aa") && !response.has("tc"));
    assert_eq!(response.answer, ["www.test. IN A 192.0.2.1"]);
    assert_eq!((response.data("A"), response.ttls.values().collect()), (vec!["192.0.2.1"], vec![&600]));
    assert_eq!((response.size, response.tcp), (53, false));
    assert_eq!(response.edns.unwrap(), ["EDNS: version: 0, flags:; udp: 1232"]);
}
