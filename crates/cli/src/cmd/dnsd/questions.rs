//! Questions that the server is asked by its own program: `--query` and `--queries`.

use crate::args::EndOptions;
use crate::dns_exchange;
use crate::failure::usage;
use crate::files::{read_bounded, stdin};
use crate::output;
use anyhow::Context;
use glasstack::dns::message::Edns;
use glasstack::dns::upstream::Query;
use glasstack::dns::{DnsName, Message, Question, Record, RecordType};
use glasstack::journal::event::{QueryReason, Transport};
use glasstack::stack::Host;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// The largest file of questions, in bytes.
const LARGEST: u64 = 64 << 20;
/// How long an answer may take: longer than the server tries.
const PATIENCE: Duration = Duration::from_secs(12);
/// A question was not answered, as `dig` has it.
const NO_ANSWER: u8 = 9;

/// What the options ask.
pub(super) fn of(options: &EndOptions) -> anyhow::Result<Vec<Question>> {
    let mut questions = Vec::new();
    for text in &options.query {
        questions.push(question(text).with_context(|| format!("--query {text}")).map_err(bad)?);
    }
    if let Some(path) = &options.queries {
        for (index, line) in text_of(path)?.lines().enumerate() {
            let line = line.split([';', '#']).next().unwrap_or_default().trim();
            if !line.is_empty() {
                let place = || format!("{}:{}", path.display(), index + 1);
                questions.push(question(line).with_context(place).map_err(bad)?);
            }
        }
    }
    Ok(questions)
}

fn bad(error: anyhow::Error) -> anyhow::Error {
    usage(format!("{error:#}"))
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    let bytes = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        stdin()?.take(LARGEST).read_to_end(&mut bytes).context("cannot read stdin")?;
        bytes
    } else {
        read_bounded(path, LARGEST)?
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `NAME [TYPE]`, as dnsperf has it.
fn question(text: &str) -> anyhow::Result<Question> {
    let mut words = text.split_whitespace();
    let name = DnsName::parse(words.next().unwrap_or_default())?;
    let record_type = words.next().unwrap_or("A").parse::<RecordType>()?;
    anyhow::ensure!(words.next().is_none(), "`{text}` is more than a name and a type");
    Ok(Question::new(name, record_type))
}

/// Asks one after the other and prints the answers. 0 if each was answered, whatever the answer was.
pub(super) async fn ask(host: &Host, server: SocketAddr, questions: &[Question]) -> anyhow::Result<u8> {
    let mut code = 0;
    for question in questions {
        let query = Query {
            question: question.clone(),
            server,
            transport: Transport::Udp,
            recursion_desired: true,
            checking_disabled: false,
            // Who does not say that it understands DNSSEC is not told whether an answer is authentic.
            edns: Some(Edns { dnssec_ok: true, ..Edns::default() }),
            mixed_case: false,
            timeout: PATIENCE,
            why: QueryReason::First,
        };
        let begun = host.now();
        let answer = dns_exchange::whole(host, &query).await;
        let millis = (host.now() - begun).as_millis();
        match answer {
            Ok(message) => print(question, &message, millis)?,
            Err(error) => {
                output::line(format_args!("; {question}: {error}"))?;
                code = NO_ANSWER;
            }
        }
    }
    Ok(code)
}

/// The answer as lines of a zone file; what is not the answer itself stands in comments. Signatures are
/// shown to who asks for them.
fn print(question: &Question, message: &Message, millis: u128) -> anyhow::Result<()> {
    let flags = [(message.authoritative, " aa"), (message.authentic_data, " ad")];
    let flags: String = flags.into_iter().filter_map(|(is_set, flag)| is_set.then_some(flag)).collect();
    output::line(format_args!("; {question}: {}{flags} in {millis} ms", message.code))?;
    for error in message.edns.iter().flat_map(|edns| &edns.extended_errors) {
        output::line(format_args!("; EDE: {error}"))?;
    }
    let is_shown = |record: &&Record| {
        record.record_type() != RecordType::Rrsig || question.record_type == RecordType::Rrsig
    };
    for record in message.answers.iter().filter(is_shown) {
        output::line(record)?;
    }
    for record in message.authorities.iter().chain(&message.additionals).filter(is_shown) {
        output::line(format_args!("; {record}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_a_name_and_a_type_or_a_name_alone() {
        assert_eq!(question("www.example.test AAAA").unwrap().to_string(), "www.example.test AAAA");
        assert_eq!(question("www.example.test").unwrap().record_type, RecordType::A);
        assert!(question("www.example.test IN A").is_err() && question("a..b").is_err());
    }
}
