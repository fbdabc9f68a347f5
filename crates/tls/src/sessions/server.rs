//! What a server keeps of its sessions, or lets its clients keep.

use super::tickets::Tickets;
use crate::error::ConfigError;
use glasstack_journal::Clock;
use rustls::ServerConfig;
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache};
use std::sync::Arc;

/// How a server lets its clients take up their sessions again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerSessions {
    /// It does not: every handshake is a whole one.
    None,
    /// It keeps the state of so many sessions itself, the oldest going first. Each of TLS 1.3 can be
    /// taken up once, so nothing sent early can be played again.
    Kept(usize),
    /// It wraps the state in tickets that the clients keep (RFC 5077, RFC 8446 4.6.1), sealed with a
    /// key that changes after so many seconds. A ticket is good until the key after its own goes out
    /// of use, so for twice this long at most: then both keys are forgotten, and what was recorded
    /// stays closed.
    Tickets {
        /// How long a key seals, in seconds.
        rotation: u32,
    },
}

impl Default for ServerSessions {
    /// 256 kept.
    fn default() -> Self {
        Self::Kept(256)
    }
}

impl ServerSessions {
    /// Six hours, as rustls and nginx rotate.
    pub fn tickets() -> Self {
        Self::Tickets { rotation: 6 * 60 * 60 }
    }

    pub(crate) fn set(
        self,
        config: &mut ServerConfig,
        early_data: u32,
        clock: &Arc<dyn Clock>,
    ) -> Result<(), ConfigError> {
        // RFC 8446 8.1: what may be used once only must be kept track of.
        if early_data > 0 && !matches!(self, Self::Kept(_)) {
            return Err(ConfigError::EarlyDataUntracked);
        }
        config.max_early_data_size = early_data;
        match self {
            Self::None => {
                config.session_storage = Arc::new(NoServerSessionStorage {});
                config.send_tls13_tickets = 0;
            }
            Self::Kept(count) => config.session_storage = ServerSessionMemoryCache::new(count),
            Self::Tickets { rotation } => {
                let provider = config.crypto_provider().clone();
                config.ticketer = Arc::new(Tickets::new(provider, clock.clone(), rotation));
            }
        }
        Ok(())
    }
}
