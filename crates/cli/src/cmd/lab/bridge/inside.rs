//! A program in a network of its own that is nothing but the lab: `glasstack lab bridge -- PROGRAM`.
//!
//! Root makes a network namespace. Anybody else first becomes root of a user namespace, which needs a
//! process of one thread, so the program starts itself once more.

use super::place::Place;
use crate::args::BridgeOptions;
use crate::files::new_folder;
use crate::net::interrupted;
use anyhow::Context;
use futures_util::future::{Either, select};
use glasstack::netns::{NetNs, NetNsError, Running};
use glasstack::stack::{Executor, World};
use glasstack::uplink::{TapConfig, TapDevice, TapWorld};
use std::fs::Permissions;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::pin::pin;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::Duration;

/// Tells the program that it was started by itself.
const AGAIN: &str = "GLASSTACK_BRIDGE_INSIDE";
/// timeout(1).
const TIME_IS_UP: u8 = 124;
/// How long the program may go on after a signal.
const LAST_WORD: Duration = Duration::from_secs(1);

/// The namespace, and what shall run in it.
pub(super) struct Inside {
    ns: NetNs,
    command: Vec<String>,
}

impl Inside {
    pub(super) fn new(options: &BridgeOptions) -> anyhow::Result<Self> {
        match NetNs::new() {
            Ok(ns) => Ok(Self { ns, command: options.command.clone() }),
            Err(NetNsError::NotPermitted { obstacle: None, .. }) if std::env::var_os(AGAIN).is_none() => {
                Err(once_more_as_root_of_a_user_namespace())
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn tap(&self, config: &TapConfig) -> anyhow::Result<TapDevice> {
        Ok(self.ns.tap(config)?)
    }

    /// Runs the program until it ends; its status is ours.
    pub(super) fn run(
        self,
        world: &mut TapWorld,
        (tap, place): (&str, &Place),
        (ca, server): (&str, IpAddr),
        limit: Option<Duration>,
    ) -> anyhow::Result<ExitCode> {
        if place.gateway.is_some() {
            self.ns.run(|| place.route_everything(tap))??;
        }
        let files = Files::new(ca, server)?;
        let mut running = self.ns.spawn(&mut files.command(&self.command))?;
        let executor = world.environment().executor.clone();
        let time_is_up = executor.sleep(limit.unwrap_or(Duration::MAX));
        let first = world.run(async {
            match select(pin!(ended(&mut running, &executor)), time_is_up).await {
                Either::Left((status, _)) => status.map(exit_code),
                Either::Right(_) => Ok(ExitCode::from(TIME_IS_UP)),
            }
        });
        match first {
            Ok(code) => Ok(code?),
            Err(error) => {
                // A terminal interrupts the program as well, which may have a last word.
                let gone = pin!(ended(&mut running, &executor));
                let _ = world.run(select(gone, pin!(executor.sleep(LAST_WORD))));
                Err(interrupted(error))
            }
        }
    }
}

/// Waits for the program's end.
async fn ended(running: &mut Running, executor: &Executor) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = running.try_wait()? {
            return Ok(status);
        }
        executor.sleep(super::LOOK).await;
    }
}

/// As a shell tells it.
fn exit_code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// What the program finds: the lab's name server and the lab's root certificate. Gone when dropped.
struct Files {
    folder: PathBuf,
}

impl Files {
    fn new(ca: &str, server: IpAddr) -> anyhow::Result<Self> {
        let files = Self { folder: new_folder().context("a temporary folder")? };
        // The program may be run as another user; there is no secret in it.
        std::fs::set_permissions(&files.folder, Permissions::from_mode(0o755))?;
        std::fs::write(files.ca(), ca).context("the lab's root certificate")?;
        std::fs::write(files.resolv_conf(), format!("nameserver {server}\n")).context("resolv.conf")?;
        Ok(files)
    }

    fn ca(&self) -> PathBuf {
        self.folder.join("root.pem")
    }

    fn resolv_conf(&self) -> PathBuf {
        self.folder.join("resolv.conf")
    }

    /// In a mount namespace of its own, in which /etc/resolv.conf is ours.
    fn command(&self, program: &[String]) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--", "sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\""])
            .arg(self.resolv_conf())
            .args(program);
        for variable in ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
            command.env(variable, self.ca());
        }
        command
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // Nothing is lost if a temporary folder stays.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Does not return if it can start.
fn once_more_as_root_of_a_user_namespace() -> anyhow::Error {
    let own = match std::env::current_exe() {
        Ok(own) => own,
        Err(error) => return error.into(),
    };
    let error = Command::new("unshare")
        .args(["--user", "--map-root-user", "--"])
        .arg(own)
        .args(std::env::args_os().skip(1))
        .env(AGAIN, "1")
        .exec();
    anyhow::Error::from(error).context("unshare (util-linux)")
}
