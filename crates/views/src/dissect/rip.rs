//! As much of a RIP message (RFC 2453 4) as a label needs: what it wants, and of how many routes.

use crate::text::count;

const HEADER: usize = 4;
const ENTRY: usize = 20;

/// A message's command and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) is_response: bool,
    asks_for_everything: bool,
    routes: usize,
}

impl Message {
    /// Reads a message; anything else is not taken for RIP.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (header, entries) = bytes.split_at_checked(HEADER)?;
        let is_response = match header {
            [1, version, ..] if *version > 0 => false,
            [2, version, ..] if *version > 0 => true,
            _ => return None,
        };
        if !entries.len().is_multiple_of(ENTRY) {
            return None;
        }
        // RFC 2453 4.1: an entry that says who speaks is none of a route.
        let routes = entries.chunks_exact(ENTRY).filter(|entry| !entry.starts_with(&[0xff, 0xff]));
        let asks_for_everything = !is_response
            && routes.clone().all(|entry| entry.starts_with(&[0, 0]) && entry.ends_with(&[0, 0, 0, 16]));
        Some(Self { is_response, asks_for_everything, routes: routes.count() })
    }

    /// `RIP response, 3 routes`.
    pub(crate) fn label(&self) -> String {
        match (self.is_response, self.asks_for_everything) {
            (true, _) => format!("RIP response, {}", count(self.routes as u64, "route")),
            (false, true) => "RIP request for everything".to_owned(),
            (false, false) => format!("RIP request for {}", count(self.routes as u64, "route")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(bytes: &[u8]) -> Option<String> {
        Message::parse(bytes).map(|message| message.label())
    }

    #[test]
    fn messages_are_named_by_what_they_want() {
        let mut everything = [0; 24];
        everything[..2].copy_from_slice(&[1, 2]);
        everything[23] = 16;
        assert_eq!(label(&everything).unwrap(), "RIP request for everything");
        let routes = |n: usize| [[2, 2, 0, 0].as_slice(), &vec![0; n * 20]].concat();
        assert_eq!(label(&routes(1)).unwrap(), "RIP response, 1 route");
        assert_eq!(label(&routes(25)).unwrap(), "RIP response, 25 routes");
        assert_eq!(label(&[2, 2, 0]), None);
        assert_eq!(label(b"anything else"), None);
    }
}
