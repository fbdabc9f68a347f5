//! One connection's handshake: where to tell what is judged in it, and what was found.

use crate::client_auth::Asked;
use crate::problem::CertificateProblem;
use crate::verify::Taken;
use crate::version::TlsVersion;
use glasstack_journal::Scope;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// One connection before the judge.
pub(crate) struct Case {
    scope: Scope,
    problem: Mutex<Option<CertificateProblem>>,
    asked: Mutex<Option<Asked>>,
    session_offered: OnceLock<SessionOffered>,
    staple: Mutex<Option<Vec<u8>>>,
    /// The path that was taken.
    taken: Mutex<Option<Taken>>,
}

/// An earlier session that was to be taken up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionOffered {
    pub(crate) version: TlsVersion,
    /// Bytes that its ticket allows to come early; TLS 1.2 has no such thing.
    pub(crate) early_data: u32,
}

thread_local! {
    // A client has one judge for all its connections: rustls resumes a session only under the very
    // verifier that judged it first. Judging happens inside one poll, on one thread, so the
    // connection being polled is the one being judged.
    static CURRENT: RefCell<Option<Arc<Case>>> = const { RefCell::new(None) };
}

impl Case {
    pub(crate) fn new(scope: Scope) -> Arc<Self> {
        Arc::new(Self {
            scope,
            problem: Mutex::default(),
            asked: Mutex::default(),
            session_offered: OnceLock::new(),
            staple: Mutex::default(),
            taken: Mutex::default(),
        })
    }

    /// Until the guard is dropped, what is judged on this thread is this case.
    pub(crate) fn open(self: &Arc<Self>) -> Opened {
        Opened { before: CURRENT.with(|current| current.replace(Some(self.clone()))) }
    }

    /// What is being judged on this thread.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.with(|current| current.borrow().clone())
    }

    /// Where to tell it.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Why the certificate was refused, if it was.
    pub(crate) fn problem(&self) -> Option<CertificateProblem> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How the server asked for a client's certificate, if it did.
    pub(crate) fn asked(&self) -> Option<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn is_asked(&self, asked: Asked) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
    }

    /// The OCSP response that the server stapled to its certificate, if it did.
    pub(crate) fn staple(&self) -> Option<Vec<u8>> {
        self.staple.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what was stapled for when revocation is judged; rustls tells it to the judge alone.
    pub(crate) fn is_stapled(&self, response: &[u8]) {
        let response = (!response.is_empty()).then(|| response.to_vec());
        *self.staple.lock().unwrap_or_else(PoisonError::into_inner) = response;
    }

    /// The path that was taken; nothing where none was, as when a session is resumed.
    pub(crate) fn taken(&self) -> Option<Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn takes(&self, path: Taken) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(path);
    }

    /// The earlier session that was to be taken up, if one was.
    pub(crate) fn offered_session(&self) -> Option<SessionOffered> {
        self.session_offered.get().copied()
    }

    pub(crate) fn offers_session(&self, session: SessionOffered) {
        self.session_offered.get_or_init(|| session);
    }

    pub(crate) fn refuse(&self, problem: CertificateProblem) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
    }
}

/// See [`Case::open`].
pub(crate) struct Opened {
    before: Option<Arc<Case>>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        let before = self.before.take();
        CURRENT.with(|current| current.replace(before));
    }
}
