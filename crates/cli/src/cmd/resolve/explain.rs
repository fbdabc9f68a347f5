//! The whole way to an answer, each step with its reasons.

use crate::output;
use glasstack::dns::RecordType;
use glasstack::journal::event::{Dns, LookupSource, QueryReason, ServerKnown};
use std::net::SocketAddr;

pub(super) fn print(name: &str, record_type: RecordType, events: &[Dns]) -> anyhow::Result<()> {
    output::line(format_args!("{name} {record_type}"))?;
    let mut story = Story::default();
    events.iter().try_for_each(|event| story.tell(event))
}

/// What of the next step is known before it is taken.
#[derive(Default)]
struct Story {
    step: u32,
    minimised: Option<(String, String, String)>,
    chosen: Option<Chosen>,
}

struct Chosen {
    server: SocketAddr,
    name: String,
    zone: String,
    why: String,
    candidates: Vec<ServerKnown>,
}

impl Story {
    fn tell(&mut self, event: &Dns) -> anyhow::Result<()> {
        match event {
            Dns::LookedUp { name, record_type, source, hit, detail }
                if *source != LookupSource::Server || !hit =>
            {
                let found = if *hit { "yes" } else { "no" };
                output::line(format_args!("\n- {source}, about {name} {record_type}: {found}: {detail}"))
            }
            Dns::Minimised { asked, instead_of, zone } => {
                self.minimised = Some((asked.clone(), instead_of.clone(), zone.clone()));
                Ok(())
            }
            Dns::ServerChosen { zone, server, name_server, why, candidates, .. } => {
                let (name, zone, why) = (name_server.clone(), zone.clone(), why.clone());
                self.chosen =
                    Some(Chosen { server: *server, name, zone, why, candidates: candidates.clone() });
                Ok(())
            }
            Dns::QuerySent { name, record_type, server, transport, why, .. } => {
                self.step += 1;
                let name = if name.is_empty() { "." } else { name };
                let whom = match &self.chosen {
                    Some(chosen) if chosen.server == *server => format!("{} ({})", chosen.name, server.ip()),
                    _ => server.to_string(),
                };
                output::line(format_args!(
                    "\n{}. {whom} is asked over {transport}: {name} {record_type}",
                    self.step
                ))?;
                self.tell_reasons(*server, why)
            }
            Dns::ResponseReceived { .. } => tell_response(event),
            Dns::ReferralFollowed { to, name_servers, glue, .. } => {
                let glue = if glue.is_empty() {
                    "no addresses came along".into()
                } else {
                    counted(glue.len(), "address came", "addresses came") + " along"
                };
                point(format_args!("it leads to {to}, served by {}; {glue}", name_servers.join(", ")))
            }
            Dns::AliasFollowed { from, to } => point(format_args!("{from} is an alias of {to}")),
            Dns::Believed { sets, .. } => point(format_args!("believed: {}", sets.join(", "))),
            Dns::RecordsIgnored { records, why, .. } => {
                point(format_args!("not believed, since {why}:"))?;
                records.iter().try_for_each(|record| output::line(format_args!("     {record}")))
            }
            Dns::ResponseIgnored { from, why } => {
                point(format_args!("something came from {from} that answers nothing: {why}"))
            }
            Dns::ServerUseless { why, .. } => point(format_args!("it is of no use: {why}")),
            Dns::GlueMissing { zone, name_server } => point(format_args!(
                "the address of {name_server}, a server of {zone}, did not come along: it has to be found first"
            )),
            Dns::LastResort { zone } => point(format_args!(
                "nobody of {zone} was of use: those that the zone above has named are tried"
            )),
            Dns::Primed { zone, name_servers } => point(format_args!(
                "from now on these count as the servers of {zone}: {}",
                name_servers.join(", ")
            )),
            Dns::StaleServed { name, record_type } => point(format_args!(
                "nothing newer can be had: what has expired of {name} {record_type} is given (RFC 8767)"
            )),
            Dns::Validated { name, record_type, security, reason, chain } => {
                output::line(format_args!("\nvalidation: {name} {record_type} is {security}: {reason}"))?;
                chain.iter().try_for_each(|link| output::line(format_args!("   {link}")))
            }
            Dns::Failed { why, .. } => output::line(format_args!("\noutcome: {why}")),
            _ => Ok(()),
        }
    }

    fn tell_reasons(&mut self, server: SocketAddr, why: &QueryReason) -> anyhow::Result<()> {
        match self.chosen.take().filter(|chosen| chosen.server == server) {
            Some(Chosen { zone, why: choice, candidates, .. }) => {
                let zone = if zone == "." { "the root".to_owned() } else { zone };
                point(format_args!("why it: it serves {zone}; {choice}"))?;
                if candidates.len() > 1 {
                    point(format_args!("known of the servers: {}", standings(&candidates)))?;
                }
                if !matches!(why, QueryReason::ServerOf { .. }) {
                    point(format_args!("why now: {why}"))?;
                }
            }
            None => point(format_args!("why: {why}"))?,
        }
        match self.minimised.take() {
            Some((asked, instead_of, zone)) => point(format_args!(
                "why this: {asked} instead of {instead_of}: servers of {} need to know no more (RFC 9156)",
                if zone == "." { "the root" } else { &zone }
            )),
            None => Ok(()),
        }
    }
}

fn tell_response(event: &Dns) -> anyhow::Result<()> {
    let Dns::ResponseReceived {
        code,
        authoritative,
        answers,
        authorities,
        additionals,
        size,
        truncated,
        rtt,
        ..
    } = event
    else {
        return Ok(());
    };
    let authority = if *authoritative { "with authority" } else { "without authority" };
    let cut = if *truncated { ", of which only the beginning fitted" } else { "" };
    point(format_args!("{code} {authority}, {size} bytes{cut}, after {} ms", rtt.as_millis()))?;
    for (section, records) in [("answer", answers), ("authority", authorities), ("additional", additionals)] {
        for record in records {
            output::line(format_args!("     {section:<10} {record}"))?;
        }
    }
    Ok(())
}

/// How many names are still easy to read.
const FEW: usize = 3;

/// What is known of the servers; those of which the same is known, together, and counted where they are many.
fn standings(candidates: &[ServerKnown]) -> String {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for ServerKnown { name, standing, .. } in candidates {
        match groups.iter_mut().find(|(known, _)| known == standing) {
            Some((_, names)) if names.contains(&name.as_str()) => {}
            Some((_, names)) => names.push(name),
            None => groups.push((standing, vec![name])),
        }
    }
    groups.iter_mut().for_each(|(_, names)| names.sort_unstable());
    let only = groups.len() == 1;
    let group = |(standing, names): (&str, Vec<&str>)| match names.len() {
        0..=FEW => format!("{} {standing}", names.join(", ")),
        many if only => format!("all {many} {standing}"),
        many => format!("{many} others {standing}"),
    };
    groups.into_iter().map(group).collect::<Vec<_>>().join("; ")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn point(text: std::fmt::Arguments<'_>) -> anyhow::Result<()> {
    output::line(format_args!("   {text}"))
}
