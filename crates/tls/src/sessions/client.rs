//! What a client keeps of its sessions, by the server's name.

use crate::case::{Case, SessionOffered};
use crate::revocation::after_handshake::NeededStaple;
use crate::version::TlsVersion;
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
    /// How many sessions were stored, ever.
    stored: u64,
}

/// Of each session its number, too: which of the stored it was.
#[derive(Default)]
struct Server {
    group: Option<NamedGroup>,
    tls12: Option<(u64, Tls12ClientSessionValue)>,
    tls13: VecDeque<(u64, Tls13ClientSessionValue)>,
    /// The answer without which these sessions are worth nothing, if they need one.
    staple: Option<NeededStaple>,
}

/// A moment among the sessions stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(u64);

impl Kept {
    /// Forgets the sessions with `name`.
    pub(crate) fn forget(&self, name: &str) {
        if let Some(server) = self.servers().by_name.get_mut(name) {
            server.tls12 = None;
            server.tls13.clear();
        }
    }

    /// This moment.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.servers().stored)
    }

    /// Forgets the sessions with `name` that were there at that moment.
    pub(crate) fn forget_before(&self, name: &str, Mark(mark): Mark) {
        if let Some(server) = self.servers().by_name.get_mut(name) {
            server.tls12.take_if(|(number, _)| *number <= mark);
            server.tls13.retain(|(number, _)| *number > mark);
        }
    }

    /// What was stapled when the sessions with `name` were made, if it is needed to take them up.
    pub(crate) fn staple(&self, name: &str) -> Option<NeededStaple> {
        self.servers().by_name.get(name)?.staple.clone()
    }

    /// Keeps what was stapled in a whole handshake with `name`.
    pub(crate) fn keep_staple(&self, name: &str, staple: Option<NeededStaple>) {
        if let Some(server) = self.servers().by_name.get_mut(name) {
            server.staple = staple;
        }
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's entry, and the number of a session that is now stored.
    fn edit(&self, name: &ServerName<'_>, edit: impl FnOnce(&mut Server, u64)) {
        let mut servers = self.servers();
        let Servers { by_name, met, stored } = &mut *servers;
        *stored += 1;
        let name = name.to_str().into_owned();
        if !by_name.contains_key(&name) {
            met.push_back(name.clone());
            if met.len() > SERVERS
                && let Some(first) = met.pop_front()
            {
                by_name.remove(&first);
            }
        }
        edit(by_name.entry(name).or_default(), *stored);
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("servers", &self.servers().by_name.len()).finish()
    }
}

impl ClientSessionStore for Kept {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.edit(&name, |server, _| server.group = Some(group));
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.servers().by_name.get(name.to_str().as_ref())?.group
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.edit(&name, |server, number| server.tls12 = Some((number, value)));
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        let (_, session) = self.servers().by_name.get(name.to_str().as_ref())?.tls12.clone()?;
        offering(SessionOffered { version: TlsVersion::Tls12, early_data: 0 });
        Some(session)
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.edit(name, |server, _| server.tls12 = None);
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.edit(&name, |server, number| {
            if server.tls13.len() == TICKETS {
                server.tls13.pop_front();
            }
            server.tls13.push_back((number, value));
        });
    }

    /// RFC 8446 C.4: each ticket once, so that nobody on the way can tell that two connections are of
    /// the same client.
    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        let (_, ticket) = self.servers().by_name.get_mut(name.to_str().as_ref())?.tls13.pop_back()?;
        offering(SessionOffered { version: TlsVersion::Tls13, early_data: ticket.max_early_data_size() });
        Some(ticket)
    }
}

fn offering(session: SessionOffered) {
    if let Some(case) = Case::current() {
        case.offers_session(session);
        let version = session.version;
        case.scope()
            .record(|| Note::detail(format!("an earlier session of {version} is to be taken up again")));
    }
}
