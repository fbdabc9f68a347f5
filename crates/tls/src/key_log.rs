//! Secrets, for those who may read the traffic: the journal, and a file if the user wants one.

use crate::hex::hex;
use crate::observe::Tap;
use glasstack_journal::Scope;
use glasstack_journal::event::Tls;
use rustls::KeyLog;
use std::fmt;
use std::sync::Arc;

/// Takes one line of an `SSLKEYLOGFILE` (RFC 9850), without its end. The program appends it to the
/// file; the library opens none.
pub type KeyLogSink = Arc<dyn Fn(&str) + Send + Sync>;

/// One connection's secrets, told in its own scope: an embedded capture needs to know whose they are.
pub(crate) struct ConnectionKeyLog {
    pub(crate) scope: Scope,
    pub(crate) sink: Option<KeyLogSink>,
    /// Who reads along with them.
    pub(crate) tap: Option<Tap>,
}

impl KeyLog for ConnectionKeyLog {
    /// RFC 9850 2: label, client random in hex, secret in hex.
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        // TLS 1.2 is not asked first.
        if !self.will_log(label) {
            return;
        }
        let line = format!("{label} {} {}", hex(client_random), hex(secret));
        if let Some(sink) = &self.sink {
            sink(&line);
        }
        // What nothing is protected with would only puzzle who reads.
        if self.tap.as_ref().is_some_and(|tap| !tap.needs(label)) {
            return;
        }
        self.scope.record(|| Tls::Secret { line });
        if let Some(tap) = &self.tap {
            tap.secret(label, secret);
        }
    }

    fn will_log(&self, _label: &str) -> bool {
        self.sink.is_some() || self.scope.journal().is_watched()
    }
}

impl fmt::Debug for ConnectionKeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionKeyLog")
    }
}
