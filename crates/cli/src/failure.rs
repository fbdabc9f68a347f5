//! How the program fails: the chain of causes on stderr, and an exit code as curl's.

use glasstack::web::WebError;
use std::process::ExitCode;

/// An exit code that goes with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("exit code {0}")]
pub(crate) struct Code(pub(crate) u8);

/// curl: an option or the set-up is wrong.
pub(crate) const FAILED_INIT: u8 = 2;
/// curl: the body could not be written.
pub(crate) const WRITE_ERROR: u8 = 23;
/// curl: a status of 400 and above, with `-f`.
pub(crate) const HTTP_ERROR: u8 = 22;

/// Prints an error with its causes, one a line, and chooses the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let mut told = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // A transparent error repeats its source; a code is not for reading.
        if cause.is::<Code>() || told == text || told.ends_with(&text) {
            continue;
        }
        anstream::eprintln!("{}{text}", if told.is_empty() { "glasstack: " } else { "  because " });
        told = text;
    }
    code(error).into()
}

fn code(error: &anyhow::Error) -> u8 {
    let explicit = error.chain().find_map(|cause| cause.downcast_ref::<Code>()).map(|code| code.0);
    let from_web =
        || error.chain().find_map(|cause| cause.downcast_ref::<WebError>()).map(WebError::curl_exit_code);
    explicit.or_else(from_web).unwrap_or(FAILED_INIT)
}
