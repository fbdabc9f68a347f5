//! The body that `-d` and its kin make, and the query that `-G` and `--url-query` make of it.

use crate::args::DataKind;
use anyhow::Context;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Reads a file that an option names; `-` is stdin.
pub(crate) type ReadFile<'a> = &'a mut dyn FnMut(&OsStr) -> anyhow::Result<Vec<u8>>;

/// The body, its pieces joined by `&`; JSON is joined by nothing.
pub(crate) fn body(pieces: &[(DataKind, OsString)], read: ReadFile<'_>) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    for (index, (kind, text)) in pieces.iter().enumerate() {
        if index > 0 && *kind != DataKind::Json {
            body.push(b'&');
        }
        body.extend(piece(*kind, text, read)?);
    }
    Ok(body)
}

fn piece(kind: DataKind, text: &OsStr, read: ReadFile<'_>) -> anyhow::Result<Vec<u8>> {
    let bytes = text.as_bytes();
    match (kind, bytes.strip_prefix(b"@")) {
        (DataKind::UrlEncoded, _) => encoded(bytes, read),
        (DataKind::Raw, _) | (_, None) => Ok(bytes.to_vec()),
        (DataKind::Plain, Some(file)) => {
            let mut content = file_of(file, read)?;
            content.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
            Ok(content)
        }
        (DataKind::Binary | DataKind::Json, Some(file)) => file_of(file, read),
    }
}

/// `--data-urlencode`: `content`, `=content`, `name=content`, `@file`, `name@file`.
pub(crate) fn encoded(text: &[u8], read: ReadFile<'_>) -> anyhow::Result<Vec<u8>> {
    // An equals sign anywhere is stronger than an at sign in front of it.
    let at =
        text.iter().position(|byte| *byte == b'=').or_else(|| text.iter().position(|byte| *byte == b'@'));
    let Some((name, rest)) = at.and_then(|at| text.split_at_checked(at)) else { return Ok(form(text)) };
    let content = match rest.split_first() {
        Some((b'@', file)) => file_of(file, read)?,
        Some((_, content)) => content.to_vec(),
        None => Vec::new(),
    };
    let mut piece = name.to_vec();
    if !name.is_empty() {
        piece.push(b'=');
    }
    piece.extend(form(&content));
    Ok(piece)
}

/// `--url-query`: what begins with a plus sign is taken as it is.
pub(crate) fn query(pieces: &[String], read: ReadFile<'_>) -> anyhow::Result<Option<String>> {
    let mut query = Vec::new();
    for piece in pieces {
        query.push(match piece.strip_prefix('+') {
            Some(raw) => raw.to_owned(),
            None => String::from_utf8_lossy(&encoded(piece.as_bytes(), read)?).into_owned(),
        });
    }
    Ok((!query.is_empty()).then(|| query.join("&")))
}

fn file_of(name: &[u8], read: ReadFile<'_>) -> anyhow::Result<Vec<u8>> {
    let name = OsStr::from_bytes(name);
    read(name).with_context(|| format!("the body is to come from {}", name.display()))
}

/// RFC 3986 2.3: all but the unreserved characters.
pub(crate) fn percent(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(*byte);
        } else {
            text.extend(format!("%{byte:02X}").bytes());
        }
    }
    text
}

/// The same, but a blank is a plus sign, as in a form (WHATWG URL 5.2).
fn form(bytes: &[u8]) -> Vec<u8> {
    let words = bytes.split(|byte| *byte == b' ');
    words.map(percent).collect::<Vec<_>>().join(&b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &OsStr) -> anyhow::Result<Vec<u8>> {
        anyhow::ensure!(name == "file", "no such file");
        Ok(b"one\r\ntwo\0 & three\n".to_vec())
    }

    fn of(pieces: &[(DataKind, &str)]) -> String {
        let pieces: Vec<_> = pieces.iter().map(|(kind, text)| (*kind, OsString::from(text))).collect();
        String::from_utf8(body(&pieces, &mut read).unwrap()).unwrap()
    }

    #[test]
    fn pieces_are_joined_by_an_ampersand_but_json() {
        assert_eq!(
            of(&[(DataKind::Plain, "a=1"), (DataKind::Raw, "@b"), (DataKind::Binary, "c")]),
            "a=1&@b&c"
        );
        assert_eq!(of(&[(DataKind::Json, "{"), (DataKind::Json, "}")]), "{}");
        assert_eq!(of(&[(DataKind::Plain, "")]), "");
    }

    #[test]
    fn a_file_loses_its_line_breaks_unless_it_is_sent_as_it_is() {
        assert_eq!(of(&[(DataKind::Plain, "@file")]), "onetwo & three");
        assert_eq!(of(&[(DataKind::Binary, "@file")]), "one\r\ntwo\0 & three\n");
        let missing = body(&[(DataKind::Plain, "@none".into())], &mut read).unwrap_err();
        assert!(missing.to_string().contains("none"));
    }

    #[test]
    fn urlencode_encodes_what_follows_the_name() {
        for (given, sent) in [
            ("a b", "a+b"),
            ("=a=b", "a%3Db"),
            ("n=a b&c", "n=a+b%26c"),
            ("n m=\u{e9}", "n m=%C3%A9"),
            ("@file", "one%0D%0Atwo%00+%26+three%0A"),
            ("n@file", "n=one%0D%0Atwo%00+%26+three%0A"),
            ("n=@file", "n=%40file"),
            ("-._~", "-._~"),
        ] {
            assert_eq!(of(&[(DataKind::UrlEncoded, given)]), sent, "{given}");
        }
    }

    #[test]
    fn a_query_is_encoded_but_behind_a_plus_sign() {
        let pieces = ["a=b c".to_owned(), "+d=e f".to_owned()];
        assert_eq!(query(&pieces, &mut read).unwrap().as_deref(), Some("a=b+c&d=e f"));
        assert_eq!(query(&[], &mut read).unwrap(), None);
    }
}
