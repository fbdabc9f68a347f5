//! Where a walk ends that would not end by itself (RFC 1034 5.3.3: "bound the amount of work").

use super::options::IterateConfig;
use crate::error::ResolveError;
use crate::message::Question;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a question may still cause, with all that it leads to.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    queries: AtomicU32,
    lookups: AtomicU32,
    missing: AtomicU32,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    queries: u32,
    lookups: u32,
    missing: u32,
}

impl Budget {
    pub(crate) fn new(config: &IterateConfig) -> Arc<Self> {
        let limits = Limits {
            queries: config.max_queries,
            lookups: config.max_target_queries,
            missing: config.max_target_nx,
        };
        let none = AtomicU32::default;
        Arc::new(Self { limits, queries: none(), lookups: none(), missing: none() })
    }

    /// One query for `question`.
    pub(super) fn query(&self, question: &Question) -> Result<(), ResolveError> {
        if self.queries.fetch_add(1, Ordering::Relaxed) < self.limits.queries {
            return Ok(());
        }
        Err(ResolveError::TooMuchWork { name: question.name.clone(), queries: self.limits.queries })
    }

    /// One lookup of a name server's address.
    pub(super) fn lookup(&self) -> Result<(), String> {
        if self.lookups.fetch_add(1, Ordering::Relaxed) < self.limits.lookups {
            return Ok(());
        }
        Err(format!(
            "{} lookups of name servers' addresses have been made, and no more are",
            self.limits.lookups
        ))
    }

    /// A name server turned out not to have an address; whether too many did (CVE-2020-12662, NXNSAttack).
    pub(super) fn missing(&self) -> Result<(), String> {
        if self.missing.fetch_add(1, Ordering::Relaxed) < self.limits.missing {
            return Ok(());
        }
        Err(format!("more than {} name servers have no address", self.limits.missing))
    }
}

/// The questions that led to one another: the address of a server of a zone of a server of a zone...
#[derive(Debug)]
pub(crate) struct Trail {
    question: Question,
    above: Option<Arc<Trail>>,
    depth: u32,
}

impl Trail {
    pub(crate) fn begin(question: &Question) -> Arc<Self> {
        Arc::new(Self { question: question.clone(), above: None, depth: 0 })
    }

    /// How many lookups of name servers' addresses led here.
    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    /// One question further; not one that waits for its own answer.
    pub(super) fn down(self: &Arc<Self>, question: &Question, most: u32) -> Result<Arc<Self>, String> {
        let mut at = Some(self);
        while let Some(trail) = at {
            if trail.question == *question {
                return Err("to find it, it would have to be known already".to_owned());
            }
            at = trail.above.as_ref();
        }
        if self.depth == most {
            return Err(format!("name servers' addresses are looked for {most} deep and no deeper"));
        }
        let above = Some(Arc::clone(self));
        Ok(Arc::new(Self { question: question.clone(), above, depth: self.depth + 1 }))
    }

    /// The next name of a chain of aliases.
    pub(crate) fn along(self: &Arc<Self>, question: &Question) -> Arc<Self> {
        let above = Some(Arc::clone(self));
        Arc::new(Self { question: question.clone(), above, depth: self.depth })
    }
}
