//! This stack's errors as those of the kernel's sockets.

use crate::addressing::AddressingError;
use crate::tap::OpenError;
use crate::thread::WorldEnded;
use crate::user::UserNetError;
use crate::world::{AddHostError, WorldError};
use glasstack_stack::{BindError, ConfigError, ConnectError, ListenError, PingError, UdpError};
use std::io::{self, ErrorKind};

/// A world could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The device cannot be had.
    #[error(transparent)]
    Device(#[from] OpenError),
    /// The host's address does not follow from the device's.
    #[error(transparent)]
    Addressing(#[from] AddressingError),
    /// The host cannot be as configured.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The host cannot join the world.
    #[error(transparent)]
    Host(#[from] AddHostError),
    /// The user network cannot be as configured.
    #[error(transparent)]
    UserNet(#[from] UserNetError),
    /// The world cannot be made.
    #[error(transparent)]
    World(#[from] WorldError),
    /// No more threads.
    #[error("cannot start the world's thread: {0}")]
    Thread(#[source] io::Error),
}

pub(super) fn network_down(ended: WorldEnded) -> io::Error {
    io::Error::new(ErrorKind::NetworkDown, ended)
}

/// As an error of the kind that connect(2), bind(2), sendto(2) and the like would give, with the
/// stack's own as its source.
pub(super) trait IntoIo: std::error::Error + Send + Sync + Sized + 'static {
    /// The kind.
    fn kind(&self) -> ErrorKind;

    /// The whole.
    fn into_io(self) -> io::Error {
        io::Error::new(self.kind(), self)
    }
}

impl IntoIo for ConnectError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoRoute(_) => ErrorKind::NetworkUnreachable,
            Self::NoArpReply { .. } => ErrorKind::HostUnreachable,
            Self::Refused { .. } => ErrorKind::ConnectionRefused,
            Self::Unreachable { what, .. } => unreachable_kind(what),
            Self::TimedOut { .. } => ErrorKind::TimedOut,
            Self::PortsExhausted { .. } | Self::AddressLost { .. } => ErrorKind::AddrNotAvailable,
            _ => ErrorKind::InvalidInput,
        }
    }
}

impl IntoIo for ListenError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InUse(_) => ErrorKind::AddrInUse,
            Self::NotOurs(_) => ErrorKind::AddrNotAvailable,
            Self::PortZero => ErrorKind::InvalidInput,
        }
    }
}

impl IntoIo for BindError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InUse(_) => ErrorKind::AddrInUse,
            Self::NotOurs(_) | Self::PortsExhausted => ErrorKind::AddrNotAvailable,
        }
    }
}

impl IntoIo for UdpError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoRoute(_) => ErrorKind::NetworkUnreachable,
            Self::NoArpReply { .. } => ErrorKind::HostUnreachable,
            Self::Unreachable { what, .. } => unreachable_kind(what),
            Self::AddressLost { .. } => ErrorKind::AddrNotAvailable,
            Self::TooLong(_) | Self::PortZero => ErrorKind::InvalidInput,
        }
    }
}

impl IntoIo for PingError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoRoute(_) => ErrorKind::NetworkUnreachable,
            Self::NoArpReply { .. } => ErrorKind::HostUnreachable,
            Self::Unreachable { what, .. } => unreachable_kind(what),
            Self::TimedOut { .. } => ErrorKind::TimedOut,
            Self::TooMany | Self::AddressLost { .. } => ErrorKind::AddrNotAvailable,
            Self::TooLong(_) => ErrorKind::InvalidInput,
        }
    }
}

/// As Linux translates ICMP's destination unreachable (icmp(7), RFC 1122 4.1.3.3).
fn unreachable_kind(what: &str) -> ErrorKind {
    if what.starts_with("network") {
        ErrorKind::NetworkUnreachable
    } else if what.starts_with("port") || what.starts_with("protocol") {
        ErrorKind::ConnectionRefused
    } else {
        ErrorKind::HostUnreachable
    }
}
