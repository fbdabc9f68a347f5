//! The time of this machine, where there is no world whose clock could be asked.

use glasstack::journal::WallTime;
use std::time::SystemTime;

/// Now.
pub(crate) fn now() -> WallTime {
    #[allow(clippy::disallowed_methods, reason = "there is no world here whose clock could be asked")]
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    WallTime::from_unix_seconds(since.unwrap_or_default().as_secs())
}
