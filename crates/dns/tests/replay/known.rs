//! Scenarios that are known to fail, each with its reason. One that passes all the same has to leave
//! the list; one that fails and is not here fails the test.

/// File and reason.
pub(crate) const FAILING: &[(&str, &str)] = &[
    ("iter_class_any_merge", "questions of class ANY, and class CH: only class IN is looked up here"),
    (
        "iter_dname_ttl0",
        "a record with a TTL of zero is good for the question that it was fetched for and no other \
         (RFC 1035 3.2.1); the scenario grants it a second",
    ),
    ("iter_fwdstubauth", "auth-zone: the resolver has no zones of its own beside its cache"),
    (
        "iter_timeout_ra_aaaa",
        "where all servers were silent, one of them is asked once all the same, to see whether it is back; \
         the scenario wants nobody to be asked until the time for that has come",
    ),
];
