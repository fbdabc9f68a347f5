//! Dates as people and servers write them.

use glasstack_journal::WallTime;

/// A date in any of the ways that curl's `-z` takes: `Sun, 06 Nov 1994 08:49:37 GMT`,
/// `06-Nov-94 08:49:37`, `Nov 6 1994`, `1994.11.06`, `19941106 08:49:37 +0200`, and the like.
pub fn parse(text: &str) -> Option<WallTime> {
    let _ = text;
    None
}
