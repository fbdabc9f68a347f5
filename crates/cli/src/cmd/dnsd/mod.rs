//! `glasstack dnsd`: a name server on the stack, authoritative, recursive or both.

mod clients;
mod over_ipv6;
mod places;
mod questions;
mod recursion;
mod zone_files;

use crate::args::{DnsdOptions, EndOptions, LabOptions};
use crate::console::{self, Console};
use crate::failure::usage;
use crate::net::Net;
use crate::output;
use anyhow::bail;
use glasstack::dns::Question;
use glasstack::dns::config::DNS_PORT;
use glasstack::dns::server::{Authority, NameServer, Zones, ZonesFirst, serve_with};
use glasstack::journal::SpanKind;
use glasstack::stack::Host;
use places::Place;
use std::future::pending;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// A zone cannot be loaded (named-checkzone's exit code).
const BAD_ZONE: u8 = 1;
/// How long connections may take to close once the server has ended.
const GOODBYE: Duration = Duration::from_secs(1);

pub(crate) fn run(options: &DnsdOptions) -> anyhow::Result<ExitCode> {
    check(options)?;
    if options.check {
        return Ok(zone_files::check(&options.zone)?.into());
    }
    let zones = zone_files::load(&options.zone)?;
    let questions = questions::of(&options.end)?;
    let mut net = places::open(options)?;
    let served = serve(options, zones, &questions, &mut net);
    let ended = net.net.end(GOODBYE, false);
    let code = served?;
    ended?;
    Ok(code.into())
}

/// What is not said well is found before anything is opened.
fn check(options: &DnsdOptions) -> anyhow::Result<()> {
    output::only_one_on_stdout(&options.watch)?;
    if options.check && options.zone.is_empty() {
        bail!(usage("--check: there is nothing to check without --zone FILE"));
    }
    let finds_out = recursion::is_wanted(options);
    if options.zone.is_empty() && !finds_out {
        bail!(usage("there is nothing to serve: give it --zone FILE, --recursive, or both"));
    }
    if !finds_out && let Some(option) = recursion::first_option(&options.recursion) {
        bail!(usage(format!("{option} is for --recursive: zones are answered from files")));
    }
    let clients = &options.clients;
    if clients.rate_limit.is_none() && !clients.rate_limit_exempt.is_empty() {
        bail!(usage("--rate-limit-exempt: there is no limit without --rate-limit"));
    }
    if options.watch.save.is_some() {
        bail!(usage("--save: a server is no step of a run; a topology's `serve` puts one into the lab"));
    }
    places::check(options)
}

fn serve(
    options: &DnsdOptions,
    zones: Zones,
    questions: &[Question],
    place: &mut Place,
) -> anyhow::Result<u8> {
    let local = place.local;
    let host = place.net.host.span(SpanKind::Service { name: "dns".to_owned(), local });
    let authority = authority(options, zones, place, &host)?;
    let terms = clients::terms(options, place)?;
    let server = serve_with(&host, local, authority, terms)?;
    for at in place.publish(&options.place)? {
        output::line(format_args!("serving {at} over UDP and TCP"))?;
    }
    std::io::stdout().flush()?;
    let code = if questions.is_empty() {
        wait(&mut place.net, &server, &options.end)?;
        0
    } else {
        let asked_at = if local.ip().is_unspecified() {
            SocketAddr::new(place.net.host.address(), local.port())
        } else {
            local
        };
        place.net.run(questions::ask(&place.net.host.clone(), asked_at, questions))??
    };
    if !options.watch.silent {
        tell(&server);
    }
    Ok(code)
}

/// Who knows the answers.
fn authority(
    options: &DnsdOptions,
    zones: Zones,
    place: &mut Place,
    host: &Host,
) -> anyhow::Result<Arc<dyn Authority>> {
    if !recursion::is_wanted(options) {
        return Ok(Arc::new(zones));
    }
    let recursor = recursion::recursor(&options.recursion, place, host)?;
    Ok(if options.zone.is_empty() { Arc::new(recursor) } else { Arc::new(ZonesFirst::new(zones, recursor)) })
}

/// Until a signal, which is how a server is meant to end, or for a while.
fn wait(net: &mut Net, server: &NameServer, end: &EndOptions) -> anyhow::Result<()> {
    let host = net.host.clone();
    net.until_interrupted(async move {
        let reports = async {
            let Some(every) = end.statistics else { return pending::<()>().await };
            loop {
                host.sleep(every).await;
                tell(server);
            }
        };
        match end.seconds {
            // The limit is up, which is no error.
            Some(limit) => drop(host.timeout(limit, reports).await),
            None => reports.await,
        }
    })
}

fn tell(server: &NameServer) {
    // Where it cannot be said there is nobody who wants to know.
    let _ = writeln!(Console, "{}", server.statistics());
}

/// Whether the options say something that only the lab has.
fn means_the_lab(options: &DnsdOptions) -> Option<&'static str> {
    let LabOptions { seed, .. } = &options.lab;
    options.lab.means_the_lab().or(options.watch.means_the_lab()).or(seed.is_some().then_some("--seed"))
}

/// Says what is probably not meant.
fn warn(text: impl std::fmt::Display) {
    console::warn(text);
}

/// The port that is listened on where none is said.
const PORT: u16 = DNS_PORT;
