//! One connection's handshake: where to tell what is judged in it, and what was found.

use crate::problem::CertificateProblem;
use glasstack_journal::Scope;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

/// One connection before the judge.
pub(crate) struct Case {
    scope: Scope,
    problem: Mutex<Option<CertificateProblem>>,
}

thread_local! {
    // A client has one judge for all its connections: rustls resumes a session only under the very
    // verifier that judged it first. Judging happens inside one poll, on one thread, so the
    // connection being polled is the one being judged.
    static CURRENT: RefCell<Option<Arc<Case>>> = const { RefCell::new(None) };
}

impl Case {
    pub(crate) fn new(scope: Scope) -> Arc<Self> {
        Arc::new(Self { scope, problem: Mutex::default() })
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
