//! How the program fails: the chain of causes on stderr, and an exit code as curl's.

use crate::console::Console;
use glasstack::views::printable;
use glasstack::web::WebError;
use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// curl: an option or the set-up is wrong.
pub(crate) const FAILED_INIT: u8 = 2;
/// curl: what was typed makes no URL.
pub(crate) const MALFORMED_URL: u8 = 3;
/// curl: a file that is to be sent cannot be read.
pub(crate) const READ_ERROR: u8 = 26;
/// curl: the address of `--interface` is none of ours.
pub(crate) const INTERFACE_FAILED: u8 = 45;
/// curl: our certificate or key cannot be used.
pub(crate) const BAD_CERTIFICATE: u8 = 58;
/// curl: the cipher suites cannot be used.
pub(crate) const BAD_CIPHER: u8 = 59;
/// curl: the revocation lists cannot be used.
pub(crate) const BAD_CRL_FILE: u8 = 82;
/// curl: a status of 400 and above, with `-f`.
pub(crate) const HTTP_ERROR: u8 = 22;
/// curl: the body could not be written.
pub(crate) const WRITE_ERROR: u8 = 23;
/// curl: the certificates of `--cacert` cannot be used.
pub(crate) const BAD_CA_FILE: u8 = 77;

/// An error that knows its exit code.
#[derive(Debug)]
struct Coded {
    code: u8,
    error: anyhow::Error,
}

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Coded {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// Gives an error its exit code.
pub(crate) trait ExitWith<T> {
    /// If this is an error, the program is to end with `code`.
    fn exit_with(self, code: u8) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> ExitWith<T> for Result<T, E> {
    fn exit_with(self, code: u8) -> anyhow::Result<T> {
        self.map_err(|error| coded(code, error))
    }
}

/// An error with its exit code.
pub(crate) fn coded(code: u8, error: impl Into<anyhow::Error>) -> anyhow::Error {
    Coded { code, error: error.into() }.into()
}

/// An option is wrong.
pub(crate) fn usage(text: impl Into<String>) -> anyhow::Error {
    coded(FAILED_INIT, anyhow::Error::msg(text.into()))
}

/// Prints an error with its causes, one a line, and chooses the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    tell(error);
    code(error).into()
}

/// Prints an error with its causes, one a line.
pub(crate) fn tell(error: &anyhow::Error) {
    let mut told = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Many an error says its cause in its own words.
        if told.contains(&text) {
            continue;
        }
        let head = if told.is_empty() { "glasstack: " } else { "  because " };
        // Where it cannot be told, the exit code still tells it.
        let _ = writeln!(Console, "{head}{}", harmless(&text));
        told = text;
    }
}

/// What a peer or a file has put into an error does nothing to the terminal; the error's own lines stay lines.
pub(crate) fn harmless(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// An error with its causes, in a line.
pub(crate) fn in_a_line(error: &anyhow::Error) -> String {
    if let Some(error) = error.downcast_ref::<clap::Error>() {
        let text = error.render().to_string();
        let line = text.lines().next().unwrap_or_default();
        return line.strip_prefix("error: ").unwrap_or(line).to_owned();
    }
    let mut told: Vec<String> = Vec::new();
    for text in error.chain().map(ToString::to_string) {
        if told.last().is_none_or(|last| !last.contains(&text)) {
            told.push(text);
        }
    }
    told.join(": ")
}

/// The exit code that an error has.
pub(crate) fn code(error: &anyhow::Error) -> u8 {
    let coded = error.chain().find_map(|cause| cause.downcast_ref::<Coded>()).map(|coded| coded.code);
    let web = || error.chain().find_map(|cause| cause.downcast_ref::<WebError>());
    coded.or_else(|| web().map(WebError::curl_exit_code)).unwrap_or(FAILED_INIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};
    use glasstack::web::address_bar;

    #[test]
    fn what_a_peer_says_does_nothing_to_the_terminal() {
        assert_eq!(
            harmless("refused: \u{1b}[2J\nlose client\n     ^^^^^^"),
            "refused: \\u{1b}[2J\nlose client\n     ^^^^^^"
        );
    }

    #[test]
    fn a_code_is_found_below_any_context() {
        let error = Err::<(), _>(anyhow!("404")).exit_with(HTTP_ERROR).context("while fetching");
        assert_eq!(code(&error.unwrap_err()), 22);
        let error = address_bar::parse("a b").map_err(WebError::from).context("typed").unwrap_err();
        assert_eq!(code(&error), 3);
        assert_eq!(code(&anyhow!("anything else")), FAILED_INIT);
    }
}
