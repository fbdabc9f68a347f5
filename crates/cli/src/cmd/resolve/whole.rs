//! One question to one server, and its whole message as `dig` prints it.

use super::asked::{self, Asked};
use super::told::Told;
use super::trace::{columns, pad};
use crate::args::{OnOff, ResolveOptions};
use crate::dns_exchange;
use crate::failure::usage;
use crate::net::Net;
use crate::{console, output};
use glasstack::dns::cache::file::date_of;
use glasstack::dns::message::Edns;
use glasstack::dns::{DnsName, Message, NoAnswer, Query, Question, RecordType};
use glasstack::journal::event::{Dns, QueryReason, Transport};
use std::net::SocketAddr;
use std::time::Duration;

/// dig: "No reply from server".
const NO_REPLY: u8 = 9;
/// How often a server that does not answer is asked, as dig does.
const TRIES: u32 = 3;

pub(super) fn perform(options: &ResolveOptions, asked: &Asked, net: &mut Net) -> anyhow::Result<u8> {
    let how = &options.how;
    if how.iterate || options.shape.explain {
        return Err(usage(
            "--norecurse is for one question to one server: --iterate and --explain tell more",
        ));
    }
    let servers = match asked::server(asked, net)? {
        Some(server) => vec![server],
        None => net.names().servers,
    };
    let told = Told::listen(net);
    let mut code = 0;
    for record_type in &asked.types {
        let question = Question::new(DnsName::parse(&asked.name)?, *record_type);
        let host = net.host.clone();
        let exchange = exchange(&host, options, &question, &servers);
        let answered = net.run(exchange)?;
        net.settle(Duration::from_secs(1))?;
        match answered {
            Ok(message) if options.shape.short => {
                let is_data = |record_type| record_type != RecordType::Rrsig;
                let records = message.answers.iter().filter(|record| is_data(record.record_type()));
                records.map(|record| &record.data).try_for_each(output::line)?;
            }
            Ok(message) => print(&message, &told.take(), &date_of(net.host.wall()))?,
            Err(why) => {
                console::warn(format_args!("no answer about {question}: {why}"));
                code = NO_REPLY;
            }
        }
    }
    Ok(code)
}

/// The first server that answers; over TCP what does not fit into a datagram.
async fn exchange(
    host: &glasstack::stack::Host,
    options: &ResolveOptions,
    question: &Question,
    servers: &[SocketAddr],
) -> Result<Message, String> {
    let how = &options.how;
    let mut failed = "there is no name server to ask".to_owned();
    for server in servers {
        let mut query = Query {
            question: question.clone(),
            server: *server,
            transport: if how.tcp { Transport::Tcp } else { Transport::Udp },
            recursion_desired: !how.norecurse,
            checking_disabled: false,
            edns: Some(Edns { dnssec_ok: options.wants_proof(), ..Edns::default() }),
            mixed_case: how.mixed_case == OnOff::On,
            timeout: Duration::from_secs(5),
            why: QueryReason::First,
        };
        for _ in 0..TRIES {
            match dns_exchange::whole(host, &query).await {
                Ok(message) => return Ok(message),
                Err(NoAnswer::TimedOut { .. }) => {
                    query.why = QueryReason::Timeout { waited: query.timeout };
                    failed = format!("{server} did not answer within {} s", query.timeout.as_secs());
                }
                Err(error) => {
                    failed = format!("{server}: {error}");
                    break;
                }
            }
        }
    }
    Err(failed)
}

fn print(message: &Message, events: &[Dns], when: &str) -> anyhow::Result<()> {
    header(message)?;
    pseudosection(message)?;
    if let Some(question) = &message.question {
        output::line(";; QUESTION SECTION:")?;
        let name = if question.name.is_root() { String::new() } else { question.name.to_string() };
        let mut line = format!(";{name}.");
        pad(&mut line, 32);
        line.push_str("IN");
        pad(&mut line, 40);
        output::line(format_args!("{line}{}\n", question.record_type))?;
    }
    let sections = [
        ("ANSWER", &message.answers),
        ("AUTHORITY", &message.authorities),
        ("ADDITIONAL", &message.additionals),
    ];
    for (section, records) in sections.into_iter().filter(|(_, records)| !records.is_empty()) {
        output::line(format_args!(";; {section} SECTION:"))?;
        records.iter().map(columns).try_for_each(output::line)?;
        output::line("")?;
    }
    let last = events.iter().rev().find_map(|event| match event {
        Dns::ResponseReceived { server, transport, size, rtt, .. } => Some((server, transport, size, rtt)),
        _ => None,
    });
    if let Some((server, transport, size, rtt)) = last {
        let address = server.ip();
        output::line(format_args!(";; Query time: {} msec", rtt.as_millis()))?;
        output::line(format_args!(";; SERVER: {address}#{}({address}) ({transport})", server.port()))?;
        output::line(format_args!(";; WHEN: {when}"))?;
        output::line(format_args!(";; MSG SIZE  rcvd: {size}\n"))?;
    }
    Ok(())
}

fn header(message: &Message) -> anyhow::Result<()> {
    let opcode = match message.opcode {
        0 => "QUERY".to_owned(),
        4 => "NOTIFY".to_owned(),
        5 => "UPDATE".to_owned(),
        other => format!("OPCODE{other}"),
    };
    output::line(format_args!(
        ";; ->>HEADER<<- opcode: {opcode}, status: {}, id: {}",
        message.code, message.id
    ))?;
    let flags = [
        ("qr", message.is_response),
        ("aa", message.authoritative),
        ("tc", message.truncated),
        ("rd", message.recursion_desired),
        ("ra", message.recursion_available),
        ("ad", message.authentic_data),
        ("cd", message.checking_disabled),
    ];
    let flags: Vec<&str> = flags.iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| *flag).collect();
    // The OPT record is one of the additional section.
    let additional = message.additionals.len() + usize::from(message.edns.is_some());
    output::line(format_args!(
        ";; flags: {}; QUERY: {}, ANSWER: {}, AUTHORITY: {}, ADDITIONAL: {additional}\n",
        flags.join(" "),
        usize::from(message.question.is_some()),
        message.answers.len(),
        message.authorities.len(),
    ))
}

/// What is said by EDNS (RFC 6891), extended errors too (RFC 8914).
fn pseudosection(message: &Message) -> anyhow::Result<()> {
    let Some(edns) = &message.edns else { return Ok(()) };
    output::line(";; OPT PSEUDOSECTION:")?;
    let flags = if edns.dnssec_ok { " do" } else { "" };
    output::line(format_args!(
        "; EDNS: version: {}, flags:{flags}; udp: {}",
        edns.version, edns.udp_payload
    ))?;
    for error in &edns.extended_errors {
        let purpose = error.purpose().map(|purpose| format!(" ({purpose})")).unwrap_or_default();
        let text = if error.text.is_empty() { String::new() } else { format!(": ({})", error.text) };
        output::line(format_args!("; EDE: {}{purpose}{text}", error.code))?;
    }
    Ok(())
}
