//! What a query's EDNS options ask for, and what they are answered with (RFC 6891 6.1.2).

use super::cookies::Cookies;
use super::options::ServeOptions;
use crate::message::{Edns, EdnsOption};
use glasstack_stack::Host;
use std::net::IpAddr;
use std::time::Duration;

/// What a client has shown of itself by its cookie (RFC 7873).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// It has none.
    #[default]
    Nothing,
    /// It wants one, or has one that is good no more.
    Wish,
    /// It has the address that it asks from.
    Address,
}

/// What the options come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    /// What the client has shown.
    pub(super) shown: Shown,
    /// What the answer's OPT record holds for it.
    pub(super) options: Vec<EdnsOption>,
}

/// An option that cannot be what it says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its cookie has {0} bytes: 8 of the client's, and nothing or 8 to 32 of the server's")]
pub(super) struct BadCookie(usize);

impl Extensions {
    /// Reads the options of a query; of two with the same number the first counts (RFC 7873 5.2). `idle` is
    /// how long the client's connection may be unused, if it came over one.
    pub(super) fn of(
        edns: &Edns,
        client: IpAddr,
        idle: Option<Duration>,
        server: &ServeOptions,
        (cookies, host): (&Cookies, &Host),
    ) -> Result<Self, BadCookie> {
        let find = |code| edns.options.iter().find(|option| option.code == code);
        let mut extensions = Self::default();
        if let Some(EdnsOption { code, data }) = find(EdnsOption::COOKIE) {
            // RFC 7873 5.2.2: "the server SHALL return FORMERR".
            let judged = cookies.judge(data, client, host).ok_or(BadCookie(data.len()))?;
            extensions.shown = if judged.is_good { Shown::Address } else { Shown::Wish };
            extensions.options.push(EdnsOption { code: *code, data: judged.given });
        }
        // RFC 5001 2.1: whoever sends an empty one is told.
        if let (Some(name), Some(asked)) = (&server.nsid, find(EdnsOption::NSID)) {
            extensions.options.push(EdnsOption { code: asked.code, data: name.as_bytes().to_vec() });
        }
        // RFC 7828 3.3.2: in tenths of a second. 3.2.1: over UDP it means nothing.
        if let (Some(idle), Some(asked)) = (idle, find(EdnsOption::TCP_KEEPALIVE)) {
            let tenths = u16::try_from(idle.as_millis() / 100).unwrap_or(u16::MAX);
            extensions.options.push(EdnsOption { code: asked.code, data: tenths.to_be_bytes().to_vec() });
        }
        Ok(extensions)
    }
}
