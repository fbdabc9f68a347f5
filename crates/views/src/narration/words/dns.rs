//! The words for names: where they were looked up, who was asked, what was believed of the answers.

use super::{Line, bad, good, in_brackets, normal, verbose, warning};
use crate::text::{count, resolved, time};
use glasstack_journal::event::{Dns, LookupSource, ServerKnown, ServerRole};
use std::fmt::Write;

/// Keys, digests and signatures: of words with more letters than this the beginning is shown alone.
const LONG: usize = 20;
/// So many letters of it.
const SHOWN: usize = 8;

pub(super) fn tell_dns(dns: &Dns) -> Line {
    match dns {
        Dns::LookedUp { name, record_type, source, hit, detail } => {
            // Whoever speaks of a name alone means its addresses.
            let what = if record_type == "A" { name.clone() } else { format!("{record_type} of {name}") };
            let came = if *hit { "found" } else { "not found" };
            normal(format!("DNS: {what} looked up {}: {came}{}", place(*source), in_brackets(&brief(detail))))
        }
        Dns::ServerChosen { zone, role, server, name_server, why, candidates } => {
            let (servers, known) = (servers_of(zone, *role), known_of(candidates));
            let name = if *name_server == server.to_string() {
                name_server.clone()
            } else {
                format!("{name_server} ({})", server.ip())
            };
            verbose(format!("DNS: of the {servers} {name} is asked: {why}{known}"))
        }
        Dns::Minimised { asked, instead_of, zone } => verbose(format!(
            "DNS: the servers of {} need not know that it is about {instead_of}: they are asked {asked}",
            in_words(zone)
        )),
        Dns::QuerySent { id, name, record_type, server, transport, why } => normal(format!(
            "DNS query to {server} over {transport}: {record_type} of {name}? (id 0x{id:04x}; {why})"
        )),
        Dns::ResponseReceived { server, code, answers, truncated, rtt, .. } => {
            let cut = if *truncated { ", cut short" } else { "" };
            let answers = if answers.is_empty() { String::new() } else { format!(": {}", all(answers)) };
            normal(format!("DNS response from {server} after {}: {code}{cut}{answers}", time(*rtt)))
        }
        Dns::ResponseIgnored { from, why } => warning(format!("DNS: ignored a datagram from {from}: {why}")),
        Dns::RecordsIgnored { from, records, why } => {
            warning(format!("DNS: ignored records from {from} ({why}): {}", all(records)))
        }
        Dns::Believed { from, sets, .. } => verbose(format!("DNS: believed of {from}: {}", sets.join("; "))),
        Dns::ReferralFollowed { server, from, to, name_servers, glue } => {
            let with = if glue.is_empty() { "no address of theirs".to_owned() } else { glue.join("; ") };
            let (from, whom) = (in_words(from), name_servers.join(", "));
            normal(format!("DNS: {server}, for {from}, refers to {whom}, the servers of {to}, with {with}"))
        }
        Dns::GlueMissing { zone, name_server } => normal(format!(
            "DNS: the address of {name_server} did not come along: it has to be found before {} can be asked",
            in_words(zone)
        )),
        Dns::Primed { zone, name_servers } if name_servers.is_empty() => warning(format!(
            "DNS: nobody says who serves {}: those who are known from the configuration are taken for it",
            in_words(zone)
        )),
        Dns::Primed { zone, name_servers } => {
            normal(format!("DNS: {} is served by {}", in_words(zone), name_servers.join(", ")))
        }
        Dns::ServerUseless { server, zone, why } => {
            warning(format!("DNS: {server} is of no use for {}: {why}", in_words(zone)))
        }
        Dns::LastResort { zone } => warning(format!(
            "DNS: no server of {} is of use; those that the zone above names are tried",
            in_words(zone)
        )),
        Dns::AliasFollowed { from, to } => normal(format!("DNS: {from} is an alias of {to}")),
        Dns::Validated { name, record_type, security, reason, chain } => {
            let text = format!("DNS: {record_type} of {name} is {security}: {reason}");
            let line = if security == "bogus" { bad(text) } else { normal(text) };
            Line { below: chain.iter().map(|link| format!("| {link}")).collect(), ..line }
        }
        Dns::StaleServed { name, record_type } => {
            warning(format!("DNS: {record_type} of {name} has expired, but nothing newer can be had in time"))
        }
        Dns::Prefetched { name, record_type, left } => {
            let left = time(*left);
            normal(format!("DNS: {record_type} of {name} is good for {left} more: it is fetched anew"))
        }
        Dns::Joined { name, record_type } => {
            normal(format!("DNS: {record_type} of {name} is being looked up already: one answer for both"))
        }
        Dns::Resolved { name, addresses, ttl, source } => {
            let (what, ttl) = (resolved(name, addresses), time(*ttl));
            good(format!("DNS: {what} (from {source}, good for {ttl})"))
        }
        Dns::Failed { name, why } => bad(format!("DNS: {name} could not be resolved: {why}")),
        Dns::Served { client, name, record_type, code, answers, transport, why } => {
            let records = count(*answers as u64, "record");
            normal(format!(
                "DNS answer to {client} over {transport}: {record_type} of {name}: {code}, {records} ({why})"
            ))
        }
        Dns::Withheld { client, question, transport, instead, why } => {
            let about = if question.is_empty() { String::new() } else { format!(" about {question}") };
            warning(format!("DNS query of {client} over {transport}{about}: {instead}: {why}"))
        }
    }
}

fn servers_of(zone: &str, role: ServerRole) -> String {
    match role {
        ServerRole::Authority => format!("servers of {}", in_words(zone)),
        ServerRole::Configured => format!("servers configured for {}", in_words(zone)),
        ServerRole::Forwarder if zone == "." => "forwarders".to_owned(),
        ServerRole::Forwarder => format!("forwarders for {zone}"),
    }
}

fn in_words(zone: &str) -> &str {
    if zone == "." { "the root" } else { zone }
}

fn place(source: LookupSource) -> String {
    match source {
        LookupSource::Literal => "as an IP literal".to_owned(),
        LookupSource::Server => "at the name server".to_owned(),
        LookupSource::Override => format!("in {source}"),
        LookupSource::Cache | LookupSource::HostsFile => format!("in the {source}"),
    }
}

/// What is known of those that could be asked; those of which the same is known together, unless there is no choice.
fn known_of(candidates: &[ServerKnown]) -> String {
    if candidates.len() < 2 {
        return String::new();
    }
    let mut standings: Vec<(&str, Vec<&str>)> = Vec::new();
    for known in candidates {
        match standings.iter_mut().find(|(standing, _)| *standing == known.standing) {
            Some((_, names)) => names.push(&known.name),
            None => standings.push((&known.standing, vec![&known.name])),
        }
    }
    let all_alike = standings.len() == 1;
    let part = |(standing, names): &(&str, Vec<&str>)| match names.len() {
        n if all_alike => format!("all {n} {standing}"),
        n if n > 3 => format!("{n} others {standing}"),
        _ => format!("{} {standing}", names.join(", ")),
    };
    format!("; known: {}", standings.iter().map(part).collect::<Vec<_>>().join("; "))
}

/// Records, as people read them.
fn all(records: &[String]) -> String {
    brief(&records.join("; "))
}

/// The text with keys, digests and signatures (RFC 4034: hexadecimal or Base64, and blanks within) cut short.
fn brief(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut within = false;
    for word in text.split(' ') {
        let bare = word.trim_end_matches([',', ';', ')']);
        let end = word.get(bare.len()..).unwrap_or_default();
        let is_code = bare.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
        if within && is_code {
            out.push_str(end);
        } else {
            if !out.is_empty() {
                out.push(' ');
            }
            within = is_code && bare.len() > LONG;
            match bare.get(..SHOWN).filter(|_| within) {
                Some(beginning) => drop(write!(out, "{beginning}...{end}")),
                None => out.push_str(word),
            }
        }
        within &= end.is_empty();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    #[test]
    fn below_what_validation_found_stands_the_way_to_it() {
        let line = tell_dns(&Dns::Validated {
            name: "a.test".to_owned(),
            record_type: "A".to_owned(),
            security: "secure".to_owned(),
            reason: "every signature is good".to_owned(),
            chain: vec![". trust anchor 1".to_owned(), "a.test A: signed".to_owned()],
        });
        assert_eq!(line.text, "DNS: A of a.test is secure: every signature is good");
        assert_eq!(line.below, ["| . trust anchor 1", "| a.test A: signed"]);
    }

    #[test]
    fn keys_digests_and_signatures_are_cut_short_and_nothing_else_is() {
        for (text, brief_text) in [
            (
                "test. 300 IN DNSKEY 257 3 15 JhX9j8fLpFX+VvxFA5MfNhhgJIO7KZ8XodCFyNK0FhE=; a.test. 300 IN A 192.0.2.1",
                "test. 300 IN DNSKEY 257 3 15 JhX9j8fL...; a.test. 300 IN A 192.0.2.1",
            ),
            (
                "DS 27600 15 2 ABAE1B4E08C28C1DB2A73BC7DA3EAD7D4248EB3D7FAE51B0DFA28FAF C750512F, for 86399 s",
                "DS 27600 15 2 ABAE1B4E..., for 86399 s",
            ),
            (
                "x. 1 IN RRSIG A 15 3 300 20260701120000 20260601110000 8999 example.test. n55BOYfKrEyhCmC27J08Nh2u 1pYY==",
                "x. 1 IN RRSIG A 15 3 300 20260701120000 20260601110000 8999 example.test. n55BOYfK...",
            ),
            ("a-very-long-name-with-letters.example.test. 1 IN TXT \"aaaaaaaaaaaaaaaaaaaaaaaa\"", ""),
            ("it has just failed: no answer", ""),
            ("", ""),
        ] {
            assert_eq!(brief(text), if brief_text.is_empty() { text } else { brief_text });
        }
    }

    #[test]
    fn servers_of_which_the_same_is_known_are_counted() {
        let known = |name: &str, standing: &str| ServerKnown {
            server: SocketAddr::from(([192, 0, 2, 1], 53)),
            name: name.to_owned(),
            standing: standing.to_owned(),
        };
        let unknown = |letters: &str| {
            let one = |letter: char| known(&format!("{letter}.test"), "not measured yet");
            letters.chars().map(one).collect::<Vec<_>>()
        };
        assert_eq!(known_of(&unknown("a")), "");
        assert_eq!(known_of(&unknown("abcde")), "; known: all 5 not measured yet");
        let mut mixed = unknown("abcde");
        mixed.push(known("f.test", "20 ms"));
        assert_eq!(known_of(&mixed), "; known: 5 others not measured yet; f.test 20 ms");
        mixed.drain(..3);
        assert_eq!(known_of(&mixed), "; known: d.test, e.test not measured yet; f.test 20 ms");
    }
}
