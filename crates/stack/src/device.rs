//! The device: where frames come from and go to.

use glasstack_journal::event::{FrameId, Medium};

/// A frame in flight, or a bare IP packet on [`Medium::Ip`].
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its number, if it has one already: a frame from a virtual wire keeps its sender's, one from
    /// the operating system gets its number from the runner that receives it.
    pub id: Option<FrameId>,
    /// From the first byte of the link header.
    pub bytes: Vec<u8>,
}

/// A network card as the stack sees it. It never blocks, and it never refuses a frame: it queues
/// it or drops it.
pub trait FrameDevice: Send {
    /// The interface's name, as `tap0` or `eth0`.
    fn name(&self) -> &str;
    /// What it carries.
    fn medium(&self) -> Medium;
    /// The largest IP packet, in bytes (without the link header).
    fn mtu(&self) -> usize;
    /// The next frame received, if there is one now.
    fn recv(&mut self) -> Result<Option<Frame>, DeviceError>;
    /// Sends a frame.
    fn send(&mut self, frame: Frame) -> Result<(), DeviceError>;
}

/// The device is gone or broken. A full queue is not an error: the frame is dropped and counted.
#[derive(Debug, thiserror::Error)]
#[error("network device {device}: {source}")]
pub struct DeviceError {
    /// The interface's name.
    pub device: String,
    /// What the operating system said.
    pub source: std::io::Error,
}
