//! What one client may take of a server: [`clients`] counts what it has and how often it asks, `rate`
//! how often it is told the same, and `table` is the bounded memory of both.

pub mod clients;
pub mod rate;
mod table;

pub use clients::ClientLimits;
pub use rate::ResponseRateLimit;
