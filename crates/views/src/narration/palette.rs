//! Colours, all of them, in one place: ANSI "select graphic rendition" (ECMA-48 8.3.117).

use super::Tone;

/// The escape sequences in use; all empty when the output is plain.
pub(super) struct Palette {
    time: &'static str,
    node: &'static str,
    good: &'static str,
    warning: &'static str,
    bad: &'static str,
    detail: &'static str,
    reset: &'static str,
}

impl Palette {
    pub(super) const fn plain() -> Self {
        Self { time: "", node: "", good: "", warning: "", bad: "", detail: "", reset: "" }
    }

    pub(super) const fn ansi() -> Self {
        Self {
            time: "\x1b[2m",
            node: "\x1b[36m",
            good: "\x1b[32m",
            warning: "\x1b[33m",
            bad: "\x1b[1;31m",
            detail: "\x1b[2m",
            reset: "\x1b[0m",
        }
    }

    pub(super) fn line(&self, time: &str, node: &str, tone: Tone, text: &str) -> String {
        let colour = match tone {
            Tone::Plain => "",
            Tone::Good => self.good,
            Tone::Warning => self.warning,
            Tone::Bad => self.bad,
            Tone::Detail => self.detail,
        };
        let (reset, end) = (self.reset, if colour.is_empty() { "" } else { self.reset });
        format!("{}{time}{reset} {}{node}{reset}  {colour}{text}{end}", self.time, self.node)
    }

    /// A line that belongs to the one above.
    pub(super) fn below(&self, text: &str) -> String {
        format!("            {}{text}{}", self.detail, self.reset)
    }
}
