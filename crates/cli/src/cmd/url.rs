//! `glasstack url`: what the address bar makes of a text.

use crate::args::UrlOptions;
use crate::output;
use glasstack::web::{WebError, address_bar};
use std::process::ExitCode;

pub(crate) fn run(options: &UrlOptions) -> anyhow::Result<ExitCode> {
    let address = address_bar::parse(&options.text).map_err(WebError::from)?;
    let url = &address.url;
    let row = |name: &str, value: Option<String>| match value.filter(|value| !value.is_empty()) {
        Some(value) => output::line(format_args!("{name:<9} {value}")),
        None => Ok(()),
    };
    row("url", Some(url.to_string()))?;
    row("scheme", Some(format!("{} ({})", url.scheme(), address.scheme_because)))?;
    row("user", Some(url.username().to_owned()))?;
    row("password", url.password().map(|_| "(given)".to_owned()))?;
    row("host", url.host_str().map(str::to_owned))?;
    row("port", url.port_or_known_default().map(|port| port.to_string()))?;
    row("path", Some(url.path().to_owned()))?;
    row("query", url.query().map(str::to_owned))?;
    row("fragment", url.fragment().map(|fragment| format!("{fragment} (never sent)")))?;
    Ok(ExitCode::SUCCESS)
}
