//! `glasstack lab list`: the names of the lab, and what each is good for.

use crate::args::ListOptions;
use crate::output;
use glasstack::lab::SITES;
use serde_json::json;
use std::process::ExitCode;

pub(crate) fn run(options: &ListOptions) -> anyhow::Result<ExitCode> {
    if options.json {
        let sites: Vec<_> =
            SITES.iter().map(|site| json!({ "name": site.host, "about": site.about })).collect();
        output::line(serde_json::to_string_pretty(&json!({ "sites": sites }))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let width = SITES.iter().map(|site| site.host.len()).max().unwrap_or_default();
    for site in SITES {
        output::line(format_args!("{:width$}  {}", site.host, site.about))?;
    }
    Ok(ExitCode::SUCCESS)
}
