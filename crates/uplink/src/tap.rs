//! The device: a TAP (Ethernet frames) or a TUN (IP packets) between the kernel and us.
//!
//! [`TapDevice::open`] creates the device and configures the kernel's side where the program may
//! (CAP_NET_ADMIN), and takes a device that was prepared for the user (`scripts/tap-up`) where it
//! may not. What is missing in that case, and how to get it, is told.

use crate::addressing::{InterfaceAddress, default_host_side};
use crate::netlink::{LinkState, Netlink, NetlinkError};
use glasstack_journal::event::{MacAddress, Medium};
use glasstack_stack::{DeviceError, Frame, FrameDevice, HostConfig};
use nix::errno::Errno;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which layer the device carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Ethernet frames, ARP included.
    #[default]
    Tap,
    /// Bare IP packets.
    Tun,
}

impl Mode {
    /// What the stack sees.
    pub fn medium(self) -> Medium {
        match self {
            Self::Tap => Medium::Ethernet,
            Self::Tun => Medium::Ip,
        }
    }

    /// The device taken where none is named: what `scripts/tap-up` prepares.
    pub fn default_name(self) -> &'static str {
        match self {
            Self::Tap => "glass0",
            Self::Tun => "glasstun0",
        }
    }

    /// The kernel puts a free number in the place of `%d`.
    fn pattern(self) -> &'static str {
        match self {
            Self::Tap => "glass%d",
            Self::Tun => "glasstun%d",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tap => "TAP",
            Self::Tun => "TUN",
        })
    }
}

/// Which device, and how the kernel's side of it shall be.
#[derive(Clone, Debug, Default)]
pub struct TapConfig {
    /// Its name, at most 15 bytes. None: the prepared one ([`Mode::default_name`]) if it is there
    /// and free, else a new one.
    pub name: Option<String>,
    /// TAP or TUN.
    pub mode: Mode,
    /// The kernel's address on the link, if it has none yet: a prepared device keeps its own.
    /// None: in the first free default subnet (10.71.83.1/24, see [`addressing`](crate::addressing)).
    pub host_side: Option<InterfaceAddress>,
    /// The largest IP packet, in bytes. None: as it is, 1500 on a new device.
    pub mtu: Option<usize>,
}

impl TapConfig {
    /// The same device with its kernel's side, where that has no address yet, in the network that
    /// the stack's address lies in: the stack's gateway, or the network's first address.
    #[must_use]
    pub fn facing(self, stack: InterfaceAddress, gateway: Option<IpAddr>) -> Self {
        Self { host_side: stack.host_side(gateway), ..self }
    }
}

/// The device cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Linux allows 15 bytes, without slash, colon or white space.
    #[error("`{name}` cannot be an interface's name: {why}")]
    Name {
        /// The name asked for.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There is no /dev/net/tun.
    #[error(
        "/dev/net/tun does not exist: load the module (`sudo modprobe tun`; in a container: `--device /dev/net/tun`), or use the built-in lab, which needs no device"
    )]
    NoTunDriver(#[source] io::Error),
    /// /dev/net/tun may not be opened.
    #[error(
        "/dev/net/tun: permission denied; as root: `chmod 0666 /dev/net/tun` (the kernel still decides who gets which device) and `scripts/tap-up` once, or use the built-in lab, which needs no device"
    )]
    DriverForbidden(#[source] io::Error),
    /// The device may not be created, or belongs to somebody else.
    #[error(
        "{mode} {name}: not permitted; run `scripts/tap-up` once as root to have one that is yours, run this as root, or use the built-in lab, which needs no device"
    )]
    NotPermitted {
        /// The device.
        name: String,
        /// TAP or TUN.
        mode: Mode,
        /// What the kernel said.
        source: io::Error,
    },
    /// Another program has it open.
    #[error("{name}: another program has this device open; end it or name another device")]
    Busy {
        /// The device.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The name belongs to an interface of another kind.
    #[error("{name} exists, but it is no plain {mode} device (a {other} perhaps, or multi-queue)", other = if *.mode == Mode::Tap { Mode::Tun } else { Mode::Tap })]
    WrongKind {
        /// The device.
        name: String,
        /// What was asked for.
        mode: Mode,
        /// What the kernel said.
        source: io::Error,
    },
    /// The device is there, not ready, and this program may not change it.
    #[error(
        "{name} is not ready ({missing}), and setting it up needs root: run `scripts/tap-down {name}` and `scripts/tap-up {name}` as root"
    )]
    NotPrepared {
        /// The device.
        name: String,
        /// What it lacks.
        missing: String,
        /// What the kernel said to the attempt.
        source: NetlinkError,
    },
    /// All default subnets are taken.
    #[error(
        "{name} has no address, and interfaces of this machine take all the default subnets (10.71.83.0/24 to 10.71.98.0/24): give it an address"
    )]
    NoSubnet {
        /// The device.
        name: String,
    },
    /// The kernel could not be asked.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
    /// Anything else.
    #[error("{name}: {source}")]
    Other {
        /// The device.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
}

/// Frames that the kernel did not take. They are lost, as on any wire; TCP sends them again.
#[derive(Debug, Default)]
pub struct DeviceCounters {
    queue_full: AtomicU64,
    refused: AtomicU64,
}

impl DeviceCounters {
    /// Lost because its queue was full (EAGAIN, ENOBUFS).
    pub fn queue_full(&self) -> u64 {
        self.queue_full.load(Ordering::Relaxed)
    }

    /// Lost because it found them malformed or too long (EINVAL, EMSGSIZE).
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// A TAP or TUN device. A device that it created vanishes with it; a prepared one stays.
pub struct TapDevice {
    iface: tun_tap::Iface,
    mode: Mode,
    mtu: usize,
    host_side: Option<InterfaceAddress>,
    kernels_mac: Option<MacAddress>,
    counters: Arc<DeviceCounters>,
    buffer: Box<[u8]>,
}

impl TapDevice {
    /// Opens a device in the calling thread's network namespace and sees to it that the kernel's
    /// side is up and has an address.
    pub fn open(config: &TapConfig) -> Result<Self, OpenError> {
        let mut netlink = Netlink::open()?;
        let iface = open_iface(config, &mut netlink)?;
        let other = |source| OpenError::Other { name: iface.name().to_owned(), source };
        iface.set_non_blocking().map_err(other)?;
        let link = configure(config, iface.name(), &mut netlink)?;
        let (host_side, kernels_mac) = (link.addresses.first().copied(), link.mac);
        let buffer = vec![0; LONGEST_FRAME].into_boxed_slice();
        let counters = Arc::default();
        Ok(Self { iface, mode: config.mode, mtu: link.mtu, host_side, kernels_mac, counters, buffer })
    }

    /// TAP or TUN.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The kernel's address on the link; none where the device is a port of a bridge.
    pub fn host_side(&self) -> Option<InterfaceAddress> {
        self.host_side
    }

    /// A host that asks for its address by DHCP ([`Host::dhcp`](glasstack_stack::Host::dhcp)). Its MAC
    /// address is `02:65` and the end of the kernel's own on this device: as long as the device
    /// stays, servers know the host again, and devices of other machines on the same link differ.
    pub fn host_without_address(&self, name: &str) -> HostConfig {
        let MacAddress([_, _, a, b, c, d]) = self.kernels_mac.unwrap_or(MacAddress([0, 0, 0, 0, 0, 1]));
        HostConfig::unconfigured(name, MacAddress([0x02, 0x65, a, b, c, d]))
    }

    /// What the kernel does not take, counted as long as the device lives, in a world too.
    pub fn counters(&self) -> Arc<DeviceCounters> {
        Arc::clone(&self.counters)
    }

    fn error(&self, source: io::Error) -> DeviceError {
        DeviceError { device: self.iface.name().to_owned(), source: explained(source) }
    }
}

impl FrameDevice for TapDevice {
    fn name(&self) -> &str {
        self.iface.name()
    }

    fn medium(&self) -> Medium {
        self.mode.medium()
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn recv(&mut self) -> Result<Option<Frame>, DeviceError> {
        loop {
            return match self.iface.recv(&mut self.buffer) {
                Ok(length) => {
                    let bytes = self.buffer.get(..length).unwrap_or_default().to_vec();
                    Ok(Some(Frame { id: None, bytes }))
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => Ok(None),
                    io::ErrorKind::Interrupted => continue,
                    _ => Err(self.error(error)),
                },
            };
        }
    }

    fn send(&mut self, frame: Frame) -> Result<(), DeviceError> {
        loop {
            let Err(error) = self.iface.send(&frame.bytes) else { return Ok(()) };
            let counter = match error.raw_os_error().map(Errno::from_raw) {
                Some(Errno::EINTR) => continue,
                Some(Errno::EAGAIN | Errno::ENOBUFS) => &self.counters.queue_full,
                Some(Errno::EINVAL | Errno::EMSGSIZE) => &self.counters.refused,
                _ => return Err(self.error(error)),
            };
            counter.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
    }
}

impl AsRawFd for TapDevice {
    fn as_raw_fd(&self) -> RawFd {
        self.iface.as_raw_fd()
    }
}

impl fmt::Debug for TapDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapDevice")
            .field("name", &self.name())
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// The largest IP packet, an Ethernet header and a VLAN tag: a frame is never cut off, whatever
/// becomes of the MTU while the device is open.
const LONGEST_FRAME: usize = 65_535 + 14 + 4;

/// The kernel says EIO of an interface that is down and EBADFD of one that was removed.
fn explained(source: io::Error) -> io::Error {
    let why = match source.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EIO) => "the interface is down: somebody ran `ip link set ... down`, bring it up again",
        Some(Errno::EBADFD) => "the interface was removed while it was in use",
        _ => return source,
    };
    io::Error::new(io::ErrorKind::NetworkDown, format!("{why} ({source})"))
}

fn open_iface(config: &TapConfig, netlink: &mut Netlink) -> Result<tun_tap::Iface, OpenError> {
    let mode = config.mode;
    if let Some(name) = &config.name {
        check_name(name)?;
        return attach(name, mode);
    }
    let prepared = mode.default_name();
    match netlink.link(prepared)?.filter(|link| link.mode == Some(mode)) {
        None => attach(mode.pattern(), mode),
        Some(_) => match attach(prepared, mode) {
            // In use, or somebody else's: try for a new one, and tell of the first if that fails.
            Err(first @ (OpenError::Busy { .. } | OpenError::NotPermitted { .. })) => {
                attach(mode.pattern(), mode).map_err(|_| first)
            }
            attached => attached,
        },
    }
}

/// tun-tap cuts a name off after 15 bytes without a word, so it is checked here.
fn check_name(name: &str) -> Result<(), OpenError> {
    let why = match name {
        "" => "it is empty",
        "." | ".." => "it means a folder",
        _ if name.len() > 15 => "it is longer than 15 bytes",
        _ if name.chars().any(|c| c == '/' || c == ':' || c.is_whitespace() || c.is_control()) => {
            "slashes, colons, white space and control characters are not allowed"
        }
        _ if name.contains('%') => "a `%` would be replaced by a number",
        _ => return Ok(()),
    };
    Err(OpenError::Name { name: name.to_owned(), why })
}

fn attach(name: &str, mode: Mode) -> Result<tun_tap::Iface, OpenError> {
    let kind = match mode {
        Mode::Tap => tun_tap::Mode::Tap,
        Mode::Tun => tun_tap::Mode::Tun,
    };
    tun_tap::Iface::without_packet_info(name, kind).map_err(|source| {
        let name = name.replace("%d", "*");
        // Opening /dev/net/tun fails with ENOENT, ENODEV, ENXIO or EACCES; TUNSETIFF with the rest.
        match source.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENOENT | Errno::ENODEV | Errno::ENXIO) => OpenError::NoTunDriver(source),
            Some(Errno::EACCES) => OpenError::DriverForbidden(source),
            Some(Errno::EPERM) => OpenError::NotPermitted { name, mode, source },
            Some(Errno::EBUSY) => OpenError::Busy { name, source },
            Some(Errno::EINVAL | Errno::EEXIST) => OpenError::WrongKind { name, mode, source },
            _ => OpenError::Other { name, source },
        }
    })
}

/// Sets what is not as it should be, and reads the outcome back from the kernel.
fn configure(config: &TapConfig, name: &str, netlink: &mut Netlink) -> Result<LinkState, OpenError> {
    let vanished = || OpenError::Other { name: name.to_owned(), source: io::ErrorKind::NotFound.into() };
    let link = netlink.link(name)?.ok_or_else(vanished)?;
    let missing = missing(config, &link);
    if missing.is_empty() {
        return Ok(link);
    }
    match set_up(config, &link, netlink) {
        Err(OpenError::Netlink(source)) if source.is_permission_denied() => {
            return Err(OpenError::NotPrepared {
                name: name.to_owned(),
                missing: missing.join(", "),
                source,
            });
        }
        outcome => outcome?,
    }
    netlink.link(name)?.ok_or_else(vanished)
}

fn set_up(config: &TapConfig, link: &LinkState, netlink: &mut Netlink) -> Result<(), OpenError> {
    if let Some(mtu) = config.mtu.filter(|mtu| *mtu != link.mtu) {
        netlink.set_mtu(link, mtu)?;
    }
    if !link.is_enslaved && link.addresses.is_empty() {
        let taken: Vec<_> = netlink.addresses()?.into_iter().map(|(_, address)| address).collect();
        let no_subnet = || OpenError::NoSubnet { name: link.name.clone() };
        let host_side = config.host_side.or_else(|| default_host_side(&taken)).ok_or_else(no_subnet)?;
        netlink.add_address(link, host_side)?;
    }
    if !link.up {
        match netlink.set_no_ipv6_autoconf(link) {
            // A kernel without IPv6 has nothing to keep quiet.
            Err(error) if !error.is_permission_denied() => {}
            outcome => outcome?,
        }
        netlink.set_up(link)?;
    }
    Ok(())
}

fn missing(config: &TapConfig, link: &LinkState) -> Vec<String> {
    let mut missing = Vec::new();
    if !link.up {
        missing.push("it is down".to_owned());
    }
    if !link.is_enslaved && link.addresses.is_empty() {
        missing.push("it has no address".to_owned());
    }
    if let Some(mtu) = config.mtu.filter(|mtu| *mtu != link.mtu) {
        missing.push(format!("its MTU is {} and not {mtu}", link.mtu));
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_linux_would_cut_off_or_refuse_is_refused_first() {
        for name in ["sixteen-bytes-xx", "", ".", "..", "a/b", "a b", "a:b", "a\0b", "tap%d", "tap\n"] {
            let config = TapConfig { name: Some(name.to_owned()), ..TapConfig::default() };
            let error = TapDevice::open(&config).expect_err(name);
            assert!(matches!(error, OpenError::Name { .. }), "{name:?}: {error}");
        }
        assert!(check_name("fifteen-bytes-x").is_ok());
    }

    #[test]
    fn what_a_prepared_device_lacks_is_told() {
        let mut link = LinkState {
            index: 7,
            name: "glass0".to_owned(),
            up: false,
            mtu: 1500,
            mac: None,
            mode: Some(Mode::Tap),
            is_enslaved: false,
            addresses: Vec::new(),
        };
        let config = TapConfig { mtu: Some(9000), ..TapConfig::default() };
        assert_eq!(
            missing(&config, &link).join(", "),
            "it is down, it has no address, its MTU is 1500 and not 9000"
        );
        (link.up, link.is_enslaved, link.mtu) = (true, true, 9000);
        assert!(missing(&config, &link).is_empty(), "a bridge's port needs no address");
    }
}
