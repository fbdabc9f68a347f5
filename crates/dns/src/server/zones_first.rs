//! Zones of one's own before a recursive server: what they hold is answered from them, and all else is
//! found out (unbound's `auth-zone`, BIND's zones on a resolver).

use super::authority::{Asked, Authority, Reply, Transfer};
use super::zones::Zones;
use crate::name::DnsName;
use futures_util::future::{BoxFuture, ready};

/// Zones, and somebody to ask for everything else.
pub struct ZonesFirst<A> {
    zones: Zones,
    others: A,
}

impl<A: Authority> ZonesFirst<A> {
    /// What is in `zones` comes from there, all else from `others`.
    pub fn new(zones: Zones, others: A) -> Self {
        Self { zones, others }
    }
}

impl<A: Authority> Authority for ZonesFirst<A> {
    fn answer<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, Reply> {
        if self.zones.is_own(&asked.question.name) {
            return Box::pin(ready(self.zones.reply_to(asked)));
        }
        self.others.answer(asked)
    }

    fn answer_now(&self, asked: &Asked) -> Option<Reply> {
        if self.zones.is_own(&asked.question.name) {
            return Some(self.zones.reply_to(asked));
        }
        self.others.answer_now(asked)
    }

    fn recursion_available(&self) -> bool {
        self.others.recursion_available()
    }

    fn is_own(&self, name: &DnsName) -> bool {
        self.zones.is_own(name) || self.others.is_own(name)
    }

    fn transfer(&self, origin: &DnsName) -> Option<Transfer<'_>> {
        self.zones.transfer(origin).or_else(|| self.others.transfer(origin))
    }
}
