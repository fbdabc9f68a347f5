//! Names as people write them, made into names as DNS has them.

use crate::failure::{FAILED_INIT, coded};
use anyhow::anyhow;

/// The name in ASCII: letters of other alphabets become `xn--` (UTS 46), as in the address bar.
pub(crate) fn in_ascii(typed: &str) -> anyhow::Result<String> {
    let name = typed.trim();
    let refused = |why: &str| Err(coded(FAILED_INIT, anyhow!("`{typed}` is no name and no address: {why}")));
    if name.is_empty() {
        return refused("it is empty");
    }
    if name.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return refused("there is a blank or a control character in it");
    }
    if name.contains("://") || name.contains('/') {
        return refused("it looks like a URL (`glasstack get` takes those)");
    }
    if name.is_ascii() {
        return Ok(name.to_owned());
    }
    match url::Host::parse(name) {
        Ok(host) => Ok(host.to_string()),
        Err(error) => refused(&error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_alphabets_become_ascii() {
        assert_eq!(in_ascii("b\u{fc}cher.test").unwrap(), "xn--bcher-kva.test");
        for name in ["www.Example.test.", "192.0.2.1", "2001:db8::1", "_dmarc.example.test"] {
            assert_eq!(in_ascii(name).unwrap(), name);
        }
    }

    #[test]
    fn what_is_no_name_is_named() {
        for (name, why) in [
            ("", "empty"),
            (" ", "empty"),
            ("a b", "blank"),
            ("http://a/", "URL"),
            ("\u{fffd}", "`\u{fffd}`"),
        ] {
            let told = in_ascii(name).unwrap_err().to_string();
            assert!(told.contains(why) && told.contains(&format!("`{name}`")), "{told}");
        }
    }
}
