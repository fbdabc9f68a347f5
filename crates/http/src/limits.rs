//! How much a peer may send.

/// Bounds on one message. What exceeds them is an error, never a surprise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The heads of a response, start lines and header fields, interim ones (1xx) included; or the
    /// head of a request: in bytes. 300 KiB, as curl has it.
    pub max_head: usize,
    /// One line of a response's head, in bytes with its end. 100 KiB, as curl has it.
    pub max_line: usize,
    /// How many header fields. 10,000.
    pub max_headers: usize,
    /// The body as transferred, in bytes; none: as long as it likes. None.
    pub max_body: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_head: 300 * 1024, max_line: 100 * 1024, max_headers: 10_000, max_body: None }
    }
}

impl Limits {
    /// hyper's read buffer holds a head and panics if it is asked for less than this.
    const SMALLEST_BUFFER: usize = 8192;

    /// The buffer that a head of the permitted size needs.
    pub(crate) fn buffer(&self) -> usize {
        self.max_head.saturating_add(1024).max(Self::SMALLEST_BUFFER)
    }
}
