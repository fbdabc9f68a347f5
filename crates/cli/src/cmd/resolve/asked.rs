//! What the words on the command line ask for.

use crate::args::ResolveOptions;
use crate::failure::{ExitWith, FAILED_INIT, usage};
use crate::names;
use crate::net::Net;
use anyhow::Context;
use glasstack::dns::config::DNS_PORT;
use glasstack::dns::record::UnknownRecordType;
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
    /// Whether it is about an address, and nobody is named who knows it.
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
        let mut words = options.words.iter().filter(|word| !is_server(word));
        let (name, usual) = match options.reverse {
            Some(address) => (DnsName::reverse(address).to_string(), RecordType::Ptr),
            None => {
                let name = words.next().ok_or_else(|| usage("which name is to be looked up?"))?;
                (names::in_ascii(name)?, RecordType::A)
            }
        };
        let types = words.map(|word| word.parse::<RecordType>());
        let mut types: Vec<RecordType> =
            types.collect::<Result<_, UnknownRecordType>>().exit_with(FAILED_INIT)?;
        if types.is_empty() {
            types.push(usual);
        }
        let how = &options.how;
        let is_plain = !how.dnssec && !how.iterate && options.reverse.is_none();
        Ok(Self { name, types, server, is_plain })
    }
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
