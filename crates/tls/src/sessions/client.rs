//! What a client keeps of its sessions, by the server's name.

use crate::case::Case;
use glasstack_journal::event::Note;
use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Of how many servers sessions are kept; the one that was met first goes first.
const SERVERS: usize = 64;
/// How many tickets of TLS 1.3 are kept for each; each is used once (RFC 8446 C.4).
const TICKETS: usize = 8;

/// The sessions of one client and its clones.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Servers>);

#[derive(Default)]
struct Servers {
    by_name: BTreeMap<String, Server>,
    /// Their names in the order in which they were met.
    met: VecDeque<String>,
}

#[derive(Default)]
struct Server {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tls13: VecDeque<Tls13ClientSessionValue>,
}

impl Kept {
    /// Forgets the sessions with `name`.
    pub(crate) fn forget(&self, name: &str) {
        if let Some(server) = self.servers().by_name.get_mut(name) {
            server.tls12 = None;
            server.tls13.clear();
        }
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn edit(&self, name: &ServerName<'_>, edit: impl FnOnce(&mut Server)) {
        let mut servers = self.servers();
        let Servers { by_name, met } = &mut *servers;
        let name = name.to_str().into_owned();
        if !by_name.contains_key(&name) {
            met.push_back(name.clone());
            if met.len() > SERVERS
                && let Some(first) = met.pop_front()
            {
                by_name.remove(&first);
            }
        }
        edit(by_name.entry(name).or_default());
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("servers", &self.servers().by_name.len()).finish()
    }
}

impl ClientSessionStore for Kept {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.edit(&name, |server| server.group = Some(group));
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.servers().by_name.get(name.to_str().as_ref())?.group
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.edit(&name, |server| server.tls12 = Some(value));
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        let session = self.servers().by_name.get(name.to_str().as_ref())?.tls12.clone()?;
        offering("TLS 1.2");
        Some(session)
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.edit(name, |server| server.tls12 = None);
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.edit(&name, |server| {
            if server.tls13.len() == TICKETS {
                server.tls13.pop_front();
            }
            server.tls13.push_back(value);
        });
    }

    /// RFC 8446 C.4: each ticket once, so that nobody on the way can tell that two connections are of
    /// the same client.
    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        let ticket = self.servers().by_name.get_mut(name.to_str().as_ref())?.tls13.pop_back()?;
        offering("TLS 1.3");
        Some(ticket)
    }
}

fn offering(version: &'static str) {
    if let Some(case) = Case::current() {
        case.offers_session();
        case.scope()
            .record(|| Note::detail(format!("an earlier session of {version} is to be taken up again")));
    }
}
