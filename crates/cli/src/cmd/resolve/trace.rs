//! The walk down from the root as `dig +trace` prints it: what each server said, from whom, how much, how fast.

use crate::output;
use glasstack::dns::{Record, RecordType};
use glasstack::journal::event::{Dns, LookupSource};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

pub(super) fn print(record_type: RecordType, events: &[Dns]) -> anyhow::Result<()> {
    let asked = record_type.to_string();
    let mut names = BTreeMap::new();
    for event in events {
        match event {
            Dns::ServerChosen { server, name_server, .. } => {
                names.insert(*server, name_server.clone());
            }
            Dns::ResponseReceived { server, answers, authorities, size, rtt, .. } => {
                answers.iter().chain(authorities).try_for_each(|record| output::line(in_columns(record)))?;
                let name = names.get(server);
                output::line(received(*size, *server, name.map(String::as_str), *rtt))?;
                output::line("")?;
            }
            Dns::LookedUp { name, record_type, source: LookupSource::Cache, hit: true, detail }
                if *record_type == asked =>
            {
                output::line(format_args!(";; {name} is known here: {detail}\n"))?;
            }
            Dns::GlueMissing { zone, name_server } => {
                output::line(format_args!(
                    ";; the address of {name_server}, a server of {zone}, did not come along: it is looked for\n"
                ))?;
            }
            Dns::ServerUseless { server, why, .. } => {
                let name = names.get(server).map_or_else(|| server.ip().to_string(), Clone::clone);
                output::line(format_args!(
                    ";; {}#{}({name}) was of no use: {why}\n",
                    server.ip(),
                    server.port()
                ))?;
            }
            Dns::LastResort { zone } => {
                output::line(format_args!(
                    ";; nobody of {zone} was of use: those that the zone above has named are tried\n"
                ))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// As `;; Received 525 bytes from 198.41.0.4#53(a.root-servers.net) in 12 ms`.
pub(super) fn received(size: usize, server: SocketAddr, name: Option<&str>, rtt: Duration) -> String {
    let address = server.ip();
    let name = name.map_or_else(|| address.to_string(), str::to_owned);
    format!(";; Received {size} bytes from {address}#{}({name}) in {} ms", server.port(), rtt.as_millis())
}

/// A record in dig's columns; what is no record stays as it is.
pub(super) fn in_columns(record: &str) -> String {
    match record.parse::<Record>() {
        Ok(record) => columns(&record),
        Err(_) => record.to_owned(),
    }
}

/// Name, TTL, class, type and data, each from its column on, as dig and named have them.
pub(super) fn columns(record: &Record) -> String {
    let (name, record_type) = (&record.owner, record.record_type());
    let name = if name.is_root() { String::new() } else { name.to_string() };
    let mut line = format!("{name}.");
    for (from, word) in [(24, record.ttl.to_string()), (32, "IN".to_owned()), (40, record_type.to_string())] {
        pad(&mut line, from);
        line.push_str(&word);
    }
    pad(&mut line, 48);
    line.push_str(&record.data.to_string());
    line
}

/// Tabs up to a column, and a blank where that is passed already.
pub(super) fn pad(line: &mut String, column: usize) {
    let width = |line: &str| line.chars().fold(0, |at, c| if c == '\t' { (at / 8 + 1) * 8 } else { at + 1 });
    if width(line) >= column {
        line.push(' ');
    }
    while width(line) < column {
        line.push('\t');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_digs() {
        let shown = |text: &str| columns(&text.parse().unwrap());
        assert_eq!(shown(". 518400 IN NS a.root-servers.net."), ".\t\t\t518400\tIN\tNS\ta.root-servers.net.");
        assert_eq!(
            shown("www.example.test. 300 IN A 192.0.2.80"),
            "www.example.test.\t300\tIN\tA\t192.0.2.80"
        );
        assert_eq!(
            shown("a-name-that-is-long.example.test. 300 IN A 192.0.2.80"),
            "a-name-that-is-long.example.test. 300 IN A\t192.0.2.80"
        );
    }
}
