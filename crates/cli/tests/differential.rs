//! The same requests with curl and with `glasstack get`, against nginx and against a server with
//! strange answers: the same bytes on stdout and in files, the same heads, cookies, exit code and
//! what `-w` tells, and the same bytes sent. Where the two differ, `differential/known.rs` says why;
//! a difference that is not in it fails the test, and so does one that is and no longer shows.
//!
//! ```sh
//! cargo test -p glasstack-cli --test differential                     # all
//! cargo test -p glasstack-cli --test differential -- --nocapture      # and the table of differences
//! DIFFER='chunked: bad size' cargo test -p glasstack-cli --test differential -- --nocapture
//! DIFFER_TWIN=1 cargo test -p glasstack-cli --test differential       # curl beside curl: do they agree?
//! ```

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "real servers live in real time")]

#[path = "differential/cases/mod.rs"]
mod cases;
#[path = "differential/compare.rs"]
mod compare;
#[path = "differential/folder.rs"]
mod folder;
#[path = "differential/known.rs"]
mod known;
#[path = "differential/peers.rs"]
mod peers;
#[path = "differential/run.rs"]
mod run;
mod support;

use run::Case;
use std::collections::BTreeSet;

#[test]
fn lengths_and_chunks() {
    compare::all(cases::BODIES);
}

#[test]
fn heads_and_interim_responses() {
    compare::all(cases::HEADS);
}

#[test]
fn content_codings() {
    compare::all(cases::CODINGS);
}

#[test]
fn redirects() {
    compare::all(cases::REDIRECTS);
}

#[test]
fn requests_as_they_are_sent() {
    compare::all(cases::REQUESTS);
}

#[test]
fn cookies_and_credentials() {
    compare::all(cases::CREDENTIALS);
}

#[test]
fn output_files_ranges_and_repetition() {
    compare::all(cases::OUTPUT);
}

#[test]
fn connections_that_end_and_proxies() {
    compare::all(cases::CONNECTIONS);
}

#[test]
fn nginx_as_it_is() {
    compare::all(cases::NGINX);
}

#[test]
fn there_are_more_than_a_hundred_requests_and_each_has_a_name_of_its_own() {
    let cases: Vec<&Case> = cases::ALL.iter().flat_map(|group| group.iter()).collect();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert!(names.len() > 100, "{}", names.len());
    let twice = cases.iter().find(|case| cases.iter().filter(|other| other.name == case.name).count() > 1);
    assert_eq!(twice.map(|case| case.name), None);
    for (name, _) in known::all() {
        assert!(names.contains(name), "a difference is known of `{name}`, which is no request");
    }
}
