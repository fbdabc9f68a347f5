//! Scenarios that are known to fail, each with its reason. One that passes all the same has to leave
//! the list; one that fails and is not here fails the test.

/// File and reason.
pub(crate) const FAILING: &[(&str, &str)] = &[];
