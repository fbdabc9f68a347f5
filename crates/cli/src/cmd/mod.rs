//! One file a subcommand.

pub(crate) mod cache;
pub(crate) mod cert;
pub(crate) mod completions;
pub(crate) mod dnsd;
pub(crate) mod doctor;
pub(crate) mod get;
pub(crate) mod lab;
pub(crate) mod man;
pub(crate) mod ping;
pub(crate) mod resolve;
pub(crate) mod route;
pub(crate) mod traceroute;
pub(crate) mod url;
pub(crate) mod verify;

use crate::args::Command;
use crate::failure::usage;
use crate::net::Net;

/// A command on a network that is there already, as a step of a run; its exit code.
pub(crate) fn perform(command: Command, net: &mut Net) -> anyhow::Result<u8> {
    if let Some(options) = command.net() {
        net.look_up_as(options)?;
    }
    match command {
        Command::Get(options) => get::perform(*options, net),
        Command::Resolve(options) => resolve::perform(&options, net),
        Command::Ping(options) => ping::perform(&options, net),
        Command::Traceroute(options) => traceroute::perform(&options, net),
        Command::Route(options) => route::perform(&options, net),
        Command::Cert(options) => cert::perform(&options, net),
        _ => Err(usage("this command uses no network, and is no step of a run")),
    }
}
