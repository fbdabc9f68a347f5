//! What the words on the command line ask for.

use crate::args::ResolveOptions;
use crate::failure::{ExitWith, FAILED_INIT, usage};
use crate::names;
use crate::net::Net;
use anyhow::Context;
use glasstack::dns::config::DNS_PORT;
use glasstack::dns::{DnsName, RecordType};
use glasstack::web::WebError;
use std::net::{IpAddr, SocketAddr};

/// The questions.
pub(super) struct Asked {
    /// The name, in ASCII.
    pub(super) name: String,
    /// The record types.
    pub(super) types: Vec<RecordType>,
    /// Who is to be asked, if that is said: an address or a name, with a port or without.
    pub(super) server: Option<String>,
    /// Whether it is about a host's address, which others than DNS may know, too.
    pub(super) is_plain: bool,
}

impl Asked {
    pub(super) fn of(options: &ResolveOptions) -> anyhow::Result<Self> {
        let is_server = |word: &&String| word.starts_with('@');
        let mut servers = options.words.iter().filter(is_server);
        let server = servers.next().map(|word| word.trim_start_matches('@').to_owned());
        if let Some(second) = servers.next() {
            return Err(usage(format!("{second}: one server is asked; --dns names several to try in turn")));
        }
        let words = options.words.iter().filter(|word| !is_server(word)).map(String::as_str);
        let (name, types) = match options.reverse {
            Some(address) => (DnsName::reverse(address).to_string(), types(words, RecordType::Ptr)?),
            None => {
                let (name, others) = name_among(words.collect())?;
                (names::of_a_domain(name)?, types(others.into_iter(), RecordType::A)?)
            }
        };
        let how = &options.how;
        // Hosts are known elsewhere, too; what no host can be called is known to DNS alone.
        let is_host = name.parse::<IpAddr>().is_ok() || name.starts_with('[') || DnsName::host(&name).is_ok();
        let is_plain = is_host && !options.wants_proof() && !how.iterate && options.reverse.is_none();
        Ok(Self { name, types, server, is_plain })
    }
}

/// The name, and the other words: it is the first that is no record type, as `dig` has it, or the first of all.
fn name_among(mut words: Vec<&str>) -> anyhow::Result<(&str, Vec<&str>)> {
    if words.is_empty() {
        return Err(usage("which name is to be looked up?"));
    }
    let at = words.iter().position(|word| word.parse::<RecordType>().is_err()).unwrap_or_default();
    let name = words.remove(at);
    Ok((name, words))
}

fn types<'w>(words: impl Iterator<Item = &'w str>, usual: RecordType) -> anyhow::Result<Vec<RecordType>> {
    let types = words.map(|word| match word.parse::<RecordType>() {
        // What has a dot is meant as a name.
        Err(_) if word.contains('.') => {
            Err(usage(format!("{word}: one name is looked up at a time, of any number of types")))
        }
        parsed => parsed.exit_with(FAILED_INIT),
    });
    let types = types.collect::<anyhow::Result<Vec<RecordType>>>()?;
    Ok(if types.is_empty() { vec![usual] } else { types })
}

/// Where the server is that was named; its own name is looked up as usual.
pub(super) fn server(asked: &Asked, net: &mut Net) -> anyhow::Result<Option<SocketAddr>> {
    let Some(server) = &asked.server else { return Ok(None) };
    let unusable = || format!("@{server}: write @ADDRESS or @NAME, a port behind `#`");
    let (host, port) = match server.split_once('#') {
        Some((host, port)) => (host, port.parse().with_context(unusable).exit_with(FAILED_INIT)?),
        None => (server.as_str(), DNS_PORT),
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(Some((address, port).into()));
    }
    let host = names::in_ascii(host).with_context(unusable)?;
    let resolver = net.resolver(&[])?;
    let found = net.run(async { resolver.resolve(&host).await })?.map_err(WebError::from)?;
    let address = found.addresses.first().with_context(unusable)?;
    Ok(Some((*address, port).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<String, String> {
        let (name, others) = name_among(words.split(' ').collect()).map_err(|error| error.to_string())?;
        let types = types(others.into_iter(), RecordType::A).map_err(|error| error.to_string())?;
        Ok(types.iter().fold(name.to_owned(), |line, one| format!("{line} {one}")))
    }

    #[test]
    fn the_type_may_stand_before_the_name() {
        assert_eq!(read("www.example.test").unwrap(), "www.example.test A");
        assert_eq!(read("MX www.example.test").unwrap(), "www.example.test MX");
        assert_eq!(read("mx example.test ns").unwrap(), "example.test MX NS");
        assert_eq!(read("ns").unwrap(), "ns A", "a host may be called so");
        assert_eq!(read("mx ns").unwrap(), "mx NS");
    }

    #[test]
    fn a_second_name_is_not_taken_for_a_type() {
        assert!(read("a.test b.test").unwrap_err().contains("one name"));
        assert!(read("a.test NOTATYPE").unwrap_err().contains("not a record type"));
    }
}
