//! `glasstack lab bridge`: one side of the lab on a TAP, in real time, for real programs.

mod inside;
mod place;

use crate::args::{BridgeOptions, WatchOptions};
use crate::capture::Captures;
use crate::failure::usage;
use crate::{output, scene, watch};
use anyhow::{Context, bail};
use glasstack::bridge::Bridge;
use glasstack::lab::{FaultSpec, Lab, LabBuilder, plan};
use glasstack::sim::topology::Topology;
use glasstack::sim::{Cable, Gate, SimWorld};
use glasstack::stack::{Environment, FrameDevice, World};
use glasstack::uplink::{Mode, TapConfig, TapDevice, TapWorld, WorldError};
use inside::Inside;
use place::Place;
use std::future::pending;
use std::io::Write;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

/// The gate's name in the lab: what stands there is the kernel.
const OUTSIDE: &str = "outside";
/// How often it is looked whether the program inside has ended.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) fn run(options: &BridgeOptions) -> anyhow::Result<ExitCode> {
    if options.lab.seed.is_some() {
        bail!(usage(
            "--seed is for the lab in memory: on a TAP nobody may be able to guess ports, ids and keys"
        ));
    }
    if options.watch.save.is_some() {
        bail!(usage(
            "--save: what happens on a bridge is the kernel's business too, and cannot be done again"
        ));
    }
    // First: without root it is another process that goes on.
    let inside = if options.command.is_empty() { None } else { Some(Inside::new(options)?) };
    let run = scene::of_options(&options.lab, false, &[])?;
    let topology = match run.topology {
        Some(topology) => topology,
        None => plan::internet().context("the default Internet")?,
    };
    let place = Place::find(&topology, options.at.as_deref(), options.addr)?;
    // What is captured is what passes between the lab and the kernel, unless another place is named.
    let captures = Captures::choose(&options.watch.capture_at, &topology, OUTSIDE)?;
    let mut world = TapWorld::new()?;
    world.catch_signals()?;
    let builder = builder(topology, run.faults, &place, world.environment());
    let watch = WatchOptions { untold: is_untold(&options.watch), ..options.watch.clone() };
    watch::attach_at(builder.journal(), &watch, OUTSIDE, captures.points(), false)?;
    let (lab, gate) = with_a_gate(builder, &place)?;
    captures.begin(&lab);
    let config = TapConfig {
        name: options.tap.clone(),
        mode: Mode::Tap,
        host_side: Some(place.own),
        ..TapConfig::default()
    };
    let device = match &inside {
        Some(inside) => inside.tap(&config)?,
        None => TapDevice::open(&config)?,
    };
    place.is_on(&device)?;
    let tap = device.name().to_owned();
    if let Some(path) = &options.ca {
        std::fs::write(path, lab.ca_pem()).with_context(|| path.display().to_string())?;
    }
    if let Some(path) = &options.root_key {
        std::fs::write(path, lab.trust_anchors.to_bind()).with_context(|| path.display().to_string())?;
    }
    let (journal, faults, scope) =
        (lab.world.journal().clone(), lab.faults.clone(), lab.client.scope().clone());
    let (ca, servers) = (lab.ca_pem().to_owned(), lab.name_server);
    world.add_guest(Bridge::new(lab, gate), device)?;
    let ended = match inside {
        Some(inside) => inside.run(&mut world, (&tap, &place), (&ca, servers.ip()), options.seconds),
        None => {
            if options.route {
                place.route_everything(&tap)?;
            }
            tell(&tap, &place, servers.ip(), options)?;
            wait(&mut world, options.seconds)
        }
    };
    scene::conclude(&faults, &scope, is_untold(&options.watch) && !options.watch.silent);
    watch::finish(&journal)?;
    ended
}

/// Until a signal, which is how a bridge is meant to end, or for a while.
fn wait(world: &mut TapWorld, limit: Option<Duration>) -> anyhow::Result<ExitCode> {
    let executor = world.environment().executor.clone();
    let ended = match limit {
        Some(limit) => world.run(executor.sleep(limit)),
        None => world.run(pending()),
    };
    match ended {
        Ok(()) | Err(WorldError::Interrupted { .. }) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.into()),
    }
}

/// The lab with its clock, its date and its randomness from outside.
fn builder(topology: Topology, faults: Vec<FaultSpec>, place: &Place, env: &Environment) -> LabBuilder {
    let mut seed = [0; 8];
    env.entropy.fill(&mut seed);
    let epoch = env.journal.epoch();
    let world = SimWorld::builder(u64::from_le_bytes(seed)).epoch(epoch).entropy(env.entropy.clone()).build();
    let faults = faults.into_iter().map(|fault| place.put(fault));
    Lab::builder_in(world).topology(topology).faults(faults)
}

/// The kernel's place on the switch.
fn with_a_gate(builder: LabBuilder, place: &Place) -> anyhow::Result<(Lab, Gate)> {
    let mut lab = builder.build()?;
    let gate = lab.world.add_gate(OUTSIDE)?;
    lab.world.connect(&gate, place.plug(), Cable::new().latency(Duration::ZERO))?;
    Ok((lab, gate))
}

/// The story would be that of a bare port: nothing but that it is there.
fn is_untold(watch: &WatchOptions) -> bool {
    !watch.verbose && !watch.ladder
}

fn tell(tap: &str, place: &Place, server: IpAddr, options: &BridgeOptions) -> anyhow::Result<()> {
    let Place { at, own, gateway, .. } = place;
    output::line(format_args!(
        "{tap} has {own} and is a station on {at}, in real time: what happens now is not deterministic"
    ))?;
    match gateway {
        Some(gateway) if options.route => {
            output::line(format_args!("the default route leads into the lab by {gateway}"))?;
        }
        Some(gateway) => output::line(format_args!(
            "the way into the lab, in a network namespace: ip route add default via {gateway} dev {tap}"
        ))?,
        None => output::line(format_args!("there is no router on this link"))?,
    }
    output::line(format_args!("the name server is {server}; Ctrl-C ends the bridge"))?;
    std::io::stdout().flush()?;
    Ok(())
}
