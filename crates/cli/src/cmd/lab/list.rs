//! `glasstack lab list`: the names of the lab, and what each is good for; then its hosts.

use crate::args::ListOptions;
use crate::output;
use crate::scene;
use glasstack::lab::SITES;
use glasstack::sim::topology::{HostAddress, HostSpec};
use glasstack::views::printable;
use serde_json::json;
use std::process::ExitCode;

pub(crate) fn run(options: &ListOptions) -> anyhow::Result<ExitCode> {
    let topology = scene::topology_or_default(options.topology.as_deref())?;
    // A network of somebody's own has names of its own.
    let sites = if options.topology.is_none() { SITES } else { &[] };
    let hosts: Vec<Row<'_>> = topology.hosts.iter().map(|(name, host)| Row::of(name, host)).collect();
    if options.json {
        let sites: Vec<_> =
            sites.iter().map(|site| json!({ "name": site.host, "about": site.about })).collect();
        let hosts: Vec<_> = hosts.iter().map(Row::json).collect();
        output::line(serde_json::to_string_pretty(&json!({ "sites": sites, "hosts": hosts }))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let width = sites.iter().map(|site| site.host.len()).max().unwrap_or_default();
    for site in sites {
        output::line(format_args!("{:width$}  {}", site.host, site.about))?;
    }
    if !sites.is_empty() {
        output::line("")?;
    }
    let hosts: Vec<[String; 4]> = hosts.iter().map(Row::cells).collect();
    let widest =
        |column: usize| hosts.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let (of_names, of_addresses, of_known) = (widest(0), widest(1), widest(2));
    for [name, address, names, about] in &hosts {
        let line = format!("{name:of_names$}  {address:of_addresses$}  {names:of_known$}  {about}");
        output::line(line.trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How much of what a host is good for is shown in a line, in characters.
const WIDEST: usize = 50;

/// What is told of a host.
struct Row<'a> {
    name: &'a str,
    address: String,
    /// What leads to it.
    names: &'a [String],
    about: String,
}

impl<'a> Row<'a> {
    fn of(name: &'a str, host: &'a HostSpec) -> Self {
        let address = match host.address {
            HostAddress::Static(address) => address.to_string(),
            HostAddress::Dhcp => "by DHCP".to_owned(),
        };
        let about = host.about.clone().unwrap_or_else(|| host.serve.join(", "));
        Self { name, address, names: &host.names, about }
    }

    fn json(&self) -> serde_json::Value {
        let Self { name, address, names, about } = self;
        json!({ "name": name, "address": address, "names": names, "about": about })
    }

    /// What stands in a line about it, which does nothing to the terminal.
    fn cells(&self) -> [String; 4] {
        let names = match self.names {
            [first, second, more @ ..] if !more.is_empty() => {
                format!("{first} {second} and {} more", more.len())
            }
            few => few.join(" "),
        };
        let about = match self.about.char_indices().nth(WIDEST) {
            Some((end, _)) => format!("{}...", self.about.get(..end).unwrap_or_default()),
            None => self.about.clone(),
        };
        [self.name, &self.address, &names, &about].map(|cell| {
            // Blanks and line ends are one blank.
            printable(&cell.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
        })
    }
}
