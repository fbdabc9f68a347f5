//! Where a walk ends that would not end by itself (RFC 1034 5.3.3: "bound the amount of work").

use crate::error::ResolveError;
use crate::message::Question;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many queries a question may still cause.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    most: u32,
    spent: AtomicU32,
}

impl Budget {
    pub(super) fn new(most: u32) -> Self {
        Self { most, spent: AtomicU32::new(0) }
    }

    /// One query for `question`.
    pub(super) fn spend(&self, question: &Question) -> Result<(), ResolveError> {
        if self.spent.fetch_add(1, Ordering::Relaxed) < self.most {
            return Ok(());
        }
        Err(ResolveError::TooMuchWork { name: question.name.clone(), queries: self.most })
    }
}

/// The questions that led to one another: the address of a server of a zone of a server of a zone...
pub(super) struct Trail<'a> {
    question: &'a Question,
    above: Option<&'a Trail<'a>>,
    depth: u32,
}

impl<'a> Trail<'a> {
    pub(super) fn begin(question: &'a Question) -> Self {
        Self { question, above: None, depth: 0 }
    }

    /// One question further; not one that waits for its own answer.
    pub(super) fn down<'b>(&'b self, question: &'b Question, most: u32) -> Result<Trail<'b>, String> {
        let mut at = Some(self);
        while let Some(trail) = at {
            if trail.question == question {
                return Err("to find it, it would have to be known already".to_owned());
            }
            at = trail.above;
        }
        if self.depth == most {
            return Err(format!("name servers' addresses are looked for {most} deep and no deeper"));
        }
        Ok(Trail { question, above: Some(self), depth: self.depth + 1 })
    }
}
